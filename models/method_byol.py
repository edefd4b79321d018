"""BYOL (Grill et al., NeurIPS 2020) on pairs of views, plain and conditioned on the transform."""

from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from iebench.loader.multiview import Views
from iebench.models.distributed import gather
from iebench.models.ema import cosine_momentum, update_ema
from iebench.models.heads import ProjectorSettings, embedding_of_transforms, parse_projector, predictor_head, projector
from iebench.models.losses import Embeddings, cosine_distance
from iebench.models.method import (
    LossOutput,
    Paper,
    ProjectedMethod,
    Sizes,
    WeighedTerms,
    register,
    stack_views,
)
from iebench.models.settings import setting

PAPER = Paper("Grill et al., NeurIPS 2020", "https://arxiv.org/abs/2006.07733")
Both = tuple[Tensor, Tensor]  # of the source view and of the target view


@dataclass(frozen=True)
class ByolSettings(ProjectorSettings):
    """The paper's own setting; the SIE paper does not compare with it."""

    projector: str = setting("4096-256", "Sizes of the layers of the projector, and of the predictor after it.")
    momentum: float = setting(
        0.996, "How much the target network keeps of itself in a step, at first; 1 at the end.", maximum=1
    )
    agreement_weight: float = setting(1.0, "Weight of the distance between prediction and target.")


@dataclass(frozen=True)
class ByolConditionedSettings(ByolSettings):
    """As BYOL."""

    transform_width: int = setting(
        0, "Numbers of the transform's learned embedding; 0: the transform as it is.", is_later=True
    )


@register("byol", ByolSettings, paper=PAPER)
class Byol(ProjectedMethod[ByolSettings]):
    """Each view's embedding predicts what an EMA target network makes of the other view."""

    def __init__(self, settings: ByolSettings, backbone: nn.Module, sizes: Sizes, condition_size: int = 0) -> None:
        super().__init__(settings, backbone, sizes)
        layers = parse_projector(settings.projector)
        make_predictor = predictor_head if settings.projector_norm else projector
        self.predictor = make_predictor(layers[-1] + condition_size, layers)
        self.target_network = deepcopy(nn.Sequential(self.backbone, self.projector)).requires_grad_(False)

    def forward(self, views: Views) -> LossOutput:
        """The agreement of predictions with what the EMA target network makes of the other view."""
        source, target = (self.normalisation(views.images[:, view]) for view in range(2))
        representations = self.backbone(source), self.backbone(target)
        with torch.no_grad():
            targets = self.target_network(source), self.target_network(target)
        return LossOutput(*self.agreement(representations, targets, views), stack_views(*representations))

    def agreement(self, representations: Both, targets: Both, views: Views) -> WeighedTerms:
        """Both ways round: the source's prediction meets the target view's target, and the reverse."""
        forth = cosine_distance(gather(self.predictor(self.embed(representations[0]))), gather(targets[1]))
        back = cosine_distance(gather(self.predictor(self.embed(representations[1]))), gather(targets[0]))
        return self.weigh({"agreement": forth + back})

    def after_step(self, progress: float) -> None:
        """The EMA update of the target network."""
        momentum = cosine_momentum(self.settings.momentum, progress)
        update_ema(self.target_network, nn.Sequential(self.backbone, self.projector), momentum)


@register("byol-conditioned", ByolConditionedSettings, paper=PAPER)
class ByolConditioned(Byol):
    """BYOL whose predictor is told the transform, so that the prediction need not be invariant.

    From source to target only: the transform back is not among what a batch says.
    """

    def __init__(self, settings: ByolConditionedSettings, backbone: nn.Module, sizes: Sizes) -> None:
        width = settings.transform_width
        super().__init__(settings, backbone, sizes, condition_size=width or sizes.transform)
        self.embedding_parts = {"equivariant": self.embedding_parts["invariant"]}
        self.transform_embedding = embedding_of_transforms(sizes.transform, width) if width else nn.Identity()

    def predict(self, embedding: Embeddings, transform: Tensor) -> Embeddings:
        """The target's embedding, from the source's."""
        condition = self.transform_embedding(transform.to(embedding.dtype))
        return self.predictor(torch.cat([embedding, condition.to(embedding.dtype)], dim=1))

    def agreement(self, representations: Both, targets: Both, views: Views) -> WeighedTerms:
        """One way: the prediction from source and transform meets the target view's target."""
        prediction = self.predict(self.embed(representations[0]), views.transforms[:, 0])
        return self.weigh({"agreement": cosine_distance(gather(prediction), gather(targets[1]))})
