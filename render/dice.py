"""Random draws that are the same on every machine and with every version of numpy."""

from collections.abc import Sequence
from hashlib import sha256
from typing import TypeVar

import numpy as np
from jaxtyping import Float

T = TypeVar("T")


class Dice:
    """A stream of draws that is a pure function of its key.

    Only a bit generator's raw output is fixed by numpy's promises, so the few laws needed are made from it here.
    """

    def __init__(self, *key: object, turn: int = 0) -> None:
        """A stream for a key, for an object whose turn it is to be variant number `turn`."""
        digest = sha256("/".join(map(str, key)).encode()).digest()
        self._turn = turn
        self._bits = np.random.Philox(key=int.from_bytes(digest[:16], "little"))

    def __call__(self, low: float = 0.0, high: float = 1.0) -> float:
        """A uniform number in [low, high)."""
        return low + (high - low) * float(self.noise(1)[0])

    def integer(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self(0, high - low + 1))

    def chance(self, probability: float = 0.5) -> bool:
        """True with the given probability."""
        return self() < probability

    def choice(self, options: Sequence[T]) -> T:
        """One of the options, all equally likely."""
        return options[self.integer(0, len(options) - 1)]

    def variant(self, options: Sequence[T]) -> T:
        """One of the options in turn, from object to object, so that a few objects of a class show them all."""
        return options[self._turn % len(options)]

    def noise(self, *shape: int) -> Float[np.ndarray, "..."]:
        """An array of uniform numbers in [0, 1)."""
        raw = self._bits.random_raw(int(np.prod(shape)))
        return ((np.asarray(raw, dtype=np.uint64) >> np.uint64(11)) * 2.0**-53).reshape(shape)
