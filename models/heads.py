"""Perceptrons: projectors after the backbone, and the heads of regressions."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from torch import nn

from iebench.errors import UsageError
from iebench.limits import MAX_LAYERS
from iebench.models.settings import MethodSettings, setting


@dataclass(frozen=True)
class ProjectorSettings(MethodSettings):
    """What a method with a projector is told; the SIE paper's size for the methods it compares with."""

    projector: str = setting("2048-2048-2048", "Sizes of the projector's layers.")
    projector_norm: bool = setting(
        False,
        "End the projector in a batch norm without gains, and leave its biases out, as SimCLR's code does.",
        is_later=True,
    )


def parse_sizes(text: str) -> tuple[int, ...]:
    """Read layer sizes written as "1024-1024-1024"; none where nothing is written.

    Raises:
        UsageError: if a size is not a positive whole number of at most six digits, or there are too many.
    """
    parts = text.split("-") if text else []
    if len(parts) > MAX_LAYERS or not all(re.fullmatch("[0-9]{1,6}", part) and int(part) > 0 for part in parts):
        raise UsageError(
            f"Layer sizes {text!r} are not positive numbers of six digits at most, joined by '-'; write for example "
            "1024-1024-1024."
        )
    return tuple(int(part) for part in parts)


def parse_projector(text: str) -> tuple[int, ...]:
    """Read the layer sizes of a projector, of which the last is the embedding's.

    Raises:
        UsageError: see `parse_sizes`; or there is none.
    """
    if sizes := parse_sizes(text):
        return sizes
    raise UsageError("--projector has no layer, and the last one is the embedding's; write for example 1024-1024-1024.")


def projector(input_size: int, sizes: Sequence[int], ends_in_norm: bool = False) -> nn.Sequential:
    """VICReg's projector: (linear, batch norm, ReLU) for each hidden size, then a linear layer without bias.

    Args:
        input_size: number of coordinates of a representation.
        sizes: hidden sizes, then the embedding's size.
        ends_in_norm: SimCLR's instead: a batch norm without gains comes last, and no linear layer has biases.
    """
    *hidden, embedding = sizes
    layers = _hidden_layers(input_size, hidden, bias=not ends_in_norm)
    layers.append(nn.Linear([input_size, *hidden][-1], embedding, bias=False))
    return nn.Sequential(*layers, *([nn.BatchNorm1d(embedding, affine=False)] if ends_in_norm else []))


def predictor_head(input_size: int, sizes: Sequence[int]) -> nn.Sequential:
    """seq-JEPA's predictor: hidden layers as in `projector`, without biases, then a linear layer with one."""
    *hidden, output = sizes
    return nn.Sequential(*_hidden_layers(input_size, hidden, bias=False), nn.Linear([input_size, *hidden][-1], output))


def embedding_of_transforms(transform_size: int, width: int) -> nn.Sequential:
    """A transform as so many learned numbers: a linear layer without bias, then a batch norm without gains (seq-JEPA)."""
    return projector(transform_size, [width], ends_in_norm=True)


def _hidden_layers(input_size: int, sizes: Sequence[int], bias: bool) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for before, size in pairwise([input_size, *sizes]):
        layers += [nn.Linear(before, size, bias=bias), nn.BatchNorm1d(size), nn.ReLU(inplace=True)]
    return layers


def perceptron(input_size: int, hidden: Sequence[int], output_size: int, bias: bool = True) -> nn.Sequential:
    """(linear, ReLU) for each hidden size, then a linear layer."""
    layers: list[nn.Module] = []
    for size in hidden:
        layers += [nn.Linear(input_size, size, bias=bias), nn.ReLU(inplace=True)]
        input_size = size
    return nn.Sequential(*layers, nn.Linear(input_size, output_size, bias=bias))
