"""What every method is: a module that turns a batch of views into a loss with named terms, and images into representations."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from iebench.errors import UsageError
from iebench.evals.schedules import warmup_cosine
from iebench.factors.space import FactorSpace
from iebench.loader.multiview import Anchor, MultiViewDataset, Views, find_anchors
from iebench.models.heads import ProjectorSettings, parse_projector, projector
from iebench.models.losses import Embeddings
from iebench.models.normalisation import Normalisation
from iebench.models.settings import AllPairsSettings, MethodSettings, TrainerSettings

Images = UInt8[Tensor, "batch 3 rows columns"]
Representations = Float[Tensor, "batch dim"]
WeighedTerms = tuple[Float[Tensor, ""], dict[str, Tensor]]
Settings = TypeVar("Settings", bound=MethodSettings)
WithProjector = TypeVar("WithProjector", bound=ProjectorSettings)
MethodClass = TypeVar("MethodClass", bound="type[Method[Any]]")


@dataclass(frozen=True)
class Sizes:
    """What a method is told of its backbone and its dataset.

    Attributes:
        representation: coordinates of the backbone's vector, or channels of its map.
        transform: numbers in a transform.
        classes: labels that a classifier tells apart.
        image: side of the images in pixels; 0 in runs that did not write it down.
        space: the factor space, whose `columns` find a factor in the latents of `Views`; None in such runs.
    """

    representation: int
    transform: int
    classes: int
    image: int = 0
    space: FactorSpace | None = None


class LossOutput(NamedTuple):
    """What a method makes of a batch.

    Attributes:
        loss: what is minimised, over the global batch.
        terms: its named parts, before they are weighed.
        representations: of the encoded views in the order of the batch, for the online probes, which detach them.
    """

    loss: Float[Tensor, ""]
    terms: dict[str, Tensor]
    representations: Float[Tensor, "batch n dim"]


class Paper(NamedTuple):
    """Where a method is from.

    Attributes:
        cite: authors, venue and year.
        link: to the paper.
    """

    cite: str
    link: str


@dataclass(frozen=True)
class Entry:
    """A registered method: its class, the class of its settings, the trainer's settings unless told otherwise, and its paper."""

    method: "type[Method[Any]]"
    settings: type[MethodSettings]
    trainer: TrainerSettings
    paper: Paper | None = None

    @property
    def description(self) -> str:
        """What it is: the docstring of its class."""
        return inspect.cleandoc(self.method.__doc__ or "")

    @property
    def summary(self) -> str:
        """What it is in a line."""
        return self.description.partition("\n")[0]

    @property
    def predicts(self) -> bool:
        """Whether it has a predictor."""
        return hasattr(self.method, "predict")


METHODS: dict[str, Entry] = {}


def register(
    name: str, settings: type[MethodSettings], trainer: TrainerSettings | None = None, paper: Paper | None = None
) -> Callable[[MethodClass], MethodClass]:
    """A decorator that enters a method under the name by which `iebench train` finds it.

    Args:
        name: as users write it.
        settings: the frozen dataclass whose fields become options.
        trainer: defaults of the trainer's options where they are not those of SIE.
        paper: for `iebench methods` and the method's help, beside the first line of its docstring.

    Raises:
        UsageError: another method has the name.
    """

    def enter(method: MethodClass) -> MethodClass:
        taken = METHODS.get(name)
        if taken and (taken.method.__module__, taken.method.__qualname__) != (method.__module__, method.__qualname__):
            raise UsageError(
                f"There is a method {name!r} already, in {taken.method.__module__}; register another name."
            )
        METHODS[name] = Entry(method, settings, trainer or TrainerSettings(), paper)
        return method

    return enter


class Method(nn.Module, ABC, Generic[Settings]):
    """An objective with its architecture, and all that its training needs beside the trainer's settings.

    A method with a predictor also has `predict(embedding, transform)`: from a view's whole embedding to the predicted
    `embedding_parts["equivariant"]` of the view that the transform leads to. One whose representation of an object needs several
    views has `represent_set(views: Views) -> (batch, width)`, of any number of views from its anchor.

    Attributes:
        num_views: how many views of each object a batch has.
        anchor: where the transforms of a batch start: at the "first" view, at the "previous" one, or at "all" others.
        min_classes: how many classes a dataset must have.
        repeatable: whether `predict` may start at its own prediction, in the place of the equivariant part of an embedding.
        uses_map: whether `backbone` gives its last map (batch, channels, height, width), and not the pooled vector.
        settings, sizes, backbone: as given.
        normalisation: from uint8 images to what the backbone takes.
        parts: slices of the representation, which are probed each. "invariant" and "equivariant" mean these parts and are absent
            where there are none; others may have any name without a dot.
        embedding_parts: slices of the embedding, likewise; the equivariant part is its last.
    """

    num_views = 2
    anchor: Anchor = "first"
    min_classes = 1
    repeatable: ClassVar[bool] = True
    uses_map: ClassVar[bool] = False

    def __init__(self, settings: Settings, backbone: nn.Module, sizes: Sizes) -> None:
        super().__init__()
        self.settings = settings
        self.sizes = sizes
        self.backbone = backbone
        self.normalisation = Normalisation()
        self.parts: dict[str, slice] = {}
        self.embedding_parts: dict[str, slice] = {}

    @property
    def num_encoded(self) -> int:
        """How many of the views, from the first on, `forward` gives representations of."""
        return self.num_views

    @abstractmethod
    def forward(self, views: Views) -> LossOutput:
        """The loss over the global batch with its terms, and the representations of the encoded views."""

    def encode(self, images: Images) -> Tensor:
        """What the backbone makes of uint8 images: vectors, or maps where the method `uses_map`."""
        return self.backbone(self.normalisation(images))

    def represent(self, images: Images) -> Representations:
        """The representations of uint8 images, each by itself; a map is pooled."""
        encoded = self.encode(images)
        return encoded.mean(dim=(2, 3)) if self.uses_map else encoded

    @property
    def probed_parts(self) -> dict[str, slice]:
        """The parts that online probes are told of, slices of what `forward` and `represent_for_probes` give them."""
        return self.parts

    def represent_for_probes(self, images: Images) -> Representations:
        """What online probes see of uint8 images; less than `represent` where that would cost a training too much."""
        return self.represent(images)

    def embed(self, representation: Representations) -> Float[Tensor, "batch embedding"]:
        """The embedding in which the objective is taken; the representation itself where there is no projector."""
        return representation

    def embed_images(self, images: Images) -> Float[Tensor, "batch embedding"]:
        """The embeddings of uint8 images, which a method that `uses_map` makes of the map."""
        return self.embed(self.represent(images))

    def prepare(self, data: MultiViewDataset) -> None:
        """Called once before a training, with its data; what shall last belongs into persistent buffers."""

    def take_over(self, trained: "Method[Any]") -> None:
        """Take what `prepare` has found for another method of this class: called of an untrained one, which sees no data."""

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The optimiser's groups. One may have a "weight_decay", and an "lr_scale" that multiplies the learning rate."""
        return [{"params": [parameter for parameter in self.parameters() if parameter.requires_grad]}]

    def make_optimizer(self, trainer: TrainerSettings) -> torch.optim.Optimizer:
        """The optimiser of `parameter_groups`; the trainer adds the online probes to it."""
        decay = trainer.weight_decay
        return torch.optim.Adam(self.parameter_groups(), lr=trainer.learning_rate, weight_decay=decay, fused=True)

    def learning_rate(self, trainer: TrainerSettings, step: int, steps_per_epoch: int, num_steps: int) -> float:
        """The learning rate of a step: constant, or a linear warm-up and then a cosine to zero."""
        if trainer.schedule == "constant":
            return trainer.learning_rate
        warmup = min(trainer.count_warmup_steps(steps_per_epoch), num_steps)
        return warmup_cosine(step, num_steps, warmup, peak=trainer.learning_rate, ahead=1)

    def after_step(self, progress: float) -> None:
        """Called after each step of the optimiser, with the part of the training that is done, in [0, 1]: the EMA update."""

    def weigh(self, terms: dict[str, Tensor]) -> WeighedTerms:
        """The terms' sum, each times the setting `TERM_weight`, and the terms."""
        missing = [name for name in terms if not hasattr(self.settings, f"{name}_weight")]
        if missing:
            raise UsageError(
                f"{type(self).__name__} has a term {missing[0]!r} and no setting {missing[0]}_weight: add one."
            )
        loss = torch.stack([getattr(self.settings, f"{name}_weight") * term for name, term in terms.items()]).sum()
        return loss, terms


class TwoViewMethod(Method[Settings]):
    """A method whose loss is one of the representations of a source and a target view.

    With `AllPairsSettings` of more than two views, every ordered pair of an object's views is a source and its target.
    """

    def __init__(self, settings: Settings, backbone: nn.Module, sizes: Sizes) -> None:
        super().__init__(settings, backbone, sizes)
        if isinstance(settings, AllPairsSettings) and settings.num_views > 2:
            self.num_views, self.anchor = settings.num_views, "all"

    def forward(self, views: Views) -> LossOutput:
        """The objective of both views' representations."""
        if self.anchor == "all":
            return self._forward_all_pairs(views)
        # each view in a pass of its own: batch statistics are per view, as in the published code
        source, target = self.represent(views.images[:, 0]), self.represent(views.images[:, 1])
        return LossOutput(*self.objective(source, target, views), stack_views(source, target))

    @abstractmethod
    def objective(self, source: Representations, target: Representations, views: Views) -> WeighedTerms:
        """The loss over the global batch, with its terms, from the representations of both views.

        Args:
            source, target: of a pair in each row.
            views: the pairs' transforms, latents and labels; only with two views of each object has it their images too.
        """

    def _forward_all_pairs(self, views: Views) -> LossOutput:
        """The objective of all ordered pairs; all views are encoded once, in one pass."""
        num_views = views.images.shape[1]
        images = views.images.transpose(0, 1).flatten(0, 1)
        encoded = self.represent(images).unflatten(0, (num_views, -1))
        sources, targets = find_anchors(num_views, "all")
        loss, terms = self.objective(
            encoded[sources].flatten(0, 1), encoded[targets].flatten(0, 1), pair_views(views, sources, targets)
        )
        return LossOutput(loss, terms, encoded.transpose(0, 1))


class ProjectedMethod(Method[WithProjector]):
    """A method with one projector of the whole representation, whose output is invariant unless told."""

    def __init__(self, settings: WithProjector, backbone: nn.Module, sizes: Sizes) -> None:
        super().__init__(settings, backbone, sizes)
        layers = parse_projector(settings.projector)
        self.projector = projector(sizes.representation, layers, settings.projector_norm)
        self.embedding_parts = {"invariant": slice(0, layers[-1])}

    def embed(self, representation: Representations) -> Embeddings:
        """The projector's output."""
        return self.projector(representation)


class InvariantMethod(ProjectedMethod[WithProjector], TwoViewMethod[WithProjector]):
    """A method with one projector, whose embeddings of an object's two views shall agree."""


def stack_views(*views: Representations) -> Float[Tensor, "batch n dim"]:
    """The representations of several views in one tensor, in which those of each view are dense."""
    return torch.stack(views).transpose(0, 1)


def pair_views(views: Views, sources: list[int], targets: list[int]) -> Views:
    """The pairs of views that the transforms of a batch join, pair after pair, without their images."""
    pairs = [sources, targets]
    return Views(
        images=views.images.new_empty((len(sources) * len(views.label), 2, 3, 0, 0)),
        latents=views.latents[:, pairs].permute(2, 0, 1, 3).flatten(0, 1),
        transforms=views.transforms.transpose(0, 1).flatten(0, 1)[:, None],
        label=views.label.repeat(len(sources)),
        object_index=views.object_index.repeat(len(sources)),
        view_index=views.view_index[:, pairs].permute(2, 0, 1).flatten(0, 1),
    )


def halves(first: int, whole: int) -> dict[str, slice]:
    """The invariant part of `first` coordinates, and the equivariant part after it."""
    return {"invariant": slice(0, first), "equivariant": slice(first, whole)}
