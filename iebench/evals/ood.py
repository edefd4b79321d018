"""A dataset of another factor space, as what was learned on a first one is scored on it."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import numpy as np
from jaxtyping import Int, UInt8
from numpy import ndarray
from torch import Tensor

from iebench.catalogue import ObjectClass, count_labels
from iebench.errors import UsageError
from iebench.evals.eval_dataset import EvalDataset, StoredDataset


def open_ood(ood: EvalDataset, dataset: EvalDataset) -> EvalDataset:
    """What can be scored of a dataset by probes that have learned from another.

    Args:
        ood: it, as `open_eval_dataset` gives it.
        dataset: from whose split "train" probes learn.

    Returns:
        Objects that are not in that split, by synset and id where both datasets are on disk; of a dataset of somebody's own, all.
        Their labels are those that the first dataset has for their classes, and further ones, of which no probe has a logit, for
        classes that are not in its split "train".

    Raises:
        UsageError: no object is left.
    """
    if isinstance(ood, StoredDataset) and isinstance(dataset, StoredDataset):
        ood = _leave_out_learned(ood, dataset)
    labels = _match_labels(ood, dataset)
    occurring = np.unique(np.asarray(ood.labels)).tolist()
    return ood if all(labels[label] == label for label in occurring) else _Relabelled(ood, labels)


def _leave_out_learned(ood: StoredDataset, dataset: StoredDataset) -> StoredDataset:
    learned = {name for name, split in zip(_names(dataset), dataset.dataset.splits, strict=True) if split == "train"}
    left_out = np.array([index for index, name in enumerate(_names(ood)) if name in learned], np.int64)
    if not len(left_out):
        return ood
    opened = ood.leave_out(left_out)
    if not len(opened.split_indices("all")):
        raise UsageError(
            "All objects of --ood are among those from which the probes learn: render others, or the same ones of val."
        )
    print(f"Of --ood {len(left_out)} objects are left out, from which the probes learn.", file=sys.stderr)
    return opened


def _names(dataset: StoredDataset) -> list[tuple[str, str]]:
    return list(zip(dataset.dataset.synsets.tolist(), dataset.dataset.object_ids.tolist(), strict=True))


def _match_labels(ood: EvalDataset, dataset: EvalDataset) -> dict[int, int]:
    """The label of each class of `ood` by that which it has there."""
    learned = set(np.asarray(dataset.labels)[dataset.split_indices("train")].tolist())
    known = {_name_class(entry): entry.label for entry in dataset.classes if entry.label in learned}
    further = count(count_labels(dataset.classes))
    return {
        entry.label: known[name] if (name := _name_class(entry)) in known else next(further)
        for entry in sorted(ood.classes)
    }


def _name_class(entry: ObjectClass) -> str:
    return entry.synset or entry.name


class _Relabelled:
    """A dataset with other labels."""

    def __init__(self, dataset: EvalDataset, labels: dict[int, int]) -> None:
        self._dataset = dataset
        self.identity, self.card = dataset.identity, dataset.card
        self.space, self.latents = dataset.space, dataset.latents
        self.labels = np.array([labels[label] for label in np.asarray(dataset.labels).tolist()], np.int64)
        self.classes = tuple(sorted(replace(entry, label=labels[entry.label]) for entry in dataset.classes))

    def split_indices(self, split: str) -> Int[ndarray, " n"]:
        """Indices of the objects of a split."""
        return self._dataset.split_indices(split)

    def images(self, split: str, start: int = 0) -> Iterator[UInt8[Tensor, "batch 3 height width"]]:
        """Every view of a split once."""
        return self._dataset.images(split, start)
