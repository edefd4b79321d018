"""Damaged runs: loaded, and their results, metrics and galleries shown."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from mutations import MUTATIONS, exchange_cell, exchange_value

from iebench.evals.gallery import GALLERY, Gallery
from iebench.evals.results import Results
from iebench.evals.table import build_rows, format_table
from iebench.evals.table_formats import FORMATS
from iebench.models import checkpoints
from iebench.models.registry import find_method
from iebench.models.runs import METHOD_PREFIX, RunConfig, load
from iebench.models.settings import TrainerSettings
from iebench.report.evaluated_runs import load_runs, read_metrics
from iebench.report.gallery import show_gallery
from iebench.report.page import make_table, settings_of

pytestmark = pytest.mark.slow  # seconds

STRUCTURE = (exchange_value,) * 4
SCORES = {"classification/whole/top1": {"values": [0.5, 0.6], "low": 0.4, "high": 0.7}}
RESULTS = {
    "format": 2,
    "name": "a",
    "method": "vicreg",
    "training": {
        "method": "vicreg",
        "trainer": {"epochs": 3, "steps": 0},
        "method_settings": {"transform": "rotation"},
    },
    "data": {"name": "d", "classes": [{"name": "mug", "turns": 0}], "splits": {"train": {"objects": 3}}},
    "protocol": {"probes": {"epochs": 3}, "seeds": [0], "weights": "x"},
    "versions": {"torch": "2"},
    "parts": {"whole": [0, 8]},
    "scores": SCORES,
    "baselines": {"constant": SCORES},
    "details": {"classification/whole/top1_by_class": {"mug": 0.5}},
    "columns": [
        {"title": "own", "key": "own/whole/x", "published": "", "scale": 1.0, "digits": 3, "unit": "%", "better": "up"}
    ],
    "figures": [],
}


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory):
    """A run without training."""
    path = tmp_path_factory.mktemp("fuzz") / "run"
    settings = find_method("vicreg").settings(backbone="resnet18-narrow", projector="8-8")
    config = RunConfig("vicreg", settings, TrainerSettings(), {"name": "d", "sha256": "0" * 64}, 4, 55, 32)
    config.write(path)
    module = {METHOD_PREFIX + name: value for name, value in config.build_method().state_dict().items()}
    checkpoints.save(path / "last.ckpt", {"module": module, "step": 0})
    return path


@pytest.fixture
def run(whole_run, tmp_path):
    """A copy of it that may be changed."""
    return Path(shutil.copytree(whole_run, tmp_path / "run"))


def test_damaged_configs(run, fuzz):
    whole = (run / "config.json").read_bytes()

    def use(damaged):
        (run / "config.json").write_bytes(damaged)
        load(run)

    fuzz("config.json", whole, 60, use, (*MUTATIONS, *STRUCTURE))


def test_damaged_checkpoints(run, fuzz):
    whole = (run / "last.ckpt").read_bytes()

    def use(damaged):
        (run / "last.ckpt").write_bytes(damaged)
        load(run)

    fuzz("last.ckpt", whole, 8, use)


def test_damaged_results(tmp_path, fuzz):
    path = tmp_path / "results.json"

    def use(damaged):
        path.write_bytes(damaged)
        results = [run.results for run in load_runs([path])]
        rows = build_rows(results)
        for form in FORMATS:
            format_table(rows, form)
        make_table(rows)
        settings_of(results[0])
        Results.read(path)

    fuzz("results.json", json.dumps(RESULTS, indent=1).encode(), 400, use, (*MUTATIONS, *STRUCTURE))


def test_damaged_metrics(tmp_path, fuzz):
    whole = b"step,train/loss,probe/x\n" + b"".join(b"%d,%f,\n" % (step, 1 / step) for step in range(1, 40))

    def use(damaged):
        (tmp_path / "metrics.csv").write_bytes(damaged)
        read_metrics(tmp_path)

    fuzz("metrics.csv", whole, 200, use, (*MUTATIONS, exchange_cell))


def test_damaged_galleries(tmp_path, fuzz):
    picture = np.zeros((2, 8, 8, 3), np.uint8)
    np.savez_compressed(
        tmp_path / GALLERY,
        names=np.array(["a", "b"]),
        queries=picture,
        truths=picture,
        neighbours=np.stack([picture] * 3, 1),
        found=np.zeros((2, 3), bool),
        steered=np.stack([picture] * 4, 1),
        degrees=np.arange(4),
        gaps=np.zeros((2, 4)),
    )

    def use(damaged):
        (tmp_path / GALLERY).write_bytes(damaged)
        Gallery.load(tmp_path)
        show_gallery(tmp_path)

    fuzz("gallery.npz", (tmp_path / GALLERY).read_bytes(), 100, use)
