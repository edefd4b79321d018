"""seq-JEPA (Ghaemi, Muller and Bakhtiari, NeurIPS 2025, arXiv 2505.03176): a sequence of views tells the next one."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from iebench.errors import UsageError
from iebench.evals.schedules import warmup_cosine
from iebench.loader.multiview import Views
from iebench.models.distributed import gather
from iebench.models.ema import cosine_momentum, update_ema
from iebench.models.heads import embedding_of_transforms, predictor_head
from iebench.models.losses import cosine_distance
from iebench.models.method import LossOutput, Method, Paper, Representations, Sizes, WeighedTerms, register
from iebench.models.settings import MethodSettings, TrainerSettings, setting

FLOOR = 1e-5  # of the learning rate, before the warm-up and after the cosine

Seen = Float[Tensor, "batch n dim"]
Transforms = Float[Tensor, "batch steps t"]
Told = Float[Tensor, "batch steps told"]  # transforms as the network is told them
Aggregate = Float[Tensor, "batch token"]


@dataclass(frozen=True)
class SeqJepaSettings(MethodSettings):
    """The paper's setting for 3DIEBench."""

    observed: int = setting(3, "Views that are seen; the one after them is predicted.", minimum=1)
    transforms_as: Literal["embedded", "raw", "none"] = setting(
        "embedded", "How the network is told the transforms between views: embedded, as they are, or not at all."
    )
    transform_width: int = setting(128, "Numbers of a transform's learned embedding.", minimum=1)
    layers: int = setting(3, "Layers of the transformer.", minimum=1)
    heads: int = setting(4, "Heads of its attention.", minimum=1)
    dropout: float = setting(0.1, "Dropout in the transformer.", maximum=0.99)
    predictor_hidden: int = setting(1024, "Width of the predictor's hidden layer.", minimum=1)
    target_network: bool = setting(True, "Predict what an EMA target network makes of the next view, not the backbone.")
    momentum: float = setting(
        0.996, "How much the target network keeps of itself in a step, at first; 1 at the end.", maximum=1
    )
    agreement_weight: float = setting(1.0, "Weight of the distance between prediction and target.")
    optimizer: Literal["adamw", "adam"] = setting("adamw", "The paper's AdamW, or Adam, which the authors' code runs.")


class Aggregator(nn.Module):
    """A transformer that sums up a set of tokens in one: post-norm layers without masks or positions, then a layer norm."""

    def __init__(self, width: int, heads: int, num_layers: int, dropout: float) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(width, heads, 4 * width, dropout, batch_first=True) for _ in range(num_layers)
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Float[Tensor, "batch n token"]) -> Aggregate:
        """The output at [AGG], which stands before the tokens."""
        sequence = torch.cat([self.token.to(tokens.dtype).expand(len(tokens), -1, -1), tokens], dim=1)
        for layer in self.layers:
            sequence = layer(sequence)
        return self.norm(sequence[:, 0])


@register(
    "seqjepa",
    SeqJepaSettings,
    TrainerSettings(
        epochs=1000,
        batch_size=512,
        learning_rate=4e-4,
        weight_decay=1e-3,
        schedule="cosine",
        warmup_epochs=20,
    ),
    Paper("Ghaemi, Muller and Bakhtiari, NeurIPS 2025", "https://arxiv.org/abs/2505.03176"),
)
class SeqJepa(Method[SeqJepaSettings]):
    """Views with the transforms between them are summed up in one token, from which the next view's representation is told.

    The representation of a view is equivariant, `represent_set` of several is invariant; neither is asked for by a term.
    """

    anchor = "previous"

    def __init__(self, settings: SeqJepaSettings, backbone: nn.Module, sizes: Sizes) -> None:
        super().__init__(settings, backbone, sizes)
        self.num_views, width = settings.observed + 1, sizes.representation
        self.parts = {"equivariant": slice(0, width)}
        self.embedding_parts = {"equivariant": slice(0, width)}
        self.told_width = told = self._find_told_width()
        is_embedded = settings.transforms_as == "embedded"
        self.transform_embedding = embedding_of_transforms(sizes.transform, told) if is_embedded else nn.Identity()
        token = width + told
        self.aggregator = Aggregator(token, settings.heads, settings.layers, settings.dropout)
        self.predictor = predictor_head(token + told, [settings.predictor_hidden, width])
        if settings.target_network:
            self.target_network = deepcopy(backbone).requires_grad_(False)

    @property
    def num_encoded(self) -> int:
        """The observed views."""
        return self.settings.observed

    def forward(self, views: Views) -> LossOutput:
        """The distance between the prediction of the last view and what the target network makes of it."""
        images, last = views.images.transpose(0, 1)[:-1], views.images[:, -1]
        # all observed views in one pass, as published: their batch statistics are of all
        seen = self.represent(images.flatten(0, 1)).unflatten(0, images.shape[:2]).transpose(0, 1)
        return LossOutput(*self.agreement(seen, self._represent_target(last), views.transforms), seen)

    def agreement(self, seen: Seen, target: Representations, transforms: Transforms) -> WeighedTerms:
        """1 - cos(prediction, target), over the global batch."""
        # The last transform is embedded first, by its own batch statistics, and then once more among all, as published.
        last = self._embed_transforms(transforms[:, -1:])
        between = self._embed_transforms(transforms)[:, :-1]
        prediction = self.predictor(torch.cat([self._sum_up(seen, between), last[:, 0]], dim=1))
        return self.weigh({"agreement": cosine_distance(gather(prediction), gather(target)) / 2})

    def predict(self, embedding: Representations, transform: Float[Tensor, "batch t"]) -> Representations:
        """The target's representation from the source's alone: a sequence of one view."""
        told = self._embed_transforms(transform[:, None])
        summed = self._sum_up(embedding[:, None], told[:, :0])
        return self.predictor(torch.cat([summed, told[:, 0]], dim=1))

    def represent_set(self, views: Views) -> Aggregate:
        """The [AGG] token of any number of views, each with the transform to the next."""
        seen = torch.stack([self.represent(images) for images in views.images.unbind(1)], dim=1)
        return self._sum_up(seen, self._embed_transforms(views.transforms))

    def make_optimizer(self, trainer: TrainerSettings) -> torch.optim.Optimizer:
        """AdamW or Adam."""
        kind = torch.optim.AdamW if self.settings.optimizer == "adamw" else torch.optim.Adam
        return kind(self.parameter_groups(), lr=trainer.learning_rate, weight_decay=trainer.weight_decay, fused=True)

    def learning_rate(self, trainer: TrainerSettings, step: int, steps_per_epoch: int, num_steps: int) -> float:
        """A linear warm-up from 1e-5, then a cosine back to it, or a constant."""
        peak = trainer.learning_rate
        floor = min(FLOOR, peak)
        warmup = min(trainer.count_warmup_steps(steps_per_epoch), num_steps)
        final = 1.0 if trainer.schedule == "constant" or not peak else floor / peak
        return warmup_cosine(step, num_steps, warmup, final, peak=peak, start=floor)

    def after_step(self, progress: float) -> None:
        """The EMA update of the target network, whose batch statistics stay its own."""
        if self.settings.target_network:
            update_ema(self.target_network, self.backbone, cosine_momentum(self.settings.momentum, progress))

    @torch.no_grad()
    def _represent_target(self, images: Tensor) -> Representations:
        network = self.target_network if self.settings.target_network else self.backbone
        return network(self.normalisation(images))

    def _sum_up(self, seen: Seen, told: Told) -> Aggregate:
        """[AGG] of views beside the transforms that lead to the next of them; the last view's is zero."""
        known = F.pad(told.to(seen.dtype), (0, 0, 0, 1))
        return self.aggregator(torch.cat([seen, known], dim=2))

    def _embed_transforms(self, transforms: Transforms) -> Told:
        """All by the statistics of one batch; raw ones with zeros behind, by which the heads divide a token."""
        if self.settings.transforms_as == "embedded":
            return self.transform_embedding(transforms.flatten(0, 1)).unflatten(0, transforms.shape[:2])
        known = transforms[..., : self.told_width]
        return F.pad(known, (0, self.told_width - known.shape[2]))

    def _find_told_width(self) -> int:
        """Numbers of a transform beside a representation."""
        settings, width, size = self.settings, self.sizes.representation, self.sizes.transform
        raw = size + -(width + size) % settings.heads
        told = {"embedded": settings.transform_width, "raw": raw, "none": 0}[settings.transforms_as]
        if (width + told) % settings.heads:
            others = "another --transform-width or " if settings.transforms_as == "embedded" else ""
            raise UsageError(
                f"--heads {settings.heads} do not divide a token of {width} + {told} numbers: take {others}other --heads."
            )
        return told
