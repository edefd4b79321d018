"""Reading a dataset: its card, its objects, their latents, and any one view without reading the rest."""

import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Int, Shaped, UInt32
from numpy import ndarray

from iebench.catalogue import CLASSES, ObjectClass, count_labels
from iebench.dataset.appearance import APPEARANCE, LostRow, read_lost
from iebench.dataset.card import CARD, MEND, DatasetCard
from iebench.dataset.object_table import read_objects
from iebench.dataset.open_shards import OpenShards
from iebench.dataset.passes import PASSES, decode_pass
from iebench.dataset.remote import RemoteFolder, is_remote
from iebench.dataset.splits import choose_evenly
from iebench.dataset.writer import CHECKSUMS, LATENTS, OBJECTS, OFFSETS, PASS_CHECKSUMS, PASS_OFFSETS
from iebench.errors import IebenchError, UsageError
from iebench.factors.space import FactorSpace
from iebench.limits import MAX_JPEG_BYTES
from iebench.untrusted import refusals
from iebench.untrusted_arrays import map_npy

_MAX_OFFSET = 2**60  # of a view in its shard
_LOOKED_THROUGH = 16 * 2**20  # bytes of latents


class Dataset:
    """A dataset on disk. Latents and offsets are memory-mapped and shared by all processes that open it.

    Attributes:
        location: folder or URL, as given; that of a dataset on the hub names the commit.
        root: the folder, that of the cache for a URL.
        card: what it is.
        latents: float64 (objects, views, factors), radians, hues in [0, 1].
        offsets: int64 (objects, views, 2), offset and length of each JPEG in its shard.
        checksums: uint32 (objects, views), CRC-32 of each JPEG.
        splits, synsets, object_ids, shards: str (objects,).
        labels: int64 (objects,), class index, as in `classes`.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        """Open a dataset.

        Args:
            root: its folder, or its URL (`https://…`, `s3://…`, `hf://datasets/ORG/NAME@REVISION`), whose files are then fetched
                when they are needed.

        Raises:
            IebenchError: there is none, it is unfinished or damaged, or it is of another format.
        """
        self._remote = RemoteFolder(str(root)) if is_remote(root) else None
        self.location = self._remote.url if self._remote else root
        self.root = self._remote.root if self._remote else Path(root).absolute()  # the working folder may change
        self.card = self._remote.card if self._remote else DatasetCard.read(self.root)
        columns = read_objects(self.locate(OBJECTS), self.card)
        self.splits, self.synsets = columns["split"], columns["synset"]
        self.object_ids, self.shards = columns["object_id"], columns["shard"]
        self.labels: Int[ndarray, " objects"] = columns["label"]
        for label in np.unique(self.labels).tolist():
            self.class_of(label)
        self.latents = self._map_table(LATENTS, (self.num_objects, self.num_views, len(self.space.names)), "<f8")
        self._check_finite()
        self.offsets = self._map_table(OFFSETS, (self.num_objects, self.num_views, 2), "<i8")
        self.checksums = self._map_table(CHECKSUMS, (self.num_objects, self.num_views), "<u4")
        self._open_shards = OpenShards(self.root, self._remote)

    @property
    def num_objects(self) -> int:
        """Objects of all splits."""
        return len(self.labels)

    @property
    def num_views(self) -> int:
        """Views of each object."""
        return self.card.num_views

    @property
    def space(self) -> FactorSpace:
        """The factor space of the latents."""
        return self.card.space

    @cached_property
    def classes(self) -> tuple[ObjectClass, ...]:
        """The classes that occur, in label order."""
        present = set(self.labels.tolist())
        return self.card.classes or tuple(entry for entry in CLASSES if entry.label in present)

    @property
    def num_labels(self) -> int:
        """The number of logits of a classifier: 55 for the benchmark's classes, whichever of them occur."""
        return count_labels(self.classes)

    def class_of(self, label: int | np.integer) -> ObjectClass:
        """The class of a label.

        Raises:
            IebenchError: the dataset has no such class.
        """
        if label not in self._classes_by_label:
            raise IebenchError(
                f"{self.root / OBJECTS} has the label {label}, and {CARD} no class of it: restore both from one dataset."
            )
        return self._classes_by_label[int(label)]

    @cached_property
    def _classes_by_label(self) -> dict[int, ObjectClass]:
        return {entry.label: entry for entry in self.classes}

    @cached_property
    def lost(self) -> list[LostRow]:
        """What objects have lost of their appearance, in the order of the objects: the rows of `appearance.csv`."""
        return read_lost(self.locate(APPEARANCE)) if APPEARANCE in self.card.files else []

    @property
    def num_lost(self) -> int:
        """Objects that have lost something of their appearance."""
        return len({row.object_name for row in self.lost})

    def split_indices(self, split: str, most: int | None = None) -> Int[ndarray, " n"]:
        """Indices of the objects of "train", "val", or "all"; of so many at most, evenly chosen.

        Raises:
            UsageError: the dataset has no such split.
        """
        if split != "all" and split not in self.card.splits:
            raise UsageError(f"{self.root} has no split {split!r}: it has {', '.join([*self.card.splits, 'all'])}.")
        objects = np.arange(self.num_objects) if split == "all" else np.flatnonzero(self.splits == split)
        return objects[choose_evenly(len(objects), most)]

    def read_jpeg(self, object_index: int, view: int) -> bytes:
        """The JPEG of one view, by one read of the shard.

        Raises:
            IebenchError: the shard is missing, shorter than it should be, or altered.
        """
        return next(self.read_jpegs(np.array([object_index]), np.array([view])))

    def read_jpegs(self, objects: Int[ndarray, " n"], views: Int[ndarray, " n"]) -> Iterator[bytes]:
        """The JPEGs of some views, in the order given. No byte is read that is not theirs.

        Raises:
            IebenchError: a shard is missing, shorter than it should be, or altered.
        """
        yield from self._read_images(objects, views, self.offsets[objects, views], self.checksums[objects, views])

    @property
    def passes(self) -> tuple[str, ...]:
        """Names of the geometry passes that every view has; see `iebench.dataset.passes`."""
        return self.card.passes

    def read_pass(self, name: str, object_index: int, view: int) -> Shaped[ndarray, "side side *channels"]:
        """A geometry pass of one view: bool for the mask, else float32, NaN where there is nothing to tell.

        `depth` is along the camera's axis; `normal` and `position` are in the object's frame, before the view's rotation.

        Raises:
            UsageError: the dataset has no such pass.
            IebenchError: it is damaged.
        """
        return self.read_passes(name, np.array([object_index]), np.array([view]))[0]

    def read_passes(
        self, name: str, objects: Int[ndarray, " n"], views: Int[ndarray, " n"]
    ) -> Shaped[ndarray, "n side side *channels"]:
        """`read_pass` for some views, in the order given."""
        images = []
        for number, png in enumerate(self.read_pass_pngs(name, objects, views)):
            try:
                images.append(decode_pass(name, png, self.card.image_size))
            except ValueError as error:
                raise self.damage(int(objects[number]), int(views[number]), f"its {name}: {error}") from None
        return np.stack(images)

    def read_pass_pngs(self, name: str, objects: Int[ndarray, " n"], views: Int[ndarray, " n"]) -> Iterator[bytes]:
        """The PNGs of a geometry pass of some views, in the order given. No byte is read that is not theirs.

        Raises:
            UsageError: the dataset has no such pass.
            IebenchError: a shard is missing, shorter than it should be, or altered.
        """
        self.check_pass(name)
        column = self.passes.index(name)
        offsets, sums = (table[objects, views, column] for table in (self.pass_offsets, self.pass_checksums))
        yield from self._read_images(objects, views, offsets, sums, PASS_OFFSETS)

    def check_pass(self, name: str) -> None:
        """Refuse a geometry pass that there is not.

        Raises:
            UsageError: the dataset has no such pass.
        """
        if name not in self.passes:
            told = f"it has {', '.join(self.passes)}" if self.passes else "it has none"
            raise UsageError(
                f"{self.root} has no pass {name!r}, {told}: render with --passes {','.join(PASSES)}, or some of them."
            )

    @cached_property
    def pass_offsets(self) -> Int[ndarray, "objects views passes 2"]:
        """Offset and length of each pass in its shard, of a dataset that has some; memory-mapped when it is first needed."""
        return self._map_table(PASS_OFFSETS, (self.num_objects, self.num_views, len(self.passes), 2), "<i8")

    @cached_property
    def pass_checksums(self) -> UInt32[ndarray, "objects views passes"]:
        """CRC-32 of each pass, of a dataset that has some."""
        return self._map_table(PASS_CHECKSUMS, (self.num_objects, self.num_views, len(self.passes)), "<u4")

    def _read_images(
        self,
        objects: Int[ndarray, " n"],
        views: Int[ndarray, " n"],
        offsets: Int[ndarray, "n 2"],
        checksums: UInt32[ndarray, " n"],
        table: str = OFFSETS,
    ) -> Iterator[bytes]:
        def refuse(number: int, what: str) -> IebenchError:
            return self.damage(int(objects[number]), int(views[number]), what)

        extents = offsets.tolist()
        for number, (offset, length) in enumerate(extents):
            if not (0 <= offset <= _MAX_OFFSET and 0 < length <= MAX_JPEG_BYTES):
                raise refuse(number, f"its row of {table} is damaged")
        yield from self._open_shards.read(self.shards[objects].tolist(), extents, checksums.tolist(), refuse)

    def locate(self, name: str) -> Path:
        """The path of one of the dataset's files, which is fetched first where the dataset is remote."""
        return self._remote.fetch(name) if self._remote else self.root / name

    def damage(self, object_index: int, view: int, what: str) -> IebenchError:
        """The error to raise when a view cannot be read: it names shard, object and view."""
        name = f"{self.synsets[object_index]}/{self.object_ids[object_index]}"
        return IebenchError(
            f"{self.root / self.shards[object_index]}: view {view} of {name} cannot be read, {what}; "
            f"`iebench verify {self.root}` names the damage."
        )

    def _check_finite(self) -> None:
        """Look at the latents where that costs no time; `iebench verify` looks at all."""
        if self.latents.nbytes <= _LOOKED_THROUGH and not np.isfinite(self.latents).all():
            raise IebenchError(f"{self.root / LATENTS} is damaged (numbers that are not finite): {MEND}.")

    def __getstate__(self) -> dict[str, object]:
        # A worker process opens the dataset for itself.
        return {"location": self.location if self._remote else self.root}

    def __setstate__(self, state: dict[str, Path]) -> None:
        self.__init__(state["location"])  # type: ignore[misc]

    def __repr__(self) -> str:
        counts = f"{self.num_objects} objects of {len(self.classes)} classes, {self.num_views} views each"
        return f"Dataset({str(self.root)!r}: {counts})"

    def _map_table(self, name: str, shape: tuple[int, ...], dtype: str) -> ndarray:
        path = self.locate(name)
        with refusals(path, MEND):
            table = map_npy(path)
        if table.shape != shape or table.dtype != np.dtype(dtype):
            raise IebenchError(
                f"{path} has shape {table.shape} of {table.dtype}, and {shape} of {np.dtype(dtype)} was expected: "
                "restore it, or render the dataset again."
            )
        return table


def open_dataset(path: str | os.PathLike[str] | Dataset) -> Dataset:
    """A dataset by its folder or URL, or one that is open already."""
    return path if isinstance(path, Dataset) else Dataset(path)
