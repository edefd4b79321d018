"""What tests read from a run, when two runs have ended the same, and a run that is killed."""

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
from processes import as_here

from iebench.models import checkpoints
from iebench.models.settings import TrainerSettings

KILLED = """
import os, signal, sys
from pathlib import Path
import torch
from iebench.models.registry import find_method
from iebench.models.settings import TrainerSettings
from iebench.models.training import train

name, data, out = sys.argv[1:]
entry, trainer = find_method(name), {trainer!r}
plain = entry.method.after_step

def after_step(self, progress):
    plain(self, progress)
    if progress == {step} / trainer.steps:
        os.kill(os.getpid(), signal.SIGKILL)

torch.set_num_threads(1)
entry.method.after_step = after_step
train(name, entry.settings(**{settings!r}), trainer, Path(data), Path(out))
"""


def read_metrics(run: Path) -> list[dict[str, str]]:
    """The rows of a run's metrics."""
    with (run / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def assert_same_ending(run: Path, other: Path) -> None:
    """The weights and the curves of two runs are bitwise equal."""
    first, second = (checkpoints.load(path / "last.ckpt") for path in (run, other))
    assert first["step"] == second["step"]
    for name, value in first["module"].items():
        assert torch.equal(value, second["module"][name]), name
    for name in ("train/loss", "probe/class_whole", "val/rotation_r2"):
        assert [row[name] for row in read_metrics(run)] == [row[name] for row in read_metrics(other)]


def train_until_killed(
    name: str, settings: dict[str, Any], trainer: TrainerSettings, data: Path, out: Path, step: int
) -> None:
    """A training in a process of its own, which dies after a step."""
    script = KILLED.format(trainer=trainer, step=step, settings=settings)
    command = [sys.executable, "-c", script, name, str(data), str(out)]
    assert subprocess.run(command, env={**os.environ, **as_here()}).returncode == -signal.SIGKILL
