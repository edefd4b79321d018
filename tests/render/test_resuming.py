"""What a render keeps in mind between two calls, with an engine that draws instead of rendering."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from iebench.dataset.shards import pack_sample
from iebench.dataset.writer import Failure, read_failures
from iebench.errors import IebenchError
from iebench.factors.space import get_space
from iebench.files import write_whole
from iebench.render import dry_run
from iebench.render.engines import Outcome
from iebench.render.farm import render_dataset
from iebench.render.plan import plan_job
from iebench.render.quality import get_quality
from iebench.render.request import RenderRequest
from iebench.render.worker import WorkerSettings, describe_fault, encode_view, forget_scratch
from iebench.render.worker_process import Limits, SupervisedWorker

SCRATCH = Path("/dev/shm/iebench-17-abc/worker-xyz")
REFUSED = Failure("03797390", "b\\xe4d", "its id cannot be used, it is not UTF-8", 0, "")


def stop(*_):
    raise KeyboardInterrupt


def draw(tasks):
    """An engine that fails the first object."""
    for number, task in enumerate(tasks):
        jpegs = [encode_view(np.zeros((16, 16, 3), np.uint8)) for _ in task.latents]
        sample = pack_sample(task.synset, task.object_id, task.label, jpegs, np.array(task.latents))
        if number:
            write_whole(Path(task.out), sample)
        yield Outcome(task, None if number else Failure(task.synset, task.object_id, "odd", 1, ""), {})


def test_a_refused_object_is_listed_once_whatever_is_interrupted(tmp_path, monkeypatch):
    job = plan_job(RenderRequest(classes="mug", objects_per_class=3, views=1, size=16))
    job, out = replace(job, refused=(REFUSED,)), tmp_path / "out"
    render_dataset(job, out, draw)
    first = read_failures(out / "failures.csv")
    assert len(first) == 2 and REFUSED in first
    with monkeypatch.context() as patched:
        patched.setattr("iebench.render.farm_state.FarmState.forget_failures", stop)
        with pytest.raises(KeyboardInterrupt):
            render_dataset(job, out, draw, retry_failed=True)
    render_dataset(job, out, draw)
    assert read_failures(out / "failures.csv") == first


@pytest.mark.parametrize("kind", [OSError, IebenchError])
def test_a_reason_is_the_same_in_every_run(kind):
    told = [
        describe_fault(kind(f"cannot read {SCRATCH.with_name(f'worker-{run}')}/object-{run}/object.obj " + "x " * 180),
                       SCRATCH.with_name(f"worker-{run}"))
        for run in (1, 20)
    ]  # fmt: skip
    assert told[0] == told[1] and "cannot read object.obj" in told[0]
    assert forget_scratch(f"in {SCRATCH}/object-3/a.obj, {SCRATCH}/log", SCRATCH) == "in a.obj, log"


class Busy(SupervisedWorker):
    """A worker that is at its object until somebody ends it."""

    def __init__(self, *settings):
        super().__init__(*settings)
        self.ended, self.began, self.was_ended = threading.Event(), threading.Event(), False

    def render(self, task):
        self.began.set()
        self.was_ended = self.ended.wait(5)

    def shut(self):
        self.ended.set()

    close = shut


def test_a_dry_run_that_is_stopped_does_not_wait_for_its_objects(monkeypatch):
    monkeypatch.setattr(dry_run, "SupervisedWorker", Busy)
    settings = WorkerSettings("procedural", get_space("3diebench"), 16, get_quality("preview"))
    busy: list[Busy] = []

    def work():
        with dry_run._start_workers([settings], Limits()) as workers:
            busy.extend(workers._workers)
            workers._threads.submit(busy[0].render, None)
            busy[0].began.wait(5)
            stop()

    with pytest.raises(KeyboardInterrupt):
        work()
    assert busy[0].was_ended
