"""Which objects train and which validate, and in what order they stand."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from jaxtyping import Int
from numpy import ndarray

ObjectName = tuple[str, str]  # (synset, object_id)
SPLITS = ("train", "val")
TRAIN_FRACTION = 0.8


def object_fraction(name: ObjectName, salt: str) -> float:
    """A number in [0, 1) that is a pure function of the object's name."""
    text = "\n".join((salt, *name))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest()) / 2**56


def split_objects(names: Iterable[ObjectName], train_fraction: float = TRAIN_FRACTION) -> dict[str, list[ObjectName]]:
    """Divide objects into train and val by a hash of their names.

    Every class with two objects or more has one in each split: where the hash says otherwise, the object nearest to the
    border changes sides. A class with one object has it in train. Both lists are ordered by another hash, so that classes are
    mixed in every shard, and neither depends on the order of `names`.
    """
    by_synset: dict[str, list[ObjectName]] = defaultdict(list)
    for name in sorted(set(names)):
        by_synset[name[0]].append(name)
    splits: dict[str, list[ObjectName]] = {split: [] for split in SPLITS}
    for members in by_synset.values():
        members.sort(key=lambda name: object_fraction(name, "split"))
        in_train = sum(object_fraction(name, "split") < train_fraction for name in members)
        in_train = min(max(in_train, 1), max(len(members) - 1, 1))
        splits["train"] += members[:in_train]
        splits["val"] += members[in_train:]
    return {split: order_objects(members) for split, members in splits.items()}


def order_objects(names: Iterable[ObjectName]) -> list[ObjectName]:
    """Objects in the order in which they stand in shards: that of a hash, so that classes are mixed."""
    return sorted(names, key=lambda name: (object_fraction(name, "order"), name))


def choose_evenly(total: int, most: int | None) -> Int[ndarray, " n"]:
    """Indices of so many of all at most, evenly chosen; of all where `most` is absent."""
    count = total if most is None else min(most, total)
    return np.arange(count) * total // max(count, 1)
