"""Geometry passes in real renders: what they tell of two views of an object fits together, and the pictures stay as they are."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
import trimesh
from PIL import Image
from scipy.spatial import cKDTree

from iebench.dataset.passes import PASSES, STEPS
from iebench.dataset.reader import Dataset
from iebench.dataset.shards import split_shard
from iebench.render.scene import FLOOR_HEIGHT, camera_matrix, project, view_scene, world_to_camera
from iebench.render.surface import transform

pytestmark = pytest.mark.slow
SIZE, LENS, VIEWS = 128, 60.0, 6
FOCAL = LENS / 36 * SIZE  # pixels
BLACK = "newmtl black\nKd 0 0 0\nKs 0 0 0\n"
FACES = "mtllib black.mtl\nusemtl black\n"


@pytest.fixture(scope="module")
def beams() -> trimesh.Trimesh:
    """Beams of different lengths: flat faces, edges in front of others, and no symmetry."""
    parts = (((1.0, 0.15, 0.1), (0.5, 0, 0)), ((0.1, 0.7, 0.2), (0, 0.35, 0)), ((0.2, 0.1, 0.4), (0, 0, 0.2)))
    places = [(extents, trimesh.transformations.translation_matrix(place)) for extents, place in parts]
    return trimesh.util.concatenate([trimesh.creation.box(*place) for place in places])


def window() -> trimesh.Trimesh:
    """Two parallel panes, of which a texture makes the half at x < 0 transparent."""
    texture = Image.fromarray(
        np.tile(np.uint8([[200, 90, 40, 0], [200, 90, 40, 255]])[None].repeat(8, axis=1), (16, 1, 1))
    )
    material = trimesh.visual.material.PBRMaterial(baseColorTexture=texture, alphaMode="MASK", doubleSided=True)
    corners = [(x, y, z) for z in (-0.2, 0.2) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    faces = [(0, 1, 2), (0, 2, 3), (4, 5, 6), (4, 6, 7)]
    uv = np.array([[(x + 1) / 2, (y + 1) / 2] for x, y, _ in corners])
    return trimesh.Trimesh(corners, faces, process=False, visual=trimesh.visual.TextureVisuals(uv, material=material))


@pytest.fixture(scope="module")
def rendered(tmp_path_factory, beams) -> tuple[Dataset, Dataset]:
    """A black object with flat faces, a round one, and a window with a hole; with passes and without."""
    root = tmp_path_factory.mktemp("passes")
    for name, mesh in (("beams", beams), ("ring", trimesh.creation.torus(0.4, 0.2))):
        folder = root / "objects" / "thing" / name
        folder.mkdir(parents=True)
        (folder / "object.obj").write_text(FACES + trimesh.exchange.obj.export_obj(mesh, include_color=False))
        (folder / "black.mtl").write_text(BLACK)
    (root / "objects" / "thing" / "window").mkdir()
    window().export(root / "objects" / "thing" / "window" / "object.glb")
    settings = [
        "--views",
        VIEWS,
        "--size",
        SIZE,
        "--focal-length",
        LENS,
        "--space",
        "3diebench-t",
        "--quality",
        "preview",
    ]
    for out, passes in (("with", ["--passes", "position,mask,depth,normal"]), ("without", [])):
        words = ["render", "--objects", root / "objects", "--out", root / out, *settings, *passes]
        subprocess.run([sys.executable, "-m", "iebench", *map(str, words)], check=True, capture_output=True)
    return Dataset(root / "with"), Dataset(root / "without")


def place(dataset: Dataset, index: int, view: int, points: np.ndarray) -> np.ndarray:
    """Points (n, 3) of an object in the camera's frame of a view, as its latents say: (3, n)."""
    matrix = world_to_camera() @ view_scene(dataset.space, dataset.latents[index, view]).object_matrix
    return transform(matrix, points).T


def seen_points(dataset: Dataset, index: int, view: int) -> tuple[np.ndarray, np.ndarray]:
    """The object's points in a view, (n, 3), and the middles of their pixels, (2, n)."""
    position = dataset.read_pass("position", index, view)
    rows, columns = np.nonzero(~np.isnan(position[..., 0]))
    return position[rows, columns].astype(float), np.stack([columns, rows]) + 0.5


def solid_objects(dataset: Dataset) -> list[int]:
    return np.flatnonzero(dataset.object_ids != "window-object").tolist()


def all_views(dataset: Dataset) -> list[tuple[int, int]]:
    return [(index, view) for index in solid_objects(dataset) for view in range(VIEWS)]


def test_pictures_tables_and_card_are_as_without_passes(rendered):
    with_passes, without = rendered
    assert (with_passes.checksums == without.checksums).all()
    cards = [json.loads((data.root / "dataset.json").read_text()) for data in rendered]
    assert cards[0].pop("passes") == ["mask", "depth", "normal", "position"] == cards[0]["settings"].pop("passes")
    for name in ("files", "shards", "digest"):
        cards[0].pop(name), cards[1].pop(name)
    assert cards[0] == cards[1]
    for shard in {*without.shards}:
        pairs = zip(split_shard(with_passes.root / shard), split_shard(without.root / shard), strict=True)
        assert all(whole.startswith(plain) for (_, whole), (_, plain) in pairs)


def test_a_position_is_seen_in_the_middle_of_its_pixel(rendered):
    data, _ = rendered
    for index, view in all_views(data):
        points, middles = seen_points(data, index, view)
        seen = place(data, index, view, points)
        assert np.abs(project(seen, SIZE, LENS) - middles).max(initial=0) < 0.05
        depth, mask = data.read_pass("depth", index, view), data.read_pass("mask", index, view)
        assert np.abs(depth[mask] + seen[2]).max(initial=0) < 2 / STEPS
        assert np.isnan(data.read_pass("normal", index, view)).any(axis=-1).tolist() == (~mask).tolist()


def test_beside_the_object_depth_is_that_of_the_floor(rendered):
    data, _ = rendered
    depth, mask = data.read_pass("depth", 0, 0), data.read_pass("mask", 0, 0)
    rows, columns = np.nonzero(~mask)
    far = depth[~mask]
    ray = np.stack([(columns + 0.5 - SIZE / 2) / FOCAL, (SIZE / 2 - rows - 0.5) / FOCAL, -np.ones(len(far))])
    heights = (camera_matrix()[:3, :3] @ (ray * far) + camera_matrix()[:3, 3:])[2]
    np.testing.assert_allclose(heights, FLOOR_HEIGHT, atol=1e-4)


def follow(data: Dataset, index: int, start: int, end: int, latents_of: int) -> tuple[float, float]:
    """Points that one view shows, looked for in another where its latents put them.

    Returns:
        How many are seen there and not from the side, and of these the part whose nearest position is found within a pixel.
    """
    points, _ = seen_points(data, index, start)
    others, middles = seen_points(data, index, end)
    seen = place(data, index, latents_of, points)
    pixels = project(seen, SIZE, LENS)
    normal = data.read_pass("normal", index, start)
    turned = view_scene(data.space, data.latents[index, latents_of]).object_matrix[:3, :3]
    facing = world_to_camera()[:3, :3] @ turned @ normal[~np.isnan(normal[..., 0])].T
    frontal = -(facing * seen).sum(axis=0) > 0.3 * np.linalg.norm(seen, axis=0)
    inside = ((pixels >= 0) & (pixels < SIZE)).all(axis=0) & frontal
    depth = data.read_pass("depth", index, end)[*np.floor(pixels[::-1, inside]).astype(int)]
    visible = np.abs(depth + seen[2, inside]) < 2 * 2.5 / FOCAL  # within two pixels, and not behind something else
    found = middles[:, cKDTree(others).query(points[inside][visible])[1]]
    near = np.linalg.norm(found - pixels[:, inside][:, visible], axis=0) <= 1.0
    return float(visible.sum()), float(near.mean()) if len(near) else 0.0


def test_two_views_agree_within_a_pixel(rendered):
    data, _ = rendered
    pairs = [(index, a, b) for index in solid_objects(data) for a in range(VIEWS) for b in range(VIEWS) if a != b]
    told = np.array([follow(data, index, a, b, b) for index, a, b in pairs])
    assert told[:, 0].sum() > 5000, "too few points are seen twice"
    assert np.average(told[:, 1], weights=told[:, 0]) > 0.995
    assert np.quantile(told[told[:, 0] > 50, 1], 0.05) > 0.97
    wrong = np.array([follow(data, index, a, b, a) for index, a, b in pairs])
    assert np.average(wrong[:, 1], weights=wrong[:, 0] + 1e-9) < 0.05, (
        "with another view's latents nothing should agree"
    )


def test_the_mask_is_the_silhouette_in_the_picture(rendered):
    """Both objects are black, and the floor is not."""
    data, _ = rendered
    for index, view in all_views(data):
        picture, mask = simplejpeg.decode_jpeg(data.read_jpeg(index, view)), data.read_pass("mask", index, view)
        if mask.sum() < 100:
            continue
        bright = picture.max(axis=-1).astype(float)
        dark = bright < (np.median(bright[~mask]) + np.median(bright[mask])) / 2
        assert (dark & mask).sum() / (dark | mask).sum() > 0.94


def test_normals_are_those_of_the_surface_that_positions_draw(rendered):
    """Central differences of the position, where it is smooth; normals are of length one and look at the camera."""
    data, _ = rendered
    for index in solid_objects(data):
        agreement = []
        for view in range(VIEWS):
            position, normal = data.read_pass("position", index, view), data.read_pass("normal", index, view)
            ahead, behind = position[1:-1, 2:] - position[1:-1, 1:-1], position[1:-1, 1:-1] - position[1:-1, :-2]
            below, above = position[2:, 1:-1] - position[1:-1, 1:-1], position[1:-1, 1:-1] - position[:-2, 1:-1]
            smooth = np.maximum(np.linalg.norm(ahead - behind, axis=-1), np.linalg.norm(below - above, axis=-1)) < 0.004
            drawn = np.cross(below + above, ahead + behind)[smooth]
            agreement.append(
                (drawn / np.linalg.norm(drawn, axis=-1, keepdims=True) * normal[1:-1, 1:-1][smooth]).sum(-1)
            )
            told = normal[~np.isnan(normal[..., 0])]
            np.testing.assert_allclose(np.linalg.norm(told, axis=-1), 1, atol=2 / STEPS)
        cosines = np.concatenate(agreement)
        assert len(cosines) > 1000
        assert np.quantile(cosines, 0.05) > np.cos(np.radians(10)), "flat or round, to a part of the facets' angle"


def test_rays_go_on_where_a_texture_is_transparent(rendered):
    data, _ = rendered
    (index,) = np.flatnonzero(data.object_ids == "window-object").tolist()
    points = np.concatenate([seen_points(data, index, view)[0] for view in range(VIEWS)])
    half = 1 / np.linalg.norm([2, 2, 0.4])  # of the panes' width, at a unit diagonal
    assert len(points) > 2000 and points[:, 0].max() > 0.9 * half
    assert points[:, 0].min() > -half / 8, "a texel is an eighth of the half"


def test_an_unknown_pass_and_a_changed_one_are_refused(iebench, tmp_path):
    refused = iebench("render", "--passes", "depht", "--out", tmp_path / "out", code=2)
    assert f"There is no pass 'depht': choose some of {','.join(PASSES)}." in refused.stderr
    assert not Path(tmp_path / "out").exists()
