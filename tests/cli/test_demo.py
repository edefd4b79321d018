"""The demo goes the whole way; here with few objects, views and steps."""

from dataclasses import replace

import pytest
from click.testing import CliRunner

from iebench.cli import demo
from iebench.cli.main import cli
from iebench.dataset.reader import Dataset


@pytest.mark.slow
def test_the_demo_renders_trains_evaluates_and_reports(tmp_path, monkeypatch):
    options = {"classes": "chair,mug", "objects_per_class": 6, "views": 2, "size": 32}
    monkeypatch.setattr(demo, "QUICK", replace(demo.QUICK, options=options, training={"steps": 2, "batch_size": 4}))
    words = ["demo", "--quick", "--out", str(tmp_path / "demo")]
    for _ in range(2):  # the second time all is there
        done = CliRunner().invoke(cli, words, standalone_mode=False)
        assert done.exception is None, done.output
        assert "rotation R², uniform" in done.output and "Scores of so short a run say nothing" in done.output
    for name in ("pairs.png", "report.html", "sie/results.json", "vicreg/results.json"):
        assert (tmp_path / "demo" / name).is_file()
    assert Dataset(tmp_path / "demo" / "data").card.name == "iebench-mini*"


@pytest.mark.slow
def test_a_training_that_fails_is_told(tmp_path, monkeypatch):
    options = {"classes": "mug", "objects_per_class": 4, "views": 2, "size": 32}
    monkeypatch.setattr(demo, "QUICK", replace(demo.QUICK, options=options, training={"steps": 2, "batch_size": 400}))
    done = CliRunner().invoke(cli, ["demo", "--quick", "--out", str(tmp_path / "demo")], standalone_mode=False)
    assert "Training sie failed" in str(done.exception) and "--batch-size 400 is more than" in str(done.exception)
