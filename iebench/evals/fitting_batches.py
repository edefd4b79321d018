"""A network that is called as the machine bears it, and asked whether the rest of a batch changes what it says of an image."""

import sys
from collections.abc import Callable

import torch
from numpy import ndarray
from torch import Tensor

from iebench.errors import IebenchError
from iebench.evals.model import Represent, check_vectors

_ALONE = 3  # images that are looked at without the rest of their batch
# In shares of the spread of representations: half precision changes thousandths of it, statistics of a batch all of it.
_MOST_CHANGE = 0.05
# What rounding may change, as a share of the numbers' size, by the type in which the network computes.
_ROUNDED = {torch.bfloat16: 0.02, torch.float16: 0.005, torch.float32: 1e-5}


class FittingBatches:
    """A function of a batch, called with as many rows as fit in memory: what does not is halved, which is said."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        """Begin with whole batches."""
        self._function = function
        self._most: int | None = None

    def __call__(self, rows: Tensor) -> Tensor:
        """What the function gives for all rows.

        Raises:
            IebenchError: not even one row fits.
        """
        while True:
            most = min(self._most or len(rows), len(rows))
            try:
                return torch.cat([self._function(part) for part in rows.split(most)])
            except (MemoryError, RuntimeError) as error:
                if not _is_memory(error):
                    raise
            self._halve(most)  # outside of the handler, whose error holds the tensors that did not fit

    def _halve(self, most: int) -> None:
        if most == 1:
            raise IebenchError(
                "There is no memory for a single image: take a smaller --size, --dtype bfloat16, or another --device."
            )
        self._most = most // 2
        print(f"A batch of {most} images does not fit in memory: goes on with {self._most} at a time.", file=sys.stderr)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _is_memory(error: Exception) -> bool:
    """Whether memory was missing; torch has no class of error for that of the CPU."""
    told = ("can't allocate memory", "not enough memory", "out of memory")
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(words in str(error) for words in told)


def same_alone(represent: Represent) -> Represent:
    """The function, which is compared once with itself: the first images in their batch, and without the rest of it.

    The function that comes out raises IebenchError where both differ.
    """
    seen: list[bool] = []

    def checked(images: Tensor) -> Tensor | ndarray:
        found = represent(images)
        if not seen and len(images) > _ALONE:
            seen.append(True)
            _compare(check_vectors(found, len(images), "The network"), represent(images[:_ALONE]))
        return found

    return checked


def _compare(together: Tensor, alone: object) -> None:
    vectors = check_vectors(alone, _ALONE, "The network")
    spread = (together - together.mean(0)).abs().mean()
    if vectors.shape[1] == together.shape[1]:
        change = (vectors - together[:_ALONE]).abs().mean()
    else:
        change = together.abs().mean() + spread
    if change > _MOST_CHANGE * spread + _rounding(together):
        raise IebenchError(
            f"The network says something else of an image in another batch (by {change / spread:.0%} of their spread): put it "
            "into eval mode, and see to it that it draws nothing and looks at each image by itself."
        )


def _rounding(vectors: Tensor) -> Tensor:
    """By how much rounding may change vectors, which may all but agree: as much as the narrowest type that holds them."""
    kinds = (kind for kind in _ROUNDED if torch.equal(vectors.to(kind).float(), vectors))
    return _ROUNDED[next(kinds, torch.float32)] * vectors.abs().mean()
