"""Damaged files of all formats: none stops the farm, hangs it, or gets a view into the dataset that does not show its object."""

import base64
import json
import random
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
import trimesh
from glb_file import Glb
from mutations import MUTATIONS

from iebench.dataset.reader import Dataset
from iebench.dataset.writer import read_failures

FILES = 500
FIXED = ("floor_hue=0.55", "light_hue=0.1", "light_theta=0.3", "light_phi=0.5")
MTL = "newmtl paint\nKd 0.9 0.05 0.05\nd 1\nmap_Kd paint.png\n"


def seeds(mesh: trimesh.Trimesh) -> dict[str, bytes]:
    """One whole file of each format."""
    obj = "mtllib a.mtl\nusemtl paint\n" + mesh.export(file_type="obj").partition("\n")[2]
    made = Glb()
    made.morph(0.5)
    made.animate("weights", np.array([0, 1]))
    uri = "data:application/octet-stream;base64," + base64.b64encode(made.binary).decode()
    document = made.document | {"buffers": [{"byteLength": len(made.binary), "uri": uri}]}
    return {
        "obj": obj.encode(),
        "mtl": MTL.encode(),
        "ply": mesh.export(file_type="ply"),
        "text.ply": mesh.export(file_type="ply", encoding="ascii"),
        "stl": mesh.export(file_type="stl"),
        "text.stl": mesh.export(file_type="stl_ascii").encode(),
        "off": mesh.export(file_type="off").encode(),
        "glb": made.to_bytes(),
        "gltf": json.dumps(document, indent=1).encode(),
    }


def write_damaged(root: Path, whole: dict[str, bytes], number: int) -> None:
    """Object number so and so: a file of the next format, damaged in one way of several."""
    dice = random.Random(number)
    names = [name for name in whole if name != "mtl"]
    form = [*names, "mtl"][number % len(whole)]
    damaged = dice.choice(MUTATIONS)(whole[form], dice)
    folder = root / f"{number:04d}-{form.replace('.', '-')}"
    folder.mkdir(parents=True)
    suffix = form.rpartition(".")[2]
    (folder / f"a.{suffix}").write_bytes(damaged)
    if form == "obj":
        (folder / "a.mtl").write_bytes(whole["mtl"])
    if form == "mtl":
        (folder / "a.obj").write_bytes(whole["obj"])


@pytest.mark.slow
def test_damaged_files_are_rendered_or_named(iebench, tmp_path, beams):
    whole = seeds(beams)
    for number in range(FILES):
        write_damaged(tmp_path / "objects" / "mug", whole, number)
    factors = [word for setting in FIXED for word in ("--factor", setting)]
    iebench("render", "--objects", "objects", "--views", 2, "--size", 32, "--quality", "preview", *factors, "--max-failures", 1,
            "--object-timeout", 30, "--out", "out", minutes=20)  # fmt: skip
    dataset, failures = Dataset(tmp_path / "out"), read_failures(tmp_path / "out" / "failures.csv")
    assert dataset.num_objects + len(failures) == FILES
    assert dataset.num_objects > FILES / 8, "some damage is slight"
    assert not [failure for failure in failures if "no result within" in failure.reason]
    assert not [failure for failure in failures if "Error:" in failure.reason and "Blender" not in failure.reason]
    views = np.stack(
        [simplejpeg.decode_jpeg(dataset.read_jpeg(*place)) for place in np.ndindex(dataset.num_objects, 2)]
    )
    floor = np.median(views, axis=0)
    differing = (np.abs(views - floor).max(axis=-1) > 15).sum(axis=(1, 2))
    assert differing.min() > 0, dataset.object_ids[int(differing.argmin()) // 2]
