"""Views with their geometry passes: mask, depth, normal and position beside the images."""

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float32, Float64, Int, Int64, Shaped, UInt8
from numpy import ndarray
from torch import Tensor

from iebench.dataset.passes import PASSES, order_passes
from iebench.dataset.reader import Dataset
from iebench.errors import UsageError
from iebench.factors.transforms import TransformSpec
from iebench.loader.batches import Arrays
from iebench.loader.multiview import ObjectViews, Views


class GeometryViews(NamedTuple):
    """`Views` and their geometry passes, see `iebench.dataset.passes`; a pass that was not asked for has a size of 0.

    Attributes:
        images, latents, transforms, label, object_index, view_index: as in `Views`.
        mask: where the object is.
        depth: along the camera's axis, NaN farther than 8.
        normal: in the object's frame, NaN beside the object.
        position: in the object's frame, NaN beside the object.
    """

    images: UInt8[Tensor, "*batch views 3 size size"]
    latents: Float64[Tensor, "*batch views factors"]
    transforms: Float32[Tensor, "*batch n t"]
    label: Int64[Tensor, "*batch"]
    object_index: Int64[Tensor, "*batch"]
    view_index: Int64[Tensor, "*batch views"]
    mask: Bool[Tensor, "*batch views side side"]
    depth: Float32[Tensor, "*batch views side side"]
    normal: Float32[Tensor, "*batch views 3 side side"]
    position: Float32[Tensor, "*batch views 3 side side"]

    @property
    def views(self) -> Views:
        """Without the passes, as methods take them."""
        return Views(*self[: len(Views._fields)])


class GeometryDataset(ObjectViews[GeometryViews]):
    """Random views of each object of a split in each epoch, as `MultiViewDataset` has them, with their geometry passes.

    Attributes:
        passes: names of those that are read.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | Dataset,
        split: str = "train",
        transform: TransformSpec = "rotation",
        seed: int = 0,
        *,
        passes: Sequence[str] | None = None,
        **settings: Any,
    ) -> None:
        """Open the views of a dataset.

        Args:
            path, split, transform, seed, settings: see `MultiViewDataset`.
            passes: which to read; None reads all that there are.

        Raises:
            IebenchError: the dataset cannot be read.
            UsageError: an argument or a pass that it does not have, or another size, for which passes would have to be blended.
        """
        super().__init__(path, split, transform, seed, **settings)
        self.passes = order_passes(self.dataset.passes if passes is None else passes)
        for name in self.passes if self.dataset.passes else PASSES:
            self.dataset.check_pass(name)
        if self.size != self.dataset.card.image_size:
            raise UsageError(f"size={self.size}: passes cannot be made smaller without blending them; leave size out.")

    def to_batch(self, views: Views) -> GeometryViews:
        """The views, and passes of no size for `pack` to fill."""
        lead = views.view_index.shape
        empty = {name: torch.empty(*lead, *([3] if kind.channels == 3 else []), 0, 0) for name, kind in PASSES.items()}
        return GeometryViews(*views, **{**empty, "mask": empty["mask"].bool()})

    def fill(
        self, epoch: int, items: Int[ndarray, " batch"], images: UInt8[ndarray, "views batch size size 3"]
    ) -> Arrays:
        """Decode an epoch's views of some items; returns the other fields of `Views`, and the passes."""
        arrays = super().fill(epoch, items, images)
        return *arrays, *(self._read(name, *arrays[-2:]) for name in self.passes)

    def pack(self, images: UInt8[Tensor, "views batch size size 3"], arrays: Arrays) -> GeometryViews:
        """A batch from decoded images and the arrays of `fill`."""
        count = len(arrays) - len(self.passes)
        passes = dict(zip(self.passes, map(torch.from_numpy, arrays[count:]), strict=True))
        return super().pack(images, arrays[:count])._replace(**passes)

    def _read(
        self, name: str, objects: Int[ndarray, " batch"], views: Int[ndarray, "batch views"]
    ) -> Shaped[ndarray, "batch views *channels side side"]:
        read = self.dataset.read_passes(name, np.repeat(objects, views.shape[1]), views.reshape(-1))
        planes = np.moveaxis(read, 3, 1) if read.ndim == 4 else read
        return np.ascontiguousarray(planes).reshape(*views.shape, *planes.shape[1:])
