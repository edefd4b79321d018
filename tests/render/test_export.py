"""What is done once for an object instead of at every export, and what it does to the pictures."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from iebench.render.procedural import export_object
from iebench.render.quality import get_quality

STAGE = """
import os, sys
from dataclasses import replace
from pathlib import Path
import numpy as np
from iebench.factors.space import get_space
from iebench.render import blender_export
from iebench.render.blender import Stage
from iebench.render.quality import get_quality
from iebench.render.scene import view_scene

many, instanced, order, out, *meshes = sys.argv[1:]
blender_export.MANY = float(many)
Path(out).mkdir()
stage = Stage(48, replace(get_quality("fast"), instanced=instanced == "True"), Path(out), geometry=True)
scenes = [view_scene(get_space("so3"), row) for row in get_space("so3").sample(0, "a", "b", 3)]
found = {}
for mesh in meshes[:: int(order)]:
    stage.load(Path(mesh), unit_diagonal=True)
    for view in list(range(3))[:: int(order)]:
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

    def render(name: str, many: float = np.inf, instanced: bool = False, order: int = 1) -> dict[str, np.ndarray]:
        words = [many, instanced, order, root / name, *meshes]
        done = subprocess.run(
            [sys.executable, "-c", STAGE, *map(str, words)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        with np.load(root / name / "found.npz") as found:
            return dict(found)

    return render


@pytest.mark.slow
def test_settled_normals_change_no_pixel_and_no_pass(show):
    plain, settled = show("plain"), show("settled", many=0)
    assert [name for name in plain if not np.array_equal(plain[name], settled[name], equal_nan=True)] == []


@pytest.mark.slow
def test_an_instanced_mesh_shows_the_same_in_any_order(show):
    plain, forth, back = show("again"), show("forth", instanced=True), show("back", instanced=True, order=-1)
    assert [name for name in forth if not np.array_equal(forth[name], back[name], equal_nan=True)] == []
    for name in (name for name in forth if name.endswith("picture")):
        changes = np.abs(plain[name].astype(int) - forth[name])
        assert (changes > 2).mean() < 0.01, "more than rounding has changed"
    masks = [name for name in forth if name.endswith("mask")]
    assert sum((plain[name] != forth[name]).sum() for name in masks) <= len(masks)


def test_a_card_tells_of_instancing_where_there_is_some():
    fast = get_quality("fast")
    assert "instanced" not in fast.to_json()
    assert replace(fast, instanced=True).to_json()["instanced"] is True
