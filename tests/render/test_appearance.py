"""The colors of files as people have them show, or what is missing is named."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from appearances import CASES, dressed, obj, painted, picture, textured

from iebench.dataset.appearance import APPEARANCE, read_lost
from iebench.dataset.reader import Dataset
from iebench.dataset.verify import verify_dataset

SHARED = Path(__file__).parents[3] / "shared" / "cases"
LIGHT = ("--factor", "floor_hue=0.55", "--factor", "light_hue=0.1", "--size", 64, "--quality", "preview")
LEAST = 0.002  # of the pixels: eight, fewer than a limb of the reference figure has from any side


def write_files(folder: Path, files: dict) -> None:
    for name, content in files.items():
        path = folder / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def colors_of(pixels: np.ndarray) -> set[str]:
    """The colors that show, beside the floor's, which is teal and whitish under the spot."""
    r, g, b = np.moveaxis(pixels.astype(int), -1, 0)
    masks = {
        "red": (r > g + 60) & (r > b + 60),
        "blue": (b > r + 60) & (b > g + 40),
        "green": (g > r + 50) & (g > b + 40),
        "yellow": (r > b + 60) & (g > b + 60),
        "white": (pixels.min(axis=-1) > 145) & (r >= g - 5),
    }
    return {name for name, mask in masks.items() if mask.mean() > (5 * LEAST if name == "white" else LEAST)}


def seen(dataset: Dataset, index: int) -> set[str]:
    """The colors of an object in any of its views."""
    views = [simplejpeg.decode_jpeg(dataset.read_jpeg(index, view)) for view in range(dataset.num_views)]
    return set().union(*map(colors_of, views))


def lost_by_object(dataset: Dataset) -> dict[str, set[str]]:
    lost: dict[str, set[str]] = {}
    for row in dataset.lost:
        lost.setdefault(f"{row.synset}/{row.object_id}", set()).add(f"{row.what}: {row.name}")
    return lost


@pytest.mark.slow
def test_every_kind_of_appearance_shows_or_is_named(iebench, tmp_path):
    for name, case in CASES.items():
        write_files(tmp_path / "kinds" / name / "thing", case.files)
    iebench("render", "--objects", "kinds", "--views", 2, *LIGHT, "--out", "out")
    dataset = Dataset(tmp_path / "out")
    lost, shown = lost_by_object(dataset), {}
    for index, (synset, object_id) in enumerate(zip(dataset.synsets, dataset.object_ids, strict=True)):
        shown[synset] = seen(dataset, index)
        assert lost.get(f"{synset}/{object_id}", set()) == CASES[synset].lost, synset
    assert shown == {name: case.shows for name, case in CASES.items()}


@pytest.mark.slow
def test_pictures_inside_a_glb_are_not_taken_for_the_last_objects(iebench, tmp_path):
    """Cycles keeps textures from view to view, and knows one without a file by its place in memory."""
    colors = [("red", "blue", "white")[number * 7 % 11 % 3] for number in range(16)]
    for number, color in enumerate(colors):
        image = painted({"mimeType": "image/png"}, embed=(picture(color),))
        write_files(tmp_path / "objs" / "mug", {f"{number:02d}.glb": image})
    iebench("render", "--objects", "objs", "--views", 2, *LIGHT, "--out", "out")
    dataset = Dataset(tmp_path / "out")
    shown = {object_id: seen(dataset, index) for index, object_id in enumerate(dataset.object_ids.tolist())}
    assert shown == {f"{number:02d}": {color} for number, color in enumerate(colors)}


FIGURE = {"red", "blue", "green", "yellow"}
RED = {"red"}
# What each of the shared cases shows, and what it loses. Cubes are red; the figure hides at most one of its four limbs.
SHARED_CASES: dict[str, tuple[set[str], set[str]]] = {
    **dict.fromkeys(["vcol-ply", "vcol-glb", "vcol-glb-material", "spec-gloss-dielectric", "metallic-default", "unlit",
                     "lights-cameras", "gltf-percent-uri", "ref-glb"], (FIGURE, set())),
    **dict.fromkeys(["no-usemtl", "gso-layout", "tex-case", "tex-maps-folder", "map-kd-lowercase", "map-ka-only", "gbk-material",
                     "two-mtl-one-line", "ply-texture", "tex-exr", "tex-extension-changed", "tex-subfolder-other", "usemtl-case",
                     "shared-textures", "mtl-tr-space", "kd-zero-map", "tex-cmyk", "tex-dds", "tex-webp", "tex-misnamed",
                     "tex-quoted", "tex-trailing-space", "tex-leading-dot", "tex-unicode", "glb-png", "glb-webp",
                     "glb-cmyk-jpeg", "gltf-percent-texture", "gltf-backslash-texture", "ycb-layout"], (RED, set())),
    "glb-broken-image": ({"white"}, {"texture: image 0"}),
    "glb-ktx2": ({"white"}, {"texture: image 0"}),
    "gltf-missing-texture": ({"white"}, {"texture: gone.png"}),
    "no-material": ({"white"}, set()),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.exists(), reason="these files do not travel with the repository")
def test_the_shared_cases_show_their_colors(iebench, tmp_path):
    for name in SHARED_CASES:
        shutil.copytree(SHARED / name / "objs" / "mug", tmp_path / "objs" / name, symlinks=True)
    words = ("--sweep", "rotation_z=-60:60deg:4", *LIGHT)
    iebench("render", "--objects", "objs", *words, "--out", "out")
    dataset = Dataset(tmp_path / "out")
    lost, shown = lost_by_object(dataset), {name: set() for name in SHARED_CASES}
    for index, (synset, object_id) in enumerate(zip(dataset.synsets, dataset.object_ids, strict=True)):
        shown[synset] |= seen(dataset, index)
        assert lost.get(f"{synset}/{object_id}", set()) == SHARED_CASES[synset][1], synset
    hidden = {name: colors - shown[name] for name, (colors, _) in SHARED_CASES.items() if colors - shown[name]}
    assert {name for name, colors in hidden.items() if len(colors) > 1 or SHARED_CASES[name][0] != FIGURE} == set()


@pytest.mark.slow
def test_files_outside_the_object_are_never_read(iebench, tmp_path):
    """By path, by link, and of a neighbour; but for a folder without meshes that the objects of a class share."""
    outside = tmp_path / "outside"
    write_files(outside, {"t.png": picture(), "red.mtl": "newmtl paint\nKd 0.9 0.05 0.05\n"})
    cases = {
        "by-path": textured("../../../outside/t.png", "x.png", "blue"),
        "by-absolute-path": textured(str(outside / "t.png"), "x.png", "blue"),
        "of-a-neighbour": textured("../red-one/t.png", "x.png", "blue"),
        "by-link": dressed("newmtl paint\nmap_Kd link.png\n"),
        "by-linked-library": {"model.obj": obj()},
        "by-linked-folder": dressed("newmtl paint\nmap_Kd maps/t.png\n"),
        "red-one": textured("t.png", "t.png"),
        "shares": textured("../all textures/u.png", "x.png", "blue"),
    }
    for name, files in cases.items():
        write_files(tmp_path / "objs" / "mug" / name, files)
    mugs = tmp_path / "objs" / "mug"
    write_files(mugs, {"all textures/u.png": picture()})
    (mugs / "by-link" / "link.png").symlink_to(outside / "t.png")
    (mugs / "by-linked-library" / "model.mtl").symlink_to(outside / "red.mtl")
    (mugs / "by-linked-folder" / "maps").symlink_to(outside)
    iebench("render", "--objects", "objs", "--views", 2, *LIGHT, "--out", "out")
    dataset = Dataset(tmp_path / "out")
    red = {
        name.removesuffix("-model") for i, name in enumerate(dataset.object_ids.tolist()) if "red" in seen(dataset, i)
    }
    assert red == {"red-one", "shares"}
    assert {row.object_id.removesuffix("-model") for row in dataset.lost} == set(cases) - red


def read_lost_bytes(root: Path) -> bytes:
    return (root / APPEARANCE).read_bytes()


@pytest.mark.slow
def test_losses_are_told_and_survive_parts_and_retries(iebench, tmp_path):
    mugs = tmp_path / "objs" / "mug"
    for number in range(4):
        write_files(mugs / f"whole{number}", textured("t.png", "t.png"))
        write_files(mugs / f"lossy{number}", dressed(f"newmtl paint\nmap_Kd gone{number}.png\nmap_d mask.png\n"))
    write_files(mugs / "bad", {"model.obj": "v 1 1 1\nf 1 1 1\n"})
    words = ("render", "--objects", "objs", "--views", 2, "--size", 32, "--quality", "preview", "--objects-per-shard", 3,
             "--max-failures", 1)  # fmt: skip
    told = iebench(*words, "--out", "one").stdout
    assert f"4 objects lost a texture or a material: {APPEARANCE} says which and what." in told
    expected = read_lost_bytes(tmp_path / "one")
    rows = read_lost(tmp_path / "one" / APPEARANCE)
    assert [(row.object_id, row.name) for row in rows if row.object_id.startswith("lossy2")] == [
        ("lossy2-model", "gone2.png"), ("lossy2-model", "mask.png")]  # fmt: skip
    order = Dataset(tmp_path / "one").object_ids.tolist()
    assert [order.index(row.object_id) for row in rows] == sorted(order.index(row.object_id) for row in rows)

    for part in (1, 2):
        iebench(*words, "--out", f"part{part}", "--part", f"{part}/2")
    assert "4 objects lost" in iebench("merge", "part2", "part1", "joined").stdout
    assert read_lost_bytes(tmp_path / "joined") == expected

    write_files(mugs / "bad", {"model.obj": obj("", "")})
    again = json.loads(iebench(*words, "--out", "one", "--retry-failed", "--log-json").stdout.splitlines()[-1])
    assert (again["objects"], again["lost"]) == (9, 4)
    assert len(read_lost(tmp_path / "one" / APPEARANCE)) == len(rows)
    assert verify_dataset(tmp_path / "one", decode=True) == []
    assert "4 objects lost a texture or a material" in iebench("info", "one").stdout
    (tmp_path / "one" / APPEARANCE).write_text("synset,object_id,what,name\n")
    assert any(APPEARANCE in problem for problem in verify_dataset(tmp_path / "one"))
