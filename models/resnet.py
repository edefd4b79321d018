"""ResNets (He et al., CVPR 2016) without their last linear layer, named and initialised as torchvision's."""

from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

NormalisedImages = Float[Tensor, "batch 3 height width"]
Map = Float[Tensor, "batch channels height width"]
NextMap = Float[Tensor, "batch next_channels next_height next_width"]


def convolution(inputs: int, outputs: int, size: int, stride: int = 1) -> nn.Conv2d:
    """A convolution without bias that keeps the image's size at stride 1."""
    return nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut (He et al. 2016, figure 5 left)."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int, projects: bool = False) -> None:
        super().__init__()
        self.conv1 = convolution(inputs, width, 3, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = convolution(width, width, 3)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = shortcut(inputs, width, stride, projects)

    def forward(self, x: Map) -> NextMap:
        """The sum of both paths after a ReLU."""
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        return F.relu(y + self.downsample(x), inplace=True)


class Bottleneck(nn.Module):
    """1x1, 3x3 (which carries the stride, as in torchvision) and 1x1 convolutions beside a shortcut."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int, projects: bool = False) -> None:
        super().__init__()
        outputs = width * self.expansion
        self.conv1 = convolution(inputs, width, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = convolution(width, width, 3, stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = convolution(width, outputs, 1)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = shortcut(inputs, outputs, stride, projects)

    def forward(self, x: Map) -> NextMap:
        """The sum of both paths after a ReLU."""
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = F.relu(self.bn2(self.conv2(y)), inplace=True)
        y = self.bn3(self.conv3(y))
        return F.relu(y + self.downsample(x), inplace=True)


def shortcut(inputs: int, outputs: int, stride: int, projects: bool) -> nn.Sequential:
    """The identity, or a projection."""
    if not projects:
        return nn.Sequential()
    return nn.Sequential(convolution(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))


def initialise(network: nn.Module) -> None:
    """Draw the filters of all convolutions as torchvision's ResNets and SIE's do (He et al. 2015, by the fan out)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


class ResNet(nn.Module):
    """A ResNet without its last linear layer; its parameters have torchvision's names.

    Args:
        block: `BasicBlock` or `Bottleneck`.
        depths: number of blocks of the four stages.
        stem: channels of the first stage, which each later one doubles.
        as_map: whether to give the last stage's map (batch, width, height / 32, width / 32) instead of its mean over positions.
        small_images: a first convolution of 3x3 and no pooling after it, so that all maps have twice the side.

    Attributes:
        projects_always: whether the shortcut of the first stage's first block is a projection too, where the shape stays.
    """

    projects_always: ClassVar[bool] = False

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        depths: tuple[int, int, int, int],
        stem: int = 64,
        as_map: bool = False,
        small_images: bool = False,
    ) -> None:
        super().__init__()
        self.as_map = as_map
        self.conv1 = convolution(3, stem, 3 if small_images else 7, 2)
        self.bn1 = nn.BatchNorm2d(stem)
        self.maxpool = nn.Identity() if small_images else nn.MaxPool2d(3, stride=2, padding=1)
        inputs = stem
        for stage, depth in enumerate(depths):
            width, stride = stem * 2**stage, 1 if stage == 0 else 2
            outputs = width * block.expansion
            projects = self.projects_always or stride != 1 or inputs != outputs
            blocks = [block(inputs, width, stride, projects)]
            inputs = outputs
            blocks += [block(inputs, width, 1) for _ in range(depth - 1)]
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        initialise(self)

    def forward(self, images: NormalisedImages) -> Float[Tensor, "batch size *positions"]:
        """The pooled vectors (batch, dim), or the last maps (batch, dim, h, w) where it was built `as_map`."""
        x = self.maxpool(F.relu(self.bn1(self.conv1(images)), inplace=True))
        x = self.get_submodule("layer4")(
            self.get_submodule("layer3")(self.get_submodule("layer2")(self.get_submodule("layer1")(x)))
        )
        return x if self.as_map else x.mean(dim=(2, 3))
