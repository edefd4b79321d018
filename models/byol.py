"""BYOL (Grill et al., NeurIPS 2020) on pairs of views, plain and conditioned on the transform."""

import math
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from iebench.loader.multiview import Pair
from iebench.models.distributed import gather
from iebench.models.heads import parse_sizes, projector
from iebench.models.losses import Embeddings, cosine_distance
from iebench.models.method import Loss, Method, Representations, Sizes
from iebench.models.settings import MethodSettings, setting


@dataclass(frozen=True)
class ByolSettings(MethodSettings):
    """The paper's own setting; the SIE paper does not compare with it."""

    projector: str = setting("4096-256", "Sizes of the layers of the projector, and of the predictor after it.")
    momentum: float = setting(0.996, "How much the target network keeps of itself in a step, at first; 1 at the end.")
    agreement_weight: float = setting(1.0, "Weight of the distance between prediction and target.")


class Byol(Method):
    """Each view's embedding predicts what a slowly following target network makes of the other view."""

    def __init__(self, settings: ByolSettings, backbone: nn.Module, sizes: Sizes, condition_size: int = 0) -> None:
        super().__init__(settings, backbone, sizes)
        layers = parse_sizes(settings.projector)
        self.embedding_parts = {"invariant": slice(0, layers[-1])}
        self.projector = projector(sizes.representation, layers)
        self.predictor = projector(layers[-1] + condition_size, layers)
        self.target_network = deepcopy(nn.Sequential(self.backbone, self.projector)).requires_grad_(False)

    def embed(self, representation: Representations) -> Embeddings:
        return self.projector(representation)

    def objective(self, source: Representations, target: Representations, pair: Pair) -> Loss:
        with torch.no_grad():
            targets = self.target_network(pair.source), self.target_network(pair.target)
        return self.agreement((source, target), targets, pair)

    def agreement(
        self, views: tuple[Representations, Representations], targets: tuple[Embeddings, Embeddings], pair: Pair
    ) -> Loss:
        """Both ways round: the source's prediction meets the target view's target, and the reverse."""
        forth = cosine_distance(gather(self.predictor(self.embed(views[0]))), gather(targets[1]))
        back = cosine_distance(gather(self.predictor(self.embed(views[1]))), gather(targets[0]))
        return self.weigh({"agreement": forth + back})

    @torch.no_grad()
    def after_step(self, progress: float) -> None:
        """Moves the target network towards the online one."""
        momentum = 1 - (1 - self.settings.momentum) * (math.cos(math.pi * progress) + 1) / 2
        online = nn.Sequential(self.backbone, self.projector)
        for target, source in zip(self.target_network.parameters(), online.parameters(), strict=True):
            target.lerp_(source, 1 - momentum)


class ByolConditioned(Byol):
    """BYOL whose predictor is told the transform, so that the prediction need not be invariant.

    From source to target only: the transform back is not among what a pair says.
    """

    def __init__(self, settings: ByolSettings, backbone: nn.Module, sizes: Sizes) -> None:
        super().__init__(settings, backbone, sizes, condition_size=sizes.transform)
        self.embedding_parts = {"equivariant": self.embedding_parts["invariant"]}

    def predict(self, embedding: Embeddings, transform: Tensor) -> Embeddings:
        """The target's embedding, from the source's."""
        return self.predictor(torch.cat([embedding, transform.to(embedding.dtype)], dim=1))

    def agreement(
        self, views: tuple[Representations, Representations], targets: tuple[Embeddings, Embeddings], pair: Pair
    ) -> Loss:
        prediction = self.predict(self.embed(views[0]), pair.transform)
        return self.weigh({"agreement": cosine_distance(gather(prediction), gather(targets[1]))})
