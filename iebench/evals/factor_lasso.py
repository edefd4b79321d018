"""The lasso from one view's coordinates to its factors: how important each coordinate is for each factor."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from iebench.evals.factor_regression import AllFactors
from iebench.evals.lasso import fit_lasso
from iebench.evals.linear_action import ROUNDING
from iebench.evals.metrics import r2_uniform
from iebench.evals.representations import Representations
from iebench.evals.ridge import Sums


@dataclass(frozen=True)
class Scale:
    """How columns are standardised; what does not vary beyond rounding becomes 0."""

    mean: Float[ndarray, " c"]
    inverse: Float[ndarray, " c"]

    @classmethod
    def of(cls, mean: Float[ndarray, " c"], variance: Float[ndarray, " c"]) -> "Scale":
        """The scale of columns with these means and variances."""
        varies = variance > ROUNDING * mean**2 + 1e-30
        return cls(mean, np.where(varies, 1 / np.sqrt(np.where(varies, variance, 1)), 0))

    @classmethod
    def of_views(cls, representations: Representations) -> "Scale":
        """The scale of the coordinates of all views."""
        mean = representations.mean()
        squares = sum((((block - mean) ** 2).sum(0) for block in representations.blocks()), np.zeros_like(mean))
        return cls.of(mean, squares / (representations.num_objects * representations.num_views))

    def __call__(self, values: Float[ndarray, "n c"]) -> Float[ndarray, "n c"]:
        """Standardised values."""
        return (values - self.mean) * self.inverse


class FactorLasso:
    """A lasso from one view's standardised coordinates (codes) to its standardised factors, circular ones as cosine and sine.

    Attributes:
        weights: float64, of each coordinate for each number of a factor.
    """

    weights: Float[ndarray, "codes c"]

    def __init__(self, task: AllFactors, train: Representations, penalty: float) -> None:
        self._task, self._codes = task, Scale.of_views(train)
        encoded = self._encode(train)
        self._numbers = Scale.of(encoded.mean(0), encoded.var(0))
        sums, start = Sums.zero(train.values.shape[-1], task.out_dim), 0
        for block in train.blocks():
            targets = self._numbers(encoded[start : start + len(block)])
            sums = sums.add(torch.from_numpy(self._codes(block)), torch.from_numpy(targets))
            start += len(block)
        self.weights = fit_lasso(sums.gram / start, sums.moment / start, penalty).numpy()

    @property
    def importances(self) -> Float[ndarray, "codes factors"]:
        """Of each coordinate for each factor: its absolute weights, summed over the factor's numbers."""
        columns = self._task.columns_of.values()
        return np.stack([np.abs(self.weights[:, one]).sum(1) for one in columns], axis=1)

    def informativeness(self, test: Representations) -> float:
        """R² (uniform) on a test set's views, the mean over the factors that vary there; 0 where none does."""
        targets = self._numbers(self._encode(test))
        predictions = np.concatenate([self._codes(block) @ self.weights for block in test.blocks()])
        varying = [one for one in self._task.columns_of.values() if np.ptp(targets[:, one], axis=0).max() > 0]
        return float(np.mean([r2_uniform(targets[:, one], predictions[:, one]) for one in varying])) if varying else 0.0

    def _encode(self, representations: Representations) -> Float[ndarray, "n c"]:
        latents = representations.factor(*self._task.needs.factors)
        return self._task.relate(latents.reshape(-1, 1, latents.shape[-1])).astype(np.float64)
