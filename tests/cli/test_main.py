"""What a user reads when something that nobody foresaw goes wrong."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from iebench.errors import explain_missing_package


def run(*words, path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(path), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "iebench", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=path)


@pytest.mark.slow
def test_an_error_in_somebodys_backbone_keeps_its_traceback(tmp_path, drawn_dataset):
    (tmp_path / "broken.py").write_text("def network():\n    return {}['weights']\n")
    words = ["eval", "--model", "broken:network", "--data", drawn_dataset, "--out", tmp_path / "out"]
    told = run(*words, path=tmp_path)
    assert told.returncode == 1 and told.stderr.count("\n") == 1
    found = re.fullmatch(
        r"Error: KeyError: 'weights' \(where it was raised: (\S+), or `iebench --debug …`\)\n", told.stderr
    )
    assert found, told.stderr
    kept = Path(found[1])
    assert "broken.py" in kept.read_text() and "in network" in kept.read_text()
    kept.unlink()
    shown = run("--debug", *words, path=tmp_path).stderr
    assert "in network" in shown and shown.endswith("Error: KeyError: 'weights'\n")


def test_a_missing_package_is_named_with_its_extra():
    told = explain_missing_package(ModuleNotFoundError("No module named 'lightning'", name="lightning.fabric"))
    assert "lightning" in told and "pip install 'iebench[train]'" in told
    assert explain_missing_package(ModuleNotFoundError("No module named 'theirs'", name="theirs")) == ""
