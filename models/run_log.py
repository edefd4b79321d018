"""What a run writes down: `metrics.csv`, and the metrics to its loggers."""

import csv
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from iebench.files import whole_file
from iebench.models.loggers import LoggedRun, find_loggers
from iebench.untrusted import read_rows, refusals

BYTES_PER_MIB = 2**20


class MetricsFile:
    """`metrics.csv`: a row per logged step, a column per metric; new metrics widen the table.

    Args:
        path: the file.
        step: rows after this step, of a run that was cut off, are dropped, and one that was cut off itself.
    """

    def __init__(self, path: Path, step: int = 0) -> None:
        self.path = path
        self.columns: list[str] = ["step"]
        if path.exists():
            rows = [row for row in self.read() if row["step"].isdecimal() and int(row["step"]) <= step]
            self.columns = list(rows[0]) if rows else self.columns
            self._rewrite(rows)

    def write(self, step: int, metrics: dict[str, float]) -> None:
        """Append a row."""
        new = [name for name in metrics if name not in self.columns]
        if new:
            rows = self.read()
            self.columns += new
            self._rewrite(rows)
        with self.path.open("a", encoding="utf-8", newline="") as file:
            csv.DictWriter(file, self.columns).writerow({"step": step, **metrics})

    def read(self) -> list[dict[str, str]]:
        """The rows so far."""
        if not self.path.exists():
            return []
        with refusals(self.path, "remove it"):
            return read_rows(self.path, ["step"], skip_uneven=True)

    def _rewrite(self, rows: list[dict[str, str]]) -> None:
        with whole_file(self.path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, self.columns)
            writer.writeheader()
            writer.writerows(rows)


class RunLog:
    """`metrics.csv` and the loggers of a run at once."""

    def __init__(self, run: LoggedRun, loggers: str) -> None:
        self.file = MetricsFile(run.out / "metrics.csv", run.step)
        self.loggers = [make(run) for make in find_loggers(loggers)]

    def write(self, step: int, metrics: dict[str, float]) -> None:
        """Write metrics of one step down."""
        self.file.write(step, metrics)
        for logger in self.loggers:
            logger.write(step, metrics)

    def close(self) -> None:
        """Bring to its place what is not there yet."""
        for logger in self.loggers:
            logger.close()


class Averages:
    """Means of scalars between two logged steps, kept on their device."""

    def __init__(self) -> None:
        self.totals: dict[str, tuple[Tensor, int]] = {}

    def add(self, values: dict[str, Tensor]) -> None:
        """Take one step's values in."""
        for name, value in values.items():
            total, count = self.totals.get(name, (torch.zeros_like(value, dtype=torch.float32), 0))
            self.totals[name] = (total + value.detach().float(), count + 1)

    def take(self) -> dict[str, Tensor]:
        """The means since the last call."""
        means = {name: total / count for name, (total, count) in self.totals.items()}
        self.totals = {}
        return means


class Clock:
    """Time since metrics were last taken: in all, and waiting for data; pauses do not count.

    Attributes:
        steps: of the optimiser since then, which the loop counts.
    """

    def __init__(self) -> None:
        self.start, self.waited, self.steps = time.perf_counter(), 0.0, 0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around the wait for a batch."""
        start = time.perf_counter()
        yield
        self.waited += time.perf_counter() - start

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Around work that is not training."""
        start = time.perf_counter()
        yield
        self.start += time.perf_counter() - start

    def take(self, images_per_step: int) -> dict[str, float]:
        """Images a second, and the part of the time spent waiting for data, since the last call."""
        elapsed = time.perf_counter() - self.start
        rates = {
            "images_per_second": self.steps * images_per_step / elapsed,
            "waiting_for_data": self.waited / elapsed,
        }
        self.start, self.waited, self.steps = time.perf_counter(), 0.0, 0
        return rates


def peak_memory_mib(device: torch.device) -> float:
    """Most memory held so far: of the CUDA device's allocator, or of the process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / BYTES_PER_MIB
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / BYTES_PER_MIB
