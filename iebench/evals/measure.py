"""Scores with bootstrap intervals: statistics of arrays whose first axis is objects."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy import ndarray

ERRORS = "errors_by_object"  # the last part of the detail with an error for each validation object


@dataclass(frozen=True)
class Measure:
    """A named score.

    Attributes:
        name: such as "r2_pooled".
        statistic: function of `arrays` to a number.
        arrays: (objects, …) each; an object's rows are drawn together in the bootstrap, as its views are not independent.
    """

    name: str
    statistic: Callable[..., float]
    arrays: tuple[ndarray, ...]

    @property
    def value(self) -> float:
        """The statistic of all objects."""
        return float(self.statistic(*self.arrays))

    def interval(self, draws: int = 200, seed: int = 0, coverage: float = 0.95) -> tuple[float, float]:
        """Percentile bootstrap interval over objects."""
        rng = np.random.default_rng(seed)
        num_objects = len(self.arrays[0])
        chosen = (rng.integers(num_objects, size=num_objects) for _ in range(draws))
        values = [float(self.statistic(*(array[rows] for array in self.arrays))) for rows in chosen]
        tail = 50 * (1 - coverage)
        low, high = np.percentile(values, [tail, 100 - tail])
        return float(low), float(high)


def mean_of(name: str, values: ndarray) -> Measure:
    """The mean of (objects, …) values; every object has the same number of them."""
    return Measure(name, _mean, (values.reshape(len(values), -1).mean(1, dtype=np.float64),))


def median_of(name: str, values: ndarray) -> Measure:
    """The median of (objects, …) values."""
    return Measure(name, _median, (values,))


def _mean(values: ndarray) -> float:
    return float(values.mean())


def _median(values: ndarray) -> float:
    return float(np.median(values))
