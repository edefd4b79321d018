"""What every method is: a module that turns a batch of pairs into a loss with named terms."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from iebench.loader.multiview import Pair
from iebench.models.heads import parse_sizes, projector
from iebench.models.losses import Embeddings
from iebench.models.settings import MethodSettings

# Statistics of 3DIEBench's training images in [0, 1].
IMAGE_MEAN = (0.5016, 0.5037, 0.5060)
IMAGE_STD = (0.1030, 0.0999, 0.0969)

Representations = Float[Tensor, "batch width"]
Loss = tuple[Float[Tensor, ""], dict[str, Tensor]]


@dataclass(frozen=True)
class Sizes:
    """What a method must know of its backbone and its dataset: numbers of coordinates, and of labels."""

    representation: int
    transform: int
    classes: int


class Method(nn.Module, ABC):
    """An objective with its architecture.

    A method with a predictor also has `predict(embedding, transform)`: from a source's whole embedding to the predicted
    `embedding_parts["equivariant"]` of the target's.

    Attributes:
        parts: Slices of the representation, `"invariant"` and `"equivariant"`; absent where there is no such part.
        embedding_parts: Slices of the embedding, likewise; the equivariant part is its last.
        min_classes: How many classes a dataset must have.
    """

    min_classes = 1

    mean: Tensor
    std: Tensor

    def __init__(self, settings: MethodSettings, backbone: nn.Module, sizes: Sizes) -> None:
        super().__init__()
        self.settings: Any = settings
        self.sizes = sizes
        self.backbone = backbone
        self.parts: dict[str, slice] = {}
        self.embedding_parts: dict[str, slice] = {}
        self.register_buffer("mean", 255 * torch.tensor(IMAGE_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", 255 * torch.tensor(IMAGE_STD).view(3, 1, 1), persistent=False)

    def normalise(self, images: UInt8[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch 3 height width"]:
        """Images as the backbone wants them, on the method's device."""
        images = images.to(self.mean.device, non_blocking=True, memory_format=torch.channels_last)
        return (images - self.mean) / self.std

    def represent(self, images: Float[Tensor, "batch 3 height width"]) -> Representations:
        """The backbone's representations of normalised images."""
        return self.backbone(images)

    @abstractmethod
    def embed(self, representation: Representations) -> Float[Tensor, "batch embedding"]:
        """The embedding in which the objective is taken."""

    @abstractmethod
    def objective(self, source: Representations, target: Representations, pair: Pair) -> Loss:
        """The loss over the global batch, with its terms, from the representations of both views."""

    def forward(self, pair: Pair) -> Loss:
        """The loss, with its terms, of a pair whose images are normalised."""
        return self.objective(self.represent(pair.source), self.represent(pair.target), pair)

    def after_step(self, progress: float) -> None:
        """Called after each step of the optimiser, with the part of the training that is done, in [0, 1]."""

    def weigh(self, terms: dict[str, Tensor]) -> Loss:
        """The terms' sum, each times the setting `TERM_weight`."""
        loss = torch.stack([getattr(self.settings, f"{name}_weight") * term for name, term in terms.items()]).sum()
        return loss, terms


def halves(first: int, whole: int) -> dict[str, slice]:
    """The invariant part of `first` coordinates, and the equivariant part after it."""
    return {"invariant": slice(0, first), "equivariant": slice(first, whole)}


class InvariantMethod(Method):
    """A method with one projector, whose embeddings of an object's two views shall agree."""

    def __init__(self, settings: MethodSettings, backbone: nn.Module, sizes: Sizes) -> None:
        super().__init__(settings, backbone, sizes)
        layers = parse_sizes(self.settings.projector)
        self.projector = projector(sizes.representation, layers)
        self.embedding_parts = {"invariant": slice(0, layers[-1])}

    def embed(self, representation: Representations) -> Embeddings:
        return self.projector(representation)
