"""SIE: split invariant-equivariant representations (Garrido, Najman and LeCun, ICML 2023), and its equivariant half."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from iebench.errors import UsageError
from iebench.models.heads import parse_projector, projector
from iebench.models.losses import Embeddings, covariance_of_both, squared_distance, variance, variance_of_both
from iebench.models.method import Paper, Representations, Sizes, halves, register
from iebench.models.predictive import Predicted, PredictiveMethod
from iebench.models.predictors import PredictorSettings
from iebench.models.settings import AllPairsSettings, setting

PAPER = Paper("Garrido, Najman and LeCun, ICML 2023", "https://arxiv.org/abs/2302.10283")


@dataclass(frozen=True)
class EquivariantOnlySettings(PredictorSettings, AllPairsSettings):
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


@register("sie", SieSettings, paper=PAPER)
class Sie(PredictiveMethod[SieSettings]):
    """One part of the representation is invariant, the other predictable from the transform.

    Variance and covariance are taken over both parts' embeddings side by side, so that the parts do not share information.
    """

    def __init__(self, settings: SieSettings, backbone: nn.Module, sizes: Sizes) -> None:
        super().__init__(settings, backbone, sizes)
        invariant, layers = settings.invariant_size or sizes.representation // 2, parse_projector(settings.projector)
        if not 0 < invariant < sizes.representation:
            raise UsageError(f"--invariant-size {invariant} leaves no equivariant part of {sizes.representation}.")
        self.parts = halves(invariant, sizes.representation)
        self.embedding_parts = halves(layers[-1], 2 * layers[-1])
        self.equivariant_projector = projector(sizes.representation - invariant, layers)
        self.predictor = self.make_predictor(layers[-1])
        self.invariant_projector = projector(invariant, layers)

    def embed(self, representation: Representations) -> Embeddings:
        """The embeddings of the invariant and of the equivariant part, side by side."""
        invariant = self.invariant_projector(representation[:, self.parts["invariant"]])
        return torch.cat([invariant, self.equivariant_projector(representation[:, self.parts["equivariant"]])], dim=1)

    def terms(self, source: Embeddings, target: Embeddings, prediction: Predicted) -> dict[str, Tensor]:
        """The terms of the loss over the global batch."""
        part = self.embedding_parts["invariant"]
        invariance = squared_distance(source[:, part], target[:, part])
        return {"invariance": invariance, **equivariant_terms(source, target, prediction, self.settings)}


@register("equivariant-only", EquivariantOnlySettings, paper=PAPER)
class EquivariantOnly(PredictiveMethod[EquivariantOnlySettings]):
    """The whole representation is equivariant."""

    def __init__(self, settings: EquivariantOnlySettings, backbone: nn.Module, sizes: Sizes) -> None:
        super().__init__(settings, backbone, sizes)
        layers = parse_projector(settings.projector)
        self.parts = {"equivariant": slice(0, sizes.representation)}
        self.embedding_parts = {"equivariant": slice(0, layers[-1])}
        self.equivariant_projector = projector(sizes.representation, layers)
        self.predictor = self.make_predictor(layers[-1])

    def embed(self, representation: Representations) -> Embeddings:
        """The projector's output."""
        return self.equivariant_projector(representation)

    def terms(self, source: Embeddings, target: Embeddings, prediction: Predicted) -> dict[str, Tensor]:
        """The terms of the loss over the global batch."""
        return equivariant_terms(source, target, prediction, self.settings)


def equivariant_terms(
    source: Embeddings, target: Embeddings, prediction: Predicted, settings: EquivariantOnlySettings
) -> dict[str, Tensor]:
    """The terms that both methods have: the prediction's distance, and variance and covariance of whole embeddings."""
    equivariant = target[:, target.shape[1] - prediction.shape[1] :]
    terms = {
        "equivariance": squared_distance(prediction, equivariant),
        "variance": variance_of_both(source, target),
        "covariance": covariance_of_both(source, target),
    }
    if settings.prediction_variance_weight:
        terms["prediction_variance"] = variance(prediction) / 2
    return terms
