"""ContextSSL: symmetries from a context of pairs (Gupta et al., NeurIPS 2024, arXiv 2405.18193)."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from iebench.errors import UsageError
from iebench.factors.space import HUES, ROTATION
from iebench.loader.multiview import MultiViewDataset, Views
from iebench.models.context_pairs import (
    SHOWN,
    TRANSFORM_SIZE,
    ContextPairs,
    Environment,
    Tokens,
    Transforms,
    make_tokens,
    pair_tokens,
    show,
)
from iebench.models.context_transformer import ContextTransformer, Masks, Memory, context_masks
from iebench.models.distributed import gather
from iebench.models.heads import perceptron
from iebench.models.losses import clamped_contrast, squared_distance
from iebench.models.method import (
    Images,
    LossOutput,
    Method,
    Paper,
    Representations,
    Sizes,
    WeighedTerms,
    register,
    stack_views,
)
from iebench.models.settings import LEAST_TEMPERATURE, MethodSettings, TrainerSettings, setting
from iebench.models.step_draws import StepDraws
from iebench.models.torch_rotations import euler_to_quaternion

REGRESSOR_LAYERS = (1024, 1024)

Outputs = Float[Tensor, "tokens out"]


@dataclass(frozen=True)
class ContextSslSettings(MethodSettings):
    """The published setting, at 128 px; 153 million parameters in the transformer."""

    transform: Literal["rotation", "rotation+color", "all"] = setting(
        "rotation+color", "What is known of the way from source to target; both are needed."
    )
    width: int = setting(2048, "Coordinates in the transformer.", minimum=1)
    depth: int = setting(3, "Layers of the transformer.", minimum=1)
    heads: int = setting(4, "Heads of its attention.", minimum=1)
    block_size: int = setting(
        128, "Tokens of a sequence, two for each pair; a batch is cut into whole ones.", minimum=4
    )
    mask_probability: float = setting(0.9, "Chance of a pair to be hidden from a token in training.", maximum=1)
    temperature: float = setting(0.1, "Divides the cosines of the contrast.", minimum=LEAST_TEMPERATURE)
    context: int = setting(
        0,
        "Tokens of training pairs that evaluations read first; 0: as many as fit, block size - 2 (126, as published).",
    )
    contrast_weight: float = setting(1.0, "Weight of the contrast between outputs for sources and targets.")
    regression_weight: float = setting(5.0, "Weight of the regression of the target's own pose or hues.")


@register(
    "contextssl",
    ContextSslSettings,
    TrainerSettings(epochs=1000, batch_size=512, learning_rate=1e-4, schedule="cosine", weight_decay=1e-3),
    Paper("Gupta et al., NeurIPS 2024", "https://arxiv.org/abs/2405.18193"),
)
class ContextSsl(Method[ContextSslSettings]):
    """A transformer reads pairs of other objects and learns what their transforms do; it is equivariant to these alone.

    Each batch is of one environment, in which only rotations or only colors are shown.

    Attributes:
        transformer: from tokens to outputs.
        regressor: from an output to the target's own quaternion and hues.
        context: the training pairs that evaluations read first.
    """

    repeatable = False  # a prediction is an output, and no vector of the encoder

    def __init__(self, settings: ContextSslSettings, backbone: nn.Module, sizes: Sizes) -> None:
        super().__init__(settings, backbone, sizes)
        for told in _faults(settings):
            raise UsageError(told)
        width = sizes.representation
        self.parts = {
            "encoder": slice(0, width),
            "rotation-context": slice(width, 2 * width),
            "color-context": slice(2 * width, 3 * width),
        }
        self.embedding_parts = {"encoder": slice(0, width), "equivariant": slice(width, 2 * width)}
        self.transformer = ContextTransformer(
            width + TRANSFORM_SIZE, width, settings.width, settings.depth, settings.heads
        )
        self.regressor = perceptron(width, REGRESSOR_LAYERS, TRANSFORM_SIZE)
        self.draws = StepDraws()
        self._context_size = settings.context or settings.block_size - 2
        self.context = ContextPairs(self._context_size // 2, sizes.image)
        self._remembered: tuple[object, dict[Environment, Memory]] | None = None

    @property
    def context_size(self) -> int:
        """How many tokens of the context are read; fewer may be set to score a shorter one."""
        return self._context_size

    @context_size.setter
    def context_size(self, tokens: int) -> None:
        kept = 2 * len(self.context.images)
        if tokens % 2 or not 0 <= tokens <= kept:
            raise UsageError(
                f"context_size {tokens} is no even number of the {kept} tokens that are kept: take 0 to {kept}."
            )
        self._context_size = tokens

    def make_optimizer(self, trainer: TrainerSettings) -> torch.optim.Optimizer:
        """Adam; a batch must be of whole sequences.

        Raises:
            UsageError: it is not.
        """
        pairs = self.settings.block_size // 2
        if trainer.batch_size % pairs:
            whole, common = math.ceil(trainer.batch_size / pairs) * pairs, math.gcd(trainer.batch_size, pairs)
            instead = f", or --block-size {2 * common}" if common > 1 else ""
            raise UsageError(
                f"--batch-size {trainer.batch_size} is not cut into sequences of {pairs} pairs: take {whole}{instead}."
            )
        return super().make_optimizer(trainer)

    def forward(self, views: Views) -> LossOutput:
        """The objective in an environment and with masks that are drawn for the step."""
        generator = self.draws.take()
        environment: Environment = "rotation" if torch.rand((), generator=generator) < 0.5 else "color"
        # both views in one pass: batch statistics are of both, as in the published code
        source, target = self.encode(views.images.transpose(0, 1).flatten(0, 1)).chunk(2)
        loss, terms = self.objective(source, target, views, environment, self._draw_masks(generator, source.device))
        return LossOutput(loss, terms, stack_views(source, target))

    def objective(
        self,
        source: Representations,
        target: Representations,
        views: Views,
        environment: Environment,
        masks: Masks | None,
    ) -> WeighedTerms:
        """The contrast of all outputs of the global batch, and the regression of what the target is like in itself."""
        tokens = pair_tokens(source, target, show(views.transforms[:, 0], environment))
        outputs = self.read_sequences(tokens, masks)
        told = self.regressor(F.normalize(outputs, dim=1))[:, SHOWN[environment]]
        wanted = gather(self._describe_targets(views.latents[:, 1], environment))
        return self.weigh(
            {
                "contrast": clamped_contrast(outputs, self.settings.temperature),
                "regression": squared_distance(told, wanted.repeat_interleave(2, dim=0)),
            }
        )

    def read_sequences(self, tokens: Tokens, masks: Masks | None) -> Outputs:
        """The outputs of the global batch, cut into sequences from its start.

        A process reads its own sequences, and all of them where its part of the batch does not end with one.
        """
        is_cut = len(tokens) % self.settings.block_size != 0
        sequences = (gather(tokens) if is_cut else tokens).unflatten(0, (-1, self.settings.block_size))
        outputs = self.transformer(sequences, masks).flatten(0, 1)
        return outputs if is_cut else gather(outputs)

    def represent(self, images: Images) -> Representations:
        """The encoder's vector, and the unit outputs for it without a transform, after the context of each environment."""
        encoded = self.encode(images)
        tokens = make_tokens(encoded)
        outputs = [self._ask(tokens, environment) for environment in SHOWN]
        return torch.cat([encoded, *outputs], dim=1)

    def embed(self, representation: Representations) -> Float[Tensor, "batch embedding"]:
        """What `predict` starts at, the encoder's vector, and what it is compared with, the output in a rotation context."""
        return representation[:, : self.embedding_parts["equivariant"].stop]

    def predict(self, embedding: Float[Tensor, "batch embedding"], transform: Transforms) -> Outputs:
        """The unit output in a rotation context for the encoder's vector with a rotation."""
        encoded = embedding[:, self.embedding_parts["encoder"]]
        return self._ask(make_tokens(encoded, show(transform, "rotation")), "rotation")

    @property
    def probed_parts(self) -> dict[str, slice]:
        """The online probes see the encoder's vector, which needs no context."""
        return {}

    def represent_for_probes(self, images: Images) -> Representations:
        """The encoder's vector."""
        return self.encode(images)

    def prepare(self, data: MultiViewDataset) -> None:
        """Keep the pairs of the context."""
        self.context.fill(data)

    def take_over(self, trained: Method) -> None:
        """The context of a trained method."""
        assert isinstance(trained, ContextSsl)
        self.context.load_state_dict(trained.context.state_dict())

    def extra_repr(self) -> str:
        """The length of the context, by which cached representations are told apart."""
        return f"context_size={self.context_size}"

    def _draw_masks(self, generator: torch.Generator, device: torch.device) -> Masks:
        told = self.settings
        draws = torch.rand(told.depth, told.block_size, told.block_size // 2, generator=generator)
        return context_masks(draws, told.mask_probability).to(device, non_blocking=True)

    def _describe_targets(self, latents: Float[Tensor, "batch factors"], environment: Environment) -> Tensor:
        """The views' own quaternions, or their hues, in the precision of the parameters."""
        assert self.sizes.space is not None
        latents = latents.to(self.context.transforms.dtype)
        if environment == "color":
            return latents[:, self.sizes.space.columns(HUES)]
        return euler_to_quaternion(latents[:, self.sizes.space.columns(ROTATION)])

    def _ask(self, tokens: Tokens, environment: Environment) -> Outputs:
        return F.normalize(self.transformer.ask(tokens, self._remember()[environment]), dim=1)

    def _remember(self) -> dict[Environment, Memory]:
        """Keys and values of the context in each environment, kept until something that they depend on has changed."""
        if self.training or torch.is_grad_enabled():
            return self._read_context()
        state = self._fingerprint()
        if self._remembered is None or self._remembered[0] != state:
            self._remembered = state, self._read_context()
        return self._remembered[1]

    def _read_context(self) -> dict[Environment, Memory]:
        encoded, transforms = self.encode(self.context.images.flatten(0, 1)), self.context.transforms
        tokens = {name: pair_tokens(encoded[::2], encoded[1::2], show(transforms, name)) for name in SHOWN}
        return {name: self.transformer.remember(found[: self.context_size]) for name, found in tokens.items()}

    def _fingerprint(self) -> object:
        tensors = self.state_dict(keep_vars=True).values()
        versions = [(id(value), value.data_ptr(), value._version) for value in tensors]
        return versions, self.context_size, torch.is_autocast_enabled(self.context.images.device.type)


def _faults(settings: ContextSslSettings) -> Iterator[str]:
    if settings.transform != "rotation+color":
        yield f"--transform {settings.transform}: contextssl shows rotations or colors, so it needs rotation+color."
    if settings.width % settings.heads:
        yield f"--width {settings.width} is not divided among {settings.heads} heads: take a multiple."
    for option, tokens in (("--block-size", settings.block_size), ("--context", settings.context)):
        if tokens % 2:
            yield f"{option} {tokens} ends within a pair: take an even number of tokens."
    if settings.context > settings.block_size - 2:
        most = settings.block_size - 2
        yield f"--context {settings.context} leaves no room in --block-size {most + 2}: take {most} or less, or 0 for as many."
