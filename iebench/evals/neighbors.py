"""Nearest neighbors: the class of a view by the votes of the views that are nearest to it."""

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor
from torch.nn import functional as F

from iebench.evals.representations import Representations

_BLOCK_ELEMENTS = 2**25  # cosines at a time
_LEAST = -40.0  # the logarithm of a weight that float32 holds beside much smaller ones


class Neighbors:
    """Views with the classes of their objects, that vote for the classes of others.

    A view's weight is exp(cosine / temperature) (Wu et al., CVPR 2018, https://arxiv.org/abs/1805.01978), as DINO and others
    take it. Representations are not centred, as there.

    Args:
        bank: the voters, in whose order by chance those stand that are equally near.
        k: how many of them vote.
        temperature: of the weights.
        device: where cosines are computed.
    """

    def __init__(self, bank: Representations, k: int, temperature: float, device: str | torch.device = "cpu") -> None:
        self._device, self._temperature, self._num_labels = device, temperature, bank.num_labels
        values = bank.values.reshape(-1, bank.values.shape[-1])
        order = np.random.default_rng(0).permutation(len(values))
        self._labels = torch.from_numpy(np.repeat(bank.labels, bank.num_views)[order]).to(device)
        self._directions = self._direct(values[order])
        self._k = min(k, len(values))

    def vote(self, values: Float[ndarray, "n width"]) -> Float[ndarray, "n labels"]:
        """The summed weights of the neighbors of each class, as shares of that of a view in the same direction.

        Where the temperature is so small that all weights would vanish, they are greater by a factor that is one for each row.
        """
        size = max(1, _BLOCK_ELEMENTS // len(self._labels))
        return np.concatenate([self._vote(values[start : start + size]) for start in range(0, len(values), size)])

    def _vote(self, values: Float[ndarray, "n width"]) -> Float[ndarray, "n labels"]:
        cosines, rows = (self._direct(values) @ self._directions.T).topk(self._k)
        logarithms = (cosines - 1) / self._temperature
        logarithms -= (logarithms[:, :1] - _LEAST).clamp(max=0)  # nothing where the nearest one has a weight
        votes = torch.zeros(len(values), self._num_labels, device=self._device)
        return votes.scatter_add_(1, self._labels[rows], logarithms.exp()).cpu().numpy()

    def _direct(self, values: Float[ndarray, "n width"]) -> Float[Tensor, "n width"]:
        """Unit vectors."""
        return F.normalize(torch.from_numpy(np.array(values, np.float32)).to(self._device), dim=1)
