"""Views: every image of a split once, in order, for the extraction of representations."""

import os
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Int, Int64, UInt8
from numpy import ndarray
from torch import Tensor
from torch.utils.data import Dataset as TorchDataset

from iebench.dataset.reader import Dataset, open_dataset
from iebench.errors import whole_number
from iebench.loader.batches import Arrays, BatchLoader
from iebench.loader.decode import Decoder
from iebench.loader.order import Plan


class View(NamedTuple):
    """A view, or with a leading axis a batch of views.

    Attributes:
        image: uint8 RGB in torch's channels-last memory format.
        label: class index in the dataset.
        object_index: row of the object in the dataset.
        view: index of the view.
    """

    image: UInt8[Tensor, "*batch 3 size size"]
    label: Int64[Tensor, "*batch"]
    object_index: Int64[Tensor, "*batch"]
    view: Int64[Tensor, "*batch"]


class ViewDataset(TorchDataset[View]):
    """Every view of a split once: all views of the first object, then of the second, and so on."""

    def __init__(
        self,
        path: str | os.PathLike[str] | Dataset,
        split: str = "train",
        size: int | None = None,
        max_objects: int | None = None,
    ) -> None:
        """Open the views of a dataset.

        Args:
            path: folder of the dataset, or a dataset that is open.
            split: "train", "val" or "all".
            size: side of the images; smaller than the dataset's, they are decoded at reduced size.
            max_objects: of the split at most, evenly chosen; all where absent.

        Raises:
            IebenchError: the dataset cannot be read.
            UsageError: it has no such split, or its images are smaller.
        """
        self.dataset = open_dataset(path)
        most = None if max_objects is None else whole_number(max_objects, "max_objects", 1)
        self.objects: Int[ndarray, " objects"] = self.dataset.split_indices(split, most)
        self._decoder = Decoder(self.dataset.card, size)
        self.size = self._decoder.size

    def __len__(self) -> int:
        """Views of all objects."""
        return len(self.objects) * self.dataset.num_views

    def __getitem__(self, index: int) -> View:
        items = np.array([range(len(self))[index]])
        images = np.empty(self.image_shape(1), np.uint8)
        arrays = self.fill(0, items, images)
        return View(*(field[0] for field in self.pack(torch.from_numpy(images), arrays)))

    def loader(
        self, batch_size: int = 256, num_workers: int = 4, *, rank: int = 0, num_ranks: int = 1, **settings: Any
    ) -> BatchLoader[View]:
        """A DataLoader of View batches, in order. Only where `num_ranks` is given are they divided among ranks."""
        plan = Plan(len(self), batch_size, num_ranks, shuffle=False)
        return BatchLoader(self, plan, rank, num_workers, **settings)

    def image_shape(self, num_items: int) -> tuple[int, ...]:
        """Shape of the memory that `fill` fills: (items, size, size, 3)."""
        return (num_items, self.size, self.size, 3)

    def fill(self, epoch: int, items: Int[ndarray, " batch"], images: UInt8[ndarray, "batch size size 3"]) -> Arrays:
        """Decode some views; returns labels, object indices and views. All epochs are alike."""
        rows, views = np.divmod(items, self.dataset.num_views)
        objects = self.objects[rows]
        self._decoder.decode_views(self.dataset, objects, views, images)
        return self.dataset.labels[objects], objects, views

    def pack(self, images: UInt8[Tensor, "batch size size 3"], arrays: Arrays) -> View:
        """A batch from decoded images and the arrays of `fill`."""
        labels, objects, views = map(torch.from_numpy, arrays)
        return View(images.permute(0, 3, 1, 2), labels, objects, views)
