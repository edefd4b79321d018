"""The ResNets of SIE, CapsIE and EquiCaps, which are VICReg's: torchvision's names, other padding, strides and shortcuts.

A file of torchvision's that were loaded into one of them by force, or the other way round, would give other outputs.
"""

from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from iebench.errors import UsageError
from iebench.models.resnet import (
    BasicBlock,
    Bottleneck,
    Map,
    NextMap,
    NormalisedImages,
    ResNet,
    convolution,
    initialise,
)

SHRINKS_BY = 32  # from the image to the last map
Margins = tuple[int, int, int, int]  # left, right, top, bottom
STEM_MARGINS, BLOCK_MARGINS = (2, 3, 2, 3), (0, 1, 0, 1)


class MarginConvolution(nn.Conv2d):
    """A convolution of stride 2 without bias that pads each side with zeros by a margin of its own."""

    def __init__(self, inputs: int, outputs: int, size: int, margins: Margins) -> None:
        super().__init__(inputs, outputs, size, stride=2, bias=False)
        self.margins = margins

    def forward(self, x: Map) -> NextMap:
        """The convolved map, half as high and wide."""
        return super().forward(F.pad(x, self.margins))


def strided(width: int, stride: int) -> nn.Conv2d:
    """The 3x3 convolution that carries a block's stride."""
    return convolution(width, width, 3) if stride == 1 else MarginConvolution(width, width, 3, BLOCK_MARGINS)


class SieBasicBlock(BasicBlock):
    """A basic block whose second convolution carries the stride."""

    def __init__(self, inputs: int, width: int, stride: int, projects: bool = False) -> None:
        super().__init__(inputs, width, stride, projects)
        self.conv1, self.conv2 = convolution(inputs, width, 3), strided(width, stride)


class SieBottleneck(Bottleneck):
    """A bottleneck whose 3x3 convolution pads right and below where it strides."""

    def __init__(self, inputs: int, width: int, stride: int, projects: bool = False) -> None:
        super().__init__(inputs, width, stride, projects)
        self.conv2 = strided(width, stride)


class SieResNet(ResNet):
    """A ResNet as SIE's authors have it: every stage begins with a projection, and every block as the identity."""

    projects_always: ClassVar[bool] = True

    def __init__(
        self,
        block: type[SieBasicBlock] | type[SieBottleneck],
        depths: tuple[int, int, int, int],
        as_map: bool = False,
    ) -> None:
        super().__init__(block, depths, as_map=as_map)
        self.conv1 = MarginConvolution(3, 64, 7, STEM_MARGINS)
        # Theirs pads right and below with -10000, which no window takes after a ReLU: a last window that is not whole.
        self.maxpool = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        initialise(self)
        for module in self.modules():
            if isinstance(module, block):
                nn.init.zeros_(_last_norm(module).weight)

    def forward(self, images: NormalisedImages) -> Float[Tensor, "batch size *positions"]:
        """The pooled vectors (batch, dim), or the last maps (batch, dim, h, w) where it was built `as_map`.

        Raises:
            UsageError: a side is no multiple of 32, where branch and shortcut would have different sizes.
        """
        height, width = images.shape[2:]
        if height % SHRINKS_BY or width % SHRINKS_BY:
            whole = min(height, width) // SHRINKS_BY * SHRINKS_BY
            mend = f"--size {whole} or --backbone resnet18" if whole else "--backbone resnet18"
            raise UsageError(
                f"SIE's ResNet takes images whose sides are multiples of {SHRINKS_BY}, not {height} x {width}: give {mend}."
            )
        return super().forward(images)


def _last_norm(block: nn.Module) -> nn.BatchNorm2d:
    return block.get_submodule("bn3" if isinstance(block, SieBottleneck) else "bn2")  # type: ignore[return-value]
