"""The linear probe of a regression: ridge, in closed form, in the leading principal components of the representation."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from iebench.evals.columns import Figure
from iebench.evals.evaluator import Context
from iebench.evals.factor_regression import PENALTIES
from iebench.evals.linear_action import BLOCK, HELD_OUT, Basis, split, take
from iebench.evals.probe_fitting import Learnable, Samples, validation_samples
from iebench.evals.probe_task import PredictSamples, Regression
from iebench.evals.representations import Representations
from iebench.evals.ridge import Sums, fit_ridge

MOST_COMPONENTS = 1024  # of a view; the rest of a wider representation is left out
MOST_VIEWS = 200_000  # of all training objects; of pairs, as many of each object as it has views


class LinearProbe:
    """The best linear map from the representations of one view, or of a pair side by side, to targets.

    The penalty is the one that does best on a fifth of the training objects when the map is fitted to the others. Nothing is
    random but the choice of pairs, which is always the same.
    """

    def __init__(self, task: Learnable, train: Representations) -> None:
        self._basis = Basis.of(train, MOST_COMPONENTS)
        train = train.thin(max(MOST_VIEWS, task.num_views * train.num_objects))
        samples = validation_samples(train, task.num_views, train.num_views)
        targets = task.targets(train, samples).astype(np.float64)
        self._mean = targets.mean(0)
        held_out = samples.objects % HELD_OUT == 0
        fitted, chosen_by = (self._sum(train, take(samples, rows), targets[rows]) for rows in (~held_out, held_out))
        self._weights = fit_ridge(fitted, chosen_by, PENALTIES).float()

    def predict(self, representations: Representations, samples: Samples) -> Float[ndarray, "n c"]:
        """The predictions for samples."""
        blocks = [self._inputs(representations, block) @ self._weights for block in split(samples)]
        return torch.cat(blocks).numpy() + self._mean

    def _sum(self, train: Representations, samples: Samples, targets: Float[ndarray, "n c"]) -> Sums:
        rest = torch.from_numpy(targets - self._mean).float()
        sums = Sums.zero(samples.views.shape[1] * self._basis.rank, rest.shape[1])
        for block, some in zip(split(samples), rest.split(BLOCK), strict=True):
            sums = sums.add(self._inputs(train, block), some)
        return sums

    def _inputs(self, representations: Representations, samples: Samples) -> Float[Tensor, "n columns"]:
        """The principal components of each sample's views, side by side."""
        views = (self._basis.centre(representations.values[samples.objects, one]) for one in samples.views.T)
        return torch.cat([view @ self._basis.components for view in views], dim=1)


class FittedLinearly(Regression):
    """A regression by `LinearProbe` instead of an MLP: in front of the class of a task it makes that task's linear companion."""

    is_seeded = False
    figures: tuple[Figure, ...] = ()

    def fit(self, train: Representations, context: Context, seed: int) -> PredictSamples:
        """Ridge regression."""
        return LinearProbe(self, train).predict

    def details(
        self, targets: ndarray, predictions: ndarray, representations: Representations
    ) -> Iterator[tuple[str, dict[str, float]]]:
        """None: these stand with the MLP."""
        yield from ()
