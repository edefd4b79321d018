"""Processes that a test starts: found again with all that they start in turn, and ended with the test."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

VARIABLE = "IEBENCH_TEST_STARTED"  # a child inherits it, whoever its parent is and whatever session it is in


def as_here() -> dict[str, str]:
    """Additions to the environment of a process that has one thread and imports what this one can import by now."""
    return {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}


class Processes:
    """Starts processes; other tests may have the same ones at the same time."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._started: list[subprocess.Popen] = []

    def __call__(self, words: Sequence[object], env: dict[str, str] | None = None, **options: Any) -> subprocess.Popen:
        """Start one, with additions to this process's environment."""
        environment = {**os.environ, **(env or {}), VARIABLE: self._name}
        self._started.append(subprocess.Popen(list(map(str, words)), env=environment, **options))
        return self._started[-1]

    def running(self, word: str = "") -> list[int]:
        """Ids of all that run, or of those that have a word in their command."""
        mark = f"{VARIABLE}={self._name}".encode()
        found = [folder for folder in Path("/proc").glob("[0-9]*") if mark in _read(folder / "environ").split(b"\0")]
        return [int(folder.name) for folder in found if word.encode() in _read(folder / "cmdline")]

    def workers(self) -> list[int]:
        """Ids of the workers of renders."""
        return self.running("iebench.render.worker")

    def kill(self) -> None:
        """Kill all of them, and what they start meanwhile."""
        while pids := self.running():
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        for process in self._started:
            with process:  # which waits for it
                pass

    def wait_for_all(self) -> None:
        """Wait until none is left."""
        while self.running():
            time.sleep(0.01)


def wait_until(happened: Callable[[], object], process: subprocess.Popen) -> None:
    """Wait until something has happened that a process does."""
    while not happened():
        assert process.poll() is None, "it ended too soon"
        time.sleep(0.01)


def archives(root: Path) -> set[Path]:
    """Paths of the archives below a folder, which may be moved or emptied meanwhile."""
    return {Path(folder, name) for folder, _, names in os.walk(root) for name in names if name.endswith(".tar")}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has ended
        return b""
