"""A dataset of another factor space, as what was learned on a first one is scored on it."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import numpy as np
import torch
from jaxtyping import Int, UInt8
from numpy import ndarray
from torch import Tensor

from iebench.catalogue import ObjectClass
from iebench.errors import UsageError
from iebench.evals.eval_dataset import EvalDataset, StoredDataset


def open_ood(ood: EvalDataset, dataset: EvalDataset) -> EvalDataset:
    """What can be scored of a dataset by probes that have learned from another.

    Args:
        ood: it, as `open_eval_dataset` gives it.
        dataset: from whose split "train" probes learn.

    Returns:
        Objects that are not in that split, by synset and id where both datasets are on disk; of a dataset of somebody's own, all.
        Their labels are those that the first dataset has for their classes, and further ones for classes that it has not.

    Raises:
        UsageError: no object is left.
    """
    labels, left_out = _match_labels(ood, dataset), _find_learned(ood, dataset)
    if len(left_out) == len(ood.labels):
        raise UsageError(
            "All objects of --ood are among those from which the probes learn: render others, or the same ones of val."
        )
    is_same = all(old == new for old, new in labels.items()) and not len(left_out)
    return ood if is_same else _Scored(ood, labels, left_out)


def _match_labels(ood: EvalDataset, dataset: EvalDataset) -> dict[int, int]:
    """The label of each class of `ood` by that which it has there."""
    known = {entry.synset: entry.label for entry in dataset.classes}
    further = count(max(known.values(), default=-1) + 1)
    return {e.label: known[e.synset] if e.synset in known else next(further) for e in sorted(ood.classes)}


def _find_learned(ood: EvalDataset, dataset: EvalDataset) -> Int[ndarray, " n"]:
    """Indices of the objects that are in the other dataset's split "train" too."""
    if not isinstance(ood, StoredDataset) or not isinstance(dataset, StoredDataset):
        return np.empty(0, np.int64)
    names, indices = _names(dataset), dataset.dataset.split_indices("train").tolist()
    learned = {names[index] for index in indices}
    return np.array([index for index, name in enumerate(_names(ood)) if name in learned], np.int64)


def _names(dataset: StoredDataset) -> list[tuple[str, str]]:
    return list(zip(dataset.dataset.synsets.tolist(), dataset.dataset.object_ids.tolist(), strict=True))


class _Scored:
    """A dataset without some of its objects, and with other labels."""

    def __init__(self, dataset: EvalDataset, labels: dict[int, int], left_out: Int[ndarray, " n"]) -> None:
        self._dataset, self._left_out = dataset, left_out
        self.space, self.latents = dataset.space, dataset.latents
        self.labels = np.array([labels[label] for label in np.asarray(dataset.labels).tolist()], np.int64)
        self.classes: tuple[ObjectClass, ...] = tuple(
            sorted(replace(entry, label=labels[entry.label]) for entry in dataset.classes)
        )
        self.card = {**dataset.card, "left_out": len(left_out)}
        named = hashlib.sha256(str(left_out.tolist()).encode()).hexdigest()[:8]
        self.identity = f"{dataset.identity}-{named}"

    def split_indices(self, split: str) -> Int[ndarray, " n"]:
        """Indices of the objects of a split that are left."""
        return np.setdiff1d(self._dataset.split_indices(split), self._left_out)

    def images(self, split: str, start: int = 0) -> Iterator[UInt8[Tensor, "batch 3 height width"]]:
        """Every view of these objects once, from one on."""
        all_objects = self._dataset.split_indices(split)
        kept = np.repeat(~np.isin(all_objects, self._left_out), self.latents.shape[1])
        for batch in self._dataset.images(split):
            rows = batch[torch.from_numpy(kept[: len(batch)])]
            kept = kept[len(batch) :]
            if len(rows) > start:
                yield rows[start:]
            start = max(start - len(rows), 0)
