"""VICReg (Bardes, Ponce and LeCun, ICLR 2022) on pairs of views: whole, with invariance of a part, and along a trajectory."""

from dataclasses import dataclass

from torch import Tensor, nn

from iebench.errors import UsageError
from iebench.loader.multiview import Views
from iebench.models.distributed import gather
from iebench.models.heads import ProjectorSettings, parse_projector
from iebench.models.losses import Embeddings, covariance_of_both, curvature, squared_distance, variance_of_both
from iebench.models.method import (
    InvariantMethod,
    LossOutput,
    Paper,
    ProjectedMethod,
    Representations,
    Sizes,
    WeighedTerms,
    halves,
    register,
    stack_views,
)
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


@dataclass(frozen=True)
class VicregTrajSettings(ProjectorSettings):
    """The setting of the seq-JEPA paper."""

    invariance_weight: float = setting(10.0, "Weight of the distance between the first two views' embeddings.")
    variance_weight: float = setting(10.0, "Weight of the variance hinge of these embeddings.")
    covariance_weight: float = setting(1.0, "Weight of the covariance of these embeddings.")
    trajectory_weight: float = setting(0.01, "Weight of how much the way through the three views' embeddings bends.")


@register("vicreg", VicregSettings, paper=PAPER)
class Vicreg(InvariantMethod[VicregSettings]):
    """Embeddings of two views that agree, vary over the batch and do not repeat each other's coordinates."""

    def objective(self, source: Representations, target: Representations, views: Views) -> WeighedTerms:
        """VICReg's three terms."""
        source, target = gather(self.embed(source)), gather(self.embed(target))
        part = self.embedding_parts["invariant"]
        return self.weigh(vicreg_terms(source, target, part))


def vicreg_terms(source: Embeddings, target: Embeddings, part: slice = slice(None)) -> dict[str, Tensor]:
    """The three terms over the global batch, of which the invariance covers a part."""
    return {
        "invariance": squared_distance(source[:, part], target[:, part]),
        "variance": variance_of_both(source, target),
        "covariance": covariance_of_both(source, target),
    }


@register("vicreg-partial", VicregPartialSettings, paper=PAPER)
class VicregPartial(Vicreg):
    """VICReg whose invariance covers the first coordinates of the embedding only."""

    def __init__(self, settings: VicregPartialSettings, backbone: nn.Module, sizes: Sizes) -> None:
        super().__init__(settings, backbone, sizes)
        size = parse_projector(settings.projector)[-1]
        invariant = settings.invariant_embedding or size // 2
        if not 0 < invariant < size:
            raise UsageError(f"--invariant-embedding {invariant} leaves nothing free of {size} coordinates.")
        self.embedding_parts = halves(invariant, size)


@register(
    "vicreg-traj",
    VicregTrajSettings,
    paper=Paper("Wang, Chen and Yu, ECCV 2024", "https://arxiv.org/abs/2403.14973"),
)
class VicregTraj(ProjectedMethod[VicregTrajSettings]):
    """VICReg between two views, and embeddings of three that lie on a straight way: VICRegTraj."""

    num_views, anchor = 3, "previous"

    def forward(self, views: Views) -> LossOutput:
        """VICReg's terms between the first view and the second, and the curvature from the first through it to the third."""
        representations = self.represent(views.images.transpose(0, 1).flatten(0, 1))  # in one pass, as published
        left, centre, right = map(gather, self.embed(representations).chunk(3))
        terms = {**vicreg_terms(left, centre), "trajectory": curvature(left, centre, right)}
        return LossOutput(*self.weigh(terms), stack_views(*representations.chunk(3)))
