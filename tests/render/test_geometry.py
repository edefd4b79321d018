"""Every file shows the object that a viewer shows at rest, centred, at its scale, turned as the latents say."""

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
import trimesh
from glb_file import Glb, bent_figure

from iebench.dataset.card import DatasetCard
from iebench.dataset.reader import Dataset
from iebench.dataset.writer import read_failures

pytestmark = pytest.mark.slow
CASES = Path(__file__).parents[3] / "shared" / "cases"
FIXED = ("rotation_x=0.3", "rotation_y=0.4", "floor_hue=0.55", "light_hue=0.1", "light_theta=0.3", "light_phi=0.5")
VIEWS = (
    *("--sweep", "rotation_z=-60:60deg:3", "--size", 64, "--max-failures", 1),
    *(word for setting in FIXED for word in ("--factor", setting)),
)
TURNED = np.array([[0, 0, 0, 1], [0, np.sqrt(0.5), 0, np.sqrt(0.5)]])


def figure(change: Callable[[Glb], object] = lambda made: None) -> bytes:
    made = Glb()
    change(made)
    return made.to_bytes()


def node(**values: object) -> Callable[[Glb], object]:
    return lambda made: made.document["nodes"][0].update(values)


def second_scene(made: Glb, default: int) -> None:
    made.surround(9, (1, 0, 1, 1), "other")
    scenes = [{"nodes": [0]}, {"nodes": [1]}]
    made.document.update(scene=default, scenes=scenes[:: 1 - 2 * default])


def far_scene(made: Glb) -> None:
    """Two nodes for the mesh's parts, both at UTM coordinates."""
    first = made.document["meshes"][0]["primitives"]
    made.document["meshes"] = [{"primitives": first[:1]}, {"primitives": first[1:]}]
    made.document["nodes"] = [{"children": [1, 2], "translation": [512345, 310, 4812345]}, {"mesh": 0}, {"mesh": 1}]


FIGURES: dict[str, bytes] = {
    "plain": figure(),
    "node-scaled-and-moved": figure(node(scale=[0.01] * 3, translation=[1, 2, 3])),
    "keyed-rotation": figure(lambda made: made.animate("rotation", TURNED)),
    "keyed-translation": figure(lambda made: made.animate("translation", np.array([[0, 3, 0], [5, 3, 0]]))),
    "keyed-scale": figure(lambda made: made.animate("scale", np.array([[1, 1, 1], [1, 3, 1]]))),
    "morph": figure(lambda made: made.morph(0.0)),
    "morph-in-a-large-node": figure(lambda made: (made.morph(0.0), node(scale=[30] * 3)(made))),
    "keyed-morph": figure(lambda made: (made.morph(1.0), made.animate("weights", np.array([0, 1])))),
    "skin": figure(lambda made: made.skin(0.0)),
    "first-of-two-scenes": figure(lambda made: second_scene(made, 0)),
    "second-of-two-scenes": figure(lambda made: second_scene(made, 1)),
    "invisible-helper": figure(lambda made: made.surround(9, (1, 1, 1, 0), "collider", alphaMode="BLEND")),
    "sky": figure(lambda made: made.surround(90, (0.3, 0.5, 0.9, 1), "Sky_sphere")),
    "far-away": figure(far_scene),
}
BENT: dict[str, bytes] = {"bent": bent_figure(-1.2), "bent-by-a-bone": figure(lambda made: made.skin(-1.2))}


def utm(text: str) -> str:
    """The same OBJ in other coordinates."""
    rows = [line.split() for line in text.splitlines()]
    place = ("512345", "4812345", "310")
    return "\n".join(" ".join([row[0], *(repr(float(a) + float(b)) for a, b in zip(row[1:], place, strict=True))])
                     if row[:1] == ["v"] else " ".join(row) for row in rows)  # fmt: skip


def plain_files(mesh: trimesh.Trimesh) -> dict[str, bytes]:
    """One mesh without colors, in all formats, near and far, and in odd but plain OBJ."""
    text = "".join("v {!r} {!r} {!r}\n".format(*v) for v in mesh.vertices.tolist())
    faces = "".join("f {} {} {}\n".format(*face) for face in (mesh.faces + 1).tolist())
    rows = "".join("{!r} {!r} {!r}\n".format(*v) for v in mesh.vertices.tolist())
    off = rows + "".join("3 {} {} {}\n".format(*face) for face in mesh.faces.tolist())
    counts = f"{len(mesh.vertices)} {len(mesh.faces)} 0\n"
    obj = text + faces
    return {
        "plain.obj": obj.encode(),
        "utf-16.obj": obj.encode("utf-16"),
        "utf-8-mark.obj": obj.encode("utf-8-sig"),
        "carriage-returns.obj": obj.replace("\n", "\r").encode(),
        "packed.obj.gz": gzip.compress(obj.encode()),
        "packed-by-another-name.obj": gzip.compress(obj.encode()),
        "comments.obj": obj.replace("\n", " # so\n").encode(),
        "faces-first.obj": (faces + text).encode(),
        "continued.obj": ("# C:\\\n" + obj.replace(" ", " \\\n")).encode(),
        "far.obj": utm(obj).encode(),
        "plain.ply": mesh.export(file_type="ply"),
        "text.ply": mesh.export(file_type="ply", encoding="ascii"),
        "packed.ply.gz": gzip.compress(mesh.export(file_type="ply")),
        "plain.stl": mesh.export(file_type="stl"),
        "far.stl": trimesh.Trimesh(mesh.vertices + np.array([512345, 0, 0]), mesh.faces)
        .export(file_type="stl_ascii")
        .encode(),
        "plain.off": ("OFF\n" + counts + off).encode(),
        "glued.off": ("OFF" + counts + "# a comment\n" + off).encode(),
        "packed.off.gz": gzip.compress(("OFF\n" + counts + off).encode()),
    }


def render(iebench: Callable, root: Path, files: dict[str, bytes], *words: object) -> dict[str, np.ndarray]:
    """Views of every file, by its name: (views, 64, 64, 3). Each lies as an object "a" in a folder of its own."""
    shutil.rmtree(root / "objects", ignore_errors=True)
    for name, content in files.items():
        path = root / "objects" / "mug" / name.replace(".", "-") / f"a.{name.partition('.')[2]}"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    iebench("render", "--objects", "objects", *VIEWS, *words, "--out", "out")
    return views_of(root / "out")


def views_of(root: Path) -> dict[str, np.ndarray]:
    """The same of a dataset."""
    dataset, found = Dataset(root), {}
    for index, object_id in enumerate(dataset.object_ids):
        jpegs = [dataset.read_jpeg(index, view) for view in range(dataset.num_views)]
        found[folder_of(object_id)] = np.stack([simplejpeg.decode_jpeg(jpeg) for jpeg in jpegs]).astype(int)
    return found


def folder_of(object_id: str) -> str:
    return object_id.rpartition("-")[0].replace("_", ".")


def difference(views: np.ndarray, right: np.ndarray) -> float:
    """Mean absolute difference of the colors; another pose of the figure makes about 3."""
    return float(np.abs(views - right).mean())


def test_gltf_shows_its_default_scene_at_rest(iebench, tmp_path):
    views = render(iebench, tmp_path, {f"{name}.glb": content for name, content in (FIGURES | BENT).items()})
    assert set(views) == {f"{name}-glb" for name in FIGURES | BENT}
    assert difference(views["plain-glb"][0], views["plain-glb"][2]) > 2, "it turns"
    assert difference(views["plain-glb"], views["bent-glb"]) > 1
    for name in FIGURES:
        assert difference(views[f"{name}-glb"], views["plain-glb"]) < 0.3, name
    assert difference(views["bent-by-a-bone-glb"], views["bent-glb"]) < 0.3


def test_a_file_that_shows_nothing_says_why(iebench, tmp_path):
    def clear(made: Glb) -> None:
        for material in made.document["materials"]:
            material.update(alphaMode="BLEND", pbrMetallicRoughness={"baseColorFactor": [1, 1, 1, 0]})

    bare = figure(
        lambda made: made.document["scenes"][0].update(nodes=[1]) or made.document["nodes"].append({"name": "a"})
    )
    assert set(render(iebench, tmp_path, {"plain.glb": figure(), "clear.glb": figure(clear), "bare.glb": bare})) == {
        "plain-glb"
    }
    reasons = {failure.object_id: failure.reason for failure in read_failures(tmp_path / "out" / "failures.csv")}
    assert len(reasons) == 2 and all("transparent: show them, or raise the opacity" in why for why in reasons.values())


def test_all_formats_show_the_same(iebench, tmp_path, beams):
    files = plain_files(beams)
    views = render(iebench, tmp_path, files)
    assert len(views) == len(files)
    for name, found in views.items():
        assert difference(found, views["plain-obj"]) < 0.3, name


def test_another_axis_may_point_up(iebench, tmp_path, beams):
    upright = trimesh.Trimesh(beams.vertices[:, [0, 2, 1]] * [1, -1, 1], beams.faces)
    lying = {name: upright.export(file_type=name) for name in ("stl", "ply")}
    files = {f"lying.{name}": content for name, content in lying.items()} | {"figure.glb": FIGURES["plain"]}
    views = render(iebench, tmp_path, files, "--up", "z")
    assert DatasetCard.read(tmp_path / "out").source == {"kind": "folders", "up": "z"}
    shutil.move(tmp_path / "out", tmp_path / "z")
    right = render(iebench, tmp_path, {"plain.obj": plain_files(beams)["plain.obj"], "figure.glb": FIGURES["plain"]})
    assert DatasetCard.read(tmp_path / "out").source == {"kind": "folders"}
    assert difference(views["lying-stl"], right["plain-obj"]) < 0.3
    assert difference(views["lying-ply"], right["plain-obj"]) < 0.3
    assert difference(views["figure-glb"], right["figure-glb"]) == 0, "glTF has an axis of its own"
    said = iebench("render", "--objects", "objects", *VIEWS, "--out", "z", code=2).stderr
    assert "source was" in said


LIKE_THE_FIGURE = (
    *(
        "anim-morph",
        "anim-node-rotation",
        "anim-node-scale",
        "anim-node-translation",
        "anim-parent",
        "draco",
        "two-scenes",
    ),
    *("invisible-helper", "morph-node-big", "morph-node-scale", "morph-plain", "sky-box", "skin-bind", "skin-unit"),
)
LIKE_ITS_SHAPE = (
    *("cr-only", "far-away-utm", "line-continuation", "obj-gz", "obj-inline-comments", "obj-nan-name", "obj-utf16"),
    *(
        "obj-vertices-after-faces",
        "stl-binary-solid",
        "stl-nan-normals",
        "stl-two-solids",
        "stl-zero-normals",
        "stray-vertex",
    ),
)
OF_THEIR_OWN = ("gpu-instancing", "negative-scale", "no-material", "ply-vertex-index", "ref-glb", "skin-posed")
REFUSED = {
    "deep-hierarchy": "nests its nodes",
    "glb-is-html": "web page",
    "glb-lfs-pointer": "Git LFS pointer",
    "glb-points": "points or lines",
    "glb-truncated": "cut short",
    "gltf-1.0": "glTF 1.0",
    "gltf-missing-bin": "gone.bin",
    "meshopt-required": "EXT_meshopt_compression",
    "glb-ktx2-required": "KHR_texture_basisu",
    "obj-decimal-commas": "decimal commas",
    "obj-indices-zero-based": "from 0",
    "obj-lfs-pointer": "Git LFS pointer",
    "obj-nurbs": "NURBS",
    "ply-nan-vertex": "finite",
    "ply-points": "cloud of 120 points",
    "ply-truncated": "cut short",
    "stl-nan-vertex": "finite",
}


@pytest.mark.skipif(not CASES.exists(), reason="these files do not travel with the repository")
def test_files_of_the_kind_that_people_have(iebench, tmp_path):
    names = (*LIKE_THE_FIGURE, *LIKE_ITS_SHAPE, *OF_THEIR_OWN, *REFUSED)
    for name in names:
        shutil.copytree(CASES / name / "objs" / "mug", tmp_path / "objects" / "mug" / name)
    said = iebench("render", "--objects", "objects", *VIEWS, "--out", "out")
    assert "Traceback" not in said.stdout + said.stderr
    views = views_of(tmp_path / "out")
    reasons = {folder_of(f.object_id): f.reason for f in read_failures(tmp_path / "out" / "failures.csv")}
    assert set(views) == {*LIKE_THE_FIGURE, *LIKE_ITS_SHAPE, *OF_THEIR_OWN}
    for name, reason in REFUSED.items():
        assert reason in reasons[name], name
    for names, right in ((LIKE_THE_FIGURE, "ref-glb"), (LIKE_ITS_SHAPE, "no-material")):
        for name in names:
            assert difference(views[name], views[right]) < 0.3, name
    for name in OF_THEIR_OWN:
        assert difference(views[name][0], views[name][1]) > 1, name
