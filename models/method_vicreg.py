"""VICReg (Bardes, Ponce and LeCun, ICLR 2022) on pairs of views, whole and with invariance of a part only."""

from dataclasses import dataclass

from torch import nn

from iebench.errors import UsageError
from iebench.loader.multiview import Views
from iebench.models.distributed import gather
from iebench.models.heads import ProjectorSettings, parse_sizes
from iebench.models.losses import covariance_of_both, squared_distance, variance_of_both
from iebench.models.method import InvariantMethod, Paper, Representations, Sizes, WeighedTerms, halves, register
from iebench.models.settings import AllPairsSettings, setting

PAPER = Paper("Bardes, Ponce and LeCun, ICLR 2022", "https://arxiv.org/abs/2105.04906")


@dataclass(frozen=True)
class VicregSettings(ProjectorSettings, AllPairsSettings):
    """The setting of the SIE paper."""

    invariance_weight: float = setting(10.0, "Weight of the distance between the two views' embeddings.")
    variance_weight: float = setting(10.0, "Weight of the variance hinge of the embeddings.")
    covariance_weight: float = setting(1.0, "Weight of the covariance of the embeddings.")


@dataclass(frozen=True)
class VicregPartialSettings(VicregSettings):
    """VICReg in which a part of the embedding is free to differ between the views."""

    invariant_embedding: int = setting(0, "Coordinates of the embedding that are made invariant; 0: half of them.")


@register("vicreg", VicregSettings, paper=PAPER)
class Vicreg(InvariantMethod[VicregSettings]):
    """Embeddings of two views that agree, vary over the batch and do not repeat each other's coordinates."""

    def objective(self, source: Representations, target: Representations, views: Views) -> WeighedTerms:
        """VICReg's three terms."""
        source, target = gather(self.embed(source)), gather(self.embed(target))
        part = self.embedding_parts["invariant"]
        terms = {
            "invariance": squared_distance(source[:, part], target[:, part]),
            "variance": variance_of_both(source, target),
            "covariance": covariance_of_both(source, target),
        }
        return self.weigh(terms)


@register("vicreg-partial", VicregPartialSettings, paper=PAPER)
class VicregPartial(Vicreg):
    """VICReg whose invariance covers the first coordinates of the embedding only."""

    def __init__(self, settings: VicregPartialSettings, backbone: nn.Module, sizes: Sizes) -> None:
        super().__init__(settings, backbone, sizes)
        size = parse_sizes(settings.projector)[-1]
        invariant = settings.invariant_embedding or size // 2
        if not 0 < invariant < size:
            raise UsageError(f"--invariant-embedding {invariant} leaves nothing free of {size} coordinates.")
        self.embedding_parts = halves(invariant, size)
