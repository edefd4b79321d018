"""What is watched while a method trains: probes on detached representations, and signs of collapse."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from iebench.evals.probes import linear_probe, pair_probe
from iebench.loader.multiview import Pair
from iebench.models.distributed import gather
from iebench.models.losses import cross_entropy, squared_distance
from iebench.models.method import Method, Representations

QUATERNION = slice(0, 4)  # where a pair's transform has the relative rotation


class Predictions(NamedTuple):
    """What the probes say of a batch."""

    logits: dict[str, Float[Tensor, "batch labels"]]
    rotation: Float[Tensor, "batch 4"]


class OnlineProbes(nn.Module):
    """The class from each part of the representation, the relative rotation from both views: trained beside the method.

    Their heads are the evaluation's, the rotation's half as wide. They see detached representations and cannot change the method.
    """

    def __init__(self, parts: dict[str, slice], width: int, num_labels: int) -> None:
        super().__init__()
        self.parts = {"whole": slice(0, width), **parts}
        sizes = {name: len(range(width)[part]) for name, part in self.parts.items()}
        self.classes = nn.ModuleDict({name: linear_probe(size, num_labels) for name, size in sizes.items()})
        self.rotation = pair_probe(width, 4, hidden=512)

    def forward(self, source: Representations, target: Representations) -> Predictions:
        """The logits of each part of the sources, and the quaternions from source to target."""
        logits = {name: self.classes[name](source[:, part]) for name, part in self.parts.items()}
        return Predictions(logits, self.rotation(torch.cat([source, target], dim=1)))


def probe_loss(predictions: Predictions, pair: Pair) -> Float[Tensor, ""]:
    """The sum of all probes' losses."""
    classes = [cross_entropy(logits, pair.label) for logits in predictions.logits.values()]
    return torch.stack([*classes, squared_distance(predictions.rotation, pair.transform[:, QUATERNION])]).sum()


def probe_scores(predictions: Predictions, label: Tensor, transform: Tensor) -> dict[str, Tensor]:
    """Top-1 of each part, and how well the rotation is told."""
    right = {f"class_{name}": logits.argmax(dim=1) == label for name, logits in predictions.logits.items()}
    top1 = {name: rows.float().mean() for name, rows in right.items()}
    return {**top1, **score_rotation(predictions.rotation.float(), transform[:, QUATERNION])}


def score_rotation(prediction: Float[Tensor, "batch 4"], target: Float[Tensor, "batch 4"]) -> dict[str, Tensor]:
    """R² of quaternions, a mean over their components, and the median angle between rotations in degrees."""
    residual = (prediction - target).square().sum(dim=0)
    total = (target - target.mean(dim=0)).square().sum(dim=0).clamp(min=1e-12)
    cosine = (F.normalize(prediction, dim=1) * target).sum(dim=1).abs().clamp(max=1)
    angle = torch.rad2deg(2 * torch.acos(cosine)).median()
    return {"rotation_r2": (1 - residual / total).mean(), "rotation_degrees": angle}


def describe_spread(name: str, vectors: Float[Tensor, "batch size"]) -> dict[str, Tensor]:
    """Two numbers that show collapse.

    `spread` is the mean standard deviation of the coordinates of the unit vectors, times √size: 1 when directions are
    uniform, 0 when all vectors are one. `correlation` is the mean absolute correlation of two coordinates: 1 when all
    say the same.
    """
    vectors = gather(vectors.detach().float())
    spread = F.normalize(vectors, dim=1).std(dim=0).mean() * vectors.shape[1] ** 0.5
    centred = vectors - vectors.mean(dim=0)
    unit = centred / centred.norm(dim=0).clamp(min=1e-12)
    correlations = (unit.T @ unit).abs()
    size = vectors.shape[1]
    correlation = (correlations.sum() - correlations.trace()) / max(size * (size - 1), 1)
    return {f"spread/{name}": spread, f"correlation/{name}": correlation}


class Watched(nn.Module):
    """A method with its online probes, as one module for one optimiser step.

    Takes pairs as they come from the loader, uint8 images on the method's device.
    """

    def __init__(self, method: Method, num_labels: int) -> None:
        super().__init__()
        self.method = method
        self.probes = OnlineProbes(method.parts, method.sizes.representation, num_labels)

    def forward(self, pair: Pair, describe: bool = False) -> tuple[Tensor, dict[str, Tensor], dict[str, Tensor]]:
        """The loss of method and probes together, the method's terms with its `loss`, and what else there is to log.

        Args:
            pair: uint8 images.
            describe: Whether to compute the signs of collapse too.
        """
        method = self.method
        pair = pair._replace(source=method.normalise(pair.source), target=method.normalise(pair.target))
        source, target = method.represent(pair.source), method.represent(pair.target)
        loss, terms = method.objective(source, target, pair)
        predictions = self.probes(source.detach(), target.detach())
        scores = {
            f"probe/{name}": score for name, score in probe_scores(predictions, pair.label, pair.transform).items()
        }
        if describe:
            scores |= self.describe(source.detach())
        return loss + probe_loss(predictions, pair), {"loss": loss, **terms}, scores

    @torch.no_grad()
    def describe(self, source: Representations) -> dict[str, Tensor]:
        """Spread and correlation of the representations, of their parts and of the embeddings."""
        training = self.training
        embedding = self.method.eval().embed(source)
        self.method.train(training)
        vectors = {"representation": source, "embedding": embedding}
        vectors |= {f"representation_{name}": source[:, part] for name, part in self.method.parts.items()}
        scores: dict[str, Tensor] = {}
        for name, rows in vectors.items():
            scores |= describe_spread(name, rows)
        return scores
