"""Several views of each object, with the transforms between them: pairs, sequences and sets from one reader."""

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import permutations
from typing import Any, Generic, Literal, NamedTuple, TypeVar, get_args

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int, Int64, UInt8
from numpy import ndarray
from torch import Tensor
from torch.utils.data import Dataset as TorchDataset

from iebench.dataset.reader import Dataset, open_dataset
from iebench.errors import UsageError, whole_number
from iebench.factors.rotations import RotationFormat
from iebench.factors.transforms import Frame, LatentsFunction, TransformSpec, make_transform
from iebench.loader.batches import Arrays, BatchLoader, find_rank
from iebench.loader.decode import Decoder
from iebench.loader.order import Last, Plan, choose_views

Anchor = Literal["first", "previous", "all"]
Batch = TypeVar("Batch", bound=tuple)


class Pair(NamedTuple):
    """A pair of views, or with a leading axis a batch of pairs.

    Images are uint8 RGB in torch's channels-last memory format, shape (3, size, size). With n > 2 views, `target`
    and `transform` have an axis of length n - 1 after the batch's, and every transform starts at the one source.

    Attributes:
        source, target: the images.
        transform: float32, what takes the source's latents to the target's.
        label: class index in the dataset.
        object_index: row of the object in the dataset.
        views: view indices of source and target.
    """

    source: UInt8[Tensor, "*batch 3 size size"]
    target: UInt8[Tensor, "*batch 3 size size"]
    transform: Float32[Tensor, "*batch t"]
    label: Int64[Tensor, "*batch"]
    object_index: Int64[Tensor, "*batch"]
    views: Int64[Tensor, "*batch n"]


class Views(NamedTuple):
    """Some views of one object, or with a leading axis a batch of them.

    Attributes:
        images: uint8 RGB; `images[:, i]` of a batch is dense in torch's channels-last memory format.
        latents: float64, radians, hues in [0, 1], in the order of the dataset's factor space.
        transforms: float32, what takes an anchor's latents to those of another view: of each view after the first in turn,
            or, where all views are anchors, of each ordered pair, (0, 1), (0, 2), …, (1, 0), and so on.
        label: class index in the dataset.
        object_index: row of the object in the dataset.
        view_index: which of the object's views they are.
    """

    images: UInt8[Tensor, "*batch views 3 size size"]
    latents: Float64[Tensor, "*batch views factors"]
    transforms: Float32[Tensor, "*batch n t"]
    label: Int64[Tensor, "*batch"]
    object_index: Int64[Tensor, "*batch"]
    view_index: Int64[Tensor, "*batch views"]

    def pair(self) -> Pair:
        """The first view as the source, and the other as its target; of a batch whose anchor is not "previous"."""
        source, targets = self.images[..., 0, :, :, :], self.images[..., 1:, :, :, :]
        transforms = self.transforms[..., : targets.shape[-4], :]
        if self.images.shape[-4] == 2:
            targets, transforms = targets[..., 0, :, :, :], transforms[..., 0, :]
        return Pair(source, targets, transforms, self.label, self.object_index, self.view_index)


class ObjectViews(TorchDataset[Batch], Generic[Batch], ABC):
    """Random views of each object of a split in each epoch, chosen by (seed, epoch, object).

    Attributes:
        dataset: what is read.
        objects: int64, rows of the split's objects in the dataset.
        epoch: whose views `views[i]` gives; `loader` counts for itself.
        num_views: views of each object.
        size: side of the images in pixels.
        transform: the function from two views' latents to the transform between them.
        transform_size: numbers in a transform.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | Dataset,
        split: str = "train",
        transform: TransformSpec = "rotation",
        seed: int = 0,
        size: int | None = None,
        *,
        num_views: int = 2,
        anchor: Anchor = "first",
        rotation_format: RotationFormat = "quaternion",
        canonical: bool = False,
        translation_frame: Frame = "object",
    ) -> None:
        """Open the views of a dataset; the first n are the same whatever `num_views` >= n.

        Args:
            path: folder of the dataset, or a dataset that is open.
            split: "train", "val" or "all".
            transform: "rotation", "rotation+color", "all", a list of parts, or a function (anchor's latents, view's latents) ->
                array, each (n, factors), which must be importable where workers are spawned.
            seed: of the choice of views and of the order.
            size: side of the images; smaller than the dataset's, they are decoded at reduced size.
            num_views: views of each object, 1 or more.
            anchor: where each view's transform starts: at the "first" view, at the "previous" one, or at "all" others.
            rotation_format, canonical, translation_frame: see `iebench.factors.transforms.Transform`.

        Raises:
            IebenchError: the dataset cannot be read.
            UsageError: an argument that it does not have.
        """
        self.dataset = open_dataset(path)
        self.objects: Int[ndarray, " objects"] = self.dataset.split_indices(split)
        self.seed, self.epoch = whole_number(seed, "seed"), 0
        self._decoder = Decoder(self.dataset.card, size)
        self.size = self._decoder.size
        self.num_views, self.anchor = whole_number(num_views, "num_views"), anchor
        self.transform = make_transform(transform, self.dataset.space, rotation_format, canonical, translation_frame)
        self.choose(0, self.objects[:1])  # raises where there are too few
        first = np.asarray(self.dataset.latents[self.objects[:1], :1])
        self.transform_size: int = transform_views(self.transform, first.repeat(2, axis=1), anchor).shape[-1]

    def __len__(self) -> int:
        """Objects, each of which an epoch shows once."""
        return len(self.objects)

    def __getitem__(self, index: int) -> Batch:
        return self.__getitems__([range(len(self))[index]])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[Batch]:
        """Several items at once, as torch's DataLoader asks for them; they share one piece of memory."""
        batch: Any = self.read_batch(np.asarray(indices), self.epoch)
        return [batch._make(field[row] for field in batch) for row in range(len(indices))]

    def read_batch(self, items: Int[ndarray, " batch"], epoch: int = 0) -> Batch:
        """A batch of the views that an epoch has of some items, 0..len-1."""
        images = np.empty(self.image_shape(len(items)), np.uint8)
        arrays = self.fill(epoch, items, images)
        return self.pack(torch.from_numpy(images), arrays)

    def loader(
        self,
        batch_size: int = 256,
        num_workers: int = 4,
        *,
        shuffle: bool = True,
        last: Last = "keep",
        rank: int | None = None,
        num_ranks: int | None = None,
        pin_memory: bool | None = None,
        **settings: Any,
    ) -> BatchLoader[Batch]:
        """A DataLoader of batches, with `set_epoch`, `state_dict` and `load_state_dict`.

        Args:
            batch_size: objects of a batch, on each rank.
            num_workers: processes that decode; 0 decodes in this one.
            shuffle: a new order in each epoch.
            last: what becomes of a last step that is not full, "keep", "drop" or "pad"; see `iebench.loader.order.Plan`.
            rank, num_ranks: which part of an epoch to read; None takes those of torch.distributed.
            pin_memory: page-locked batches; None where there is a GPU.
            settings: further settings of torch's DataLoader.
        """
        found_rank, found_ranks = find_rank()
        ranks = found_ranks if num_ranks is None else num_ranks
        plan = Plan(len(self), batch_size, ranks, self.seed, shuffle, last)
        return BatchLoader(self, plan, found_rank if rank is None else rank, num_workers, pin_memory, **settings)

    def image_shape(self, num_items: int) -> tuple[int, ...]:
        """Shape of the memory that `fill` fills: (views, items, size, size, 3)."""
        return (self.num_views, num_items, self.size, self.size, 3)

    def fill(
        self, epoch: int, items: Int[ndarray, " batch"], images: UInt8[ndarray, "views batch size size 3"]
    ) -> Arrays:
        """Decode an epoch's views of some items; returns the other fields of `Views`."""
        arrays = self.describe(epoch, items)
        objects, views = arrays[-2:]
        flat = images.reshape(-1, *images.shape[2:])
        self._decoder.decode_views(self.dataset, np.tile(objects, self.num_views), views.T.reshape(-1), flat)
        return arrays

    def describe(self, epoch: int, items: Int[ndarray, " batch"]) -> Arrays:
        """All fields but the images of the `Views` that an epoch has of some items."""
        objects = self.objects[items]
        views = self.choose(epoch, objects)
        latents = np.asarray(self.dataset.latents[objects[:, None], views])
        return latents, self._compute_transforms(latents), self.dataset.labels[objects], objects, views

    def choose(self, epoch: int, objects: Int[ndarray, " n"]) -> Int[ndarray, "n views"]:
        """Which views an epoch has of some objects, by their rows in the dataset: different ones at random."""
        return choose_views(self.seed, epoch, objects, self.dataset.num_views, self.num_views)

    def pack(self, images: UInt8[Tensor, "views batch size size 3"], arrays: Arrays) -> Batch:
        """A batch from decoded images and the arrays of `fill`; images are permuted, not copied."""
        return self.to_batch(Views(images.permute(1, 0, 4, 2, 3), *map(torch.from_numpy, arrays)))

    @abstractmethod
    def to_batch(self, views: Views) -> Batch:
        """The views in the form that this dataset yields."""

    def _compute_transforms(self, latents: Float64[ndarray, "batch views factors"]) -> Float32[ndarray, "batch n t"]:
        return transform_views(self.transform, latents, self.anchor)


def transform_views(
    transform: LatentsFunction, latents: Float64[ndarray, "batch views factors"], anchor: Anchor
) -> Float32[ndarray, "batch n t"]:
    """The transforms of some views of each object, from anchors to the others.

    Raises:
        UsageError: there is no such anchor, or somebody's function gives no vector for each pair of latents.
    """
    anchors, others = find_anchors(latents.shape[1], anchor)
    starts, ends = (latents[:, views].reshape(-1, latents.shape[2]) for views in (anchors, others))
    transforms = np.asarray(transform(starts, ends), dtype=np.float32)
    if transforms.ndim != 2 or len(transforms) != len(starts):
        raise UsageError(
            f"The transform gives an array of shape {transforms.shape} for {len(starts)} pairs of latents: return numbers "
            f"({len(starts)}, t)."
        )
    return transforms.reshape(len(latents), len(anchors), transforms.shape[-1])


def find_anchors(num_views: int, anchor: Anchor) -> tuple[list[int], list[int]]:
    """Which views the transforms of `num_views` views start at, and which they lead to.

    Raises:
        UsageError: there is no such anchor.
    """
    if anchor not in get_args(Anchor):
        raise UsageError(f"anchor={anchor!r}: choose one of {', '.join(get_args(Anchor))}.")
    if anchor == "all":
        pairs = list(permutations(range(num_views), 2))
        return [first for first, _ in pairs], [second for _, second in pairs]
    others = list(range(1, num_views))
    return [view - 1 if anchor == "previous" else 0 for view in others], others


class MultiViewDataset(ObjectViews[Views]):
    """`num_views` different random views of each object of a split in each epoch, as `Views`."""

    def to_batch(self, views: Views) -> Views:
        """The views as they are."""
        return views
