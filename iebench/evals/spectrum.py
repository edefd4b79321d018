"""Spectra of representations, and how many dimensions these use: RankMe, the participation ratio, the exponent of alpha-ReQ.

All are functions of eigenvalues λ₁ ≥ λ₂ ≥ … ≥ 0, float64.
"""

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from iebench.evals.linear_action import EIGENVALUE, ROUNDING
from iebench.evals.representations import Representations

FIRST, LAST, FEWEST = 11, 100, 10  # eigenvalues that a power law is fitted to, by rank, and how many these must be


def rankme(moments: Float[ndarray, " width"]) -> float:
    """The effective rank of the matrix of representations: exp of the entropy of its singular values as shares of their sum.

    RankMe (Garrido et al., ICML 2023, https://arxiv.org/abs/2210.02885) without the 1e-7 that it adds to every
    share against a logarithm of 0. In [1, width]; 0 where all is 0.

    Args:
        moments: eigenvalues of the second moments, which are not centred: squares of the singular values, but for a factor.
    """
    return _perplexity(np.sqrt(moments))


def participation_ratio(variances: Float[ndarray, " width"]) -> float:
    """The number of dimensions in which views vary: (Σλ)² / Σλ², in [1, width]; 0 where nothing varies.

    Gao et al. 2017, https://doi.org/10.1101/214262. d equal variances count d.

    Args:
        variances: eigenvalues of the covariance.
    """
    squares = float((variances**2).sum())
    return float(variances.sum()) ** 2 / squares if squares else 0.0


def power_law_exponent(variances: Float[ndarray, " width"]) -> float | None:
    """Alpha of λᵢ ∝ i^(-alpha), the measure of alpha-ReQ: how fast variances fall from the 11th to the 100th.

    Agrawal et al., NeurIPS 2022, https://arxiv.org/abs/2202.05808, after Stringer et al., Nature 2019: least squares of log λ
    over log i with weights 1/i. None where fewer than ten variances of that range are above 1e-10 of the largest.

    Args:
        variances: eigenvalues of the covariance.
    """
    above = variances[: int((variances > EIGENVALUE * variances[0]).sum())]
    ranks = np.arange(FIRST, min(len(above), LAST) + 1)
    if len(ranks) < FEWEST:
        return None
    x, y, weights = np.log(ranks), np.log(above[ranks - 1]), 1 / ranks
    x, y = (values - np.average(values, weights=weights) for values in (x, y))
    return -float((weights * x * y).sum() / (weights * x * x).sum())


def _perplexity(values: Float[ndarray, " n"]) -> float:
    shares = values[values > 0] / max(float(values.sum()), np.finfo(float).tiny)
    return float(np.exp(-(shares * np.log(shares)).sum())) if len(shares) else 0.0


def spectra(representations: Representations) -> tuple[Float[ndarray, " width"], Float[ndarray, " width"]]:
    """Eigenvalues of the second moments and of the covariance of all views, in descending order."""
    mean = representations.mean()
    covariance = np.zeros((len(mean), len(mean)))
    for block in representations.blocks():
        covariance += (block - mean).T @ (block - mean)
    covariance /= representations.num_objects * representations.num_views
    variances = _eigenvalues(covariance)
    if variances[0] <= ROUNDING * (mean @ mean):
        variances = np.zeros_like(variances)
    return _eigenvalues(covariance + np.outer(mean, mean)), variances


def _eigenvalues(moments: Float[ndarray, "width width"]) -> Float[ndarray, " width"]:
    return np.linalg.eigvalsh(moments)[::-1].clip(0)
