import hashlib
from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree

from iebench.catalogue import CLASSES
from iebench.errors import UsageError
from iebench.factors.symmetry import built_in_classes, find_built_in
from iebench.render.obj_file import corner_normals, texture_corners
from iebench.render.procedural import ProceduralObject, build, export_object, index_of, object_id
from iebench.render.recipe import Part
from iebench.render.shapes import Shape, box, cylinder

SYNSETS = [entry.synset for entry in built_in_classes()]
NAMES = [entry.name for entry in built_in_classes()]
every_class = pytest.mark.parametrize("synset", SYNSETS, ids=NAMES)


def find_faults(part: Part) -> list[str]:
    """What is wrong with a part's mesh, in words."""
    shape = part.shape
    corners = shape.vertices[shape.faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    code = shape.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2) @ [len(shape.vertices), 1]
    twin = shape.faces[:, [1, 0, 2, 1, 0, 2]].reshape(-1, 2) @ [len(shape.vertices), 1]
    checks = {
        "not finite": not np.isfinite(shape.vertices).all(),
        "degenerate faces": np.linalg.norm(normal, axis=1).min() < 1e-11,
        "open or badly wound": len(np.unique(code)) < len(code) or not np.array_equal(np.sort(code), np.sort(twin)),
        "inside out": np.einsum("ij,ij->", corners[:, 0], normal) <= 0,
    }
    return [f"{part.name}: {fault}" for fault, found in checks.items() if found]


def check_object(thing: ProceduralObject) -> None:
    faults = [fault for part in thing.parts for fault in find_faults(part)]
    assert not faults, f"{thing.synset} {thing.object_id}: {faults}"
    points = np.concatenate([part.shape.vertices for part in thing.parts])
    low, high = points.min(axis=0), points.max(axis=0)
    assert np.linalg.norm(high - low) == pytest.approx(1.0, abs=1e-5)
    assert (low + high) / 2 == pytest.approx([0, 0, 0], abs=1e-5)
    assert sum(len(part.shape.faces) for part in thing.parts) <= 50_000


@every_class
def test_objects_are_sane(synset: str) -> None:
    for index in range(2):
        check_object(build(synset, index))


@pytest.mark.slow
@every_class
def test_a_hundred_objects_are_sane(synset: str) -> None:
    for index in range(100):
        check_object(build(synset, index))


@every_class
def test_objects_of_a_class_differ_in_shape(synset: str) -> None:
    shapes = {np.concatenate([part.shape.vertices for part in build(synset, i).parts]).tobytes() for i in range(4)}
    assert len(shapes) == 4


def furthest_after_turn(thing: ProceduralObject, degrees: float) -> float:
    """How far a vertex of the turned object can be from all vertices of the object itself, at most."""
    points = np.concatenate([part.shape.vertices for part in thing.parts])
    turned = Shape(points, np.empty((0, 3), int)).turn("y", degrees).vertices
    return float(cKDTree(points).query(turned)[0].max())


@every_class
def test_symmetry_is_as_listed(synset: str) -> None:
    turns = find_built_in(synset).turns
    for index in range(4):
        thing = build(synset, index)
        if turns == 1:
            assert furthest_after_turn(thing, 180) > 0.02, "it looks the same from the back"
        else:
            assert furthest_after_turn(thing, 90 if turns == 0 else 360 / turns) < 1e-5


def read_tree(root: Path) -> bytes:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return b"".join(path.relative_to(root).as_posix().encode() + path.read_bytes() for path in files)


@pytest.mark.slow
def test_an_object_is_the_same_bytes_on_every_machine(tmp_path: Path) -> None:
    for entry in CLASSES:
        export_object(entry.synset, 0, tmp_path)
    assert hashlib.sha256(read_tree(tmp_path)).hexdigest() == DIGEST


# Of object 0 of each of the benchmark's classes. When recipes change, CATALOGUE_VERSION is raised with it.
DIGEST = "3d846191dc0699604cee401c637720549b41b38b344fc357834bd44e0123b56a"


def test_an_export_is_a_shapenet_tree_that_others_read(tmp_path: Path) -> None:
    path = export_object("03797390", 3, tmp_path)
    assert path.relative_to(tmp_path).as_posix() == "03797390/p1-000003/models/model_normalized.obj"
    library = path.with_suffix(".mtl").read_text()
    maps = [line.split()[1] for line in library.splitlines() if line.startswith("map_Kd")]
    assert maps and all((path.parent / name).resolve().is_file() for name in maps)
    named = {line.split()[1] for line in library.splitlines() if line.startswith("newmtl")}
    used = {line.split()[1] for line in path.read_text().splitlines() if line.startswith("usemtl")}
    assert used == named
    mesh = trimesh.load(path, force="mesh", process=False)
    assert len(mesh.faces) == sum(len(part.shape.faces) for part in build("03797390", 3).parts)
    assert mesh.extents == pytest.approx(build("03797390", 3).mesh().extents, abs=1e-5)


def test_ids_name_the_version_and_the_number() -> None:
    assert object_id(7) == "p1-000007"
    assert index_of("p1-000007") == 7
    for wrong in ("p0-000007", "p1-", "1f2a", "p1-x"):
        with pytest.raises(UsageError, match=wrong):
            index_of(wrong)


def test_an_unknown_class_is_refused() -> None:
    with pytest.raises(UsageError, match="iebench objects list"):
        build("00000000", 0)


def test_normals_are_smooth_on_a_cylinder_and_sharp_at_its_rim() -> None:
    shape = cylinder(1, 2, segments=36)
    normals = corner_normals(shape)
    assert np.linalg.norm(normals, axis=-1) == pytest.approx(np.ones(normals.shape[:2]))
    corners = shape.vertices[shape.faces]
    side = np.abs(normals[..., 1]) < 0.5
    radial = corners[side] * [1, 0, 1]
    assert np.einsum("ij,ij->i", normals[side], radial) == pytest.approx(np.ones(side.sum()), abs=1e-3)
    assert np.abs(normals[~side][:, 1]) == pytest.approx(np.ones((~side).sum()))


def test_pictures_on_the_front_are_upright_and_not_mirrored() -> None:
    shape = box(2, 1, 0.1)
    corners = shape.vertices[shape.faces]
    texture = texture_corners(shape, "front")
    # Who looks at the front, towards +Z with Y up, has +X at his left hand.
    assert np.all((texture[..., 0] == 0) == (corners[..., 0] == 1))
    assert np.all((texture[..., 1] == 1) == (corners[..., 1] == 0.5))
