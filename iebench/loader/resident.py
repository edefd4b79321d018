"""Resident views: the images of a split are decoded once and kept, in memory or on a device, and batches are taken by index."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int, UInt8
from numpy import ndarray
from torch import Tensor

from iebench.dataset.reader import Dataset
from iebench.errors import UsageError
from iebench.factors.transforms import TransformSpec
from iebench.loader.batches import Arrays, find_rank
from iebench.loader.multiview import MultiViewDataset, Views
from iebench.progress import Progress

SHARE = 0.75  # of the free memory at most; the training needs some too
_CHUNK = 64  # objects that are decoded together
_MEMORY = Path("/proc/meminfo")


class ResidentViews(MultiViewDataset):
    """A `MultiViewDataset` whose images stay decoded; its batches have the same values and memory format in the same order.

    Its loader needs no workers: a batch is a gather from one uint8 tensor, on the device where that lies.

    Attributes:
        device: where the images are kept and batches come from.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | Dataset,
        split: str = "train",
        transform: TransformSpec = "rotation",
        seed: int = 0,
        size: int | None = None,
        *,
        device: str | torch.device = "cpu",
        copies: int = 1,
        **settings: Any,
    ) -> None:
        """Decode all views of a split, and say how many bytes they take.

        Args:
            path, split, transform, seed, size, settings: see `MultiViewDataset`.
            device: where to keep the images if they fit there; else they are kept in memory.
            copies: how many processes of this machine keep the images each.

        Raises:
            IebenchError: the dataset cannot be read.
            UsageError: an argument that it does not have, or images that do not fit.
        """
        super().__init__(path, split, transform, seed, size, **settings)
        shape = (len(self.objects) * self.dataset.num_views, self.size, self.size, 3)
        self.device = choose_device(int(np.prod(shape)), torch.device(device), copies)
        self._images = torch.empty(shape, dtype=torch.uint8, device=self.device)
        self._decode_all()

    def image_shape(self, num_items: int) -> tuple[int, ...]:
        """No memory of a batch is filled."""
        return (0,)

    def fill(self, epoch: int, items: Int[ndarray, " batch"], images: UInt8[ndarray, "..."]) -> Arrays:
        """All fields of `Views` but the images."""
        return self.describe(epoch, items)

    def pack(self, images: UInt8[Tensor, "..."], arrays: Arrays) -> Views:
        """A batch of the kept images that the arrays of `fill` name."""
        objects, views = arrays[-2:]
        rows = np.searchsorted(self.objects, objects)[:, None] * self.dataset.num_views + views
        return super().pack(self._gather(torch.from_numpy(rows.T.copy())), arrays)

    def _gather(self, rows: Int[Tensor, "views batch"]) -> UInt8[Tensor, "views batch size size 3"]:
        """Images by their rows; from memory to page-locked memory where there is a GPU, so that copies to it do not wait."""
        shape = (*rows.shape, *self._images.shape[1:])
        pins = self.device.type == "cpu" and torch.cuda.is_available()
        images = torch.empty(shape, dtype=torch.uint8, device=self.device, pin_memory=pins)
        torch.index_select(self._images, 0, rows.flatten().to(self.device), out=images.flatten(0, 1))
        return images

    def _decode_all(self) -> None:
        count, views = len(self._images), np.arange(self.dataset.num_views)
        where = "in memory" if self.device.type == "cpu" else f"on {self.device}"
        with Progress("decode", count, "image", shown=find_rank()[0] == 0, leaves=False) as progress:
            if find_rank()[0] == 0:
                progress.tell(f"Keeping {count:,} decoded images {where}, {say_bytes(self._images.nbytes)}.")
            for start in range(0, len(self.objects), _CHUNK):
                objects = self.objects[start : start + _CHUNK]
                decoded = np.empty((len(objects) * len(views), *self._images.shape[1:]), np.uint8)
                self._decoder.decode_views(
                    self.dataset, np.repeat(objects, len(views)), np.tile(views, len(objects)), decoded
                )
                first = start * len(views)
                self._images[first : first + len(decoded)] = torch.from_numpy(decoded)
                progress.add(len(decoded))


def choose_device(num_bytes: int, device: torch.device, copies: int = 1) -> torch.device:
    """Where so many bytes of images fit: on the device, or else in memory.

    Raises:
        UsageError: nowhere.
    """
    if device.type == "cuda" and num_bytes <= SHARE * torch.cuda.mem_get_info(device)[0]:
        return device
    free = free_memory()
    if num_bytes * copies <= SHARE * free:
        return torch.device("cpu")
    each = f" in each of {copies} processes" if copies > 1 else ""
    raise UsageError(
        f"--resident: the decoded images take {say_bytes(num_bytes)}{each}, and of {say_bytes(free)} of free memory at most "
        f"{SHARE:.0%} are used; leave the option out, or take a smaller --size."
    )


def free_memory() -> int:
    """Bytes of memory that programs can still get; all that there is where the system does not tell."""
    lines = _MEMORY.read_text().splitlines() if _MEMORY.exists() else []
    told = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    return told[0] if told else os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def say_bytes(count: int) -> str:
    """A number of bytes in the unit that suits it."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
