"""Every task for every layer: one pass of the network keeps all of them, and the report shows score by layer."""

import hashlib
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor, nn

from iebench.escapes import for_terminal
from iebench.evals.columns import Figure
from iebench.evals.eval_dataset import EvalDataset
from iebench.evals.evaluator import Context
from iebench.evals.model import Model, Represent
from iebench.evals.representations import Representations
from iebench.evals.results import Results
from iebench.evals.settings import EvalSettings
from iebench.evals.suite import Suite, make_context
from iebench.models.layers import ALL, LayerReader
from iebench.models.pooling import AUTO

FOLDER = "layers"
_TRIED = 16  # images by which a pass is timed
SHOWN = {
    "classification": ("classification/whole/top1", "top-1 accuracy", "Top-1 accuracy of class by layer"),
    "rotation": ("rotation/whole/r2_uniform", "rotation R², uniform", "R² (uniform) of rotation by layer"),
    "color": ("color/whole/r2_uniform", "color R², uniform", "R² (uniform) of the hues by layer"),
}
UNTRAINED = "/untrained"  # behind the keys of what is of the same network at random init
FIGURES = tuple(
    Figure(
        "Score by layer",
        f"{FOLDER}/{task}{ending}",
        "curve",
        f"{caption}, of the whole representation{of}.",
        "layer",
        y,
    )
    for task, (_, y, caption) in SHOWN.items()
    for ending, of in (("", ""), (UNTRAINED, " of the same network at random init"))
)


@dataclass(frozen=True)
class Layered:
    """The layers of a network that are scored beside its representation.

    Attributes:
        layers: modules by their labels.
        pool: how one vector is made of a state.
        channels_last: whether maps are (batch, rows, columns, width).
    """

    layers: Mapping[str, nn.Module]
    pool: str = AUTO
    channels_last: bool = False

    def key_of(self, model: Model, label: str) -> str:
        """By which the representations of a layer are known; of all of them for "all"; none where the model has none."""
        told = f"{model.key} {self.pool} {label if label in self.layers else list(self.layers)}"
        return model.key and hashlib.sha256(told.encode()).hexdigest()


def open_layers(
    layered: Layered, model: Model, dataset: EvalDataset, ood: EvalDataset | None, settings: EvalSettings
) -> dict[str, Context]:
    """What evaluators work on: of the representation under "", then of each layer by its label; all from one pass.

    What that will take is said before. Embeddings and predictor are the representation's alone.
    """
    reader = LayerReader(model.represent, dict(layered.layers), layered.pool, layered.channels_last)
    images = next(dataset.images("val"))[:_TRIED].to(settings.device)
    columns = reader.measure(images)
    _tell_pass(reader, images, columns[-1].stop, _count_views(dataset, ood), settings)
    embed = _embed_of(model, columns[0].stop)
    side_by_side = Model(reader, embed, model.embeds_images, key=layered.key_of(model, ALL))
    whole = make_context(side_by_side, dataset, ood, settings)
    models = {"": model} | {label: Model(reader, key=layered.key_of(model, label)) for label in reader.labels}
    return {label: _take(whole, part, models[label]) for label, part in zip(models, columns, strict=True)}


def _embed_of(model: Model, width: int) -> Represent | None:
    """What a model makes embeddings of, where layers stand behind its representation of so many columns."""
    embed = model.embed
    if embed is None or model.embeds_images:
        return embed
    return lambda vectors: embed(vectors[:, :width].contiguous())


def _take(context: Context, columns: slice, model: Model) -> Context:
    def take(whole: Representations) -> Representations:
        return replace(whole.part(columns), embeddings=whole.embeddings if model.embed is not None else None)

    tests = {prefix: take(test) for prefix, test in context.tests.items()}
    return Context(take(context.train), tests, model, context.settings)


def score_layers(contexts: Mapping[str, Context], suite: Suite, name: str) -> Iterator[tuple[str, Results]]:
    """The results of each layer by its label; without baselines, which stand beside those of the representation."""
    start = time.monotonic()
    for number, (label, context) in enumerate(contexts.items()):
        if number == 1:
            _tell(f"Scoring a layer took {_minutes(time.monotonic() - start)}: {len(contexts) - 1} more to go.")
        own = replace(context, settings=replace(context.settings, baselines=()))
        yield label, replace(suite, context=own).run(f"{name}, layer {label}")


def gather_curves(found: Mapping[str, Results], ending: str = "") -> dict[str, Any]:
    """Score by layer, as details for `FIGURES`: {detail: {layer: score}}; where one has a name, all stand by their order.

    Args:
        found: the results of each layer by its label.
        ending: of the details' keys.
    """
    numbered = all(label.isdecimal() for label in found)
    places = {label: label if numbered else str(place) for place, label in enumerate(found)}
    details: dict[str, Any] = {}
    for task, (key, *_) in SHOWN.items():
        scores = {places[label]: score for label, one in found.items() if (score := one.get(key)) is not None}
        details |= {f"{FOLDER}/{task}{ending}": scores} if scores else {}
    return details


def _count_views(dataset: EvalDataset, ood: EvalDataset | None) -> int:
    objects = len(dataset.split_indices("train")) + len(dataset.split_indices("val"))
    further = 0 if ood is None else ood.latents.shape[0] * ood.latents.shape[1]
    return objects * dataset.latents.shape[1] + further


def _tell_pass(reader: LayerReader, images: Tensor, width: int, views: int, settings: EvalSettings) -> None:
    """Say how much disk and time a pass takes, unless it lies in the cache."""
    start = time.monotonic()
    reader(images)
    seconds = (time.monotonic() - start) / len(images) * views
    size = views * width * np.dtype(settings.dtype).itemsize
    place = "memory" if settings.cache is None else str(settings.cache)
    _tell(
        f"{len(reader.labels)} layers and the representation: {width} numbers of each of {views} views, {_bytes(size)} in "
        f"{place}; their one pass takes about {_minutes(seconds)}, where it is not kept already. Then each is scored."
    )


def _bytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _tell(text: str) -> None:
    print(for_terminal(text), file=sys.stderr)
