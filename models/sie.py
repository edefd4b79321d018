"""SIE: split invariant-equivariant representations (Garrido, Najman and LeCun, ICML 2023), and its equivariant half."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from iebench.errors import UsageError
from iebench.loader.multiview import Pair
from iebench.models.distributed import gather
from iebench.models.heads import parse_sizes, projector
from iebench.models.losses import Embeddings, covariance_of_both, squared_distance, variance, variance_of_both
from iebench.models.method import Loss, Method, Representations, Sizes, halves
from iebench.models.predictors import build_predictor
from iebench.models.settings import MethodSettings, setting


@dataclass(frozen=True)
class PredictorSettings(MethodSettings):
    """What a method with a predictor is told."""

    predictor: Literal["hypernetwork", "deep-hypernetwork", "mlp", "linear"] = setting(
        "hypernetwork", "How the source's embedding and the transform give the target's."
    )
    predictor_hidden: str = setting(
        "", "Hidden sizes of deep-hypernetwork and mlp, as 128-128; empty: two of fitting width."
    )
    predictor_bias: bool = setting(False, "Give the hypernetwork biases.")

    def build_predictor(self, size: int, transform_size: int) -> nn.Module:
        """The predictor of embeddings of `size` coordinates."""
        hidden = parse_sizes(self.predictor_hidden)
        return build_predictor(self.predictor, size, transform_size, hidden, self.predictor_bias)


@dataclass(frozen=True)
class EquivariantOnlySettings(PredictorSettings):
    """SIE without its invariant part."""

    projector: str = setting("1024-1024-1024", "Sizes of the projector's layers.")
    equivariance_weight: float = setting(10.0, "Weight of the distance between prediction and target.")
    variance_weight: float = setting(10.0, "Weight of the variance hinge of the embeddings.")
    prediction_variance_weight: float = setting(
        10.0, "Weight of the variance hinge of the predictions; 0 leaves it out."
    )
    covariance_weight: float = setting(1.0, "Weight of the covariance of the embeddings.")


@dataclass(frozen=True)
class SieSettings(EquivariantOnlySettings):
    """The published setting: 512 = 256 invariant + 256 equivariant coordinates."""

    projector: str = setting("1024-1024-1024", "Sizes of the layers of each of the two projectors.")
    equivariance_weight: float = setting(4.5, "Weight of the distance between prediction and target.")
    invariant_size: int = setting(0, "Coordinates of the representation's invariant part; 0: half of them.")
    invariance_weight: float = setting(10.0, "Weight of the distance between the two views' invariant embeddings.")


class EquivariantOnly(Method):
    """The whole representation is equivariant."""

    def __init__(self, settings: EquivariantOnlySettings, backbone: nn.Module, sizes: Sizes) -> None:
        super().__init__(settings, backbone, sizes)
        layers = parse_sizes(settings.projector)
        self.parts = {"equivariant": slice(0, sizes.representation)}
        self.embedding_parts = {"equivariant": slice(0, layers[-1])}
        self.equivariant_projector = projector(sizes.representation, layers)
        self.predictor = settings.build_predictor(layers[-1], sizes.transform)

    def embed(self, representation: Representations) -> Embeddings:
        return self.equivariant_projector(representation)

    def predict(self, embedding: Embeddings, transform: Tensor) -> Embeddings:
        """The equivariant part of the target's embedding, from the source's embedding."""
        return self.predictor(embedding[:, self.embedding_parts["equivariant"]], transform)

    def objective(self, source: Representations, target: Representations, pair: Pair) -> Loss:
        local_source, local_target = self.embed(source), self.embed(target)
        prediction = gather(self.predict(local_source, pair.transform))
        return self.weigh(self.terms(gather(local_source), gather(local_target), prediction))

    def terms(self, source: Embeddings, target: Embeddings, prediction: Embeddings) -> dict[str, Tensor]:
        """The terms of the loss over the global batch."""
        terms = {
            "equivariance": squared_distance(prediction, target[:, self.embedding_parts["equivariant"]]),
            "variance": variance_of_both(source, target),
            "covariance": covariance_of_both(source, target),
        }
        if self.settings.prediction_variance_weight:
            terms["prediction_variance"] = variance(prediction) / 2
        return terms


class Sie(EquivariantOnly):
    """One part of the representation is invariant, the other predictable from the transform.

    Variance and covariance are taken over both parts' embeddings side by side, so that the parts do not share information.
    """

    def __init__(self, settings: SieSettings, backbone: nn.Module, sizes: Sizes) -> None:
        invariant = settings.invariant_size or sizes.representation // 2
        if not 0 < invariant < sizes.representation:
            raise UsageError(f"--invariant-size {invariant} leaves no equivariant part of {sizes.representation}")
        equivariant = Sizes(sizes.representation - invariant, sizes.transform, sizes.classes)
        super().__init__(settings, backbone, equivariant)
        self.sizes = sizes
        layers = parse_sizes(settings.projector)
        self.parts = halves(invariant, sizes.representation)
        self.embedding_parts = halves(layers[-1], 2 * layers[-1])
        self.invariant_projector = projector(invariant, layers)

    def embed(self, representation: Representations) -> Embeddings:
        invariant = self.invariant_projector(representation[:, self.parts["invariant"]])
        return torch.cat([invariant, self.equivariant_projector(representation[:, self.parts["equivariant"]])], dim=1)

    def terms(self, source: Embeddings, target: Embeddings, prediction: Embeddings) -> dict[str, Tensor]:
        part = self.embedding_parts["invariant"]
        invariance = squared_distance(source[:, part], target[:, part])
        return {"invariance": invariance, **super().terms(source, target, prediction)}
