"""Importing the published layout: the same JPEG bytes, and those of geometry passes where they lie beside, in shards."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from iebench.catalogue import CLASSES, ObjectClass
from iebench.dataset.card import DatasetCard
from iebench.dataset.channels import ChannelVote
from iebench.dataset.jpeg import decode_jpeg
from iebench.dataset.layout_archive import LayoutArchive
from iebench.dataset.layout_folder import find_lists, open_folder, order_objects, read_folder
from iebench.dataset.layout_shape import SPACE_OF_LENGTH, Shape, measure_shape
from iebench.dataset.passes import decode_pass
from iebench.dataset.published_layout import Lists, LooseObject, parse_latents, read_lists
from iebench.dataset.shards import locate_images, pack_sample, shard_name, write_shard
from iebench.dataset.splits import SPLITS, TRAIN_FRACTION, ObjectName, object_fraction
from iebench.dataset.writer import Failure, ObjectRow, ShardTables, finish_dataset, place_samples
from iebench.errors import IebenchError, UsageError
from iebench.escapes import printable
from iebench.factors.space import Factor, FactorSpace, get_space
from iebench.growing import growing
from iebench.names import name_fault
from iebench.progress import Progress
from iebench.version import __version__

Channels = Literal["auto", "rgb", "bgr"]
ABSENT = "it is listed, and what is imported does not hold it"
_SAMPLE = 16  # objects from which the shape is taken
ROUNDING = 1e-6  # by which angles may lie outside a range


class Fault(Exception):
    """Why an object is left out of an import."""


def import_layout(
    path: Path,
    out: Path,
    lists: Path | None = None,
    strict: bool = False,
    channels: Channels = "auto",
    objects_per_shard: int = 256,
    progress: Progress | None = None,
) -> tuple[DatasetCard, list[Failure]]:
    """Import a dataset in the published layout.

    Args:
        path: a folder, or a `.tar.gz`, `.tar` or `.zip`, which is read once and not unpacked.
        out: the dataset to write; it appears when it is whole.
        lists: folder of the official lists; None looks in the folder itself, and beside an archive. Without lists objects are
            split by a hash of their names, 80 % for training.
        strict: the first fault is an error. Otherwise objects with faults are left out and named in failures.csv.
        channels: order of the JPEGs' channels; "auto" measures it.
        objects_per_shard: of the shards, all but the last of a split.
        progress: is told of every object.

    Returns:
        The card, and the objects that were left out.

    Raises:
        IebenchError: what is imported or a list is damaged or not to be trusted, nothing in it is whole, or a fault under
            `strict`.
        UsageError: `out` exists, or is being made.
    """
    layout = _open_layout(path, lists)
    official, objects = layout.lists, filter(_is_object, layout.objects)
    if lists is not None and not official.splits:
        raise UsageError(
            f"--lists {lists} holds neither train_images.npy nor val_images.npy: name the folder that does."
        )
    progress = progress or Progress("import", None, "object", shown=False)
    progress.total = layout.total
    with growing(out, "import") as root:
        sample = list(islice(objects, _SAMPLE))
        importer = _Importer(root, measure_shape(path, sample), official, strict, objects_per_shard)
        for loose in chain(sample, objects):
            importer.add(loose)
            progress.add(note=f"{len(importer.faults)} left out", share=layout.share())
        card = importer.finish(out.name, path, channels)
    return card, list(importer.faults.values())


def _is_object(loose: LooseObject) -> bool:
    """Whether there is more than passes, of which an archive may hold a tree of its own, apart from the images."""
    return bool(loose.images or loose.latents or not loose.size)


@dataclass
class _Importer:
    """An import under way."""

    root: Path
    shape: Shape
    lists: Lists
    strict: bool
    objects_per_shard: int
    faults: dict[ObjectName, Failure] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.placed, self.classes = self.lists.placed, self.lists.classes
        self.seen: set[ObjectName] = set()
        self.vote = ChannelVote()
        self.packers = {split: _Packer(self.root, split, self.shape, self.objects_per_shard) for split in SPLITS}

    def add(self, loose: LooseObject) -> None:
        """Take one object, or note why not."""
        try:
            split = self._find_split(loose.name)
            jpegs, latents, passes = self._check(loose)
        except Fault as fault:
            return self._note(loose.name, str(fault))
        self.seen.add(loose.name)
        self.packers[split].add(loose.name, self.classes[loose.name[0]].label, jpegs, latents, passes)

    def finish(self, name: str, path: Path, channels: Channels) -> DatasetCard:
        """Write what is left, the tables and the card."""
        for missing in sorted(self.placed.keys() - self.seen - self.faults.keys()):
            self._note(missing, ABSENT)
        parts = [part for packer in self.packers.values() for part in packer.finish()]
        if not parts:
            reason = next((fault.reason for fault in self.faults.values()), "it is empty")
            raise IebenchError(f"{path} holds no whole object: {reason}.")
        order, measured = self.vote.result()
        card = DatasetCard(
            name=name,
            space=cover_latents(np.concatenate([part.latents for part in parts])),
            seed=None,
            image_size=self.shape.image_size,
            num_views=self.shape.num_views,
            quality="imported",
            passes=self.shape.passes,
            source={"kind": "imported", "from": path.name, "lists": sorted(self.lists.splits), "channels": measured},
            classes=self._name_classes(),
            channels=order if channels == "auto" else channels,
            made={"iebench": __version__},
        )
        return finish_dataset(self.root, card, parts, list(self.faults.values()))

    def _name_classes(self) -> tuple[ObjectClass, ...]:
        """The classes for the card; none where all are the benchmark's, which a reader knows."""
        present = {self.classes[synset] for synset, _ in self.seen}
        return () if present <= set(CLASSES) else tuple(sorted(present))

    def _find_split(self, name: ObjectName) -> str:
        for part in name:
            if fault := name_fault(part):
                raise Fault(f"its name {printable(part)} cannot be used, {fault}")
        if name in self.seen or name in self.faults:
            raise Fault("its files stand far apart in the archive")
        if not self.lists.splits:
            if name[0] not in self.classes:
                raise Fault("its class is none of the 55")
            return "train" if object_fraction(name, "split") < TRAIN_FRACTION else "val"
        if name not in self.placed:
            raise Fault("it is in no list")
        return self.placed[name]

    def _check(self, loose: LooseObject) -> tuple[list[bytes], Float[ndarray, "views factors"], list[dict[str, bytes]]]:
        for kind in ("image", "latent", *self.shape.passes):
            files = loose.files[kind]
            if missing := sorted(set(range(self.shape.num_views)) - set(files)):
                raise Fault(f"{kind} {missing[0]} is missing" + f" and {len(missing) - 1} more" * (len(missing) > 1))
            if len(files) > self.shape.num_views:
                raise Fault(f"it has {len(files)} files of kind {kind}, and the others have {self.shape.num_views}")
        latents = np.stack([self._check_latents(view, loose.latents[view]) for view in range(self.shape.num_views)])
        jpegs = [loose.images[view] for view in range(self.shape.num_views)]
        for view, jpeg in enumerate(jpegs):
            self._check_jpeg(view, jpeg, latents[view])
        return jpegs, latents, [self._check_passes(view, loose) for view in range(self.shape.num_views)]

    def _check_latents(self, view: int, content: bytes) -> Float[ndarray, " factors"]:
        try:
            latents = parse_latents(content)
        except Exception as error:  # numpy's header parser fails in many ways on damaged bytes
            raise Fault(f"latent {view} is damaged ({error})") from None
        if len(latents) != self.shape.num_factors:
            raise Fault(f"latent {view} has {len(latents)} numbers and not {self.shape.num_factors}")
        return latents

    def _check_jpeg(self, view: int, jpeg: bytes, latents: Float[ndarray, " factors"]) -> None:
        try:
            image = decode_jpeg(jpeg, self.shape.image_size)
        except ValueError as error:
            raise Fault(f"image {view} is damaged ({error})") from None
        if view == 0 and not self.vote.done:
            self.vote.add(image, latents[get_space("3diebench").names.index("floor_hue")])

    def _check_passes(self, view: int, loose: LooseObject) -> dict[str, bytes]:
        pngs = {name: loose.files[name][view] for name in self.shape.passes}
        for name, png in pngs.items():
            try:
                decode_pass(name, png, self.shape.image_size)
            except ValueError as error:
                raise Fault(f"{name} {view} is damaged ({error})") from None
        return pngs

    def _note(self, name: ObjectName, reason: str) -> None:
        synset, object_id = map(printable, name)
        if self.strict:
            raise IebenchError(f"{synset}/{object_id}: {reason}; without --strict such objects are left out and named.")
        self.faults[name] = Failure(synset, object_id, reason, 1, "")


class _Packer:
    """Collects the objects of one split and writes a shard whenever enough are there."""

    def __init__(self, root: Path, split: str, shape: Shape, objects_per_shard: int) -> None:
        self._root, self._split, self._shape, self._enough = root, split, shape, objects_per_shard
        self._parts: list[ShardTables] = []
        self._waiting: list[tuple[ObjectRow, bytes, ndarray]] = []

    def add(
        self,
        name: ObjectName,
        label: int,
        jpegs: list[bytes],
        latents: Float[ndarray, "views factors"],
        passes: list[dict[str, bytes]],
    ) -> None:
        synset, object_id = name
        row = ObjectRow(self._split, synset, label, object_id, shard_name(self._split, len(self._parts)))
        self._waiting.append((row, pack_sample(synset, object_id, label, jpegs, latents, passes), latents))
        if len(self._waiting) == self._enough:
            self._write()

    def finish(self) -> list[ShardTables]:
        if self._waiting:
            self._write()
        return self._parts

    def _write(self) -> None:
        rows, samples, latents = zip(*self._waiting, strict=True)
        write_shard(self._root / rows[0].shard, samples)
        located = [locate_images(sample, self._shape.num_views, self._shape.passes) for sample in samples]
        views, passes = (
            place_samples([len(sample) for sample in samples], list(images)) for images in zip(*located, strict=True)
        )
        self._parts.append(ShardTables(list(rows), np.stack(latents), views, passes=passes))
        self._waiting.clear()


def cover_latents(latents: Float[ndarray, "objects views factors"]) -> FactorSpace:
    """The factor space of given latents: the published one, with the range of a factor widened where the latents leave it.

    Angles a hair outside by rounding are not taken for a wider range.
    """
    space = get_space(SPACE_OF_LENGTH[latents.shape[-1]])
    for factor, low, high in find_outside(space, latents):
        space = space.with_factor(replace(factor, low=float(min(low, factor.low)), high=float(max(high, factor.high))))
    return space


def find_outside(
    space: FactorSpace, latents: Float[ndarray, "objects views factors"]
) -> Iterator[tuple[Factor, float, float]]:
    """The factors whose range the latents leave by more than rounding, each with its least and its greatest value."""
    for factor, low, high in zip(space.factors, latents.min(axis=(0, 1)), latents.max(axis=(0, 1)), strict=True):
        if low < factor.low - ROUNDING or high > factor.high + ROUNDING:
            yield factor, float(low), float(high)


@dataclass(frozen=True)
class _Layout:
    """What is imported: lists, objects, their number where it is known, and which part of them was read where that is known."""

    lists: Lists
    objects: Iterator[LooseObject]
    total: int | None = None
    share: Callable[[], float | None] = lambda: None


def _open_layout(path: Path, lists: Path | None) -> _Layout:
    if path.is_dir():
        folder = open_folder(path)
        found = read_lists(lists) if lists else find_lists(path, folder.root)
        names = order_objects(folder, found)
        return _Layout(found, read_folder(folder.root, names), len(names))
    if path.is_file():
        found = read_lists(lists or path.parent)
        archive = LayoutArchive(path, bool(found.splits))
        return _Layout(found, archive.read(), share=lambda: archive.share)
    raise UsageError(f"There is nothing at {path}: give the folder or the archive of the published layout.")
