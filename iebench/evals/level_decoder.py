"""Linear decoders of the levels of a factor that a crossed design moves."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from iebench.evals.evaluator import Context
from iebench.evals.grids import Line, Lines, along, crossed_design, crossed_tests
from iebench.evals.linear_action import HELD_OUT, PENALTIES, Basis
from iebench.evals.representations import Representations
from iebench.progress import track

Found = TypeVar("Found")
MOST_VIEWS = 200_000  # of the training objects together, which are held in memory in float64
COMPONENTS = 256  # leading principal components in which levels are decoded


@dataclass(frozen=True)
class LevelDecoder:
    """Fisher's linear discriminant of the levels of one factor, with the covariance inside the levels pooled over them.

    The discriminant of level a is sₐ(z) = μₐᵀ P z - μₐᵀ P μₐ / 2, with μₐ the mean of its views and P the inverse of that
    covariance with a ridge; the sign of sₐ - s_b is a linear decoder of the pair of levels (a, b).
    """

    weights: Float[ndarray, "width levels"]
    offsets: Float[ndarray, " levels"]

    @classmethod
    def fit(cls, lines: Lines) -> "LevelDecoder":
        """The decoder for some objects, its penalty chosen on a fifth of them when it is fitted to the others."""
        held_out = np.arange(len(lines)) % HELD_OUT == 0
        if held_out.all():
            return cls._with_penalties(lines)[0]
        candidates = cls._with_penalties(lines[~held_out])
        accuracies = [candidate.accuracies(lines[held_out]).mean() for candidate in candidates]
        return cls._with_penalties(lines)[int(np.argmax(accuracies))]  # the smallest of equally good ones

    @classmethod
    def _with_penalties(cls, lines: Lines) -> list["LevelDecoder"]:
        means = lines.mean(axis=(0, 1))
        inside = (lines - means).reshape(-1, lines.shape[-1])
        variances, axes = np.linalg.eigh(inside.T @ inside / len(inside))
        turned = means @ axes
        share = max(variances.mean(), (means - means.mean(0)).var(), np.finfo(np.float64).tiny)
        decoders = []
        for penalty in PENALTIES:
            weights = axes @ (turned / (np.maximum(variances, 0) + penalty * share)).T
            decoders.append(cls(weights, -0.5 * np.einsum("lw,wl->l", means, weights)))
        return decoders

    def scores(self, lines: Lines) -> Float[ndarray, "objects conditions levels scores"]:
        """sₐ of each view for each level a."""
        return lines @ self.weights + self.offsets

    def accuracies(self, lines: Lines) -> Float[ndarray, "objects conditions"]:
        """How many pairs (level of the view, other level) are told apart; views on the border count half."""
        scores = self.scores(lines)
        own = np.diagonal(scores, axis1=2, axis2=3)[..., None]
        right = (own > scores) + 0.5 * (own == scores)
        right_of_others = right.sum(-1) - 0.5  # a level's own score is on its border
        return right_of_others.mean(-1) / (scores.shape[-1] - 1)


class Coordinates:
    """The leading principal components of a part of the representation, of the views of a crossed design.

    Args:
        train: of whose views they are.
    """

    def __init__(self, train: Representations):
        self.basis = Basis.of(train, COMPONENTS)
        self.design = crossed_design(train)

    def along(self, representations: Representations, line: Line) -> Lines:
        """The views of a split along an axis; all the same where the representation is constant."""
        flat = self.basis.centre(representations.values.reshape(-1, representations.values.shape[-1]))
        values = (flat @ self.basis.components).double().numpy() * (not self.basis.is_constant)
        return along(values.reshape(*representations.values.shape[:2], -1), self.design, line)


def measure_parts(
    context: Context,
    task: str,
    measure: Callable[[Representations, Mapping[str, Representations]], Mapping[str, Found]],
) -> Iterator[tuple[str, str, Found]]:
    """What is measured of every part on every test set of the training's design, with the prefix of the set and the part's name.

    Args:
        context: what evaluators work on.
        task: whose progress is shown.
        measure: fits to the part of the training objects, and gives by prefix what it finds in that of the test sets.
    """
    parts = {prefix: dict(context.parts(test)) for prefix, test in crossed_tests(context, same=True).items()}
    learned_from = context.train.fewer_objects(MOST_VIEWS)
    for part, train in track(list(context.parts(learned_from)), task, "part"):
        for prefix, found in measure(train, {prefix: own[part] for prefix, own in parts.items()}).items():
            yield prefix, part, found
