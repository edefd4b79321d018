"""What the evaluation needs of a dataset: a protocol, and the datasets on disk behind it."""

import hashlib
import json
import os
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int, UInt8
from numpy import ndarray
from torch import Tensor

from iebench.catalogue import ObjectClass
from iebench.dataset.reader import Dataset, open_dataset
from iebench.dataset.splits import choose_evenly
from iebench.errors import UsageError, whole_number
from iebench.factors.space import FactorSpace
from iebench.loader.views import ViewDataset


@runtime_checkable
class EvalDataset(Protocol):
    """Views with all that is known of them.

    Attributes:
        identity: a hash of the content, by which cached representations are found again.
        card: plain values that say what the dataset is, for `results.json`; under "design" how its views are laid out, where that
            is no independent draws (`iebench.factors.designs.Design.to_json`).
        space: names and ranges of the factors.
        latents: float64 (objects, views, factors), radians, hues in [0, 1].
        labels: int64 (objects,).
        classes: those of the labels.
    """

    identity: str
    card: dict[str, Any]
    space: FactorSpace
    latents: Float[ndarray, "objects views factors"]
    labels: Int[ndarray, " objects"]
    classes: tuple[ObjectClass, ...]

    def split_indices(self, split: str) -> Int[ndarray, " n"]:
        """Indices of the objects of "train", "val" or "all"."""
        ...

    def images(self, split: str, start: int = 0) -> Iterator[UInt8[Tensor, "batch 3 height width"]]:
        """Every view of a split once, object by object, in batches of any size.

        Args:
            split: "train", "val" or "all".
            start: how many views to leave out at the beginning.
        """
        ...


class StoredDataset:
    """A dataset on disk as an `EvalDataset`.

    Args:
        path: folder or URL of the dataset, or the dataset.
        size: side in pixels to which images are scaled; as they are when absent.
        batch_size: images that a worker hands over at a time.
        num_workers: processes that decode images.
        max_objects: of each split at most, evenly chosen; all where absent.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | Dataset,
        size: int | None = None,
        batch_size: int = 256,
        num_workers: int = 0,
        max_objects: int | None = None,
    ):
        self.dataset = open_dataset(path)
        size = None if size is None else whole_number(size, "size")
        max_objects = None if max_objects is None else whole_number(max_objects, "max_objects", 1)
        self.size, self.batch_size, self.num_workers, self.max_objects = size, batch_size, num_workers, max_objects
        self.space, self.latents, self.labels = self.dataset.space, self.dataset.latents, self.dataset.labels
        self.classes = self.dataset.classes
        self.card = _describe(self.dataset, size) | ({} if max_objects is None else {"max_objects": max_objects})
        content = [self.card, *self.dataset.card.content()]
        self.identity = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
        self._left_out: Int[ndarray, " n"] = np.empty(0, np.int64)

    def leave_out(self, objects: Int[ndarray, " n"]) -> "StoredDataset":
        """The same without some objects, whose number its card tells."""
        other = copy(self)
        other._left_out = objects
        other.card = {**self.card, "left_out": len(objects)}
        other.identity = hashlib.sha256(f"{self.identity} {objects.tolist()}".encode()).hexdigest()[:16]
        return other

    def split_indices(self, split: str) -> Int[ndarray, " n"]:
        """Indices of the objects of "train", "val" or "all"."""
        objects = self.dataset.split_indices(split)
        objects = objects[~np.isin(objects, self._left_out)]
        return objects[choose_evenly(len(objects), self.max_objects)]

    def images(self, split: str, start: int = 0) -> Iterator[UInt8[Tensor, "batch 3 height width"]]:
        """Every view of a split once, object by object."""
        views = ViewDataset(self.dataset, split, self.size)
        views.objects = self.split_indices(split)
        loader = views.loader(self.batch_size, self.num_workers)
        loader.load_state_dict({**loader.state_dict(), "read": start})
        for view in loader:
            yield view.image


def open_eval_dataset(
    dataset: EvalDataset | Dataset | str | Path, size: int | None = None, num_workers: int = 0
) -> EvalDataset:
    """What can be evaluated on: a dataset on disk, at a URL or open, with the further arguments of `StoredDataset`, or as it is.

    Raises:
        UsageError: it is something else, or labels or latents of somebody's dataset do not fit its classes or factors.
        IebenchError: the dataset cannot be read.
    """
    if isinstance(dataset, str | Path | Dataset):
        return StoredDataset(dataset, size, num_workers=num_workers)
    if not isinstance(dataset, EvalDataset):
        raise UsageError(f"A {type(dataset).__name__} cannot be evaluated on: give a folder, a URL, or an EvalDataset.")
    if not isinstance(dataset, StoredDataset):
        _check(dataset)
    return dataset


def _check(dataset: EvalDataset) -> None:
    """Refuse what somebody's dataset cannot be scored by.

    Raises:
        UsageError: a label has no class, or the latents are no finite numbers of all objects, views and factors.
    """
    labels, latents = np.asarray(dataset.labels), np.asarray(dataset.latents)
    known, width = [entry.label for entry in dataset.classes], len(dataset.space.names)
    if labels.dtype.kind not in "iu" or not np.isin(labels, known).all():
        raise UsageError("The dataset has labels without a class: give whole numbers that its classes have as labels.")
    if latents.ndim != 3 or latents.shape[::2] != (len(labels), width) or not np.isfinite(latents).all():
        raise UsageError(
            f"The dataset's latents are {latents.shape}: give finite numbers ({len(labels)} objects, views, {width} factors)."
        )


def _describe(dataset: Dataset, size: int | None) -> dict[str, Any]:
    card = dataset.card
    return {
        "name": card.name,
        "space": card.space.to_json(),
        "seed": card.seed,
        "image_size": card.image_size,
        "evaluated_size": size or card.image_size,
        "num_views": card.num_views,
        "quality": card.quality,
        "focal_length": card.focal_length,
        "classes": [entry.to_json() for entry in dataset.classes],
        "splits": card.to_json()["splits"],
        **({} if card.design is None else {"design": card.design.to_json()}),
    }
