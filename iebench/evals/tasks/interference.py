"""Interference: how much the readout of one factor moves when another one does."""

from collections.abc import Iterator, Mapping

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from iebench.evals.columns import Column, Figure
from iebench.evals.evaluator import Context, Detail, Evaluator, Needs, Score
from iebench.evals.grids import Line, crossed_design, crossed_tests, lines_of
from iebench.evals.level_decoder import Coordinates, LevelDecoder, measure_parts
from iebench.evals.measure import Measure
from iebench.evals.probe_task import score_of
from iebench.evals.representations import Representations
from iebench.evals.settings import BASELINES
from iebench.factors.designs import Crossed

Spreads = Float[ndarray, "objects axes"]


class Interference(Evaluator):
    """For each axis of a crossed design, the share of its readout's movement that is due to the other axes.

    The readout of a factor is the linear decoder of its levels, fitted to training objects under all conditions. Its movement
    along an axis is its variance over the levels of that axis while all else stays, on held-out objects.
    """

    name = "interference"
    order = 78
    needs = Needs(crossed=True)
    baselines = BASELINES
    columns = (Column("interference", "interference/whole/mean", better="down"),)
    figures = (
        Figure(
            "What moves the readout of a factor?",
            "interference/whole/by_factor",
            "matrix",
            "A row for the linear readout of each factor of a crossed design, on held-out objects: how much of its movement is "
            "due to each factor, as shares. A readout that only its own factor moves has a 1 there.",
        ),
    )

    def run(self, context: Context) -> Iterator[Score | Detail]:
        """Scores of every part on every test set of the training's design."""
        for prefix, part, spreads in measure_parts(context, self.name, measure_spreads):
            key = f"{prefix}{self.name}/{part}"
            yield from _score(key, spreads, context.settings.draws)
            yield Detail(f"{key}/by_factor", {axis: _tell(one, list(spreads)) for axis, one in spreads.items()})

    def constant(self, context: Context) -> Iterator[Score]:
        """A readout that does not depend on the image moves with no factor more than with another."""
        for prefix, test in crossed_tests(context, same=True).items():
            axes = crossed_design(test).axes
            for name in (*(axis.name for axis in axes), "mean"):
                yield Score(f"{prefix}{self.name}/whole/{name}", 1 - 1 / len(axes))


def measure_spreads(train: Representations, tests: Mapping[str, Representations]) -> dict[str, dict[str, Spreads]]:
    """For each test set, by the name of each axis, how much its readout moves along every axis, in the order of the design."""
    coordinates, found = Coordinates(train), {prefix: dict[str, Spreads]() for prefix in tests}
    for line in lines_of(coordinates.design):
        decoder = LevelDecoder.fit(coordinates.along(train, line))
        for prefix, test in tests.items():
            scores = decoder.scores(coordinates.along(test, line))
            found[prefix][line.name] = spread_along(scores, line, coordinates.design)
    return found


def spread_along(scores: Float[ndarray, "objects conditions levels scores"], line: Line, design: Crossed) -> Spreads:
    """The variance of the scores along each axis; what moves all scores of a view alike decodes nothing and is left out."""
    contrasts = scores - scores.mean(axis=-1, keepdims=True)
    shape = [design.shape[other] for other in line.others]
    grid = np.moveaxis(contrasts.reshape(len(scores), *shape, *contrasts.shape[2:]), -2, 1 + line.axis)
    variances = [grid.var(axis=1 + axis, ddof=1) for axis in range(len(design.axes))]
    return np.stack([variance.reshape(len(scores), -1).mean(axis=1) for variance in variances], axis=1)


def shares_of(spreads: Spreads) -> Float[ndarray, " axes"]:
    """Of the movement in all objects together; equal ones where nothing moves."""
    total = spreads.sum(axis=0)
    return total / total.sum() if total.sum() > 0 else np.full(len(total), 1 / len(total))


def _score(key: str, found: Mapping[str, Spreads], draws: int) -> Iterator[Score]:
    for number, (name, spreads) in enumerate(found.items()):
        yield score_of(Measure(name, lambda one, own=number: float(1 - shares_of(one)[own]), (spreads,)), key, draws)
    yield score_of(Measure("mean", _mean_of_all, tuple(found.values())), key, draws)


def _mean_of_all(*spreads: Spreads) -> float:
    return float(np.mean([1 - shares_of(one)[number] for number, one in enumerate(spreads)]))


def _tell(spreads: Spreads, names: list[str]) -> dict[str, dict[str, float]]:
    return {name: {"share": float(share)} for name, share in zip(names, shares_of(spreads), strict=True)}
