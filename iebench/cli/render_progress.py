"""How far a render is, for people or as JSON lines."""

import json
import time
from collections.abc import Iterator, Sequence

from iebench.cli.terminal import echo
from iebench.progress import Progress
from iebench.render.engines import Outcome
from iebench.render.farm import Engine
from iebench.render.worker import Task


class RenderProgress:
    """Images, time and failures of a render on standard error, or JSON lines on standard output.

    Args:
        objects: of the whole render.
        views: of each object.
        log_json: tell in JSON lines, one for each object.
    """

    def __init__(self, objects: int, views: int, log_json: bool) -> None:
        self._objects, self._views, self._log_json = objects, views, log_json
        self._done, self._failed, self._start = 0, 0, time.monotonic()
        self._progress = Progress("render", objects * views, "image", shown=not log_json)

    def __enter__(self) -> "RenderProgress":
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.close()

    def over(self, engine: Engine) -> Engine:
        """The engine, whose tasks are what is left of the render: objects that were rendered before count as done."""

        def run(tasks: Sequence[Task]) -> Iterator[Outcome]:
            self._progress.skip((self._objects - len(tasks)) * self._views)
            return engine(tasks)

        return run

    def watch(self, outcome: Outcome) -> None:
        """Count one object."""
        self._done += 1
        self._failed += outcome.failure is not None
        self._progress.add(self._views, f"{self._done} objects, {self._failed} failed")
        if self._log_json:
            echo(json.dumps(self._describe(outcome)))

    def _describe(self, outcome: Outcome) -> dict[str, object]:
        rate = self._done * self._views / (time.monotonic() - self._start)
        return {
            "synset": outcome.task.synset,
            "object_id": outcome.task.object_id,
            "done": self._done,
            "failed": self._failed,
            "images_per_second": round(rate, 2),
            "reason": outcome.failure and outcome.failure.reason,
        }
