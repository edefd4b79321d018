"""The class of a view by its neighbours: no probe is trained, so that what two runs confuse is theirs alone."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

NEIGHBOURS, TEMPERATURE = 20, 0.07  # as Wu et al., CVPR 2018, and DINO have them
_BLOCK = 1024


def vote(
    queries: Float[Tensor, "q width"], memory: Float[Tensor, "m width"], labels: Int[Tensor, " m"]
) -> tuple[Int[Tensor, " q"], Float[Tensor, " q"]]:
    """The class for which the 20 nearest of `memory` vote, each with weight exp(cosine / 0.07), and its share of the votes."""
    classes, columns = labels.unique(return_inverse=True)
    memory = F.normalize(memory, dim=1)
    found, shares = [], []
    for block in F.normalize(queries, dim=1).split(_BLOCK):
        near = (block @ memory.T).topk(min(NEIGHBOURS, len(memory)), dim=1)
        weights = ((near.values - near.values[:, :1]) / TEMPERATURE).exp()
        votes = torch.zeros(len(block), len(classes)).scatter_add_(1, columns[near.indices], weights)
        best = votes.max(1)
        found.append(classes[best.indices])
        shares.append(best.values / votes.sum(1))
    return torch.cat(found), torch.cat(shares)
