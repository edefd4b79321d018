"""Objects with much detail get more samples, as print and edges ask for, and no other object does."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

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
import bpy
from iebench.factors.space import get_space
from iebench.render.blender import Stage
from iebench.render.blender_detail import count_samples, print_contrast, total_mean_curvature
from iebench.render.quality import get_quality
from iebench.render.scene import view_scene

told = os.dup(1)
os.dup2(2, 1)
folder = Path(sys.argv[1])
space = get_space("3diebench")
view = view_scene(space, space.sample(0, "03001627", "quad", 1)[0])
noisy = replace(get_quality("trained"), samples=2, most_samples=8, denoise=False, network=None)
stage = Stage(64, noisy, folder)

def render(name, stage):
    stage.load(folder / name / "quad.obj", unit_diagonal=False)
    return stage.render(view).tobytes()

def alone(name, samples):
    return render(name, Stage(64, replace(noisy, samples=samples, most_samples=0), folder))

contrasts, curvatures, counts = {}, {}, {}
for name in ("halves", "page", "plain"):
    stage.load(folder / name / "quad.obj", unit_diagonal=False)
    (thing,) = [thing for thing in bpy.data.objects if thing.pass_index]
    contrasts[name] = print_contrast(thing.data, 0.1)
for name in ("cube", "doubled", "torn", "comb"):
    stage.load(folder / f"{name}.obj", unit_diagonal=False)
    (thing,) = [thing for thing in bpy.data.objects if thing.pass_index]
    curvatures[name] = total_mean_curvature(thing.data)
    counts[name] = count_samples(thing.data, 0.007, 1.8, 3, 12)
order = ("plain", "page", "plain", "page", "page")
seen = [render(name, stage) for name in order]
few, many = {name: alone(name, 2) for name in order}, {name: alone(name, 8) for name in order}
samples = [[count for count, images in ((2, few), (8, many)) if images[name] == image] for name, image in zip(order, seen)]
os.write(told, json.dumps({"contrasts": contrasts, "curvatures": curvatures, "counts": counts, "samples": samples}).encode())
os._exit(0)
"""


def write_quad(folder: Path, picture: np.ndarray, times: int = 1) -> None:
    """A square of side 1 that shows a picture some times on each side."""
    folder.mkdir()
    (folder / "quad.obj").write_text(QUAD.format(times=times))
    (folder / "quad.mtl").write_text("newmtl paper\nKd 1 1 1\nmap_Kd picture.png\n")
    Image.fromarray(picture).save(folder / "picture.png")


def write_boxes(
    path: Path, boxes: list[tuple[float, float, float]], *, doubled: bool = False, torn: bool = False
) -> None:
    """Boxes of some sides beside each other, with faces of their own vertices where they are torn, each once more reversed."""
    corners = [(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)]
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    vertices, lines = [], []
    for number, sides in enumerate(boxes):
        places = [(x * sides[0] + 2 * number * sides[0], y * sides[1], z * sides[2]) for x, y, z in corners]
        for face in faces:
            for turned in (face, face[::-1]) if doubled else (face,):
                start = len(vertices) if torn else 8 * number
                lines.append("f " + " ".join(str(start + 1 + (i if torn else v)) for i, v in enumerate(turned)))
                vertices += [places[v] for v in turned] if torn else []
        vertices += [] if torn else places
    path.write_text("\n".join([*(f"v {x} {y} {z}" for x, y, z in vertices), *lines, ""]))


@pytest.mark.slow
def test_print_gets_more_samples_and_a_plain_object_does_not(tmp_path):
    halves = np.repeat(np.array([[0, 255]], np.uint8), 64, axis=0).repeat(32, axis=1)
    write_quad(tmp_path / "halves", halves)
    write_quad(tmp_path / "page", halves[::-1].T.copy(), times=20)
    write_quad(tmp_path / "plain", np.full((64, 64), 180, np.uint8))
    side = 3**-0.5
    write_boxes(tmp_path / "cube.obj", [(side,) * 3])
    write_boxes(tmp_path / "doubled.obj", [(side,) * 3], doubled=True)
    write_boxes(tmp_path / "torn.obj", [(side,) * 3], torn=True)
    write_boxes(tmp_path / "comb.obj", [(0.02, 0.02, 0.9)] * 24)
    words = [sys.executable, "-c", IN_BLENDER, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=os.environ)
    found = json.loads(done.stdout)
    # Steps of 0.05 in any direction cross the line between the halves, or that of the next copy, in 4 · 0.05 / π of cases.
    assert found["contrasts"]["halves"] == pytest.approx(np.sqrt(4 * 0.05 / np.pi), rel=0.05)
    assert found["contrasts"]["plain"] == 0
    assert found["counts"] == {"cube": 3, "doubled": 3, "torn": 3, "comb": 6}
    # A quarter of a turn along the twelve edges, halved, whatever else the faces have on their back or of their own.
    twelve = 12 * side * np.pi / 4
    assert found["curvatures"] == pytest.approx(
        {"cube": twelve, "doubled": twelve, "torn": twelve, "comb": 24 * 4 * (0.9 + 0.04) * np.pi / 4}, rel=1e-4
    )
    assert found["samples"] == [[2], [8], [2], [8], [8]], "samples of plain, page, plain, page, page"
