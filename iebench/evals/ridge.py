"""Ridge regression from sums over blocks, so that what is regressed need not fit in memory."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Sums:
    """Second moments of the inputs, and of these with the targets."""

    gram: Float[Tensor, "width width"]
    moment: Float[Tensor, "width c"]

    @classmethod
    def zero(cls, width: int, num_targets: int) -> "Sums":
        """Of no sample."""
        return cls(torch.zeros(width, width).double(), torch.zeros(width, num_targets).double())

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(self.gram + other.gram, self.moment + other.moment)

    def add(self, inputs: Float[Tensor, "n width"], targets: Float[Tensor, "n c"]) -> "Sums":
        """With some samples more."""
        return self + Sums((inputs.T @ inputs).double(), (inputs.T @ targets).double())

    def solve(self, penalty: float) -> Float[Tensor, "width c"]:
        """The weights under a penalty, which is a share of the inputs' mean square."""
        share = self.gram.diagonal().mean().clamp(min=1e-30) * penalty
        return torch.linalg.solve(self.gram + share * torch.eye(len(self.gram), dtype=torch.float64), self.moment)

    def error(self, weights: Float[Tensor, "width c"]) -> float:
        """The summed squared error of weights, but for what they cannot change."""
        return float((weights * (self.gram @ weights)).sum() - 2 * (weights * self.moment).sum())


def fit_ridge(fitted: Sums, held_out: Sums, penalties: Sequence[float]) -> Float[Tensor, "width c"]:
    """The weights under the penalty that does best on what is held out, fitted to all."""
    errors = [held_out.error(fitted.solve(penalty)) for penalty in penalties]
    return (fitted + held_out).solve(penalties[int(np.argmin(errors))])
