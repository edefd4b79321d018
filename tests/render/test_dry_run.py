"""What a dry run foretells, where it is known what every object takes."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from iebench.dataset.shards import pack_sample
from iebench.dataset.splits import ObjectName
from iebench.dataset.writer import Failure
from iebench.factors.space import get_space
from iebench.render import dry_run
from iebench.render.plan import plan_job
from iebench.render.quality import get_quality
from iebench.render.request import RenderRequest
from iebench.render.worker import Task, WorkerSettings
from iebench.render.worker_process import Limits, SupervisedWorker


def luck(name: ObjectName, what: str) -> float:
    """A number from 0 to 1 that belongs to an object."""
    return int.from_bytes(hashlib.sha256(f"{name} {what}".encode()).digest()[:4], "big") / 2**32


def seconds_of(name: ObjectName, views: int) -> list[float]:
    """After how long each view, and the whole, is finished: objects take 0.2 to 2.2 s, their views 0.1 to 0.3."""
    beside, view = 0.2 + 2 * luck(name, "object"), 0.1 + 0.2 * luck(name, "view")
    return [beside * 0.9 + view * (number + 1) for number in range(views)] + [beside + view * views]


class Clockwork(SupervisedWorker):
    """A worker that tells what its objects take, without a wait."""

    drawn: list[str]

    def render(self, task: Task) -> Failure | None:
        if task.object_id.endswith("7"):
            return Failure(task.synset, task.object_id, "it is odd", 1, "")
        self.drawn.append(task.synset)
        self.seconds = seconds_of((task.synset, task.object_id), len(task.latents))
        jpegs = [bytes(1000)] * len(task.latents)
        Path(task.out).write_bytes(pack_sample(task.synset, task.object_id, 0, jpegs, np.array(task.latents)))
        return None


@pytest.fixture
def estimate(monkeypatch, tmp_path):
    """Foretell a job with so many workers."""
    monkeypatch.setattr(dry_run, "SupervisedWorker", Clockwork)
    monkeypatch.setattr(Clockwork, "drawn", [], raising=False)

    def run(workers: int, **words: object) -> tuple[dry_run.Estimate, float]:
        job = plan_job(RenderRequest(classes="10", size=16, **words))
        settings = [WorkerSettings("procedural", get_space("3diebench"), 16, get_quality("preview"))] * workers
        names = [name for shard in job.shards() for name in shard.objects]
        true = sum(seconds_of(name, job.num_views)[-1] for name in names) / workers
        return dry_run.estimate_render(job, settings, Limits(), tmp_path / "out"), true

    return run


@pytest.mark.parametrize("views", [1, 50])
@pytest.mark.parametrize("workers", [1, 4])
def test_a_render_takes_what_its_dry_run_foretold(estimate, views, workers):
    found, true = estimate(workers, objects_per_class=20, views=views)
    assert abs(found.total.seconds / true - 1) < 0.2
    assert found.measured.objects * found.measured.views <= 2 * dry_run.MOST + workers


def test_objects_of_a_dry_run_come_from_all_over_the_job(estimate):
    estimate(1, objects_per_class=20, views=4)
    assert len(set(Clockwork.drawn)) >= 5
