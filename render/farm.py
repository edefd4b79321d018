"""The farm: turns a job into a dataset, and survives whatever happens on the way.

While it works, the dataset grows in a folder beside OUT, OUT.partial. Below `.render/` lie the settings that it was
begun with, one sample for every object that is done, a note of what it lost of its appearance where it lost something, and one
note for every object that failed. When all objects of a shard
are accounted for, their samples become the shard. Every file appears by rename, so at any moment what is there is whole, and
going on means to look what is missing.
"""

import json
import platform
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from iebench.dataset.appearance import APPEARANCE, Lost, LostRow, read_lost, read_note, write_note
from iebench.dataset.card import CARD, DatasetCard
from iebench.dataset.reader import Dataset
from iebench.dataset.shards import locate_images, read_sample, sample_file, sample_name, split_shard, write_shard
from iebench.dataset.splits import ObjectName
from iebench.dataset.writer import (
    FAILURES,
    Failure,
    ObjectRow,
    ShardTables,
    finish_dataset,
    place_samples,
    read_failures,
)
from iebench.errors import IebenchError, UsageError
from iebench.files import sync, write_whole
from iebench.growing import claim, partial_root
from iebench.locks import locked
from iebench.render.engines import Outcome
from iebench.render.job import RenderJob, Shard, check_same_job, first_difference
from iebench.render.worker import Task
from iebench.untrusted import read_json, refusals
from iebench.version import __version__

STATE = ".render"
Engine = Callable[[Sequence[Task]], Iterator[Outcome]]
Watch = Callable[[Outcome], None]


@dataclass(frozen=True)
class Summary:
    """How a render ended.

    Attributes:
        objects: in the dataset.
        views: in the dataset.
        failures: objects that are not in it.
        lost: objects that have lost something of their appearance.
        fresh: objects rendered by this call, the others having been there already.
    """

    root: Path
    objects: int
    views: int
    failures: list[Failure]
    lost: int
    fresh: int

    @property
    def failed_fraction(self) -> float:
        """Failed objects as a part of all."""
        return len(self.failures) / max(self.objects + len(self.failures), 1)


def render_dataset(
    job: RenderJob, out: Path, engine: Engine, retry_failed: bool = False, watch: Watch | None = None
) -> Summary:
    """Render a job into the folder `out`, or go on where an earlier call was interrupted.

    Args:
        job: what to render.
        out: the dataset's folder; it appears when the dataset is complete.
        engine: who renders.
        retry_failed: try the objects again that failed before.
        watch: called with every outcome.

    Raises:
        UsageError: `out` holds something else, or was begun with another setting, or is in use.
        FarmError: no worker can go on.
    """
    if out.is_symlink() and not out.exists():
        raise UsageError(f"--out {out} is a link that leads nowhere: remove it, or choose another folder.")
    if out.exists() and not _find_work(job, out, retry_failed):
        return _summarise(out, fresh=0)
    partial = partial_root(out)
    with locked(out, "render"):
        if out.exists():
            if not (failures := _find_work(job, out, retry_failed)):
                return _summarise(out, fresh=0)
            _reopen(out, partial, failures)
        claim(partial, "render")
        check_same_job(partial / STATE / "job.json", job)
        state = _State(partial, job)
        if retry_failed:
            state.forget_failures()
        fresh = _render_missing(state, engine, watch)
        _finish(state)
        sync(partial)
        partial.rename(out)
        sync(out.parent)
        shutil.rmtree(out / STATE, ignore_errors=True)  # else the next call does
    return _summarise(out, fresh)


def count_objects(job: RenderJob) -> int:
    """Objects of this part of the job."""
    return sum(len(shard.objects) for shard in job.shards())


class _State:
    """What is done and what is missing in a dataset under way."""

    def __init__(self, root: Path, job: RenderJob) -> None:
        self.root, self.job, self.shards = root, job, job.shards()
        self.samples, self.failed = root / STATE / "samples", root / STATE / "failed"
        for folder in (self.samples, self.failed):
            folder.mkdir(exist_ok=True)
        for path in self.samples.glob("*.partial"):
            path.unlink()
        self.about: dict[str, str] = self._read_about()

    def sample(self, name: ObjectName) -> Path:
        return _sample_path(self.root, name)

    def note(self, name: ObjectName) -> Path:
        return _failure_path(self.root, name)

    def missing(self, shard: Shard) -> list[ObjectName]:
        """Objects of a shard of which nothing is known yet; a sample cut short by a power failure counts as missing."""
        if (self.root / shard.name).exists():
            return []
        return [
            name for name in shard.objects if not self.note(name).exists() and not self._is_whole(self.sample(name))
        ]

    def fail(self, failure: Failure) -> None:
        _write_json(self.note(failure.object_name), asdict(failure))

    def failures(self) -> list[Failure]:
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


def _render_missing(state: _State, engine: Engine, watch: Watch | None) -> int:
    missing = {shard.name: set(state.missing(shard)) for shard in state.shards}
    shard_of = {name: shard for shard in state.shards for name in shard.objects}
    for shard in state.shards:
        if not missing[shard.name]:
            state.assemble(shard)
    tasks = [_task(state, name) for shard in state.shards for name in shard.objects if name in missing[shard.name]]
    if not tasks:
        return 0
    for outcome in engine(tasks):
        name = (outcome.task.synset, outcome.task.object_id)
        state.remember(outcome)
        if outcome.failure is not None:
            state.fail(outcome.failure)
        if watch is not None:
            watch(outcome)
        shard = shard_of[name]
        missing[shard.name].discard(name)
        if not missing[shard.name]:
            state.assemble(shard)
    return len(tasks)


def _task(state: _State, name: ObjectName) -> Task:
    latents = state.job.latents_of(name).tolist()
    return Task(*name, state.job.label_of(name[0]), latents, str(state.sample(name).absolute()))


def _finish(state: _State) -> None:
    job = state.job
    parts = [_read_part(state, shard) for shard in state.shards if (state.root / shard.name).exists()]
    if not parts:
        raise IebenchError(_tell_none(state.failures(), state.failed))
    present = {row.synset for part in parts for row in part.rows}
    card = DatasetCard(
        name=job.preset.dataset_name if job.preset else _name_dataset(job),
        space=job.covering_space,
        seed=None if job.given_latents or job.sweep else job.seed,
        image_size=job.image_size,
        num_views=job.num_views,
        quality=job.quality.name,
        focal_length=job.focal_length,
        preset=job.preset,
        design=job.design,
        passes=job.passes,
        source=job.about_objects,
        settings=job.settings(),
        classes=tuple(entry for entry in job.classes if entry.synset in present),
        made={"iebench": __version__, "machine": platform.machine(), **state.about},
    )
    refused = job.refused if job.part[0] == 1 else ()  # once, where parts are merged
    finish_dataset(state.root, card, parts, [*state.failures(), *refused])


def _name_dataset(job: RenderJob) -> str:
    parts = [job.space.name, job.about_objects["kind"]]
    return "-".join(parts if job.design is None else [*parts, job.design.kind])


def _release(version: str) -> list[str]:
    """The part of Blender's version within which pictures stay the same: 4.5 of "4.5.15 LTS"."""
    return version.split(".")[:2]


def _sample_path(root: Path, name: ObjectName) -> Path:
    return root / STATE / "samples" / f"{sample_file(*name)}.tar"


def _failure_path(root: Path, name: ObjectName) -> Path:
    return root / STATE / "failed" / f"{sample_file(*name)}.json"


def _tell_none(failures: Sequence[Failure], folder: Path) -> str:
    """Why a dataset would be empty."""
    first = failures[0]
    others = f", nor {len(failures) - 1} others" if len(failures) > 1 else ""
    named = f"not {'/'.join(first.object_name)} ({first.reason}){others}"
    return f"Not one object could be rendered: {named}; {folder} has all reasons."


def _read_part(state: _State, shard: Shard) -> ShardTables:
    """Tables of a finished shard, read from the shard itself."""
    samples = [sample for _, sample in split_shard(state.root / shard.name)]
    read = [read_sample(sample, state.job.num_views, state.job.passes) for sample in samples]
    names = [name for name, _ in read]
    rows = [
        ObjectRow(shard.split, synset, state.job.label_of(synset), object_id, shard.name) for synset, object_id in names
    ]
    lost = tuple(LostRow(*name, *entry) for name in names for entry in read_note(state.sample(name)))
    sizes, located = [len(sample) for sample in samples], [located for _, located in read]
    offsets = place_samples(sizes, [images.views for images in located])
    passes = place_samples(sizes, [images.passes for images in located])
    return ShardTables(rows, np.stack([state.job.latents_of(name) for name in names]), offsets, lost, passes)


def _find_work(job: RenderJob, out: Path, retry_failed: bool) -> list[Failure]:
    """Failures of a finished dataset that have to be tried again.

    Raises:
        UsageError: it is not a dataset, or another one.
    """
    if not (out / CARD).exists():
        raise UsageError(f"--out {out} exists and is no dataset: choose a folder that does not exist yet.")
    card = DatasetCard.read(out)
    difference = first_difference(card.settings, job.settings())
    if difference:
        raise UsageError(
            f"--out {out} holds another dataset ({difference}): choose another --out, or remove that folder."
        )
    refused = {failure.object_name for failure in job.refused}  # whom no retry mends, and `_finish` lists
    failures = [failure for failure in read_failures(out / FAILURES) if failure.object_name not in refused]
    if not (retry_failed and failures):
        shutil.rmtree(out / STATE, ignore_errors=True)
        return []
    return failures


def _reopen(out: Path, partial: Path, failures: Sequence[Failure]) -> None:
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


def _summarise(out: Path, fresh: int) -> Summary:
    dataset = Dataset(out)
    views = dataset.num_objects * dataset.num_views
    return Summary(out, dataset.num_objects, views, read_failures(out / FAILURES), dataset.num_lost, fresh)


def _read_failure(path: Path) -> Failure:
    with refusals(path, "remove it, and its object is rendered again"):
        return Failure(**read_json(path))


def _write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(value))
