"""Representations computed once: one pass of the backbone, kept in memory-mapped files that every task reads."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from numpy import ndarray
from torch import Tensor

from iebench.catalogue import ObjectClass, count_labels
from iebench.dataset.card_parts import check_design
from iebench.dataset.splits import choose_evenly
from iebench.errors import IebenchError, UsageError
from iebench.evals.eval_dataset import EvalDataset
from iebench.evals.fitting_batches import FittingBatches
from iebench.evals.model import Represent, check_images, check_vectors
from iebench.evals.row_file import RowFile
from iebench.evals.settings import BLOCK
from iebench.factors.designs import Design, design_from_json
from iebench.factors.space import FactorSpace
from iebench.locks import locked
from iebench.progress import Progress
from iebench.untrusted import refusals


@dataclass(frozen=True)
class Representations:
    """The representations of one split, with what is known of every view.

    Attributes:
        space: names and ranges of the factors.
        classes: those of the dataset.
        latents: float64 (objects, views, factors).
        labels: int64 (objects,).
        objects: int64 (objects,), the indices that the objects have in the dataset.
        values: (objects, views, width), memory-mapped or in memory: representations, or a slice of them.
        embeddings: (objects, views, width) or None.
        images: the images once more, from the given view on, as `EvalDataset.images` yields them; None where there are none.
        design: how the views of each object are laid out; None for independent draws.
    """

    space: FactorSpace
    classes: tuple[ObjectClass, ...]
    latents: Float[ndarray, "objects views factors"]
    labels: Int[ndarray, " objects"]
    objects: Int[ndarray, " objects"]
    values: Float[ndarray, "objects views width"]
    embeddings: Float[ndarray, "objects views embedding"] | None = None
    images: Callable[[int], Iterator[Tensor]] | None = None
    design: Design | None = None

    @property
    def num_objects(self) -> int:
        """Objects of the split."""
        return self.values.shape[0]

    @property
    def num_views(self) -> int:
        """Views of each object."""
        return self.values.shape[1]

    @property
    def num_labels(self) -> int:
        """Logits of a classifier of the dataset's classes."""
        return count_labels(self.classes)

    @property
    def class_names(self) -> dict[int, str]:
        """Names of the classes by their labels."""
        return {entry.label: entry.name for entry in self.classes}

    def part(self, columns: slice) -> "Representations":
        """The same views with a slice of the representation."""
        return replace(self, values=self.values[..., columns])

    def thin(self, most: int) -> "Representations":
        """The same objects with fewer views of each, where there are more than so many of all; one at least.

        Those of each object are drawn, always the same: evenly chosen ones of a design may be all on one level of a factor.
        """
        count = min(self.num_views, max(1, most // self.num_objects))
        if count == self.num_views:
            return self
        rows = np.arange(self.num_objects)[:, None]
        orders = np.random.default_rng(0).permuted(np.tile(np.arange(self.num_views), (self.num_objects, 1)), axis=1)
        views = np.sort(orders[:, :count], axis=1)
        embeddings = None if self.embeddings is None else self.embeddings[rows, views]
        latents, values = self.latents[rows, views], self.values[rows, views]
        return replace(self, latents=latents, values=values, embeddings=embeddings, images=None, design=None)

    def fewer_objects(self, most: int) -> "Representations":
        """All views of fewer objects, evenly chosen, where there are more than so many views of all; one at least."""
        count = min(self.num_objects, max(1, most // self.num_views))
        if count == self.num_objects:
            return self
        rows = choose_evenly(self.num_objects, count)
        embeddings = None if self.embeddings is None else self.embeddings[rows]
        labels, objects = self.labels[rows], self.objects[rows]
        latents, values = self.latents[rows], self.values[rows]
        return replace(
            self, latents=latents, labels=labels, objects=objects, values=values, embeddings=embeddings, images=None
        )

    def blocks(self) -> Iterator[Float[ndarray, "n width"]]:
        """All views, object by object, float64, some objects at a time."""
        for start in range(0, self.num_objects, BLOCK):
            chosen = self.values[start : start + BLOCK]
            yield chosen.astype(np.float64).reshape(-1, chosen.shape[-1])

    def mean(self) -> Float[ndarray, " width"]:
        """Of all views."""
        return self.values.reshape(-1, self.values.shape[-1]).mean(0, dtype=np.float64)

    def factor(self, *names: str) -> Float[ndarray, "objects views n"]:
        """The latents of the named factors."""
        return self.latents[..., self.space.columns(names)]


def cache_key(weights: str, dataset: EvalDataset, settings: Mapping[str, Any], batch_size: int = BLOCK) -> str:
    """The name under which representations are cached: a hash of weights, data, settings and images in a batch."""
    text = json.dumps([weights, dataset.identity, dict(settings), batch_size], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def extract(
    represent: Represent,
    dataset: EvalDataset,
    split: str,
    embed: Represent | None = None,
    embeds_images: bool = False,
    folder: Path | None = None,
    dtype: str = "float32",
    device: str | torch.device = "cpu",
    batch_size: int = BLOCK,
) -> Representations:
    """Run the backbone once over every view of a split.

    Args:
        represent: uint8 images (batch, 3, height, width) on `device` → vectors (batch, width).
        dataset: the views.
        split: "train", "val" or "all".
        embed: vectors (batch, width) on `device` → embeddings; none are computed when absent.
        embeds_images: whether `embed` takes images instead, which costs a second pass over them.
        folder: where the arrays are kept; what lies there complete is read, what is partial is continued. In memory when absent.
        dtype: "float32" or "float16" (half the space).
        device: where `represent` expects the images.
        batch_size: images that it sees at a time, if they fit in memory.

    Raises:
        UsageError: the split has no objects.
        IebenchError: the representation is no matrix of finite numbers, or there is not one image for each view.
    """
    objects = dataset.split_indices(split)
    shape = (len(objects), dataset.latents.shape[1])
    size = shape[0] * shape[1]
    if not size:
        raise UsageError(f"The dataset has no objects in its {split} split: render more objects.")

    def represent_from(start: int) -> Iterator[ndarray]:
        return _apply(represent, _images(dataset, split, start), device, batch_size)

    values = _fill(represent_from, size, folder and folder / split, dtype, f"{split} views", 16 * batch_size)
    embeddings = None
    if embed is not None:

        def embed_from(start: int) -> Iterator[ndarray]:
            if embeds_images:
                return _apply(embed, _images(dataset, split, start), device, batch_size)
            starts = range(start, size, batch_size)
            blocks = (torch.from_numpy(np.array(values[i : i + batch_size], "f4")) for i in starts)
            return _apply(embed, blocks, device, batch_size)

        path = folder and folder / f"{split}-embeddings"
        embeddings = _fill(embed_from, size, path, dtype, f"{split} embeddings", 16 * batch_size)
        embeddings = embeddings.reshape(*shape, -1)
    latents = np.asarray(dataset.latents[objects])
    return Representations(
        dataset.space,
        dataset.classes,
        latents,
        np.asarray(dataset.labels, np.int64)[objects],
        objects,
        values.reshape(*shape, -1),
        embeddings,
        partial(dataset.images, split),
        _find_design(dataset),
    )


def _images(dataset: EvalDataset, split: str, start: int) -> Iterator[UInt8[Tensor, "batch 3 height width"]]:
    """The images of a split.

    Raises:
        UsageError: they are something else.
    """
    for batch in dataset.images(split, start):
        yield check_images(batch, "The dataset gives")


def _find_design(dataset: EvalDataset) -> Design | None:
    """How the views of a dataset are laid out, as its card says."""
    with refusals("The card of the dataset", "leave its design out, or write it as iebench.factors.designs does"):
        design = design_from_json(dataset.card.get("design"))
        if design is not None:
            check_design(design, dataset.space, dataset.latents.shape[1])
        return design


def _apply(
    function: Represent, batches: Iterable[Tensor], device: str | torch.device, batch_size: int
) -> Iterator[ndarray]:
    fitting = FittingBatches(lambda rows: check_vectors(function(rows), len(rows), "The network"))
    for block in regroup(batches, batch_size):
        with torch.no_grad():
            yield fitting(block.to(device)).cpu().numpy()


def regroup(batches: Iterable[Tensor], size: int) -> Iterator[Tensor]:
    """The same rows in blocks of one size; only the last may be smaller."""
    kept: list[Tensor] = []
    for batch in batches:
        kept.append(batch)
        while sum(map(len, kept)) >= size:
            rows = torch.cat(kept)
            yield rows[:size]
            kept = [rows[size:]]
    if sum(map(len, kept)):
        yield torch.cat(kept)


def _fill(
    blocks_from: Callable[[int], Iterator[ndarray]],
    size: int,
    path: Path | None,
    dtype: str,
    what: str,
    saved_every: int,
) -> Float[ndarray, "size width"]:
    """The rows of all blocks in one array: in memory, or in `path`.npy, resumed where an earlier call was cut off."""
    if path is None:
        return np.concatenate([_narrow(block, dtype) for block in _progress(blocks_from(0), size, 0, what)])
    table = RowFile(path, size, dtype, saved_every)
    if (rows := table.read()) is not None:
        return rows
    with locked(path.parent, "eval", waits=True):  # one lock for each key
        if (rows := table.read()) is not None:  # which another process has written meanwhile
            return rows
        start = table.resume()
        for block in _progress(blocks_from(start), size, start, what) if start < size else ():
            table.append(_narrow(block, dtype))
        return table.finish()


def _narrow(block: Float[ndarray, "n width"], dtype: str) -> Float[ndarray, "n width"]:
    with np.errstate(over="ignore"):
        narrowed = block.astype(dtype, copy=False)
    if narrowed is not block and not np.isfinite(narrowed).all():
        raise IebenchError(f"The representations hold numbers that {dtype} cannot: leave out --half.")
    return narrowed


def _progress(blocks: Iterator[ndarray], size: int, start: int, what: str) -> Iterator[ndarray]:
    with Progress(what, size, "image") as progress:
        progress.skip(start)
        for block in blocks:
            start += len(block)
            if start > size:
                break
            yield block
            progress.add(len(block))
    if start != size:
        raise IebenchError(
            f"The dataset gives {start} images for its {size} {what}: let `images` give every view of each object once."
        )
