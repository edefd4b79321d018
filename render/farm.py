"""The farm: turns a job into a dataset, and survives whatever happens on the way.

While it works, the dataset grows in a folder beside OUT, OUT.partial; `iebench.render.farm_state` tells what is there.
"""

import platform
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from iebench.dataset.card import CARD, DatasetCard
from iebench.dataset.reader import Dataset
from iebench.dataset.splits import ObjectName
from iebench.dataset.writer import FAILURES, Failure, finish_dataset, read_failures
from iebench.errors import IebenchError, UsageError
from iebench.files import sync
from iebench.growing import claim, partial_root
from iebench.locks import locked
from iebench.render.engines import Outcome
from iebench.render.farm_state import STATE, FarmState, reopen
from iebench.render.job import RenderJob, check_same_job, first_difference
from iebench.render.worker import Task
from iebench.version import __version__

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
            reopen(out, partial, failures)
        claim(partial, "render")
        check_same_job(partial / STATE / "job.json", job)
        state = FarmState(partial, job)
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


def _render_missing(state: FarmState, engine: Engine, watch: Watch | None) -> int:
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


def _task(state: FarmState, name: ObjectName) -> Task:
    latents = state.job.latents_of(name).tolist()
    return Task(*name, state.job.label_of(name[0]), latents, str(state.sample(name).absolute()))


def _finish(state: FarmState) -> None:
    job = state.job
    parts = [state.read_tables(shard) for shard in state.shards if (state.root / shard.name).exists()]
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


def _tell_none(failures: Sequence[Failure], folder: Path) -> str:
    """Why a dataset would be empty."""
    first = failures[0]
    others = f", nor {len(failures) - 1} others" if len(failures) > 1 else ""
    named = f"not {'/'.join(first.object_name)} ({first.reason}){others}"
    return f"Not one object could be rendered: {named}; {folder} has all reasons."


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


def _summarise(out: Path, fresh: int) -> Summary:
    dataset = Dataset(out)
    views = dataset.num_objects * dataset.num_views
    return Summary(out, dataset.num_objects, views, read_failures(out / FAILURES), dataset.num_lost, fresh)
