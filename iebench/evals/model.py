"""What is evaluated: functions from images to representations, embeddings and predictions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from numpy import ndarray
from torch import Tensor

Represent = Callable[[Tensor], Tensor | ndarray]
Predict = Callable[[Tensor, Tensor], Tensor | ndarray]


@dataclass(frozen=True)
class Model:
    """A network as the evaluation sees it.

    Attributes:
        represent: uint8 images (batch, 3, height, width) → representations (batch, width).
        embed: representations (batch, width) → embeddings (batch, embedding).
        embeds_images: whether `embed` takes images instead, as it needs more of them than their representations.
        predict: (embeddings (batch, embedding), transforms (batch, t)) → predictions of the embeddings' last columns (batch, e).
        parts: slices of the representation, such as {"invariant": …, "equivariant": …}.
        transform: that the predictor takes, such as "rotation".
        key: hash of the weights, by which representations are cached; not cached between calls when empty.
    """

    represent: Represent
    embed: Represent | None = None
    embeds_images: bool = False
    predict: Predict | None = None
    parts: Mapping[str, slice] = field(default_factory=dict)
    transform: str = "rotation"
    key: str = ""

    @property
    def has_predictor(self) -> bool:
        """Whether embeddings can be predicted from a transform."""
        return self.embed is not None and self.predict is not None
