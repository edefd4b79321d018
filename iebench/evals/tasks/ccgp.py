"""CCGP, cross-condition generalisation: whether what decodes a factor under some conditions decodes it under others."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from iebench.evals.columns import Column, Figure
from iebench.evals.evaluator import Context, Detail, Evaluator, Needs, Score
from iebench.evals.grids import Line, Lines, crossed_design, crossed_tests, lines_of
from iebench.evals.level_decoder import Coordinates, LevelDecoder, measure_parts
from iebench.evals.measure import mean_of
from iebench.evals.probe_task import detail_of_errors, score_of
from iebench.evals.representations import Representations
from iebench.evals.settings import BASELINES
from iebench.factors.designs import Crossed

CHANCE = 0.5  # of a pair of levels


class Accuracies(NamedTuple):
    """How many pairs of levels of one factor are told apart in the views of each held-out object.

    Attributes:
        unseen: by decoders that have not seen the level of the other factor at which they are tested, mean over the others.
        seen: by a decoder that has seen all conditions.
    """

    unseen: Float[ndarray, " objects"]
    seen: Float[ndarray, " objects"]


class CrossConditionGeneralisation(Evaluator):
    """The cross-condition generalisation performance of Bernardi et al. (Cell 2020) for each axis of a crossed design.

    Linear decoders of pairs of levels are fitted to training objects with one level of another factor left out, and tested on
    other objects at that level; each level of each other factor is left out in turn.
    """

    name = "ccgp"
    order = 77
    needs = Needs(crossed=True)
    baselines = BASELINES
    columns = (Column("CCGP", "ccgp/whole/mean"), Column("decoding, all conditions seen", "ccgp/whole/mean_seen"))
    figures = (
        Figure(
            "Does the decoding of a factor generalise to conditions it has not seen?",
            "ccgp/by_factor",
            "matrix",
            "How many pairs of levels of a factor a linear decoder tells apart on held-out objects, at levels of the other "
            "factors that it has seen, and at ones that it has not. Chance is 0.5.",
        ),
    )

    def run(self, context: Context) -> Iterator[Score | Detail]:
        """Scores of every part on every test set of the training's design."""
        matrices: dict[str, dict[str, Mapping[str, Mapping[str, float]]]] = defaultdict(dict)
        for prefix, part, accuracies in measure_parts(context, self.name, measure_accuracies):
            key = f"{prefix}{self.name}/{part}"
            yield from _score(key, accuracies, context.tests[prefix], context.settings.draws)
            matrices[prefix][part] = {axis: _tell(one) for axis, one in accuracies.items()}
        for prefix, matrix in matrices.items():
            yield Detail(f"{prefix}{self.name}/by_factor", matrix)

    def constant(self, context: Context) -> Iterator[Score]:
        """Each pair is told apart by chance."""
        for prefix, test in crossed_tests(context, same=True).items():
            for name in (*(axis.name for axis in crossed_design(test).axes), "mean"):
                yield from (Score(f"{prefix}{self.name}/whole/{key}", CHANCE) for key in (name, f"{name}_seen"))


def measure_accuracies(
    train: Representations, tests: Mapping[str, Representations]
) -> dict[str, dict[str, Accuracies]]:
    """For each test set the accuracies of each axis, by its name."""
    coordinates, found = Coordinates(train), {prefix: dict[str, Accuracies]() for prefix in tests}
    for line in lines_of(coordinates.design):
        lines = {prefix: coordinates.along(test, line) for prefix, test in tests.items()}
        for prefix, one in _decode(coordinates.along(train, line), lines, line, coordinates.design).items():
            found[prefix][line.name] = one
    return found


def _decode(train: Lines, tests: Mapping[str, ndarray], line: Line, design: Crossed) -> dict[str, Accuracies]:
    seen = LevelDecoder.fit(train)
    unseen: dict[str, list[ndarray]] = {prefix: [] for prefix in tests}
    for other in line.others:
        levels = line.across(other)
        decoders = [LevelDecoder.fit(train[:, levels != level]) for level in range(design.shape[other])]
        for prefix, test in tests.items():
            left_out = [decoder.accuracies(test[:, levels == level]) for level, decoder in enumerate(decoders)]
            unseen[prefix].append(np.concatenate(left_out, axis=1).mean(axis=1))
    return {
        prefix: Accuracies(np.mean(unseen[prefix], axis=0), seen.accuracies(test).mean(axis=1))
        for prefix, test in tests.items()
    }


def _score(key: str, found: Mapping[str, Accuracies], test: Representations, draws: int) -> Iterator[Score | Detail]:
    unseen, seen = (np.mean(each, axis=0) for each in zip(*found.values(), strict=True))
    for name, accuracies in {**found, "mean": Accuracies(unseen, seen)}.items():
        yield score_of(mean_of(name, accuracies.unseen), key, draws)
        yield score_of(mean_of(f"{name}_seen", accuracies.seen), key, draws)
    yield detail_of_errors(1 - unseen, key, test)


def _tell(accuracies: Accuracies) -> dict[str, float]:
    return {"seen": float(accuracies.seen.mean()), "not seen": float(accuracies.unseen.mean())}
