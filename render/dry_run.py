"""What a render will take, measured: a few objects are rendered in real workers, and nothing of it is kept.

Time is not proportional to views, as every object has to be read first. So a worker tells after which time each view was
finished: the first of an object brings along what the object takes, those after it tell what a view takes. Objects differ: they
are drawn from all over the job until the mean of what they take is known well enough. All workers render at the same time.
"""

import itertools
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from iebench.dataset.shards import locate_images
from iebench.dataset.splits import SPLITS, ObjectName
from iebench.dataset.writer import Failure
from iebench.render.farm import count_objects
from iebench.render.job import RenderJob
from iebench.render.scratch import scratch_folder
from iebench.render.worker import Task, WorkerSettings
from iebench.render.worker_process import Limits, SupervisedWorker

VIEWS = 2  # of each object of the sample
FEWEST, MOST = 5, 24  # objects of the sample
ENOUGH = 0.07  # standard error of the mean, as a part of it, with which no more objects are drawn
GOLDEN = (5**0.5 - 1) / 2  # whose multiples fall evenly into [0, 1), however many there are


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
        error: standard error of what an object with all its views takes, as a part of it; None of a single object.
    """

    start: Cost
    object: Cost
    view: Cost
    objects: int
    views: int
    error: float | None


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
    objects = count_objects(job)
    with _start_workers(settings[:objects], limits) as workers:
        measured = _measure(job, workers)
    views = objects * job.num_views
    total = None if measured is None else _sum_up(measured, objects, views)
    existing = next(path for path in out.absolute().parents if path.exists())
    free = shutil.disk_usage(existing).free
    return Estimate(objects, views, total, free, len(settings), measured, tuple(workers.failures))


def _sum_up(measured: Measurement, objects: int, views: int) -> Cost:
    times = ((measured.start, 1), (measured.object, objects), (measured.view, views))
    return Cost(sum(cost.seconds * n for cost, n in times), sum(cost.bytes * n for cost, n in times))


Sample = tuple[Cost, Cost]  # what an object costs beside its views, and what a view costs


class _Workers:
    """Workers that render at the same time, each an object of its own."""

    def __init__(self, workers: list[SupervisedWorker], threads: ThreadPoolExecutor, scratch: Path) -> None:
        self._workers, self._threads = workers, threads
        self._outs = [scratch / f"{number}.tar" for number in range(len(workers))]
        self.failures: list[Failure] = []

    def __len__(self) -> int:
        return len(self._workers)

    def render(self, job: RenderJob, names: Sequence[ObjectName], num_views: int) -> list[Sample]:
        """What objects cost, not more than there are workers, without those that cannot be rendered."""
        tasks = [
            Task(*name, job.label_of(name[0]), job.latents_of(name)[:num_views].tolist(), str(out))
            for name, out in zip(names, self._outs, strict=False)
        ]
        failures = list(self._threads.map(SupervisedWorker.render, self._workers, tasks))
        self.failures += dict.fromkeys(failure for failure in failures if failure is not None)
        done = zip(self._workers, self._outs, failures, strict=False)
        return [_divide(worker.seconds, out.read_bytes(), job) for worker, out, failure in done if failure is None]


@contextmanager
def _start_workers(settings: Sequence[WorkerSettings], limits: Limits) -> Iterator[_Workers]:
    with scratch_folder() as scratch, ExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(len(settings)))
        workers = [SupervisedWorker(one, limits, scratch) for one in settings]
        for worker in workers:
            stack.callback(worker.shut)  # before the threads are waited for, which wait for the workers
        yield _Workers(workers, threads, scratch)


def _measure(job: RenderJob, workers: _Workers) -> Measurement | None:
    names = list(_draw([name for shard in job.shards() for name in shard.objects]))
    start = time.monotonic()
    good = next(
        (index for index, name in enumerate(names) if workers.render(job, [name] * len(workers), 1)), len(names)
    )
    started = Cost(time.monotonic() - start, 0)  # Blender has started, and Cycles loaded its kernels
    samples: list[Sample] = []
    for low in range(good, len(names), len(workers)):
        samples += workers.render(job, names[low : low + len(workers)], min(job.num_views, VIEWS))
        error = _find_error(samples, job.num_views)
        if len(samples) >= FEWEST and error is not None and error <= ENOUGH:
            break
    if not samples:
        return None
    beside, view = (_average(costs, len(workers)) for costs in zip(*samples, strict=True))
    return Measurement(started, beside, view, len(samples), min(job.num_views, VIEWS), error)


def _draw(names: Sequence[ObjectName]) -> Iterable[ObjectName]:
    """Some objects, of which any first ones come from all over the job."""
    places = dict.fromkeys(int(number * GOLDEN % 1 * len(names)) for number in range(4 * MOST))
    return (names[place] for place in itertools.islice(places, MOST))


def _divide(ends: Sequence[float], sample: bytes, job: RenderJob) -> Sample:
    """What an object costs beside its views, and what a view costs.

    Args:
        ends: seconds after which each view, and the whole, was finished.
        sample: the object with these views.
        job: of which it is.
    """
    views = len(ends) - 1
    located = locate_images(sample, views, job.passes)
    lengths = np.concatenate([located.views[:, 1], located.passes[..., 1].ravel()])
    length = float((512 + -(-lengths // 512) * 512).sum()) / views  # a tar's blocks, one of them the header
    seconds = (ends[-2] - ends[0]) / (views - 1) if views > 1 else ends[-1]
    return Cost(max(ends[-1] - views * seconds, 0), max(len(sample) - views * length, 0)), Cost(seconds, length)


def _average(costs: Sequence[Cost], workers: int) -> Cost:
    """The mean, of which so many workers take a part each."""
    return Cost(
        float(np.mean([cost.seconds for cost in costs])) / workers, float(np.mean([cost.bytes for cost in costs]))
    )


def _find_error(samples: Sequence[Sample], num_views: int) -> float | None:
    """The standard error of what an object with so many views takes, as a part of it; None of a single object."""
    seconds = [beside.seconds + num_views * view.seconds for beside, view in samples]
    return float(np.std(seconds, ddof=1) / len(seconds) ** 0.5 / np.mean(seconds)) if len(seconds) > 1 else None


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
        f"{measured.object.seconds:.2f} s an object, {measured.view.seconds:.3f} s and {_tell_bytes(measured.view.bytes)} a view"
        f"{_tell_error(measured)}."
    )
    if total.bytes > estimate.free_bytes:
        told.append(
            f"The disk is too small: free {_tell_bytes(total.bytes - estimate.free_bytes)}, or choose another --out."
        )
    return told


def _tell_error(measured: Measurement) -> str:
    """How sure it is, where more than one object tells."""
    return "" if measured.error is None else f"; objects differ so that it may be {2 * measured.error:.0%} more or less"


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
