"""The published layout: loose files `synset/object_id/image_0.jpg, latent_0.npy …`, and lists. Arrays are read without pickle.

Geometry passes may lie beside, as `iebench export` writes them: `mask_0.png, depth_0.png …`.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from iebench.catalogue import BY_SYNSET, ObjectClass
from iebench.dataset.passes import PASSES
from iebench.dataset.splits import SPLITS, ObjectName
from iebench.errors import IebenchError
from iebench.limits import MAX_HELD_BYTES, MAX_LABEL, MAX_VIEWS
from iebench.untrusted import refusals
from iebench.untrusted_arrays import map_npy, parse_npy

_ENDINGS = {"image": "jpg", "latent": "npy"} | dict.fromkeys(PASSES, "png")
_MEMBER = re.compile(rf"(?:.*/)?([^/]+)/([^/]+)/({'|'.join(_ENDINGS)})_(\d{{1,6}})\.(\w+)")


class Member(NamedTuple):
    """One file of the layout."""

    name: ObjectName
    kind: str
    view: int
    content: bytes


@dataclass
class LooseObject:
    """The files of one object by kind ("image", "latent", or a pass) and view, as bytes; `size` is that of all of them."""

    name: ObjectName
    files: dict[str, dict[int, bytes]] = field(default_factory=lambda: defaultdict(dict))
    size: int = 0

    @property
    def images(self) -> dict[int, bytes]:
        """The image of each view."""
        return self.files["image"]

    @property
    def latents(self) -> dict[int, bytes]:
        """The latents of each view."""
        return self.files["latent"]

    def add(self, member: Member) -> None:
        """Take a file.

        Raises:
            ValueError: the object has more views than any, or its files are too large together.
        """
        self.files[member.kind][member.view] = member.content
        self.size += len(member.content)
        if len(self.files[member.kind]) > MAX_VIEWS or self.size > MAX_HELD_BYTES:
            raise ValueError(f"{'/'.join(self.name)!r} has more than {MAX_VIEWS} views or {MAX_HELD_BYTES} bytes")


@dataclass(frozen=True)
class Lists:
    """The official lists: which object belongs to which split, with its label, in their order.

    Attributes:
        splits: for each split its objects and their labels; empty when there are no lists.
    """

    splits: dict[str, dict[ObjectName, int]]

    @property
    def placed(self) -> dict[ObjectName, str]:
        """The split of every listed object."""
        return {name: split for split, names in self.splits.items() for name in names}

    @property
    def classes(self) -> dict[str, ObjectClass]:
        """By synset the classes that are listed, or the benchmark's where there are no lists.

        The lists give no names, so that of a class which is not the benchmark's is its synset.
        """
        labels = {name[0]: label for names in self.splits.values() for name, label in names.items()}
        listed = {
            synset: BY_SYNSET.get(synset) or ObjectClass(label, synset, synset) for synset, label in labels.items()
        }
        return listed if self.splits else BY_SYNSET


def read_lists(folder: Path) -> Lists:
    """Read `train_images.npy`, `val_images.npy` and their `_labels.npy`; lists that are not there are left out.

    Raises:
        IebenchError: a damaged list, one without labels, labels that are not the rank of the synset, an object listed twice.
    """
    splits = {split: _read_list(folder, split) for split in SPLITS if (folder / f"{split}_images.npy").exists()}
    both = set.intersection(*map(set, splits.values())) if len(splits) == 2 else set()
    if both:
        raise IebenchError(f"{folder}: {'/'.join(min(both))} is in the lists of both splits: mend train_images.npy.")
    lists = Lists(splits)
    _check_labels(folder, lists)
    return lists


def parse_latents(content: bytes) -> Float[ndarray, " factors"]:
    """The latents of one view from the bytes of an `.npy` file, float64.

    Raises:
        ValueError: no vector of finite numbers.
    """
    table = parse_npy(content)
    if table.ndim != 1 or table.dtype.kind not in "fiu":
        raise ValueError(f"shape {table.shape} of {table.dtype}")
    latents = table.astype(np.float64)
    if not np.isfinite(latents).all():
        raise ValueError("not finite")
    return latents


def _read_list(folder: Path, split: str) -> dict[ObjectName, int]:
    images, labels = (_load(folder / f"{split}_{what}.npy") for what in ("images", "labels"))
    if images.shape != labels.shape or images.dtype.kind != "U" or labels.dtype.kind not in "iu":
        raise IebenchError(
            f"{folder}: {split}_images.npy and {split}_labels.npy do not fit each other: fetch both again."
        )
    if labels.size and not 0 <= labels.min() <= labels.max() <= MAX_LABEL:
        raise IebenchError(f"{folder}: {split}_labels.npy has labels beyond 0 to {MAX_LABEL}: fetch it again.")
    names: dict[ObjectName, int] = {}
    for text, label in zip(images.tolist(), labels.tolist(), strict=True):
        synset, _, object_id = text.strip("/").partition("/")
        if (synset, object_id) in names or not object_id or object_id in (".", "..") or "/" in object_id:
            raise IebenchError(
                f"{folder / f'{split}_images.npy'}: {text!r} stands twice or is no object: mend the list."
            )
        if synset in BY_SYNSET and BY_SYNSET[synset].label != label:
            raise IebenchError(
                f"{folder / f'{split}_labels.npy'} gives {text!r} the label {label}, "
                f"and class {synset} has {BY_SYNSET[synset].label}: mend the list."
            )
        names[synset, object_id] = label
    return names


def _check_labels(folder: Path, lists: Lists) -> None:
    """Every class has one label, which is no other's."""
    pairs = {(name[0], label) for names in lists.splits.values() for name, label in names.items()}
    if any(len({pair[i] for pair in pairs}) < len(pairs) for i in (0, 1)):
        raise IebenchError(f"{folder}: the lists give a class two labels, or two classes one: mend *_labels.npy.")


def _load(path: Path) -> ndarray:
    with refusals(path, "fetch it again"):
        array = map_npy(path)
        if array.ndim != 1:
            raise ValueError("not one column")
        return np.array(array.tolist(), array.dtype)  # read whole, with letters that are letters


def parse_member(name: str) -> tuple[ObjectName, str, int] | None:
    """Object, kind and view of a file of the layout by its path; None for any other file."""
    found = _MEMBER.fullmatch(name)
    if not found or found[5] != _ENDINGS[found[3]]:
        return None
    return (found[1], found[2]), found[3], int(found[4])
