"""Engines: who renders the tasks. Each takes tasks and gives an outcome for every one, in any order."""

import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from iebench.dataset.writer import Failure
from iebench.render.scratch import scratch_folder
from iebench.render.worker import Task, WorkerSettings
from iebench.render.worker_process import Limits, SupervisedWorker


@dataclass(frozen=True)
class Outcome:
    """What became of one task.

    Attributes:
        failure: None where the sample was written.
        about: of the worker: {"blender": version, "device": name}.
    """

    task: Task
    failure: Failure | None
    about: dict[str, str]


def render_locally(tasks: Sequence[Task], settings: Sequence[WorkerSettings], limits: Limits) -> Iterator[Outcome]:
    """Render on this machine.

    Args:
        tasks: objects to render.
        settings: one for each worker (they differ in the GPU alone).
        limits: of each worker.

    Yields:
        An outcome for every task, as they come. Closing the generator kills the workers.

    Raises:
        FarmError: no worker can go on.
    """
    todo: queue.SimpleQueue[Task] = queue.SimpleQueue()
    outcomes: queue.SimpleQueue[Outcome | BaseException] = queue.SimpleQueue()
    for task in tasks:
        todo.put(task)
    with scratch_folder() as scratch:
        threads = [_WorkerThread(one, limits, scratch, todo, outcomes) for one in settings[: len(tasks)]]
        try:
            for thread in threads:
                thread.start()
            for _ in tasks:
                outcome = outcomes.get()
                if isinstance(outcome, BaseException):
                    raise outcome
                yield outcome
        finally:
            for thread in threads:
                thread.stop()


class _WorkerThread(threading.Thread):
    """A thread that gives tasks to one worker."""

    def __init__(
        self,
        settings: WorkerSettings,
        limits: Limits,
        scratch: Path,
        todo: "queue.SimpleQueue[Task]",
        outcomes: "queue.SimpleQueue[Outcome | BaseException]",
    ) -> None:
        super().__init__(daemon=True)
        self._worker = SupervisedWorker(settings, limits, scratch)
        self._todo, self._outcomes = todo, outcomes
        self._stopped = threading.Event()

    def run(self) -> None:
        try:
            while not self._stopped.is_set():
                task = self._todo.get_nowait()
                failure = self._worker.render(task)
                if not self._stopped.is_set():  # else the worker was killed on purpose
                    self._outcomes.put(Outcome(task, failure, self._worker.about))
        except queue.Empty:
            pass
        except BaseException as error:
            self._outcomes.put(error)
        finally:
            self._worker.close()

    def stop(self) -> None:
        """Kill the worker and wait for the thread."""
        self._stopped.set()
        while self.is_alive():
            self._worker.shut()
            self.join(timeout=0.1)
