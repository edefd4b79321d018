"""What the predictor of a run answers: the views nearest to each predicted embedding, by cosine."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor
from torch.nn import functional as F

from iebench.evals.retrieval import TIE
from iebench.explore.questions import DEGREES, Questions
from iebench.factors.transforms import Transform

NEAREST = 8
_BLOCK = 2048
Move = Callable[
    [Tensor, ndarray], Tensor
]  # embeddings and transforms → predicted embeddings, of which the last `width` count


class Candidates:
    """The views among which is looked, by their embeddings.

    Args:
        embeddings: of the views of all candidates.
        width: how many of the last coordinates are compared.
    """

    def __init__(self, embeddings: Float[Tensor, "objects views e"], width: int) -> None:
        self.width = width
        self.own = F.normalize(embeddings[..., -width:], dim=-1)
        self.vectors = self.own.flatten(0, 1)

    def nearest(self, queries: Float[Tensor, "q e"], count: int) -> Int[ndarray, "q count"]:
        """Numbers of the nearest views, `candidate · num_views + view`."""
        count = min(count, len(self.vectors))
        blocks = F.normalize(queries[:, -self.width :], dim=1).split(_BLOCK)
        return torch.cat([(block @ self.vectors.T).topk(count, dim=1).indices for block in blocks]).numpy()

    def nearest_own(self, queries: Float[Tensor, "objects n e"], rows: Int[ndarray, " objects"]) -> Tensor:
        """Cosines of each query to the views of its own object: (objects, n, views)."""
        return F.normalize(queries[..., -self.width :], dim=-1) @ self.own[torch.from_numpy(rows)].transpose(1, 2)


def ask_neighbours(
    candidates: Candidates, embeddings: Float[Tensor, "objects views e"], rows: ndarray, questions: Questions
) -> dict[str, ndarray]:
    """The views nearest to each source view as it is: what is found without a prediction. The view itself is left out."""
    sources = embeddings[torch.from_numpy(rows)][:, questions.sources]
    found = candidates.nearest(sources.flatten(0, 1), NEAREST + 1)
    own = (rows[:, None] * embeddings.shape[1] + questions.sources).reshape(-1, 1)
    kept = np.stack([line[line != number][:NEAREST] for line, number in zip(found, own, strict=True)])
    return {"unmoved": kept.reshape(len(rows), len(questions.sources), -1).astype("<u4")}


def ask_retrieval(
    move: Move,
    transform: Transform,
    candidates: Candidates,
    embeddings: Float[Tensor, "objects views e"],
    latents: ndarray,
    rows: ndarray,
    questions: Questions,
) -> dict[str, ndarray]:
    """For every source and target view of the objects asked about, which views the prediction finds.

    Returns:
        "found" (objects, sources, targets, 8), numbers among all candidates; "own" (objects, sources, targets, ≤ 8), views of the
        object itself; "rank" (objects, sources, targets) of the target among these, the mean of its ranks where others tie.
    """
    num_views, sources = embeddings.shape[1], questions.sources
    shape = (len(rows), len(sources), num_views)
    start = np.broadcast_to(latents[rows][:, sources, None], (*shape, latents.shape[-1]))
    end = np.broadcast_to(latents[rows][:, None], start.shape)
    given = embeddings[torch.from_numpy(rows)][:, sources, None].expand(*shape, -1)
    predicted = move(given.flatten(0, 2), transform(start, end).reshape(math.prod(shape), -1))
    cosines = candidates.nearest_own(predicted.unflatten(0, (shape[0], -1)), rows).unflatten(1, shape[1:])
    own = cosines.topk(min(NEAREST, num_views), dim=-1).indices.numpy()
    return {
        "found": candidates.nearest(predicted, NEAREST).reshape(*shape, -1).astype("<u4"),
        "own": own.astype("<u2"),
        "rank": _rank_targets(cosines).astype("<u2"),
    }


def _rank_targets(cosines: Float[Tensor, "objects sources views views"]) -> Int[ndarray, "objects sources views"]:
    right = cosines.diagonal(dim1=2, dim2=3).unsqueeze(-1)
    above = (cosines > right + TIE).sum(-1)
    tied = ((cosines - right).abs() <= TIE).sum(-1)
    return (above + (tied + 1) / 2).ceil().int().numpy()


def ask_steering(
    move: Move,
    transform: Transform,
    candidates: Candidates,
    embeddings: Float[Tensor, "objects views e"],
    rows: ndarray,
    questions: Questions,
) -> dict[str, Any]:
    """Source views turned about each of the object's axes, step by step, and which views the predictions find.

    Returns:
        "found" (objects, sources, 3 axes, steps, 8), numbers among all candidates; "own" (objects, sources, 3, steps), views of
        the object itself.
    """
    sources, angles = questions.steered_sources, np.radians(DEGREES)
    turns = np.concatenate([transform.rotate_about(axis, angles) for axis in np.eye(3)])
    shape = (len(rows), len(sources), len(turns))
    given = embeddings[torch.from_numpy(rows)][:, sources, None].expand(*shape, -1)
    predicted = move(
        given.flatten(0, 2), np.broadcast_to(turns, (*shape[:2], *turns.shape)).reshape(-1, turns.shape[1])
    )
    cosines = candidates.nearest_own(predicted.unflatten(0, (shape[0], -1)), rows)
    steps = (len(rows), len(sources), 3, len(DEGREES))
    return {
        "found": candidates.nearest(predicted, NEAREST).reshape(*steps, -1).astype("<u4"),
        "own": cosines.argmax(-1).reshape(steps).numpy().astype("<u2"),
    }
