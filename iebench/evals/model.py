"""What is evaluated: functions from images to representations, embeddings and predictions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy import ndarray
from torch import Tensor

from iebench.errors import IebenchError, UsageError
from iebench.loader.multiview import Anchor, Views

Represent = Callable[[Tensor], Tensor | ndarray]
Predict = Callable[[Tensor, Tensor], Tensor | ndarray]
RepresentSet = Callable[[Views], Tensor | ndarray]


@dataclass(frozen=True)
class Model:
    """A network as the evaluation sees it.

    Attributes:
        represent: uint8 images (batch, 3, height, width) → representations (batch, width).
        embed: representations (batch, width) → embeddings (batch, embedding).
        embeds_images: whether `embed` takes images instead, as it needs more of them than their representations.
        predict: (embeddings (batch, embedding), transforms (batch, t)) → predictions of the embeddings' last columns (batch, e).
        represent_set: some views of each object, without their labels → representations of the objects (batch, width).
        anchor: where the transforms of these views start.
        repeatable: whether `predict` may start at a prediction too, as the laws of a group want.
        parts: slices of the representation, such as {"invariant": …, "equivariant": …}.
        transform: that the predictor and `represent_set` take, such as "rotation".
        key: hash of the weights, by which representations are cached; not cached between calls when empty.
    """

    represent: Represent
    embed: Represent | None = None
    embeds_images: bool = False
    predict: Predict | None = None
    represent_set: RepresentSet | None = None
    anchor: Anchor = "first"
    repeatable: bool = True
    parts: Mapping[str, slice] = field(default_factory=dict)
    transform: str = "rotation"
    key: str = ""

    @property
    def has_predictor(self) -> bool:
        """Whether embeddings can be predicted from a transform."""
        return self.embed is not None and self.predict is not None


def describe_output(found: object) -> str:
    """What somebody's function gave, in words: its shape, or the names and shapes of its entries."""
    if isinstance(found, Tensor | ndarray):
        return f"an array of shape {tuple(found.shape)}"
    if isinstance(found, Mapping):
        entries = ", ".join(f"{name} {_shape_of(value)}" for name, value in found.items())
        return f"a {type(found).__name__} of {entries or 'nothing'}"
    if isinstance(found, tuple | list):
        return f"a {type(found).__name__} of {len(found)}"
    return f"a {type(found).__name__}"


def _shape_of(value: object) -> object:
    return tuple(value.shape) if isinstance(value, Tensor | ndarray) else type(value).__name__


def check_images(found: object, what: str) -> UInt8[Tensor, "batch 3 height width"]:
    """Images that somebody gave, as they are.

    Args:
        found: what was given.
        what: who gave it, for the message, such as "The dataset gives".

    Raises:
        UsageError: it is something else.
    """
    if not isinstance(found, Tensor) or found.dtype != torch.uint8 or found.ndim != 4 or found.shape[1] != 3:
        told = describe_output(found) + (f" of {found.dtype}" if isinstance(found, Tensor | ndarray) else "")
        raise UsageError(f"{what} {told}: give images as uint8 tensors (batch, 3, height, width).")
    return found


def check_vectors(found: object, count: int, what: str) -> Float[Tensor, "n width"]:
    """What a user's function gave for a batch, as float32 vectors.

    Args:
        found: what it gave.
        count: rows of the batch.
        what: who gave it, for the message, such as "The network".

    Raises:
        IebenchError: it is no matrix of so many rows of finite real numbers.
    """
    if not isinstance(found, Tensor | ndarray):
        told = describe_output(found)
        raise IebenchError(f"{what} gives {told}: return one array of vectors, ({count}, width) for {count} rows.")
    if found.ndim != 2 or len(found) != count or not found.shape[1] or not _is_real(found):
        told = f"{tuple(found.shape)} of {found.dtype}"
        raise IebenchError(
            f"{what} gives an array of shape {told} for {count} rows: return real numbers ({count}, width)."
        )
    vectors = _to_float32(found)
    if not vectors.isfinite().all():
        raise IebenchError(
            f"{what} gives numbers that are not finite in float32: its weights are damaged, it does not fit the data, or its "
            "type is too narrow (then --dtype float32 mends it)."
        )
    return vectors


def check_predictions(found: object, embeddings: Float[Tensor, "n width"]) -> Float[Tensor, "n columns"]:
    """What a user's predictor gave for embeddings, whose last columns it predicts.

    Raises:
        IebenchError: it is no matrix of finite real numbers, or wider than the embeddings.
    """
    vectors, width = check_vectors(found, len(embeddings), "The predictor"), embeddings.shape[1]
    if vectors.shape[1] > width:
        raise IebenchError(
            f"The predictor gives {vectors.shape[1]} numbers for an embedding of {width}: return its last columns, or all."
        )
    return vectors


def _is_real(array: Tensor | ndarray) -> bool:
    return not array.is_complex() if isinstance(array, Tensor) else array.dtype.kind in "biuf"


def _to_float32(array: Tensor | ndarray) -> Tensor:
    if isinstance(array, Tensor):
        return array.float()
    with np.errstate(over="ignore"):  # what is too large becomes infinite
        return torch.from_numpy(np.array(array, np.float32))  # torch takes no other byte orders, nor negative strides
