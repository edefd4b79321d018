"""Parallelism: whether a factor moves a representation in the same direction whatever the other factors are."""

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from iebench.evals.columns import Column, Figure
from iebench.evals.evaluator import Context, Detail, Evaluator, Needs, Score
from iebench.evals.grids import Lines, along, crossed_design, crossed_tests, lines_of
from iebench.evals.measure import mean_of
from iebench.evals.probe_task import detail_of_errors, score_of
from iebench.evals.representations import Representations
from iebench.evals.settings import BASELINES
from iebench.progress import track

_OTHERS = "across_objects"


class Cosines(NamedTuple):
    """Mean cosines between the differences that one factor makes.

    Attributes:
        of_object: under different conditions of the same object.
        across_objects: of different objects, under whatever conditions.
    """

    of_object: Float[ndarray, " objects"]
    across_objects: float


class Parallelism(Evaluator):
    """The parallelism score of Bernardi et al. (Cell 2020) for each axis of a crossed design; nothing is fitted.

    Where they look for the best pairing of conditions, here the pairs are known: two views of one object between which one factor
    goes from one level to another, and all else stays.
    """

    name = "parallelism"
    order = 76
    needs = Needs(crossed=True)
    baselines = BASELINES
    columns = (
        Column("parallelism", "parallelism/whole/mean"),
        Column("parallelism, across objects", f"parallelism/whole/mean_{_OTHERS}"),
    )
    figures = (
        Figure(
            "Do factors move the representation in parallel?",
            "parallelism/by_factor",
            "matrix",
            "Mean cosine between the differences that a factor makes in the representation as it goes from one level to another: "
            "under different conditions of the same object, and of different objects. 1 is parallel, 0 is chance.",
        ),
    )

    def run(self, context: Context) -> Iterator[Score | Detail]:
        """Scores of every part on every crossed test set."""
        for prefix, test in crossed_tests(context).items():
            matrix = {}
            for part, views in track(list(context.parts(test)), self.name, "part"):
                found = measure_cosines(views)
                yield from _score(f"{prefix}{self.name}/{part}", found, test, context.settings.draws)
                matrix[part] = {axis: _tell(cosines) for axis, cosines in found.items()}
            yield Detail(f"{prefix}{self.name}/by_factor", matrix)

    def constant(self, context: Context) -> Iterator[Score]:
        """Differences that are nought have no direction."""
        for prefix, test in crossed_tests(context).items():
            for name in (*(axis.name for axis in crossed_design(test).axes), "mean"):
                yield from (Score(f"{prefix}{self.name}/whole/{key}", 0.0) for key in (name, f"{name}_{_OTHERS}"))


def measure_cosines(representations: Representations) -> dict[str, Cosines]:
    """The cosines of each axis, by its name."""
    design = crossed_design(representations)
    return {line.name: cosines_of(along(representations.values, design, line)) for line in lines_of(design)}


def cosines_of(lines: Lines) -> Cosines:
    """The mean over all pairs of levels. A difference that is nought has the cosine 0 with all others."""
    pairs = list(combinations(range(lines.shape[2]), 2))
    of_object, across = np.zeros(len(lines)), 0.0
    for first, second in pairs:
        units = _normalise(lines[:, :, second].astype(np.float64) - lines[:, :, first])
        of_object += _mean_cosine(units) / len(pairs)
        means = units.mean(axis=1)
        across += float(_mean_cosine(means[None])[0]) / len(pairs)
    return Cosines(of_object, across)


def _normalise(vectors: Float[ndarray, "*n width"]) -> Float[ndarray, "*n width"]:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def _mean_cosine(vectors: Float[ndarray, "n k width"]) -> Float[ndarray, " n"]:
    """The mean product of different vectors out of k, from their sum: no product is taken by itself."""
    count = vectors.shape[1]
    products = (vectors.sum(axis=1) ** 2).sum(-1) - (vectors**2).sum(axis=(1, 2))
    return products / max(count * (count - 1), 1)


def _score(key: str, found: dict[str, Cosines], test: Representations, draws: int) -> Iterator[Score | Detail]:
    mean = np.mean([cosines.of_object for cosines in found.values()], axis=0)
    across = float(np.mean([cosines.across_objects for cosines in found.values()]))
    for name, cosines in {**found, "mean": Cosines(mean, across)}.items():
        yield score_of(mean_of(name, cosines.of_object), key, draws)
        yield Score(f"{key}/{name}_{_OTHERS}", cosines.across_objects)
    yield detail_of_errors(1 - mean, key, test)


def _tell(cosines: Cosines) -> dict[str, float]:
    return {"same object": float(cosines.of_object.mean()), "other objects": cosines.across_objects}
