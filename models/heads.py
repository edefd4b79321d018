"""Perceptrons: projectors after the backbone, and the heads of regressions."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from iebench.errors import UsageError
from iebench.limits import MAX_LAYERS
from iebench.models.settings import MethodSettings, setting


@dataclass(frozen=True)
class ProjectorSettings(MethodSettings):
    """What a method with a projector is told; the SIE paper's size for the methods it compares with."""

    projector: str = setting("2048-2048-2048", "Sizes of the projector's layers.")


def parse_sizes(text: str) -> tuple[int, ...]:
    """Read layer sizes written as "1024-1024-1024".

    Raises:
        UsageError: if a size is not a positive whole number of at most six digits, or there are too many.
    """
    parts = text.split("-") if text else []
    if len(parts) > MAX_LAYERS or not all(re.fullmatch("[0-9]{1,6}", part) and int(part) > 0 for part in parts):
        raise UsageError(
            f"Layer sizes {text!r} are not positive numbers joined by '-'; write for example 1024-1024-1024."
        )
    return tuple(int(part) for part in parts)


def projector(input_size: int, sizes: Sequence[int]) -> nn.Sequential:
    """VICReg's projector: (linear, batch norm, ReLU) for each hidden size, then a linear layer without bias.

    Args:
        input_size: number of coordinates of a representation.
        sizes: hidden sizes, then the embedding's size.
    """
    *hidden, embedding = sizes
    layers: list[nn.Module] = []
    for size in hidden:
        layers += [nn.Linear(input_size, size), nn.BatchNorm1d(size), nn.ReLU(inplace=True)]
        input_size = size
    return nn.Sequential(*layers, nn.Linear(input_size, embedding, bias=False))


def perceptron(input_size: int, hidden: Sequence[int], output_size: int, bias: bool = True) -> nn.Sequential:
    """(linear, ReLU) for each hidden size, then a linear layer."""
    layers: list[nn.Module] = []
    for size in hidden:
        layers += [nn.Linear(input_size, size, bias=bias), nn.ReLU(inplace=True)]
        input_size = size
    return nn.Sequential(*layers, nn.Linear(input_size, output_size, bias=bias))
