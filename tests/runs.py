"""What tests read from a run, and when two runs have ended the same."""

import csv
from pathlib import Path

import torch

from iebench.models import checkpoints


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
