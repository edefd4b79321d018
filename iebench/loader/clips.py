"""Clips: consecutive views of each object in their order, of datasets that were rendered along a trajectory or crossed."""

import os
from typing import Any

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from iebench.dataset.reader import Dataset, open_dataset
from iebench.errors import UsageError
from iebench.factors.transforms import TransformSpec
from iebench.loader.multiview import Anchor, MultiViewDataset
from iebench.loader.order import choose_views


class ClipDataset(MultiViewDataset):
    """One clip of each object of a split in each epoch, as `Views` whose views follow each other.

    A clip never leaves a run of the dataset's design: a clip of a trajectory, or one passage of the factor that a crossed design
    varies. Where a run is longer, the clip begins at one of the places where it fits, chosen by (seed, epoch, object).
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | Dataset,
        split: str = "train",
        transform: TransformSpec = "rotation",
        seed: int = 0,
        size: int | None = None,
        *,
        num_views: int | None = None,
        anchor: Anchor = "previous",
        **settings: Any,
    ) -> None:
        """Open the clips of a dataset.

        Args:
            path, split, transform, seed, size, anchor: see `MultiViewDataset`.
            num_views: views of a clip; None for those of a whole run.
            settings: further arguments of `MultiViewDataset`.

        Raises:
            IebenchError: the dataset cannot be read.
            UsageError: its views have no order, or no run is as long; or another argument that it does not have.
        """
        dataset = open_dataset(path)
        design = dataset.card.design
        if design is None:
            raise UsageError(
                f"{dataset.root} has no clips, as its views are independent draws: render with --trajectory or --design."
            )
        self.run_length = design.run_length
        num_views = self.run_length if num_views is None else num_views
        if not 1 <= num_views <= self.run_length:
            raise UsageError(
                f"num_views={num_views}: {dataset.root} has clips of {self.run_length} views; ask for fewer."
            )
        super().__init__(dataset, split, transform, seed, size, num_views=num_views, anchor=anchor, **settings)

    def choose(self, epoch: int, objects: Int[ndarray, " n"]) -> Int[ndarray, "n views"]:
        """Consecutive views of one run of each object, all such clips being equally likely."""
        starts = self.run_length - self.num_views + 1  # in a run
        num_clips = starts * (self.dataset.num_views // self.run_length)
        run, start = np.divmod(choose_views(self.seed, epoch, objects, num_clips, 1), starts)
        return run * self.run_length + start + np.arange(self.num_views)
