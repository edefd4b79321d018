"""DCI: whether each coordinate of a representation speaks of one factor (disentanglement), and each factor by one (completeness).

Eastwood and Williams, "A framework for the quantitative evaluation of disentangled representations", ICLR 2018
(https://openreview.net/forum?id=By-7dz-AZ): functions of how important each coordinate (code) is for each factor.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy import ndarray


def disentanglement(importances: Float[ndarray, "codes factors"]) -> float:
    """D: 1 minus the entropy of the factors that a coordinate is important for, over log(factors); the mean over coordinates.

    Coordinates count by their share of all importance. 1 where each is important for one factor; 0 where for all alike, or
    where nothing is important.
    """
    entropies = _entropies(importances) / np.log(importances.shape[1])
    return _mean(1 - entropies, importances.sum(1))


def completeness(importances: Float[ndarray, "codes factors"], sizes: Sequence[int]) -> float:
    """C: 1 minus the entropy of the coordinates that are important for a factor, over log(coordinates); the mean over factors.

    A circular factor takes two coordinates, cosine and sine, so its entropy counts from log(2) on. 1 where as many coordinates
    as a factor has numbers are important for it; 0 where all alike are, or none is.

    Args:
        importances: of coordinates for factors.
        sizes: how many numbers each factor has.
    """
    least = np.log(sizes)
    room = np.maximum(np.log(len(importances)) - least, 1e-12)
    shares = np.clip((_entropies(importances.T) - least) / room, 0, 1)
    return float(np.where(importances.sum(0) > 0, 1 - shares, 0).mean())


def _entropies(rows: Float[ndarray, "n m"]) -> Float[ndarray, " n"]:
    shares = rows / np.maximum(rows.sum(1, keepdims=True), np.finfo(float).tiny)
    return -(shares * np.log(np.where(shares > 0, shares, 1))).sum(1)


def _mean(values: Float[ndarray, " n"], weights: Float[ndarray, " n"]) -> float:
    return min(float(values @ weights / weights.sum()), 1.0) if weights.sum() else 0.0
