"""Pairs: two views of one object, with the transform between them."""

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, Int, Int64, UInt8
from numpy import ndarray
from torch import Tensor
from torch.utils.data import Dataset as TorchDataset

from iebench.dataset.reader import Dataset
from iebench.factors.rotations import RotationFormat
from iebench.factors.transforms import Frame, TransformSpec, make_transform
from iebench.loader.batches import Arrays, BatchLoader, find_rank
from iebench.loader.decode import Decoder
from iebench.loader.order import Last, Plan, choose_views


class Pair(NamedTuple):
    """A pair, or with a leading axis a batch of pairs.

    Images are uint8 RGB in torch's channels-last memory format, shape (3, size, size). With n > 2 views, `target`
    and `transform` have an axis of length n - 1 after the batch's, and every transform starts at the one source.

    Attributes:
        source, target: the images.
        transform: float32, what takes the source's latents to the target's.
        label: class index 0..54.
        object_index: row of the object in the dataset.
        views: view indices of source and target.
    """

    source: UInt8[Tensor, "*batch 3 size size"]
    target: UInt8[Tensor, "*batch 3 size size"]
    transform: Float32[Tensor, "*batch t"]
    label: Int64[Tensor, "*batch"]
    object_index: Int64[Tensor, "*batch"]
    views: Int64[Tensor, "*batch n"]


class PairDataset(TorchDataset[Pair]):
    """One random pair of each object of a split in each epoch, chosen by (seed, epoch, object).

    Attributes:
        dataset: what is read.
        objects: int64, rows of the split's objects in the dataset.
        epoch: whose pairs `pairs[i]` gives; `loader` counts for itself.
        transform_size: numbers in a transform.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        split: str = "train",
        transform: TransformSpec = "rotation",
        seed: int = 0,
        size: int | None = None,
        *,
        num_views: int = 2,
        rotation_format: RotationFormat = "quaternion",
        canonical: bool = False,
        translation_frame: Frame = "object",
    ) -> None:
        """Open the pairs of a dataset.

        Args:
            path: folder of the dataset.
            split: "train", "val" or "all".
            transform: "rotation", "rotation+color", "all", a list of parts, or a function (source latents, target latents) ->
                array, each (n, factors), which must be importable where workers are spawned.
            seed: of the choice of views and of the order.
            size: side of the images; smaller than the dataset's, they are decoded at reduced size.
            num_views: views of each object; beyond 2 they are further targets.
            rotation_format, canonical, translation_frame: see `iebench.factors.transforms.Transform`.

        Raises:
            IebenchError: the dataset cannot be read.
            UsageError: an argument that it does not have.
        """
        self.dataset = Dataset(path)
        self.objects: Int[ndarray, " objects"] = self.dataset.split_indices(split)
        self.seed, self.epoch = seed, 0
        self._decoder = Decoder(self.dataset.card, size)
        self.size = self._decoder.size
        self.num_views = num_views
        self._transform = make_transform(transform, self.dataset.space, rotation_format, canonical, translation_frame)
        first = choose_views(seed, 0, self.objects[:1], self.dataset.num_views, num_views)
        self.transform_size: int = self._compute_transforms(self.objects[:1], first).shape[-1]

    def __len__(self) -> int:
        """Objects, so pairs of an epoch."""
        return len(self.objects)

    def __getitem__(self, index: int) -> Pair:
        return self.__getitems__([range(len(self))[index]])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[Pair]:
        """Several pairs at once, as torch's DataLoader asks for them; they share one piece of memory."""
        batch = self.read_batch(np.asarray(indices), self.epoch)
        return [Pair(*(field[place] for field in batch)) for place in range(len(indices))]

    def read_batch(self, items: Int[ndarray, " batch"], epoch: int = 0) -> Pair:
        """A batch of the pairs that an epoch has of some items, 0..len-1."""
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
    ) -> BatchLoader[Pair]:
        """A DataLoader of Pair batches, with `set_epoch`, `state_dict` and `load_state_dict`.

        Args:
            batch_size: pairs of a batch, on each rank.
            num_workers: processes that decode; 0 decodes in this one.
            shuffle: a new order in each epoch.
            last: what becomes of a last step that is not full, "keep", "drop" or "pad"; see `iebench.loader.order.Plan`.
            rank, num_ranks: which part of an epoch to read; None asks torch.distributed.
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
        """Decode the views of an epoch's pairs; returns transforms, labels, object indices and views."""
        objects = self.objects[items]
        views = choose_views(self.seed, epoch, objects, self.dataset.num_views, self.num_views)
        flat = images.reshape(-1, *images.shape[2:])
        self._decoder.decode_views(self.dataset, np.tile(objects, self.num_views), views.T.reshape(-1), flat)
        transforms = self._compute_transforms(objects, views)
        return transforms, self.dataset.labels[objects], objects, views

    def pack(self, images: UInt8[Tensor, "views batch size size 3"], arrays: Arrays) -> Pair:
        """A batch from decoded images and the arrays of `fill`; images are permuted, not copied."""
        transforms, labels, objects, views = map(torch.from_numpy, arrays)
        source, targets = images[0].permute(0, 3, 1, 2), images[1:].permute(1, 0, 4, 2, 3)
        if self.num_views == 2:
            targets, transforms = targets[:, 0], transforms[:, 0]
        return Pair(source, targets, transforms, labels, objects, views)

    def _compute_transforms(
        self, objects: Int[ndarray, " batch"], views: Int[ndarray, "batch views"]
    ) -> Float32[ndarray, "batch targets t"]:
        latents = np.asarray(self.dataset.latents[objects[:, None], views])
        batch, num_targets, num_factors = latents[:, 1:].shape
        sources = np.repeat(latents[:, 0], num_targets, axis=0)
        transforms = self._transform(sources, latents[:, 1:].reshape(-1, num_factors))
        return np.asarray(transforms, dtype=np.float32).reshape(batch, num_targets, -1)
