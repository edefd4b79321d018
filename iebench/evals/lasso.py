"""The lasso from second moments, so that what is regressed need not fit in memory."""

import torch
from jaxtyping import Float
from torch import Tensor

STEPS, TOLERANCE = 2000, 1e-6  # of the descent: at most so many, or until no weight moves by more


def fit_lasso(
    gram: Float[Tensor, "width width"], moment: Float[Tensor, "width c"], penalty: float
) -> Float[Tensor, "width c"]:
    """For each target y the weights w that minimise ½ E(y - wᵀx)² + penalty · Σ|w|; what should be 0 is exactly 0.

    Proximal gradients with momentum (FISTA, Beck and Teboulle 2009, https://doi.org/10.1137/080716542), which a target loses
    when a step goes against it (O'Donoghue and Candès 2015, https://arxiv.org/abs/1204.3982).

    Args:
        gram: E xxᵀ.
        moment: E xyᵀ.
        penalty: 0 gives least squares; from max |E xy| on all weights are 0.
    """
    largest = torch.linalg.eigvalsh(gram)[-1].clamp(min=1e-30)
    weights = moved = torch.zeros_like(moment)
    pace = moment.new_ones(moment.shape[1])
    for _ in range(STEPS):
        new = _shrink(moved - (gram @ moved - moment) / largest, penalty / largest)
        step = new - weights
        pace = torch.where(((moved - new) * step).sum(0) > 0, 1.0, pace)
        next_pace = (1 + (1 + 4 * pace**2).sqrt()) / 2
        moved = new + (pace - 1) / next_pace * step
        weights, pace = new, next_pace
        if float(step.abs().max()) < TOLERANCE:
            break
    return weights


def _shrink(values: Float[Tensor, "width c"], by: Float[Tensor, ""]) -> Float[Tensor, "width c"]:
    """Nearer to 0, and no further than it."""
    return values.sign() * (values.abs() - by).clamp(min=0)
