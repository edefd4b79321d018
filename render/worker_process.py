"""One worker process seen from its parent: started, given tasks, supervised, replaced."""

import json
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from iebench.child_process import python_command
from iebench.dataset.writer import Failure
from iebench.errors import IebenchError
from iebench.plugins import is_dotted
from iebench.render.blender_python import find_blender_python
from iebench.render.scratch import spare_path
from iebench.render.worker import Task, WorkerSettings, forget_scratch

START_SECONDS = 300.0  # importing Blender from a cold network disk takes a minute
WATCH_SECONDS = 0.5
LOG_LINES = 12
CHANGING = re.compile(r"\d+(\.\d+)? ?(ms|s|MB|M|K)\b|\d\d:\d\d[:.\d]*|^Fra:.*$|^Saved: .*$", re.MULTILINE)


class FarmError(IebenchError):
    """Rendering cannot go on, and not for the fault of one object."""


class WorkerLostError(Exception):
    """A worker hung, crashed, was killed, or took too much memory.

    Attributes:
        reason: one line.
        retry: whether another worker may have better luck.
    """

    def __init__(self, reason: str, retry: bool = True) -> None:
        super().__init__(reason)
        self.reason, self.retry = reason, retry


@dataclass(frozen=True)
class Limits:
    """What a worker may take before it is replaced.

    Attributes:
        object_seconds: for one object.
        memory_bytes: resident.
        objects: rendered by one process before a fresh one takes its place.
    """

    object_seconds: float = 300.0
    memory_bytes: int = 8 << 30
    objects: int = 1000


class WorkerProcess:
    """A running worker.

    Attributes:
        about: what it said when it was ready: {"blender": version, "device": name}.
    """

    def __init__(self, settings: WorkerSettings, limits: Limits, folder: Path) -> None:
        """Start it and wait until it is ready.

        Args:
            settings: the same for all its tasks.
            limits: when it is given up.
            folder: empty folder for its log and for pixels on their way.

        Raises:
            FarmError: it cannot start, and why.
        """
        self._limits, self._folder, self._log = limits, folder, folder / "log"
        self._disk = spare_path(folder)
        self._buffer = b""
        self._process = subprocess.Popen(
            python_command(
                "iebench.render.worker",
                str(self._log),
                str(folder),
                str(self._disk),
                shares_path=is_dotted(settings.objects),
                python=find_blender_python(settings.python),
            ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "TMPDIR": str(folder)},  # Blender leaves a folder there when it is killed
            start_new_session=True,  # Ctrl-C is the parent's to handle
        )
        try:
            self._send(settings.to_json())
            self.about = self._receive(START_SECONDS)["ready"]
        except (WorkerLostError, BrokenPipeError) as lost:
            log = self.log_tail()
            raise FarmError(f"Blender cannot start ({lost}): `iebench doctor` tells more. {log}") from None
        finally:
            if not hasattr(self, "about"):
                self.kill()

    def run(self, task: Task) -> dict[str, Any]:
        """Render one object and return the reply.

        Raises:
            WorkerLostError: no reply came; the process is dead now.
            FarmError: the worker met a fault that every object would meet.
        """
        with suppress(BrokenPipeError):  # it died since its last reply: `_receive` finds out how
            self._send(asdict(task))
        return self._receive(self._limits.object_seconds)

    def log_tail(self) -> str:
        """The last lines that Blender printed for the present object, without what changes from run to run."""
        try:
            text = forget_scratch(self._log.read_text(encoding="utf-8", errors="replace"), self._folder, self._disk)
        except OSError:
            return ""
        lines = [line.strip() for line in CHANGING.sub("", text).splitlines()]
        return "\n".join([line for line in lines if line][-LOG_LINES:])

    def kill(self) -> None:
        """End it, whatever it is doing; harmless when it is dead already."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
        for folder in (self._folder, self._disk):
            shutil.rmtree(folder, ignore_errors=True)

    def _send(self, value: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(value).encode() + b"\n")
        self._process.stdin.flush()

    def _receive(self, seconds: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        deadline = time.monotonic() + seconds
        while b"\n" not in self._buffer:
            if time.monotonic() > deadline:
                raise WorkerLostError(f"no result within {seconds:g} s", retry=False)
            if self._resident_bytes() > self._limits.memory_bytes:
                raise WorkerLostError(f"it took more than {self._limits.memory_bytes / 2**30:.3g} GiB of memory")
            if select.select([self._process.stdout], [], [], WATCH_SECONDS)[0]:
                self._read_some()
        line, _, self._buffer = self._buffer.partition(b"\n")
        reply = json.loads(line)
        if "fatal" in reply:
            raise FarmError(f"Rendering stopped: {reply['fatal']}. Mend that and repeat the command to go on.")
        return reply

    def _read_some(self) -> None:
        assert self._process.stdout is not None
        received = os.read(self._process.stdout.fileno(), 1 << 16)
        if not received:
            raise WorkerLostError(_describe_end(self._process.wait()))
        self._buffer += received

    def _resident_bytes(self) -> int:
        try:
            pages = Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]
        except (OSError, IndexError):  # it has just ended, or this is not Linux
            return 0
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


class SupervisedWorker:
    """One worker, whose process is replaced when it is lost or old.

    Attributes:
        seconds: after which each view of the last object, and the whole, was finished.
    """

    def __init__(self, settings: WorkerSettings, limits: Limits, scratch: Path) -> None:
        self._settings, self._limits, self._scratch = settings, limits, scratch
        self._process: WorkerProcess | None = None
        self._age = 0
        self._shut = False
        self.about: dict[str, str] = {}
        self.seconds: list[float] = []

    def render(self, task: Task) -> Failure | None:
        """Render one object, with one retry where a worker is lost.

        Returns:
            None, or why the object could not be rendered.
        """
        for attempt in (1, 2):
            worker = self._ready_worker()
            if self._shut:  # while it started
                self.close()
                return Failure(task.synset, task.object_id, "the render was stopped", attempt, "")
            try:
                reply = worker.run(task)
            except WorkerLostError as lost:
                log = worker.log_tail()
                self.close()
                if lost.retry and attempt == 1 and not self._shut:
                    continue
                return Failure(task.synset, task.object_id, lost.reason, attempt, log)
            self._age += 1
            if "failed" in reply:
                return Failure(task.synset, task.object_id, reply["failed"], attempt, worker.log_tail())
            self.seconds = reply["done"]
            return None
        raise AssertionError("unreachable")

    def shut(self) -> None:
        """End the worker for good; may be called from another thread while it renders."""
        self._shut = True
        self.close()

    def close(self) -> None:
        """End the worker, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()

    def _ready_worker(self) -> WorkerProcess:
        if self._age >= self._limits.objects:
            self.close()
        if self._process is None:
            self._age = 0
            folder = Path(tempfile.mkdtemp(prefix="worker-", dir=self._scratch))
            self._process = WorkerProcess(self._settings, self._limits, folder)
            self.about = self._process.about
        return self._process


def _describe_end(code: int) -> str:
    if code >= 0:
        return f"the worker ended by itself with code {code}"
    try:
        return f"the worker was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"the worker was ended by signal {-code}"
