"""What lies nearest to a source view, to a prediction from it, and to a prediction that turns it: all by cosine."""

import math
from collections.abc import Callable

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
Move = Callable[[Tensor, ndarray], Tensor]  # (embeddings, transforms) → embeddings


class Answers:
    """Answers the questions about one run.

    A candidate view has the number `candidate · num_views + view`.

    Args:
        questions: the objects and views that are asked about.
        embeddings: of all views of the candidates, in their order.
        width: how many of the last columns are compared.
    """

    def __init__(self, questions: Questions, embeddings: Float[Tensor, "objects views e"], width: int) -> None:
        self.questions, self.embeddings, self.width = questions, embeddings, width
        self._own = F.normalize(embeddings[..., -width:], dim=-1)
        self._rows = self._rows_of(questions.places)

    def neighbours(self) -> dict[str, ndarray]:
        """The views nearest to each source view as it is, without itself: "unmoved" (objects, sources, ≤ 8)."""
        rows, sources = self._rows, self.questions.sources
        found = self._nearest(self.embeddings[torch.from_numpy(rows)][:, sources].flatten(0, 1), NEAREST + 1)
        own = (rows[:, None] * self.embeddings.shape[1] + sources).reshape(-1, 1)
        kept = np.stack([line[line != number][:NEAREST] for line, number in zip(found, own, strict=True)])
        return {"unmoved": kept.reshape(len(rows), len(sources), -1).astype("<u4")}

    def retrieval(
        self, move: Move, transform: Transform, latents: Float[ndarray, "objects views factors"]
    ) -> dict[str, ndarray]:
        """What the predictions from every source view to every view of the object find.

        Returns:
            "found" (objects, sources, targets, ≤ 8), numbers of candidate views; "own" (objects, sources, targets, ≤ 8), views of
            the object itself; "rank" (objects, sources, targets) of the target among these; others that tie share it.
        """
        latents, sources = latents[self._rows], self.questions.sources
        shape = (len(latents), len(sources), latents.shape[1])
        start = np.broadcast_to(latents[:, sources, None], (*shape, latents.shape[-1]))
        transforms = transform(start, np.broadcast_to(latents[:, None], start.shape))
        predicted = self._predict(move, self._rows, sources, transforms)
        cosines = self._cosines_to_own(predicted, self._rows)
        own = cosines.topk(min(NEAREST, shape[2]), dim=-1).indices
        return {
            "found": self._nearest(predicted.flatten(0, 2), NEAREST).reshape(*shape, -1).astype("<u4"),
            "own": own.numpy().astype("<u2"),
            "rank": _rank_targets(cosines).astype("<u2"),
        }

    def steering(self, move: Move, transform: Transform) -> dict[str, ndarray]:
        """What the predictions for turns about each of the object's axes find.

        Returns:
            "steeredFound" (objects, sources, 3 axes, steps, ≤ 8), numbers of candidate views; "steeredOwn" (objects, sources, 3,
            steps), views of the object itself.
        """
        rows, sources = self._rows_of(self.questions.steered_places), self.questions.steered_sources
        turns = np.concatenate([transform.rotate_about(axis, np.radians(DEGREES)) for axis in np.eye(3)])
        predicted = self._predict(move, rows, sources, np.broadcast_to(turns, (len(rows), len(sources), *turns.shape)))
        shape = (len(rows), len(sources), 3, len(DEGREES))
        return {
            "steeredFound": self._nearest(predicted.flatten(0, 2), NEAREST).reshape(*shape, -1).astype("<u4"),
            "steeredOwn": self._cosines_to_own(predicted, rows).argmax(-1).reshape(shape).numpy().astype("<u2"),
        }

    def _rows_of(self, places: Int[ndarray, " objects"]) -> Int[ndarray, " objects"]:
        return np.searchsorted(self.questions.candidates, places)

    def _predict(
        self, move: Move, rows: ndarray, sources: ndarray, transforms: Float[ndarray, "objects sources n t"]
    ) -> Float[Tensor, "objects sources n e"]:
        shape = transforms.shape[:3]
        given = self.embeddings[torch.from_numpy(rows)][:, sources, None].expand(*shape, -1)
        return move(given.flatten(0, 2), transforms.reshape(math.prod(shape), -1)).unflatten(0, shape)

    def _nearest(self, queries: Float[Tensor, "q e"], count: int) -> Int[ndarray, "q count"]:
        vectors = self._own.flatten(0, 1)
        blocks = F.normalize(queries[:, -self.width :], dim=1).split(_BLOCK)
        found = [(block @ vectors.T).topk(min(count, len(vectors)), dim=1).indices for block in blocks]
        return torch.cat(found).numpy()

    def _cosines_to_own(
        self, predicted: Float[Tensor, "objects sources n e"], rows: ndarray
    ) -> Float[Tensor, "objects sources n views"]:
        own = self._own[torch.from_numpy(rows)].transpose(1, 2).unsqueeze(1)
        return F.normalize(predicted[..., -self.width :], dim=-1) @ own


def _rank_targets(cosines: Float[Tensor, "objects sources views views"]) -> Int[ndarray, "objects sources views"]:
    right = cosines.diagonal(dim1=2, dim2=3).unsqueeze(-1)
    above = (cosines > right + TIE).sum(-1)
    tied = ((cosines - right).abs() <= TIE).sum(-1)
    return (above + (tied + 1) / 2).ceil().int().numpy()
