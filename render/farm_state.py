"""What is done and what is missing in a dataset under way.

Below its `.render/` lie the settings that it was begun with, one sample for every object that is done, a note of what it lost of
its appearance where it lost something, and one note for every object that failed. When all objects of a shard are accounted
for, their samples become the shard. Every file appears by rename, so at any moment what is there is whole, and going on means
to look what is missing.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from iebench.dataset.appearance import APPEARANCE, Lost, LostRow, read_lost, read_note, write_note
from iebench.dataset.card import DatasetCard
from iebench.dataset.shards import locate_images, read_sample, sample_file, sample_name, split_shard, write_shard
from iebench.dataset.splits import ObjectName
from iebench.dataset.writer import Failure, ObjectRow, ShardTables, place_samples
from iebench.errors import UsageError
from iebench.files import write_whole
from iebench.render.engines import Outcome
from iebench.render.job import RenderJob, Shard
from iebench.untrusted import read_json, refusals

STATE = ".render"


class FarmState:
    """What is done and what is missing in a dataset under way.

    Attributes:
        root: folder of the dataset under way.
        job: what it shall be.
        shards: of the job.
        failed: folder of the notes of failed objects.
        about: which Blender and device have rendered it.
    """

    def __init__(self, root: Path, job: RenderJob) -> None:
        self.root, self.job, self.shards = root, job, job.shards()
        self.samples, self.failed = root / STATE / "samples", root / STATE / "failed"
        for folder in (self.samples, self.failed):
            folder.mkdir(exist_ok=True)
        for path in self.samples.glob("*.partial"):
            path.unlink()
        self.about: dict[str, str] = self._read_about()

    def sample(self, name: ObjectName) -> Path:
        """Path of an object's sample."""
        return _sample_path(self.root, name)

    def note(self, name: ObjectName) -> Path:
        """Path of the note that an object has failed."""
        return _failure_path(self.root, name)

    def missing(self, shard: Shard) -> list[ObjectName]:
        """Objects of a shard of which nothing is known yet; a sample cut short by a power failure counts as missing."""
        if (self.root / shard.name).exists():
            return []
        return [
            name for name in shard.objects if not self.note(name).exists() and not self._is_whole(self.sample(name))
        ]

    def fail(self, failure: Failure) -> None:
        """Note that an object has failed."""
        _write_json(self.note(failure.object_name), asdict(failure))

    def failures(self) -> list[Failure]:
        """Objects that have failed."""
        return [_read_failure(path) for path in sorted(self.failed.glob("*.json"))]

    def forget_failures(self) -> None:
        """Have failed objects rendered again: their shards turn back into samples."""
        failed = {failure.object_name for failure in self.failures()}
        for shard in self.shards:
            if failed & set(shard.objects) and (self.root / shard.name).exists():
                for _, sample in split_shard(self.root / shard.name):
                    self.sample(sample_name(sample)).write_bytes(sample)
                (self.root / shard.name).unlink()
        for names in failed:
            self.note(names).unlink(missing_ok=True)

    def assemble(self, shard: Shard) -> None:
        """Make a shard of its samples. A shard whose objects all failed is left out."""
        paths = [self.sample(name) for name in shard.objects if self.sample(name).exists()]
        if paths and not (self.root / shard.name).exists():
            write_shard(self.root / shard.name, (path.read_bytes() for path in paths))
        for path in paths:
            path.unlink()

    def read_tables(self, shard: Shard) -> ShardTables:
        """Tables of a finished shard, read from the shard itself."""
        samples = [sample for _, sample in split_shard(self.root / shard.name)]
        read = [read_sample(sample, self.job.num_views, self.job.passes) for sample in samples]
        names = [name for name, _ in read]
        rows = [
            ObjectRow(shard.split, synset, self.job.label_of(synset), object_id, shard.name)
            for synset, object_id in names
        ]
        lost = tuple(LostRow(*name, *entry) for name in names for entry in read_note(self.sample(name)))
        sizes, located = [len(sample) for sample in samples], [located for _, located in read]
        offsets = place_samples(sizes, [images.views for images in located])
        passes = place_samples(sizes, [images.passes for images in located])
        return ShardTables(rows, np.stack([self.job.latents_of(name) for name in names]), offsets, lost, passes)

    def remember(self, outcome: Outcome) -> None:
        """Note which Blender and device the workers have.

        Raises:
            UsageError: another Blender has rendered what is there; its pictures would differ, and this one's is dropped.
        """
        about = outcome.about
        before, now = self.about.get("blender"), about.get("blender")
        if before and now and _release(before) != _release(now):
            self.sample((outcome.task.synset, outcome.task.object_id)).unlink(missing_ok=True)
            raise UsageError(
                f"{self.root} was begun with Blender {before}, and a worker has {now}: give --blender-python a Python with "
                "the first, or begin another --out."
            )
        if about and about != self.about:
            self.about = about
            _write_json(self.root / STATE / "about.json", about)

    def _read_about(self) -> dict[str, str]:
        path = self.root / STATE / "about.json"
        with refusals(path, "remove it"):
            return read_json(path) if path.exists() else {}

    def _is_whole(self, path: Path) -> bool:
        if not path.exists():
            return False
        try:
            locate_images(path.read_bytes(), self.job.num_views, self.job.passes)
        except ValueError:
            path.unlink()
            return False
        return True


def reopen(out: Path, partial: Path, failures: Sequence[Failure]) -> None:
    """Turn a finished dataset back into one under way, of which some objects have failed.

    Raises:
        UsageError: there is one under way already.
    """
    if partial.exists():
        raise UsageError(f"{out} is finished, and {partial} lies beside it: remove one of them.")
    for failure in failures:
        _write_json(_failure_path(out, failure.object_name), asdict(failure))
    _restore_notes(out)
    made = DatasetCard.read(out).made
    _write_json(out / STATE / "about.json", {name: made[name] for name in ("blender", "device") if name in made})
    out.rename(partial)


def _restore_notes(out: Path) -> None:
    """Note again what the objects of a finished dataset have lost."""
    lost: dict[ObjectName, list[Lost]] = {}
    for row in read_lost(out / APPEARANCE) if (out / APPEARANCE).exists() else []:
        lost.setdefault(row.object_name, []).append(Lost(row.what, row.name))
    (out / STATE / "samples").mkdir(exist_ok=True)
    for name, entries in lost.items():
        write_note(_sample_path(out, name), entries)


def _release(version: str) -> list[str]:
    """The part of Blender's version within which pictures stay the same: 4.5 of "4.5.15 LTS"."""
    return version.split(".")[:2]


def _sample_path(root: Path, name: ObjectName) -> Path:
    return root / STATE / "samples" / f"{sample_file(*name)}.tar"


def _failure_path(root: Path, name: ObjectName) -> Path:
    return root / STATE / "failed" / f"{sample_file(*name)}.json"


def _read_failure(path: Path) -> Failure:
    with refusals(path, "remove it, and its object is rendered again"):
        return Failure(**read_json(path))


def _write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(value))
