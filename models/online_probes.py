"""Online probes on detached representations, and collapse metrics, taken while a method trains."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from iebench.errors import UsageError
from iebench.evals.metrics import LEAST_VARIANCE
from iebench.evals.probes import linear_probe, pair_probe
from iebench.loader.multiview import Views
from iebench.models.advice import effective_rank
from iebench.models.distributed import gather
from iebench.models.losses import cross_entropy, squared_distance
from iebench.models.method import LossOutput, Method, Representations, stack_views


class Predictions(NamedTuple):
    """The outputs of the online probes for a batch.

    Attributes:
        logits: of the first view's class, from each part of its representation.
        rotation: quaternions of the first transform, from the first two views' representations; None without this probe.
    """

    logits: dict[str, Float[Tensor, "batch labels"]]
    rotation: Float[Tensor, "batch 4"] | None


class OnlineProbes(nn.Module):
    """Probes trained beside a method: the class from each part of the representation, the relative rotation from two views.

    Their heads are the evaluation's, the rotation's half as wide. They see detached representations and cannot change the method.

    Attributes:
        parts: slices of the representation, and the whole of it.
        rotation_columns: where a transform has the relative rotation; None where there is no probe of it.
    """

    def __init__(self, parts: dict[str, slice], width: int, num_labels: int, rotation_columns: slice | None) -> None:
        super().__init__()
        self.parts, self.rotation_columns = {"whole": slice(0, width), **parts}, rotation_columns
        sizes = {name: len(range(width)[part]) for name, part in self.parts.items()}
        self.classes = nn.ModuleDict({name: linear_probe(size, num_labels) for name, size in sizes.items()})
        if rotation_columns is not None:
            self.rotation = pair_probe(width, rotation_columns.stop - rotation_columns.start, hidden=512)

    def forward(self, representations: Float[Tensor, "batch n dim"]) -> Predictions:
        """The logits of each part of the first views, and the rotations from the first views to the second."""
        source = representations[:, 0]
        logits = {name: self.classes[name](source[:, part]) for name, part in self.parts.items()}
        if self.rotation_columns is None:
            return Predictions(logits, None)
        return Predictions(logits, self.rotation(torch.cat([source, representations[:, 1]], dim=1)))

    def loss(self, predictions: Predictions, views: Views) -> Float[Tensor, ""]:
        """The sum of all probes' losses."""
        losses = [cross_entropy(logits, views.label) for logits in predictions.logits.values()]
        if predictions.rotation is not None:
            losses.append(squared_distance(predictions.rotation, self.rotation_of(views.transforms)))
        return torch.stack(losses).sum()

    def scores(self, predictions: Predictions, label: Tensor, transforms: Tensor) -> dict[str, Tensor]:
        """Top-1 of each part, and how well the rotation is told."""
        right = {f"class_{name}": logits.argmax(dim=1) == label for name, logits in predictions.logits.items()}
        scores = {name: rows.float().mean() for name, rows in right.items()}
        if predictions.rotation is not None:
            scores |= score_rotation(predictions.rotation.float(), self.rotation_of(transforms))
        return scores

    def rotation_of(self, transforms: Float[Tensor, "batch steps t"]) -> Float[Tensor, "batch rotation"]:
        """The relative rotations from the first views to the second."""
        return transforms[:, 0, self.rotation_columns]


def score_rotation(prediction: Float[Tensor, "batch 4"], target: Float[Tensor, "batch 4"]) -> dict[str, Tensor]:
    """R² of quaternions, a mean over the components that vary (NaN if none does), and the median angle in degrees."""
    residual, variance = (prediction - target).square().mean(dim=0), target.var(dim=0, correction=0)
    varies = variance > LEAST_VARIANCE
    r2 = torch.where(varies, 1 - residual / variance.clamp(min=LEAST_VARIANCE), 0).sum() / varies.sum()
    cosine = (F.normalize(prediction, dim=1) * target).sum(dim=1).abs().clamp(max=1)
    angle = torch.rad2deg(2 * torch.acos(cosine)).median()
    return {"rotation_r2": r2, "rotation_degrees": angle}


def collapse_metrics(name: str, vectors: Float[Tensor, "batch size"]) -> dict[str, Tensor]:
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


class ProbedMethod(nn.Module):
    """A method with its online probes, as one module for one optimiser."""

    def __init__(self, method: Method, num_labels: int, rotation_columns: slice | None) -> None:
        """Put probes beside a method.

        Args:
            method: what is trained.
            num_labels: of the probes of the class.
            rotation_columns: where a transform has the relative rotation; None where it has none.
        """
        super().__init__()
        self.method = method
        columns = rotation_columns if method.num_encoded > 1 else None
        self.probes = OnlineProbes(method.probed_parts, method.sizes.representation, num_labels, columns)

    def forward(self, views: Views) -> tuple[LossOutput, Predictions]:
        """What the method makes of a batch, its representations detached, and what the probes say of these."""
        output = self.method(views)
        if not isinstance(output, LossOutput):
            raise UsageError(
                f"{type(self.method).__name__}.forward gives a {type(output).__name__}: return a LossOutput."
            )
        output = output._replace(representations=output.representations.detach())
        return output, self.probes(output.representations)

    def represent_views(self, views: Views) -> Float[Tensor, "batch n dim"]:
        """The representations that the probes need, of the views each by itself."""
        num_views = min(self.method.num_encoded, 2)
        return stack_views(*[self.method.represent_for_probes(views.images[:, view]) for view in range(num_views)])

    @torch.no_grad()
    def describe(self, views: Views, representations: Float[Tensor, "batch n dim"]) -> dict[str, Tensor]:
        """Collapse metrics of the first views' representations, of their parts and of their embeddings."""
        source, training = representations[:, 0], self.training
        self.method.eval()
        embedding = self._embed(views, source)
        self.method.train(training)
        vectors = {"representation": source, "embedding": embedding}
        vectors |= {f"representation_{name}": source[:, part] for name, part in self.method.probed_parts.items()}
        scores = {"rank/representation": effective_rank(gather(source))}
        for name, rows in vectors.items():
            scores |= collapse_metrics(name, rows)
        return scores

    def _embed(self, views: Views, source: Representations) -> Tensor:
        """The embeddings of the first views; of their images where the probes see less than an embedding needs."""
        sees_all = not self.method.uses_map and self.method.probed_parts == self.method.parts
        return self.method.embed(source) if sees_all else self.method.embed_images(views.images[:, 0])
