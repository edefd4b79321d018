"""Representations of a crossed design, seen along one of its axes."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from iebench.evals.evaluator import Context
from iebench.evals.representations import Representations
from iebench.factors.designs import Crossed

Lines = Float[ndarray, "objects conditions levels width"]


class Line(NamedTuple):
    """An axis of a crossed design, along which a factor moves while all else stays.

    Attributes:
        axis: its number.
        name: of the factor or group that moves.
        conditions: for each condition, the levels of the other axes in their order.
        others: numbers of the other axes.
    """

    axis: int
    name: str
    conditions: Int[ndarray, "conditions others"]
    others: tuple[int, ...]

    def across(self, other: int) -> Int[ndarray, " conditions"]:
        """The level of another axis in each condition."""
        return self.conditions[:, self.others.index(other)]


def lines_of(design: Crossed) -> Iterator[Line]:
    """Each axis in turn as the one that moves, the cells of all others being its conditions."""
    for number, axis in enumerate(design.axes):
        others = tuple(other for other in range(len(design.axes)) if other != number)
        shape = [design.shape[other] for other in others]
        yield Line(number, axis.name, np.stack(np.unravel_index(np.arange(np.prod(shape)), shape), axis=1), others)


def along(values: Float[ndarray, "objects views width"], design: Crossed, line: Line) -> Lines:
    """The views of each object under each condition, in the order of the levels that move."""
    grid = np.moveaxis(values.reshape(len(values), *design.shape, -1), 1 + line.axis, -2)
    return grid.reshape(len(values), -1, *grid.shape[-2:])


def crossed_tests(context: Context, same: bool = False) -> dict[str, Representations]:
    """The test sets that are crossed; with `same`, only those of the design that the training objects have."""
    tests = {prefix: test for prefix, test in context.tests.items() if isinstance(test.design, Crossed)}
    return {prefix: test for prefix, test in tests.items() if not same or test.design == context.train.design}


def crossed_design(representations: Representations) -> Crossed:
    """The design of views that are known to be crossed."""
    assert isinstance(representations.design, Crossed), "an evaluator that needs a crossed design got another"
    return representations.design
