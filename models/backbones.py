"""Backbones: image → representation. ResNets, torchvision's and SIE's, and those of others by dotted name."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from iebench.errors import UsageError
from iebench.models.resnet import BasicBlock, Bottleneck, ResNet
from iebench.models.resnet_sie import SieBasicBlock, SieBottleneck, SieResNet
from iebench.plugins import is_dotted, load_object

RESNETS: dict[str, Callable[..., nn.Module]] = {
    "resnet18": partial(ResNet, BasicBlock, (2, 2, 2, 2)),
    "resnet18-narrow": partial(ResNet, BasicBlock, (2, 2, 2, 2), 32),  # a quarter of the work, for CPUs
    "resnet18-small-stem": partial(ResNet, BasicBlock, (2, 2, 2, 2), small_images=True),
    "resnet18-narrow-small-stem": partial(ResNet, BasicBlock, (2, 2, 2, 2), 32, small_images=True),
    "resnet34": partial(ResNet, BasicBlock, (3, 4, 6, 3)),
    "resnet50": partial(ResNet, Bottleneck, (3, 4, 6, 3)),
    "resnet18-sie": partial(SieResNet, SieBasicBlock, (2, 2, 2, 2)),  # also of CapsIE and EquiCaps
    "resnet50-sie": partial(SieResNet, SieBottleneck, (3, 4, 6, 3)),
}


def build_backbone(name: str, as_map: bool = False, option: str = "--backbone") -> nn.Module:
    """A backbone by name: one of `RESNETS`, or `package.module:function` that returns an `nn.Module`.

    Args:
        name: which.
        as_map: whether it shall give its last map instead of the pooled vector; a function's module must do so by itself.
        option: where the user wrote it, for messages.

    Raises:
        UsageError: if there is no such function, or it does not return a module.
    """
    if name in RESNETS:
        return RESNETS[name](as_map=as_map)
    if not is_dotted(name):
        raise UsageError(f"{option} {name} is none of {', '.join(RESNETS)}; name your own as package.module:function.")
    backbone = load_object(name, option)()
    if not isinstance(backbone, nn.Module):
        raise UsageError(f"{option} {name} returned a {type(backbone).__name__}; it must return a torch.nn.Module.")
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
