"""The demo goes the whole way; here with few objects, views and steps."""

import pytest
from click.testing import CliRunner

from iebench.cli import demo
from iebench.cli.main import cli


@pytest.mark.slow
def test_the_demo_renders_trains_and_evaluates(tmp_path, monkeypatch):
    small = {"OBJECTS_PER_CLASS": 4, "VIEWS": 2, "SIZE": 32, "STEPS": 2, "BATCH_SIZE": 4, "PROBE_EPOCHS": 1}
    for name, value in {**small, "PROJECTOR": "16-8"}.items():
        monkeypatch.setattr(demo, name, value)
    words = ["demo", "--classes", "chair,mug", "--out", str(tmp_path / "demo")]
    for _ in range(2):  # the second time all is there
        done = CliRunner().invoke(cli, words, standalone_mode=False)
        assert done.exception is None, done.output
        assert "rotation R², uniform" in done.output and "done; what was made" in done.output
    assert (tmp_path / "demo" / "run" / "results.json").is_file() and (tmp_path / "demo" / "pairs.png").is_file()
