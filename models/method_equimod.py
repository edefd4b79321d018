"""EquiMod (Devillers and Lefort, ICLR 2023): a second projector and a predictor beside an invariant method."""

from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from iebench.models.heads import ProjectorSettings, parse_projector, projector
from iebench.models.losses import Embeddings, covariance_of_both, info_nce, squared_distance, variance_of_both
from iebench.models.method import Paper, Representations, Sizes, halves, register
from iebench.models.predictive import Predicted, PredictiveMethod
from iebench.models.predictors import PredictorSettings
from iebench.models.settings import LEAST_TEMPERATURE, AllPairsSettings, setting

PAPER = Paper("Devillers and Lefort, ICLR 2023", "https://arxiv.org/abs/2211.01244")


@dataclass(frozen=True)
class TwoProjectorsSettings(ProjectorSettings, PredictorSettings):
    """What both kinds of EquiMod are told."""

    projector: str = setting("2048-2048-2048", "Sizes of the layers of each of the two projectors.")


@dataclass(frozen=True)
class EquimodSettings(TwoProjectorsSettings):
    """The setting of the SIE paper for rotations; with rotation+color it has an equivariance weight of 1."""

    temperature: float = setting(0.1, "Divides the cosines of the contrasts.", minimum=LEAST_TEMPERATURE)
    invariance_weight: float = setting(1.0, "Weight of the contrast between the two views.")
    equivariance_weight: float = setting(0.45, "Weight of the contrast between prediction and target.")


@dataclass(frozen=True)
class VicregEquimodSettings(TwoProjectorsSettings, AllPairsSettings):
    """The setting of the SIE paper: VICReg's weights, and 0.45 of each for the equivariant side."""

    invariance_weight: float = setting(10.0, "Weight of the distance between the two views' invariant embeddings.")
    variance_weight: float = setting(10.0, "Weight of the variance hinge of the invariant embeddings.")
    covariance_weight: float = setting(1.0, "Weight of the covariance of the invariant embeddings.")
    equivariance_weight: float = setting(4.5, "Weight of the distance between prediction and target.")
    equivariant_variance_weight: float = setting(4.5, "Weight of the variance hinge of the equivariant embeddings.")
    equivariant_covariance_weight: float = setting(0.45, "Weight of the covariance of the equivariant embeddings.")


Settings = TypeVar("Settings", bound=TwoProjectorsSettings)


class TwoProjectors(PredictiveMethod[Settings]):
    """The whole representation goes through an invariant and an equivariant projector."""

    def __init__(self, settings: Settings, backbone: nn.Module, sizes: Sizes) -> None:
        super().__init__(settings, backbone, sizes)
        layers = parse_projector(settings.projector)
        self.embedding_parts = halves(layers[-1], 2 * layers[-1])
        self.invariant_projector = projector(sizes.representation, layers, settings.projector_norm)
        self.equivariant_projector = projector(sizes.representation, layers, settings.projector_norm)
        self.predictor = self.make_predictor(layers[-1])

    def embed(self, representation: Representations) -> Embeddings:
        """The invariant projector's output, then the equivariant one's."""
        return torch.cat([self.invariant_projector(representation), self.equivariant_projector(representation)], dim=1)


@register("equimod", EquimodSettings, paper=PAPER)
class Equimod(TwoProjectors[EquimodSettings]):
    """EquiMod on SimCLR: views contrast with each other, and predictions with targets."""

    def terms(self, source: Embeddings, target: Embeddings, prediction: Predicted) -> dict[str, Tensor]:
        """The terms of the loss over the global batch."""
        invariant, equivariant = self.embedding_parts["invariant"], self.embedding_parts["equivariant"]
        temperature = self.settings.temperature
        return {
            "invariance": info_nce(source[:, invariant], target[:, invariant], temperature),
            "equivariance": info_nce(prediction, target[:, equivariant], temperature),
        }


@register("vicreg-equimod", VicregEquimodSettings, paper=PAPER)
class VicregEquimod(TwoProjectors[VicregEquimodSettings]):
    """EquiMod on VICReg: variance and covariance are taken for each projector by itself."""

    def terms(self, source: Embeddings, target: Embeddings, prediction: Predicted) -> dict[str, Tensor]:
        """The terms of the loss over the global batch."""
        invariant, equivariant = self.embedding_parts["invariant"], self.embedding_parts["equivariant"]
        return {
            "invariance": squared_distance(source[:, invariant], target[:, invariant]),
            "variance": variance_of_both(source[:, invariant], target[:, invariant]),
            "covariance": covariance_of_both(source[:, invariant], target[:, invariant]),
            "equivariance": squared_distance(prediction, target[:, equivariant]),
            "equivariant_variance": variance_of_both(source[:, equivariant], target[:, equivariant]),
            "equivariant_covariance": covariance_of_both(source[:, equivariant], target[:, equivariant]),
        }
