"""The denoiser's own network is the one in the package, is what its name says, and is what Blender uses."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from iebench.errors import IebenchError
from iebench.render import denoiser_network
from iebench.render.denoiser_network import find_network, name_network
from iebench.render.quality import QUALITIES, get_quality

OURS = get_quality("trained").network


def test_the_network_of_every_quality_is_in_the_package_and_as_named():
    networks = [quality.network for quality in QUALITIES.values() if quality.network]
    assert networks == [OURS]
    content = find_network(OURS).read_bytes()
    assert hashlib.sha256(content).hexdigest()[:12] in OURS
    assert len(content) < 700_000


def test_a_missing_or_changed_network_is_refused(tmp_path, monkeypatch):
    with pytest.raises(IebenchError, match=r"denoiser-000000000000\.tza is missing .*: install iebench anew"):
        find_network("denoiser-000000000000.tza")
    (tmp_path / "data").mkdir()
    changed = bytearray(find_network(OURS).read_bytes())
    changed[1000] ^= 1
    (tmp_path / "data" / OURS).write_bytes(changed)
    monkeypatch.setattr(denoiser_network, "files", lambda _: tmp_path)
    with pytest.raises(IebenchError, match="is not what its name says"):
        find_network(OURS)
    assert name_network(bytes(changed)) != OURS


def test_old_qualities_are_told_as_before_the_network():
    assert not {"network", "most_samples"} & set(get_quality("fast").to_json())
    assert get_quality("trained").to_json()["network"] == OURS


IN_BLENDER = """
import os, sys, tempfile
from dataclasses import replace
from pathlib import Path
import numpy as np
from iebench.errors import IebenchError
from iebench.factors.space import get_space
from iebench.render import blender, denoiser_network
from iebench.render.blender import Stage
from iebench.render.mesh_files import prepare_mesh
from iebench.render.quality import Quality, get_quality
from iebench.render.scene import view_scene
from iebench.render.sources import open_source

told = os.dup(1)
os.dup2(2, 1)
tell = lambda *words: os.write(told, (" ".join(map(str, words)) + "\\n").encode())
scratch = Path(tempfile.mkdtemp())
mesh = prepare_mesh(open_source("procedural").fetch("03001627", "p1-000002", scratch), scratch).path
space = get_space("3diebench")
view = view_scene(space, space.sample(5, "03001627", "p1-000002", 1)[0])

def render(quality, size=128):
    stage = Stage(size, quality, scratch)
    stage.load(mesh, unit_diagonal=False)
    return stage.render(view).astype(float)

truth = render(Quality("truth", 512, adaptive_threshold=0.0, denoise=False))
trained = replace(get_quality("trained"), samples=3, most_samples=0)
fields = {**trained.to_json(), "network": None}
for name, quality in (("trained", trained), ("stock", Quality(**fields)), ("fast", get_quality("fast"))):
    tell(name, -10 * np.log10(np.mean((render(quality) - truth) ** 2) / 255**2))
(scratch / "damaged").write_bytes(b"no network")
found = denoiser_network.find_network(trained.network)
for path, folder in ((scratch / "missing", scratch), (scratch / "damaged", scratch), (found, scratch / "damaged" / "x")):
    denoiser_network.find_network = lambda _: path
    try:
        Stage(64, trained, folder)
    except IebenchError as error:
        tell("refused", error)
os._exit(0)
"""


@pytest.mark.slow
def test_blender_uses_it_and_refuses_to_go_on_without(tmp_path):
    words = [sys.executable, "-c", IN_BLENDER]
    done = subprocess.run(
        words, capture_output=True, text=True, env={**os.environ, "TMPDIR": str(tmp_path)}, check=True
    )
    lines = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    decibels = {name: float(value) for name, value in lines[:3]}
    assert decibels["trained"] > decibels["stock"] + 0.5, decibels
    assert [name for name, _ in lines[3:]] == ["refused"] * 3, done.stdout + done.stderr
    for (_, text), why in zip(lines[3:], ("goes on with its own", "corrupted", "cannot save"), strict=True):
        assert "does not use the denoiser's network" in text and why in text, "the reason is not told"


@pytest.mark.slow
def test_the_card_of_a_render_with_defaults_names_the_network(tmp_path):
    words = ["--classes", "mug", "--objects-per-class", "1", "--views", "1", "--size", "32"]
    command = [sys.executable, "-m", "iebench", "render", *words, "--out", str(tmp_path / "out")]
    subprocess.run(command, check=True, capture_output=True)
    card = json.loads(Path(tmp_path / "out" / "dataset.json").read_text())
    assert card["quality"] == "trained"
    assert card["settings"]["quality"]["network"] == OURS
