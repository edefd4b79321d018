"""Backbones: image → representation. ResNets named and initialised as torchvision's, and those of others by dotted name."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from iebench.errors import UsageError
from iebench.plugins import is_dotted, load_object

NormalisedImages = Float[Tensor, "batch 3 height width"]
Map = Float[Tensor, "batch channels height width"]
NextMap = Float[Tensor, "batch next_channels next_height next_width"]


def convolution(inputs: int, outputs: int, size: int, stride: int = 1) -> nn.Conv2d:
    """A convolution without bias that keeps the image's size at stride 1."""
    return nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut (He et al. 2016, figure 5 left)."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = convolution(inputs, width, 3, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = convolution(width, width, 3)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = shortcut(inputs, width, stride)

    def forward(self, x: Map) -> NextMap:
        """The sum of both paths after a ReLU."""
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        return F.relu(y + self.downsample(x), inplace=True)


class Bottleneck(nn.Module):
    """1x1, 3x3 (which carries the stride, as in torchvision) and 1x1 convolutions beside a shortcut."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = width * self.expansion
        self.conv1 = convolution(inputs, width, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = convolution(width, width, 3, stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = convolution(width, outputs, 1)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = shortcut(inputs, outputs, stride)

    def forward(self, x: Map) -> NextMap:
        """The sum of both paths after a ReLU."""
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = F.relu(self.bn2(self.conv2(y)), inplace=True)
        y = self.bn3(self.conv3(y))
        return F.relu(y + self.downsample(x), inplace=True)


def shortcut(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """The identity, or a projection where the shape changes."""
    if stride == 1 and inputs == outputs:
        return nn.Sequential()
    return nn.Sequential(convolution(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))


class ResNet(nn.Module):
    """A ResNet without its last linear layer; its parameters have torchvision's names.

    Args:
        block: `BasicBlock` or `Bottleneck`.
        depths: number of blocks of the four stages.
        stem: channels of the first stage, which each later one doubles.
        as_map: whether to give the last stage's map (batch, width, height / 32, width / 32) instead of its mean over positions.
        small_images: a first convolution of 3x3 and no pooling after it, so that all maps have twice the side.
    """

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
            blocks = [block(inputs, width, stride)]
            inputs = width * block.expansion
            blocks += [block(inputs, width, 1) for _ in range(depth - 1)]
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: NormalisedImages) -> Float[Tensor, "batch size *positions"]:
        """The pooled vectors (batch, dim), or the last maps (batch, dim, h, w) where it was built `as_map`."""
        x = self.maxpool(F.relu(self.bn1(self.conv1(images)), inplace=True))
        x = self.get_submodule("layer4")(
            self.get_submodule("layer3")(self.get_submodule("layer2")(self.get_submodule("layer1")(x)))
        )
        return x if self.as_map else x.mean(dim=(2, 3))


RESNETS: dict[str, Callable[..., nn.Module]] = {
    "resnet18": partial(ResNet, BasicBlock, (2, 2, 2, 2)),
    "resnet18-narrow": partial(ResNet, BasicBlock, (2, 2, 2, 2), 32),  # a quarter of the work, for CPUs
    "resnet18-small-stem": partial(ResNet, BasicBlock, (2, 2, 2, 2), small_images=True),
    "resnet18-narrow-small-stem": partial(ResNet, BasicBlock, (2, 2, 2, 2), 32, small_images=True),
    "resnet34": partial(ResNet, BasicBlock, (3, 4, 6, 3)),
    "resnet50": partial(ResNet, Bottleneck, (3, 4, 6, 3)),
}


def build_backbone(name: str, as_map: bool = False) -> nn.Module:
    """A backbone by name: one of `RESNETS`, or `package.module:function` that returns an `nn.Module`.

    Args:
        name: which.
        as_map: whether it shall give its last map instead of the pooled vector; a function's module must do so by itself.

    Raises:
        UsageError: if there is no such function, or it does not return a module.
    """
    if name in RESNETS:
        return RESNETS[name](as_map=as_map)
    if not is_dotted(name):
        raise UsageError(
            f"--backbone {name} is none of {', '.join(RESNETS)}; name your own as package.module:function."
        )
    backbone = load_object(name, "--backbone")()
    if not isinstance(backbone, nn.Module):
        raise UsageError(f"--backbone {name} returned a {type(backbone).__name__}; it must return a torch.nn.Module.")
    return backbone


def measure_width(backbone: nn.Module, size: int = 64, as_map: bool = False) -> int:
    """Number of coordinates of the representation, or of channels of the map.

    Raises:
        UsageError: if the backbone does not map (batch, 3, size, size) to (batch, width), or to (batch, channels, height, width).
    """
    shape = measure_output(backbone, size)
    wanted = "(1, channels, height, width), as the method takes the map" if as_map else "(1, width)"
    if len(shape) != (4 if as_map else 2) or shape[0] != 1:
        raise UsageError(f"--backbone maps (1, 3, {size}, {size}) to {shape}; it must give {wanted}.")
    return shape[1]


def measure_output(backbone: nn.Module, size: int) -> tuple[int, ...]:
    """Shape of what a backbone makes of one image of size by size pixels, found by a dry run on a blank one.

    Raises:
        UsageError: if it gives no tensor.
    """
    training = backbone.training
    with torch.no_grad():
        output = backbone.eval()(torch.zeros(1, 3, size, size))
    backbone.train(training)
    if not isinstance(output, Tensor):
        raise UsageError(f"--backbone gives a {type(output).__name__} for an image; it must give a tensor.")
    return tuple(output.shape)
