"""The Ray engine: the same workers on the machines of a cluster. Samples come back as bytes, so no disk is shared.

The objects' folder has to be at the same path on every machine, which the built-in objects are by nature.
"""

import logging
import socket
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from iebench.dataset.appearance import Lost, read_note, write_sample
from iebench.dataset.writer import Failure
from iebench.errors import UsageError
from iebench.render.engines import Outcome
from iebench.render.scratch import scratch_folder
from iebench.render.system import find_gpus
from iebench.render.worker import Task, WorkerSettings
from iebench.render.worker_process import FarmError, Limits, SupervisedWorker

LOST_ACTORS = 3  # of a task before it counts as failed; machines are lost more often than objects are bad
CONNECT_SECONDS = 5.0
Reply = tuple[Failure | None, dict[str, str], bytes, list[Lost]]


def render_on_ray(
    tasks: Sequence[Task], settings: WorkerSettings, limits: Limits, workers: int | None, address: str | None
) -> Iterator[Outcome]:
    """Render on a Ray cluster.

    Args:
        tasks: objects to render.
        settings: of every worker, but for its device, which its machine decides.
        limits: of every worker.
        workers: how many; None for one on each GPU, or on each CPU where there are none.
        address: of the cluster; None starts one here.

    Yields:
        An outcome for every task, as they come.

    Raises:
        UsageError: Ray is not installed, or no cluster answers at the address.
    """
    ray = _join_cluster(address)
    try:
        yield from _ActorPool(ray, settings, limits, workers).render(tasks)
    finally:
        ray.shutdown()


def _join_cluster(address: str | None) -> Any:
    try:
        import ray
    except ImportError:
        raise UsageError("--engine ray needs Ray: run `pip install 'iebench[ray]'`.") from None
    try:
        ray.init(address=address or "local", include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError, SystemExit) as error:  # it ends the process where no Ray answers
        if address is None:
            raise UsageError(f"Ray cannot start here ({error}): leave --engine ray out.") from None
        raise UsageError(
            f"--ray-address {address}: no cluster answers ({error}): see `ray status` on its head."
        ) from None
    return ray


def check_address(address: str | None) -> None:
    """Whether anything listens at HOST:PORT, which Ray would find out in a minute and a half.

    Raises:
        UsageError: nothing does.
    """
    host, colon, port = (address or "").removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return  # "auto", or for Ray to judge
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except (OSError, OverflowError, UnicodeError) as error:
        raise UsageError(
            f"--ray-address {address}: nothing answers within {CONNECT_SECONDS:g} s ({error}): see `ray status` on its head."
        ) from None


class _ActorPool:
    """Actors and what each is working on."""

    def __init__(self, ray: Any, settings: WorkerSettings, limits: Limits, workers: int | None) -> None:
        resources = ray.cluster_resources()
        gpus = int(resources.get("GPU", 0))
        self._ray, self._arguments = ray, (settings, limits)
        self._size = workers or gpus or max(int(resources.get("CPU", 1)), 1)
        self._actor = ray.remote(num_gpus=1 if gpus else 0, num_cpus=1)(_RayWorker)
        self._busy: dict[Any, tuple[Any, Task, int]] = {}  # reference → actor, task, actors that it has lost

    def render(self, tasks: Sequence[Task]) -> Iterator[Outcome]:
        todo = deque((task, 0) for task in tasks)
        for _ in range(min(self._size, len(todo))):
            self._give(self._actor.remote(*self._arguments), *todo.popleft())
        while self._busy:
            (reference,), _ = self._ray.wait(list(self._busy), num_returns=1)
            actor, task, lost = self._busy.pop(reference)
            outcome, actor = self._collect(reference, actor, task, lost + 1)
            if outcome is None:
                todo.appendleft((task, lost + 1))
            else:
                yield outcome
            if todo:
                self._give(actor, *todo.popleft())

    def _give(self, actor: Any, task: Task, lost: int) -> None:
        self._busy[actor.render.remote(task)] = (actor, task, lost)

    def _collect(self, reference: Any, actor: Any, task: Task, attempts: int) -> tuple[Outcome | None, Any]:
        """The outcome of a finished call, or None where its actor was lost and the task deserves another."""
        try:
            failure, about, sample, lost = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            raise FarmError(str(error.cause)) from None
        except self._ray.exceptions.RayError:
            fresh = self._actor.remote(*self._arguments)
            if attempts < LOST_ACTORS:
                return None, fresh
            failure = Failure(task.synset, task.object_id, "the machine that rendered it was lost", attempts, "")
            return Outcome(task, failure, {}), fresh
        if failure is None:
            write_sample(Path(task.out), sample, lost)
        return Outcome(task, failure, about), actor


class _RayWorker:
    """One worker inside a Ray actor."""

    def __init__(self, settings: WorkerSettings, limits: Limits) -> None:
        gpus = find_gpus(None, settings.python)
        settings = replace(settings, device=gpus[0] if gpus else "cpu", threads=0 if gpus else 1)
        self._scratch = scratch_folder()
        self._worker = SupervisedWorker(settings, limits, self._scratch.__enter__())

    def render(self, task: Task) -> Reply:
        with tempfile.TemporaryDirectory(prefix="iebench-sample-") as folder:
            sample = Path(folder) / "sample.tar"
            failure = self._worker.render(replace(task, out=str(sample)))
            return failure, self._worker.about, b"" if failure else sample.read_bytes(), read_note(sample)
