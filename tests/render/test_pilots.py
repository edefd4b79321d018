"""Objects of whose pilots the noise is strong get more samples, whatever stood on the stage before, and no other object does."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from iebench.render.pilots import NOISE, POWER, count_samples, find_noise, pilot_scenes, pilot_size
from iebench.render.scene import camera_matrix

QUAD = """mtllib quad.mtl
v -0.5 -0.5 0
v 0.5 -0.5 0
v 0.5 0.5 0
v -0.5 0.5 0
vt 0 0
vt {times} 0
vt {times} {times}
vt 0 {times}
usemtl paper
f 1/1 2/2 3/3 4/4
"""
IN_BLENDER = """
import json, os, sys
from dataclasses import replace
from pathlib import Path
from iebench.factors.space import get_space
from iebench.render.blender import Stage
from iebench.render.quality import get_quality
from iebench.render.scene import view_scene

told = os.dup(1)
os.dup2(2, 1)
folder = Path(sys.argv[1])
space = get_space("3diebench")
view = view_scene(space, space.sample(0, "03001627", "quad", 1)[0])
trained = get_quality("trained")
stage = Stage(256, replace(trained, most_samples=4), folder)

def render(name, stage):
    stage.load(folder / name / "quad.obj", unit_diagonal=False)
    return stage.render(view).tobytes()

def alone(name, samples):
    return render(name, Stage(256, replace(trained, samples=samples, most_samples=0), folder))

order = ("plain", "page", "plain", "page", "page")
seen = [render(name, stage) for name in order]
found = [[n for n in (2, 4) if alone(name, n) == image] for name, image in zip(order, seen)]
os.write(told, json.dumps(found).encode())
os._exit(0)
"""


def test_pilots_show_two_opposite_corners_to_the_camera():
    towards_camera = camera_matrix()[:3, 3] / np.linalg.norm(camera_matrix()[:3, 3])
    rotations = [scene.object_matrix[:3, :3] for scene in pilot_scenes()]
    for rotation, sign in zip(rotations, (1, -1), strict=True):
        np.testing.assert_allclose(rotation @ np.full(3, sign / np.sqrt(3)), towards_camera, atol=1e-12)
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(rotation) > 0


def test_noise_is_the_variance_about_what_two_images_share():
    dice = np.random.default_rng(0)
    shared = dice.integers(60, 190, (2, 64, 64, 3))
    one, other = (np.uint8(np.round(shared + dice.normal(0, 5, shared.shape))) for _ in range(2))
    assert find_noise(one, other) == pytest.approx((25 + 1 / 12) / 255**2, rel=0.03)
    assert find_noise(one, one) == 0


def test_samples_grow_with_noise_within_their_range():
    assert count_samples(0, 2, 16) == count_samples(0.99 * NOISE, 2, 16) == 2
    assert count_samples(1.01 * NOISE, 2, 16) == 3
    assert count_samples(0.99 * NOISE * 3 ** (1 / POWER), 2, 16) == 6
    assert count_samples(1, 2, 16) == 16


def test_pilots_are_half_as_large_and_never_larger_than_views():
    assert [pilot_size(size) for size in (256, 128, 48, 16)] == [128, 64, 32, 16]


def write_quad(folder: Path, picture: np.ndarray, times: int = 1) -> None:
    """A square of side 1 that shows a picture some times on each side."""
    folder.mkdir()
    (folder / "quad.obj").write_text(QUAD.format(times=times))
    (folder / "quad.mtl").write_text("newmtl paper\nKd 1 1 1\nmap_Kd picture.png\n")
    Image.fromarray(picture).save(folder / "picture.png")


@pytest.mark.slow
def test_print_gets_more_samples_and_a_plain_object_does_not(tmp_path):
    stripes = np.repeat(np.array([[0], [255]], np.uint8), 64, axis=1).repeat(32, axis=0)
    write_quad(tmp_path / "page", stripes, times=20)
    write_quad(tmp_path / "plain", np.full((64, 64), 180, np.uint8))
    words = [sys.executable, "-c", IN_BLENDER, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=os.environ)
    assert json.loads(done.stdout) == [[2], [4], [2], [4], [4]], "samples of plain, page, plain, page, page"
