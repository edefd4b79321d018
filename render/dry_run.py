"""What a render will take, measured: a few objects are rendered in real workers, and nothing of it is kept.

Time is not proportional to views, as every object has to be read first. So each object of the sample is rendered twice, with one
view and with some more: the difference is the views', the rest the object's. All workers render at the same time, as they will.
"""

import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from iebench.dataset.splits import SPLITS, ObjectName
from iebench.dataset.writer import Failure
from iebench.render.farm import count_objects
from iebench.render.job import RenderJob
from iebench.render.scratch import scratch_folder
from iebench.render.worker import Task, WorkerSettings
from iebench.render.worker_process import Limits, SupervisedWorker

SAMPLE = 3  # objects that are measured
TRIED = 8  # objects that are tried, as some may fail
MORE_VIEWS = 8


@dataclass(frozen=True)
class Cost:
    """Seconds over all workers together, and bytes of the dataset."""

    seconds: float
    bytes: float


@dataclass(frozen=True)
class Measurement:
    """What was measured.

    Attributes:
        start: of the workers, with a first view.
        object: what an object costs beside its views.
        view: what a view costs.
        objects: that were rendered.
        views: of each of them.
    """

    start: Cost
    object: Cost
    view: Cost
    objects: int
    views: int


@dataclass(frozen=True)
class Estimate:
    """What a render, or this part of it, will take.

    Attributes:
        objects: of this part.
        views: of this part.
        total: None where not one object of the sample could be rendered.
        free_bytes: on the disk of the dataset.
        workers: that render.
        measured: behind the numbers.
        failures: objects of the sample that could not be rendered.
    """

    objects: int
    views: int
    total: Cost | None
    free_bytes: int
    workers: int
    measured: Measurement | None
    failures: tuple[Failure, ...]


def estimate_render(job: RenderJob, settings: Sequence[WorkerSettings], limits: Limits, out: Path) -> Estimate:
    """Measure a few objects of a job, and say what all of them will take.

    Args:
        job: that would be rendered.
        settings: one for each worker.
        limits: of each worker.
        out: the dataset, which need not exist.

    Raises:
        FarmError: no worker can start.
    """
    with _start_workers(settings, limits) as workers:
        measured = _measure(job, workers)
    objects = count_objects(job)
    views = objects * job.num_views
    total = None if measured is None else _sum_up(measured, objects, views)
    existing = next(path for path in out.absolute().parents if path.exists())
    free = shutil.disk_usage(existing).free
    return Estimate(objects, views, total, free, len(settings), measured, tuple(workers.failures))


def _sum_up(measured: Measurement, objects: int, views: int) -> Cost:
    times = ((measured.start, 1), (measured.object, objects), (measured.view, views))
    return Cost(sum(cost.seconds * n for cost, n in times), sum(cost.bytes * n for cost, n in times))


class _Workers:
    """Workers that render the same object at the same time, each for itself."""

    def __init__(self, workers: list[SupervisedWorker], threads: ThreadPoolExecutor, scratch: Path) -> None:
        self._workers, self._threads = workers, threads
        self._outs = [scratch / f"{number}.tar" for number in range(len(workers))]
        self.failures: list[Failure] = []

    def render(self, job: RenderJob, name: ObjectName, num_views: int) -> Cost | None:
        """What an object with so many of its views costs; None where it cannot be rendered."""
        latents = job.latents_of(name)[:num_views].tolist()
        tasks = [Task(*name, job.label_of(name[0]), latents, str(out)) for out in self._outs]
        start = time.monotonic()
        failures = list(filter(None, self._threads.map(SupervisedWorker.render, self._workers, tasks)))
        seconds = (time.monotonic() - start) / len(self._workers)
        self.failures += failures[:1]
        return None if failures else Cost(seconds, self._outs[0].stat().st_size)


@contextmanager
def _start_workers(settings: Sequence[WorkerSettings], limits: Limits) -> Iterator[_Workers]:
    with scratch_folder() as scratch, ExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(len(settings)))
        workers = [SupervisedWorker(one, limits, scratch) for one in settings]
        for worker in workers:
            stack.callback(worker.shut)  # before the threads are waited for, which wait for the workers
        yield _Workers(workers, threads, scratch)


def _measure(job: RenderJob, workers: _Workers) -> Measurement | None:
    names = [name for shard in job.shards() for name in shard.objects]
    tried = names[:: max(len(names) // TRIED, 1)][:TRIED]
    start = time.monotonic()
    good = next((index for index, name in enumerate(tried) if workers.render(job, name, 1)), len(tried))
    started = Cost(time.monotonic() - start, 0)  # Blender has started, and Cycles loaded its kernels
    more = min(job.num_views, MORE_VIEWS)
    pairs: list[tuple[Cost, Cost]] = []
    for name in tried[good:]:
        one, many = (workers.render(job, name, number) for number in (1, more))
        if one and many:
            pairs.append((one, many))
        if len(pairs) == SAMPLE:
            break
    return Measurement(started, *_divide(pairs, more), len(pairs), more) if pairs else None


def _divide(pairs: Sequence[tuple[Cost, Cost]], more: int) -> tuple[Cost, Cost]:
    """What an object costs beside its views, and what a view costs, from objects with one view and with more."""
    costs = [[(cost.seconds, cost.bytes) for cost in pair] for pair in pairs]
    one, many = np.mean(costs, axis=0)
    view = np.maximum(many - one, 0) / (more - 1) if more > 1 else many
    beside = np.maximum(one - view, 0)
    return Cost(*beside.tolist()), Cost(*view.tolist())


def tell_classes(job: RenderJob) -> list[str]:
    """A table of the classes with their numbers of objects, a line each."""
    counts = {entry.synset: dict.fromkeys(SPLITS, 0) for entry in job.classes}
    for split, names in job.splits.items():
        for synset, _ in names:
            counts[synset][split] += 1
    lines = [_tell_row("label", *SPLITS, "class")]
    for entry in sorted(job.classes):
        name = entry.name if entry.name == entry.synset else f"{entry.name} ({entry.synset})"
        lines.append(_tell_row(entry.label, *counts[entry.synset].values(), name))
    return lines


def _tell_row(*cells: object) -> str:
    label, train, val, name = cells
    return f"{label:>5}  {train:>7}  {val:>7}  {name}"


def tell_estimate(estimate: Estimate, out: Path) -> list[str]:
    """The estimate in sentences, with how it was measured."""
    told = [f"Cannot be rendered: {'/'.join(f.object_name)}: {f.reason}." for f in estimate.failures[:10]]
    total, measured = estimate.total, estimate.measured
    if total is None or measured is None:
        return [*told, "Time and disk cannot be told, as not one of the objects that were tried can be rendered."]
    workers = f"{estimate.workers} worker{'s' * (estimate.workers > 1)}"
    told.append(
        f"{estimate.views} images of {estimate.objects} objects will take about {_tell_time(total.seconds)} with {workers} and "
        f"{_tell_bytes(total.bytes)} of the {_tell_bytes(estimate.free_bytes)} that are free for {out}."
    )
    told.append(
        f"Measured with {measured.objects} objects of {measured.views} views: {measured.start.seconds:.1f} s to start, "
        f"{measured.object.seconds:.2f} s an object, {measured.view.seconds:.3f} s and {_tell_bytes(measured.view.bytes)} a view."
    )
    if total.bytes > estimate.free_bytes:
        told.append(
            f"The disk is too small: free {_tell_bytes(total.bytes - estimate.free_bytes)}, or choose another --out."
        )
    return told


def _tell_time(seconds: float) -> str:
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} seconds"


def _tell_bytes(count: float) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count:.0f} bytes"
