"""Pairs: two views of one object with the transform between them, the two-view face of `multiview`."""

import os

from iebench.errors import UsageError, whole_number
from iebench.factors.rotations import RotationFormat
from iebench.factors.transforms import Frame, TransformSpec
from iebench.loader.multiview import ObjectViews, Pair, Views


class PairDataset(ObjectViews[Pair]):
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
        if whole_number(num_views, "num_views") < 2:
            raise UsageError(f"num_views={num_views}: a pair has 2 views or more; MultiViewDataset gives single ones.")
        super().__init__(
            path,
            split,
            transform,
            seed,
            size,
            num_views=num_views,
            rotation_format=rotation_format,
            canonical=canonical,
            translation_frame=translation_frame,
        )

    def to_batch(self, views: Views) -> Pair:
        """The two-view face of the views."""
        return views.pair()
