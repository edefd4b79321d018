"""Reading materials: names as people write them."""

import json

import pytest

from iebench.errors import IebenchError
from iebench.render.mesh_files import find_file, prepare_mesh, split_map_options
from iebench.render.object_source import Mesh


@pytest.mark.parametrize(
    ("rest", "options", "name"),
    [
        ("wood.png", "", "wood.png"),
        ("my wood.png", "", "my wood.png"),
        ("-s 1 2 3 my wood.png", "-s 1 2 3", "my wood.png"),
        ("-clamp on -bm 0.5 a b.jpg", "-clamp on -bm 0.5", "a b.jpg"),
        ("-o 0.1 7.png", "-o 0.1", "7.png"),
        ("12", "", "12"),
    ],
)
def test_options_and_names_are_told_apart(rest, options, name):
    assert split_map_options(rest) == (options, name)


def test_files_are_found_inside_the_object_only(tmp_path):
    folder = tmp_path / "object"
    for name in ("object/models", "object/images"):
        (tmp_path / name).mkdir(parents=True)
    (folder / "images" / "a b.png").touch()
    (tmp_path / "secret.png").touch()
    base = folder / "models"
    assert find_file("..\\images\\a b.png", base, folder) == folder / "images" / "a b.png"
    assert find_file("elsewhere/a b.png", base, folder) == folder / "images" / "a b.png"
    assert find_file("../../secret.png", base, folder) is None
    assert find_file(str(tmp_path / "secret.png"), base, folder) is None


def gltf(uri: str) -> str:
    mesh = {"primitives": [{"attributes": {}}]}
    return json.dumps({"asset": {"version": "2.0"}, "buffers": [{"uri": uri, "byteLength": 4}], "meshes": [mesh]})


def test_a_gltf_that_reads_outside_is_refused(tmp_path):
    path = tmp_path / "object" / "a.gltf"
    path.parent.mkdir()
    path.write_text(gltf("../../etc/passwd"))
    with pytest.raises(IebenchError, match="outside"):
        prepare_mesh(Mesh(path, path.parent, True), tmp_path)
    path.write_text(gltf("data:application/octet-stream;base64,AAAA"))
    assert prepare_mesh(Mesh(path, path.parent, True), tmp_path) == path
    path.write_text("{")
    with pytest.raises(IebenchError, match="not a readable glTF"):
        prepare_mesh(Mesh(path, path.parent, True), tmp_path)
