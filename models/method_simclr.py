"""SimCLR (Chen et al., ICML 2020) on pairs of views, and the contrast of prediction and target after SEN."""

from dataclasses import dataclass

from torch import Tensor, nn

from iebench.loader.multiview import Views
from iebench.models.distributed import gather
from iebench.models.heads import ProjectorSettings, parse_projector, projector
from iebench.models.losses import Embeddings, info_nce
from iebench.models.method import InvariantMethod, Paper, Representations, Sizes, WeighedTerms, register
from iebench.models.predictive import Predicted, PredictiveMethod
from iebench.models.predictors import PredictorSettings
from iebench.models.settings import LEAST_TEMPERATURE, setting

SIMCLR = Paper("Chen et al., ICML 2020", "https://arxiv.org/abs/2002.05709")
SEN = Paper("Park et al., ICML 2022", "https://arxiv.org/abs/2204.11371")


@dataclass(frozen=True)
class SimclrSettings(ProjectorSettings):
    """The setting of the SIE paper."""

    temperature: float = setting(0.1, "Divides the cosines of the contrast.", minimum=LEAST_TEMPERATURE)
    invariance_weight: float = setting(1.0, "Weight of the contrast between the two views.")


@dataclass(frozen=True)
class SimclrEquivariantSettings(ProjectorSettings, PredictorSettings):
    """The setting of the SIE paper, there called SEN."""

    temperature: float = setting(0.1, "Divides the cosines of the contrast.", minimum=LEAST_TEMPERATURE)
    equivariance_weight: float = setting(1.0, "Weight of the contrast between prediction and target.")


@register("simclr", SimclrSettings, paper=SIMCLR)
class Simclr(InvariantMethod[SimclrSettings]):
    """The two views of an object find each other among all views of the batch."""

    def objective(self, source: Representations, target: Representations, views: Views) -> WeighedTerms:
        """The contrast between the two views."""
        source, target = gather(self.embed(source)), gather(self.embed(target))
        return self.weigh({"invariance": info_nce(source, target, self.settings.temperature)})


@register("simclr-equivariant", SimclrEquivariantSettings, paper=SEN)
class SimclrEquivariant(PredictiveMethod[SimclrEquivariantSettings]):
    """The prediction and the target find each other among all predictions and targets of the batch.

    After the symmetric embedding network of Park et al., ICML 2022, in the form that the SIE paper compares with.
    """

    def __init__(self, settings: SimclrEquivariantSettings, backbone: nn.Module, sizes: Sizes) -> None:
        super().__init__(settings, backbone, sizes)
        layers = parse_projector(settings.projector)
        self.parts = {"equivariant": slice(0, sizes.representation)}
        self.embedding_parts = {"equivariant": slice(0, layers[-1])}
        self.projector = projector(sizes.representation, layers, settings.projector_norm)
        self.predictor = self.make_predictor(layers[-1])

    def embed(self, representation: Representations) -> Embeddings:
        """The projector's output."""
        return self.projector(representation)

    def terms(self, source: Embeddings, target: Embeddings, prediction: Predicted) -> dict[str, Tensor]:
        """The terms of the loss over the global batch."""
        return {"equivariance": info_nce(prediction, target, self.settings.temperature)}
