"""Which objects the explorer shows, and in which order."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from iebench.dataset.reader import Dataset


@dataclass(frozen=True)
class Shown:
    """The objects of a dataset that are shown, by class, then by split: who looks through a class loads few sheets.

    A view has one number in the whole site, `place · num_views + view`, where `place` counts the objects shown.

    Attributes:
        dataset: what they belong to.
        objects: their indices in the dataset.
    """

    dataset: Dataset
    objects: Int[ndarray, " objects"]

    @property
    def num_views(self) -> int:
        """Views of each object."""
        return self.dataset.num_views

    @property
    def num_shown(self) -> int:
        """Views of all objects shown."""
        return len(self.objects) * self.num_views

    @cached_property
    def split_names(self) -> list[str]:
        """Names of the splits, in the card's order."""
        return list(self.dataset.card.splits)

    def of_split(self, split: str) -> Int[ndarray, " n"]:
        """Places of the objects of a split."""
        return np.flatnonzero(self.dataset.splits[self.objects] == split)


def select_objects(dataset: Dataset, max_views: int) -> Shown:
    """All objects, or where they have more than `max_views` views, objects spread evenly over classes and splits."""
    ranks = {split: rank for rank, split in enumerate(dataset.card.splits)}
    splits = np.array([ranks.get(split, len(ranks)) for split in dataset.splits.tolist()])
    order = np.lexsort((np.arange(dataset.num_objects), splits, dataset.labels))
    count = min(dataset.num_objects, max(1, max_views // dataset.num_views))
    return Shown(dataset, order[np.linspace(0, dataset.num_objects - 1, count).round().astype(int)])
