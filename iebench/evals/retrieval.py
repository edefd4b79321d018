"""Finding views by predicted embeddings: exact, in blocks, and fair where candidates are equally near.

Nearness is the cosine, as published. Candidates whose cosines differ by less than `TIE` are taken to be in random order and
every score is its expectation over that order: so a collapsed embedding scores chance.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor
from torch.nn import functional as F

from iebench.evals.measure import Measure, mean_of
from iebench.evals.model import Predict, check_predictions
from iebench.evals.representations import Representations
from iebench.factors.rotations import compose, euler_to_quaternion
from iebench.factors.space import ROTATION
from iebench.factors.transforms import make_transform

TIE = 2e-6  # above the rounding of a float32 cosine of 1 000 terms
HITS = (1, 2, 5, 10)


def rank_chances(
    similarity: Float[Tensor, "objects views views"],
) -> tuple[Float[Tensor, "objects views"], dict[int, Float[Tensor, "objects views"]]]:
    """Expected 1/rank of the right candidate, and its chance to be among the first k, for k in `HITS`.

    Args:
        similarity: of query i to candidate j of the same object; the right candidate of query i is i.
    """
    own = similarity.diagonal(dim1=1, dim2=2).unsqueeze(2)
    above = (similarity > own + TIE).sum(2)
    tied = ((similarity - own).abs() <= TIE).sum(2)
    harmonic = torch.cat([torch.zeros(1), (1 / torch.arange(1.0, similarity.shape[2] + 1)).cumsum(0)])
    harmonic = harmonic.to(similarity.device)
    reciprocal = (harmonic[above + tied] - harmonic[above]) / tied
    return reciprocal, {k: ((k - above) / tied).clamp(0, 1) for k in HITS}


def nearest_errors(
    queries: Float[Tensor, "q width"],
    rotations: Float[Tensor, "q 4"],
    candidates: Callable[[], Iterator[tuple[Float[Tensor, "c width"], Float[Tensor, "c 4"]]]],
) -> Float[Tensor, " q"]:
    """1 - (q·q')² between each query's rotation q and that of its nearest candidate q'; the mean over ties.

    Args:
        queries: unit vectors.
        rotations: unit quaternions, the rotation that each query should find.
        candidates: gives blocks of unit vectors with their unit quaternions.
    """
    best = torch.full((len(queries),), -2.0, device=queries.device)
    total, count = torch.zeros_like(best), torch.zeros_like(best)
    for vectors, quaternions in candidates():
        similarity = queries @ vectors.T
        highest = similarity.amax(1)
        reset = highest > best + TIE
        total[reset], count[reset], best[reset] = 0, 0, highest[reset]
        rows = torch.nonzero(highest >= best - TIE).squeeze(1)
        nearest = similarity[rows] >= best[rows, None] - TIE
        errors = 1 - (rotations[rows] @ quaternions.T).square()
        total[rows] += (errors * nearest).sum(1)
        count[rows] += nearest.sum(1)
    return total / count


class Retrieval:
    """Predicts every view's embedding from its object's view 0 and looks for it.

    Args:
        predict: (embedding of the source (batch, width), transform (batch, t)) → predicted embedding (batch, e), which is
            compared with the last e numbers of the candidates' embeddings.
        transform: which transform the predictor takes, such as "rotation".
        device: where `predict` runs.
    """

    def __init__(self, predict: Predict, transform: str = "rotation", device: str | torch.device = "cpu"):
        self.predict, self.transform, self.device = predict, transform, torch.device(device)

    @torch.no_grad()
    def predictions(self, representations: Representations, rows: slice) -> Float[Tensor, "objects views e"]:
        """Unit predicted embeddings of all views of some objects, each from the object's view 0, on the device."""
        embeddings, latents = _embeddings(representations)[rows], representations.latents[rows]
        sources = np.repeat(latents[:, :1], latents.shape[1], axis=1)
        transforms = make_transform(self.transform, representations.space)(sources, latents)
        source = torch.from_numpy(np.repeat(embeddings[:, :1], latents.shape[1], axis=1).astype(np.float32))
        moved = torch.from_numpy(transforms).flatten(0, 1).to(self.device)
        predicted = self.predict(source.flatten(0, 1).to(self.device), moved)
        vectors = check_predictions(predicted, source.flatten(0, 1)).to(self.device)
        return F.normalize(vectors, dim=1).unflatten(0, latents.shape[:2])

    def ranks(self, representations: Representations, block: int = 64) -> Iterator[Measure]:
        """MRR and H@k among the object's own views (as published, the view 0 itself is one of queries and candidates)."""
        reciprocal: list[Tensor] = []
        hits: dict[int, list[Tensor]] = {k: [] for k in HITS}
        for start in range(0, representations.num_objects, block):
            rows = slice(start, start + block)
            predicted = self.predictions(representations, rows)
            found = rank_chances(predicted @ self._targets(representations, rows, predicted.shape[2]).transpose(1, 2))
            reciprocal.append(found[0].cpu())
            for k in HITS:
                hits[k].append(found[1][k].cpu())
        yield mean_of("mrr", torch.cat(reciprocal).numpy())
        for k in HITS:
            yield mean_of(f"hit_at_{k}", torch.cat(hits[k]).numpy())

    def rotation_error(
        self, representations: Representations, candidates: Sequence[Representations], block: int = 4096
    ) -> Measure:
        """PRE: the mean of 1 - (q·q')² when every prediction takes the nearest of all candidates' views.

        Args:
            representations: objects whose views are predicted.
            candidates: splits in whose views the nearest neighbours are looked for.
            block: rows of a block, on both sides; memory is some 4·block² bytes.
        """
        step = max(1, block // representations.num_views)
        errors = []
        for start in range(0, representations.num_objects, step):
            rows = slice(start, start + step)
            predicted = self.predictions(representations, rows)
            width = predicted.shape[2]
            quaternions = _quaternions(representations, rows).flatten(0, 1).to(self.device)

            def blocks(width: int = width) -> Iterator[tuple[Tensor, Tensor]]:
                for split in candidates:
                    for first in range(0, split.num_objects, step):
                        chosen = slice(first, first + step)
                        vectors = self._targets(split, chosen, width).flatten(0, 1)
                        yield vectors, _quaternions(split, chosen).flatten(0, 1).to(self.device)

            found = nearest_errors(predicted.flatten(0, 1), quaternions, blocks)
            errors.append(found.unflatten(0, predicted.shape[:2]).cpu())
        return mean_of("pre", torch.cat(errors).numpy())

    def _targets(
        self, representations: Representations, rows: slice, width: int
    ) -> Float[Tensor, "objects views width"]:
        vectors = torch.from_numpy(np.array(_embeddings(representations)[rows, :, -width:], np.float32))
        return F.normalize(vectors.to(self.device), dim=2)


def chance_measures(representations: Representations) -> Iterator[Measure]:
    """What a collapsed embedding scores, in closed form: MRR = H(n)/n, H@k = k/n, PRE = 1 - mean qᵀMq, M = mean qqᵀ."""
    num_views = representations.num_views
    every = np.ones((representations.num_objects, 1))
    yield mean_of("mrr", every * np.mean(1 / np.arange(1, num_views + 1)))
    for k in HITS:
        yield mean_of(f"hit_at_{k}", every * min(1.0, k / num_views))
    quaternions = _quaternions(representations, slice(None)).double().numpy()
    moment = np.einsum("nvi,nvj->ij", quaternions, quaternions) / (representations.num_objects * num_views)
    yield mean_of("pre", 1 - np.einsum("nvi,ij,nvj->nv", quaternions, moment, quaternions))


def _quaternions(representations: Representations, rows: slice) -> Float[Tensor, "objects views 4"]:
    return torch.from_numpy(euler_to_quaternion(representations.factor(*ROTATION)[rows])).float()


def _embeddings(representations: Representations) -> Float[ndarray, "objects views embedding"]:
    return representations.values if representations.embeddings is None else representations.embeddings


def compose_quaternions(source: Float[Tensor, "n 4"], rotation: Float[Tensor, "n 4"]) -> Float[Tensor, "n 4"]:
    """The exact predictor of embeddings that are the ground-truth quaternions."""
    composed = compose(source.cpu().double().numpy(), rotation.cpu().double().numpy())
    return torch.from_numpy(composed).float()
