"""EquiMod (Devillers and Lefort, ICLR 2023): a second projector and a predictor beside an invariant method."""

from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from iebench.loader.multiview import Pair
from iebench.models.distributed import gather
from iebench.models.heads import parse_sizes, projector
from iebench.models.losses import Embeddings, covariance_of_both, info_nce, squared_distance, variance_of_both
from iebench.models.method import Loss, Method, Representations, Sizes, halves
from iebench.models.settings import setting
from iebench.models.sie import PredictorSettings


@dataclass(frozen=True)
class EquimodSettings(PredictorSettings):
    """The setting of the SIE paper for rotations; with rotation+color it has an equivariance weight of 1."""

    projector: str = setting("2048-2048-2048", "Sizes of the layers of each of the two projectors.")
    temperature: float = setting(0.1, "Divides the cosines of the contrasts.")
    invariance_weight: float = setting(1.0, "Weight of the contrast between the two views.")
    equivariance_weight: float = setting(0.45, "Weight of the contrast between prediction and target.")


@dataclass(frozen=True)
class VicregEquimodSettings(PredictorSettings):
    """The setting of the SIE paper: VICReg's weights, and 0.45 of each for the equivariant side."""

    projector: str = setting("2048-2048-2048", "Sizes of the layers of each of the two projectors.")
    invariance_weight: float = setting(10.0, "Weight of the distance between the two views' invariant embeddings.")
    variance_weight: float = setting(10.0, "Weight of the variance hinge of the invariant embeddings.")
    covariance_weight: float = setting(1.0, "Weight of the covariance of the invariant embeddings.")
    equivariance_weight: float = setting(4.5, "Weight of the distance between prediction and target.")
    equivariant_variance_weight: float = setting(4.5, "Weight of the variance hinge of the equivariant embeddings.")
    equivariant_covariance_weight: float = setting(0.45, "Weight of the covariance of the equivariant embeddings.")


class TwoProjectors(Method):
    """The whole representation goes through an invariant and an equivariant projector."""

    def __init__(self, settings: EquimodSettings | VicregEquimodSettings, backbone: nn.Module, sizes: Sizes) -> None:
        super().__init__(settings, backbone, sizes)
        layers = parse_sizes(settings.projector)
        self.embedding_parts = halves(layers[-1], 2 * layers[-1])
        self.invariant_projector = projector(sizes.representation, layers)
        self.equivariant_projector = projector(sizes.representation, layers)
        self.predictor = settings.build_predictor(layers[-1], sizes.transform)

    def embed(self, representation: Representations) -> Embeddings:
        return torch.cat([self.invariant_projector(representation), self.equivariant_projector(representation)], dim=1)

    def predict(self, embedding: Embeddings, transform: Tensor) -> Embeddings:
        """The equivariant part of the target's embedding, from the source's embedding."""
        return self.predictor(embedding[:, self.embedding_parts["equivariant"]], transform)

    def objective(self, source: Representations, target: Representations, pair: Pair) -> Loss:
        local_source, local_target = self.embed(source), self.embed(target)
        prediction = gather(self.predict(local_source, pair.transform))
        return self.weigh(self.terms(gather(local_source), gather(local_target), prediction))

    @abstractmethod
    def terms(self, source: Embeddings, target: Embeddings, prediction: Embeddings) -> dict[str, Tensor]:
        """The terms of the loss over the global batch."""


class Equimod(TwoProjectors):
    """EquiMod on SimCLR: views contrast with each other, and predictions with targets."""

    def terms(self, source: Embeddings, target: Embeddings, prediction: Embeddings) -> dict[str, Tensor]:
        invariant, equivariant = self.embedding_parts["invariant"], self.embedding_parts["equivariant"]
        temperature = self.settings.temperature
        return {
            "invariance": info_nce(source[:, invariant], target[:, invariant], temperature),
            "equivariance": info_nce(prediction, target[:, equivariant], temperature),
        }


class VicregEquimod(TwoProjectors):
    """EquiMod on VICReg: variance and covariance are taken for each projector by itself."""

    def terms(self, source: Embeddings, target: Embeddings, prediction: Embeddings) -> dict[str, Tensor]:
        invariant, equivariant = self.embedding_parts["invariant"], self.embedding_parts["equivariant"]
        return {
            "invariance": squared_distance(source[:, invariant], target[:, invariant]),
            "variance": variance_of_both(source[:, invariant], target[:, invariant]),
            "covariance": covariance_of_both(source[:, invariant], target[:, invariant]),
            "equivariance": squared_distance(prediction, target[:, equivariant]),
            "equivariant_variance": variance_of_both(source[:, equivariant], target[:, equivariant]),
            "equivariant_covariance": covariance_of_both(source[:, equivariant], target[:, equivariant]),
        }
