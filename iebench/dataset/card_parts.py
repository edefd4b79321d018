"""The parts of a dataset's card, and what may stand in one that somebody else wrote: names, sizes, the factor space.

Every check raises ValueError on what no dataset has.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from iebench.catalogue import ObjectClass
from iebench.factors.designs import Axis, Crossed, Design, Trajectory
from iebench.factors.space import ROTATION, FactorSpace, Law
from iebench.limits import MAX_FACTORS, MAX_INTEGER, MAX_LABEL, MAX_VIEWS
from iebench.names import name_fault
from iebench.untrusted import count, of_type

_SHA256 = re.compile(r"[0-9a-f]{64}")
_OURS_ENDINGS = (".lock", ".partial")  # of files that the cache keeps beside a dataset's


@dataclass(frozen=True)
class SplitCounts:
    """How much a split holds."""

    objects: int
    views: int


@dataclass(frozen=True)
class FileEntry:
    """Size and hash of a file."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class ShardEntry:
    """A shard: its file's name, its split, how many objects it holds, and its size and hash."""

    name: str
    split: str
    objects: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class PresetNote:
    """The preset of a render, and the options that were given otherwise than it has them."""

    name: str
    changed: tuple[str, ...] = ()

    @property
    def dataset_name(self) -> str:
        """What tables call the dataset: the preset's name, with a star if it was changed."""
        return self.name + ("*" if self.changed else "")


def check_files(files: Mapping[str, FileEntry | ShardEntry]) -> None:
    """Files lie in the dataset's own folder, under names that nothing else there has."""
    for name, file in files.items():
        if name_fault(name) or name.endswith(_OURS_ENDINGS):
            raise ValueError(f"file {name!r:.60}")
        count(file.bytes, 0, MAX_INTEGER, f"the bytes of {name}")
        if not _SHA256.fullmatch(of_type(file.sha256, str, "sha256")):
            raise ValueError(f"sha256 {file.sha256!r:.80}")


def check_splits(splits: Mapping[str, SplitCounts], shards: Iterable[ShardEntry]) -> None:
    """Splits have names for files, "all" being everyone's; every shard is of one of them."""
    for name, split in splits.items():
        if name_fault(name) or name == "all":
            raise ValueError(f"split {name!r:.60}")
        count(split.objects, 1, MAX_INTEGER, "a number of objects")
        count(split.views, 1, MAX_INTEGER, "a number of views")
    for shard in shards:
        count(shard.objects, 1, MAX_INTEGER, "a number of objects")
        if shard.split not in splits:
            raise ValueError(f"splits {list(splits)!r:.200}")


def check_classes(classes: Sequence[ObjectClass]) -> None:
    """Labels are distinct and bounded, names are names."""
    for entry in classes:
        count(entry.label, 0, MAX_LABEL, "a label")
        of_type(entry.name, str, "the name of a class")
        if fault := name_fault(entry.synset):
            raise ValueError(f"class {entry.synset!r:.60}, {fault}")
    if len({entry.label for entry in classes}) < len(classes):
        raise ValueError("a label stands twice")


def check_space(space: FactorSpace) -> None:
    """The law is known, and there are some factors and not too many."""
    of_type(space.name, str, "the name of the space")
    if space.law not in get_args(Law) or not 0 < len(space.factors) <= MAX_FACTORS:
        raise ValueError(f"law {space.law!r:.40} of {len(space.factors)} factors")


def check_design(design: Design, space: FactorSpace, num_views: int) -> None:
    """The design is of the space's factors, and has the dataset's views."""
    if isinstance(design, Crossed):
        _check_axes(design.axes, space)
    if isinstance(design, Trajectory):
        count(design.frames, 2, MAX_VIEWS, "frames")
        count(design.clips, 1, MAX_VIEWS, "clips")
        _ = space.columns(ROTATION)
    if design.num_views != num_views:
        raise ValueError(f"a design of {design.num_views} views, and {num_views} views")


def _check_axes(axes: Sequence[Axis], space: FactorSpace) -> None:
    named = [name for axis in axes for name in axis.factors]
    if len(axes) < 2 or len(set(named)) < len(named) or not set(named) <= set(space.names):
        raise ValueError(f"a design of the factors {named!r:.200}")
    for axis in axes:
        count(axis.size, 2, MAX_VIEWS, "a number of levels")
        numbers = [number for level in axis.levels for number in level]
        if not axis.factors or {len(level) for level in axis.levels} != {len(axis.factors)}:
            raise ValueError(f"the levels of {axis.name!r:.60}")
        if name_fault(axis.name) or not all(map(math.isfinite, numbers)):
            raise ValueError(f"the axis {axis.name!r:.60}")
