"""What is done once for an object instead of at every export, and what it does to the pictures."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from iebench.render.procedural import export_object

STAGE = """
import os, sys
from pathlib import Path
import numpy as np
from iebench.factors.space import get_space
from iebench.render import blender_export
from iebench.render.blender import Stage
from iebench.render.quality import get_quality
from iebench.render.scene import view_scene

many, out, *meshes = sys.argv[1:]
blender_export.MANY = float(many)
Path(out).mkdir()
stage = Stage(48, get_quality("fast"), Path(out), geometry=True)
scenes = [view_scene(get_space("so3"), row) for row in get_space("so3").sample(0, "a", "b", 3)]
found = {}
for mesh in meshes:
    stage.load(Path(mesh), unit_diagonal=True)
    for view in range(3):
        name = f"{Path(mesh).name} {view} "
        found[name + "picture"], found[name + "mask"] = stage.render(scenes[view]), stage.mask()
        traced = stage.trace()
        found[name + "normal"], found[name + "position"] = traced.normal, traced.position
np.savez(Path(out) / "found.npz", **found)
os._exit(0)
"""


def smooth_with_a_normal_map(path: Path) -> Path:
    """A box with rounded shading, flat and pointed normals side by side, and a bumpy skin."""
    box = trimesh.creation.box((1, 0.6, 0.4)).subdivide().subdivide()
    uv = box.vertices[:, :2] + 0.5
    bumps = np.random.default_rng(0).normal((128, 128, 255), (40, 40, 0), (16, 16, 3)).clip(0, 255).astype(np.uint8)
    skin = trimesh.visual.material.PBRMaterial(
        normalTexture=Image.fromarray(bumps), baseColorFactor=(200, 120, 40, 255)
    )
    box.visual = trimesh.visual.TextureVisuals(uv=uv, material=skin)
    normals = np.where(box.vertices[:, :1] > 0, box.vertices, box.vertex_normals)
    box.vertex_normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    path.write_bytes(trimesh.exchange.gltf.export_glb(trimesh.Scene(box), include_normals=True))
    return path


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory):
    """Render a car with windows and a box with a normal map: {"mesh view kind": array}."""
    root = tmp_path_factory.mktemp("export")
    meshes = [export_object("02958343", 1, root / "objects"), smooth_with_a_normal_map(root / "box.glb")]

    def render(name: str, many: float) -> dict[str, np.ndarray]:
        words = [many, root / name, *meshes]
        done = subprocess.run(
            [sys.executable, "-c", STAGE, *map(str, words)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        with np.load(root / name / "found.npz") as found:
            return dict(found)

    return render


@pytest.mark.slow
def test_settled_normals_change_no_pixel_and_no_pass(show):
    plain, settled = show("plain", np.inf), show("settled", 0)
    assert [name for name in plain if not np.array_equal(plain[name], settled[name], equal_nan=True)] == []
