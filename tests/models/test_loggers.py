"""Metrics reach every logger that is named, and `metrics.csv` always."""

import csv
import sys

import pytest

from iebench.errors import UsageError
from iebench.models.loggers import LoggedRun, TrackioLogger, WandbLogger, find_loggers
from iebench.models.run_log import RunLog
from iebench.models.settings import TrainerSettings, settings_to_json

OWN = """
class Lines:
    def __init__(self, run):
        self.path = run.out / "lines.txt"
        self.lines = [f"{run.config['method']} from {run.step}"]

    def write(self, step, metrics):
        self.lines.append(f"{step} {metrics}")

    def close(self):
        self.path.write_text("\\n".join(self.lines))
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "run").mkdir()
    return LoggedRun(tmp_path / "run", 0, {"method": "sie", "trainer": {"seed": 1}})


def test_every_logger_gets_every_metric(run, tmp_path, monkeypatch):
    (tmp_path / "own_lines.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    log = RunLog(run, "own_lines:Lines,csv,tensorboard")
    log.write(1, {"train/loss": 2.0})
    log.write(2, {"train/loss": 1.0, "val/top1": 0.5})
    log.close()
    assert (run.out / "lines.txt").read_text().splitlines() == [
        "sie from 0", "1 {'train/loss': 2.0}", "2 {'train/loss': 1.0, 'val/top1': 0.5}",
    ]  # fmt: skip
    rows = list(csv.DictReader((run.out / "metrics.csv").read_text().splitlines()))
    assert rows == [
        {"step": "1", "train/loss": "2.0", "val/top1": ""},
        {"step": "2", "train/loss": "1.0", "val/top1": "0.5"},
    ]
    assert list((run.out / "tensorboard").iterdir())


def test_without_loggers_the_file_is_written_alone(run):
    log = RunLog(run, "csv")
    log.write(1, {"train/loss": 2.0})
    log.close()
    assert [path.name for path in run.out.iterdir()] == ["metrics.csv"]


def test_what_cannot_log_is_told_in_one_sentence(monkeypatch):
    with pytest.raises(UsageError, match=r"^--log 'wandbb': there is no such logger: did you mean 'wandb'\?$"):
        find_loggers("tensorboard,wandbb")
    with pytest.raises(UsageError, match="choose some of tensorboard, wandb, trackio, csv"):
        find_loggers("")
    monkeypatch.setattr("iebench.models.loggers.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"^--log wandb needs wandb, which is not installed: pip install wandb\.$"):
        find_loggers("wandb")


def test_runs_that_log_as_before_are_written_as_before():
    assert "log" not in settings_to_json(TrainerSettings())
    assert settings_to_json(TrainerSettings(log="wandb"))["log"] == "wandb"


def test_a_resumed_run_has_its_id_and_another_folder_another(run, tmp_path):
    assert LoggedRun(run.out, 7, {}).id == run.id != LoggedRun(tmp_path, 0, {}).id


def log_two_steps(logger):
    logger.write(1, {"train/loss": 2.0})
    logger.write(2, {"train/loss": 1.0})
    logger.close()


def test_wandb_keeps_a_run_offline(run, monkeypatch):
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    log_two_steps(WandbLogger(run))
    (kept,) = run.out.glob(f"wandb/offline-run-*-{run.id}/run-{run.id}.wandb")
    assert b"train/loss" in kept.read_bytes()


def test_trackio_keeps_a_run_on_this_machine(run, tmp_path, monkeypatch):
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))  # which trackio reads as it is imported
    pytest.importorskip("trackio")
    log_two_steps(TrackioLogger(run))
    (kept,) = (tmp_path / "trackio").glob("iebench*.db")
    assert b"train/loss" in kept.read_bytes()
