"""Methods as somebody else would write them in a package of their own; test_own_methods.py trains them."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from iebench.evals.schedules import warmup_cosine
from iebench.loader.multiview import MultiViewDataset, Views
from iebench.models.ema import cosine_momentum, update_ema
from iebench.models.method import LossOutput, Method, Sizes, register, stack_views
from iebench.models.settings import MethodSettings, TrainerSettings, setting


@dataclass(frozen=True)
class SequenceSettings(MethodSettings):
    """Of a sequence."""

    observed: int = setting(2, "Views that are seen; one more is predicted.", minimum=1)
    momentum: float = setting(0.9, "Of the target network.")


@register("sequence", SequenceSettings, TrainerSettings(learning_rate=4e-4, weight_decay=1e-3, batch_size=4))
class Sequence(Method[SequenceSettings]):
    """Views with the transforms between them predict what an EMA target network makes of the next view."""

    anchor = "previous"

    def __init__(self, settings: SequenceSettings, backbone: nn.Module, sizes: Sizes) -> None:
        super().__init__(settings, backbone, sizes)
        self.num_views, width = settings.observed + 1, sizes.representation
        self.parts = {"equivariant": slice(0, width)}
        self.embedding_parts = {"equivariant": slice(0, width)}
        self.embedding = nn.Sequential(nn.Linear(sizes.transform, 8, bias=False), nn.BatchNorm1d(8, affine=False))
        self.mix = nn.TransformerEncoderLayer(width + 8, 4, 16, batch_first=True)  # with dropout
        self.predictor = nn.Linear(width + 16, width)
        self.target_network = deepcopy(backbone).requires_grad_(False)
        self.register_buffer("first_seen", torch.zeros(3, sizes.image, sizes.image, dtype=torch.uint8))

    @property
    def num_encoded(self) -> int:
        return self.settings.observed

    def prepare(self, data: MultiViewDataset) -> None:
        self.first_seen.copy_(data[0].images[0])

    def forward(self, views: Views) -> LossOutput:
        seen = [self.represent(views.images[:, i]) for i in range(self.num_encoded)]
        steps = self.embedding(views.transforms.flatten(0, 1)).unflatten(0, views.transforms.shape[:2])
        prediction = self._predict(torch.stack(seen, dim=1), steps)
        with torch.no_grad():
            target = self.target_network(self.normalisation(views.images[:, -1]))
        distance = 1 - F.cosine_similarity(prediction.float(), target.float()).mean()
        return LossOutput(distance, {"distance": distance}, stack_views(*seen))

    def predict(self, embedding: Tensor, transform: Tensor) -> Tensor:
        return self._predict(embedding[:, None], self.embedding(transform)[:, None])

    def represent_set(self, views: Views) -> Tensor:
        seen = [self.represent(views.images[:, i]) for i in range(views.images.shape[1])]
        steps = self.embedding(views.transforms.flatten(0, 1)).unflatten(0, views.transforms.shape[:2])
        return self._sum_up(torch.stack(seen, dim=1), F.pad(steps, (0, 0, 0, 1)))

    def _predict(self, seen: Tensor, steps: Tensor) -> Tensor:
        known = torch.cat([steps[:, :-1], torch.zeros_like(steps[:, :1])], dim=1)
        return self.predictor(torch.cat([self._sum_up(seen, known), steps[:, -1]], dim=1))

    def _sum_up(self, seen: Tensor, steps: Tensor) -> Tensor:
        return self.mix(torch.cat([seen, steps], dim=2)).mean(dim=1)

    def parameter_groups(self) -> list[dict[str, Any]]:
        steps = list(self.embedding.parameters())
        rest = [p for p in self.parameters() if p.requires_grad and all(p is not q for q in steps)]
        return [{"params": rest}, {"params": steps, "lr_scale": 0.1, "weight_decay": 0.0}]

    def make_optimizer(self, trainer: TrainerSettings) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.parameter_groups(), lr=trainer.learning_rate, weight_decay=trainer.weight_decay)

    def learning_rate(self, trainer: TrainerSettings, step: int, steps_per_epoch: int, num_steps: int) -> float:
        return warmup_cosine(step, num_steps, steps_per_epoch, 0.1, peak=trainer.learning_rate, start=1e-5)

    def after_step(self, progress: float) -> None:
        update_ema(self.target_network, self.backbone, cosine_momentum(self.settings.momentum, progress))


@register("on-the-map", MethodSettings)
class OnTheMap(Method[MethodSettings]):
    """Each position of the map votes for a pose in the embedding, which turns as the object does."""

    uses_map = True

    def __init__(self, settings: MethodSettings, backbone: nn.Module, sizes: Sizes) -> None:
        super().__init__(settings, backbone, sizes)
        side = sizes.image // 32
        self.pose = nn.Linear(sizes.representation * side * side, 9)
        self.embedding_parts = {"equivariant": slice(0, 9)}

    def forward(self, views: Views) -> LossOutput:
        source, target = (self.encode(views.images[:, i]) for i in range(2))
        turn = self.sizes.space.columns(["rotation_x", "rotation_y", "rotation_z"])
        poses = self.pose(source.flatten(1)), self.pose(target.flatten(1))
        amount = (views.latents[:, 1] - views.latents[:, 0])[:, turn].float().norm(dim=1)
        terms = {"apart": ((poses[0] - poses[1]).float().norm(dim=1) - amount).square().mean()}
        return LossOutput(terms["apart"], terms, stack_views(source.mean((2, 3)), target.mean((2, 3))))

    def embed_images(self, images: Tensor) -> Tensor:
        return self.pose(self.encode(images).flatten(1))


class NotRegistered(OnTheMap):
    """A class without the decorator of its own."""


def map_backbone() -> nn.Module:
    """A backbone of one's own that ends in a map."""
    return nn.Conv2d(3, 6, 32, stride=32)
