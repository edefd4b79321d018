"""Making files safe and whole before Blender opens them."""

import json

import pytest

from iebench.errors import IebenchError
from iebench.render.mesh_files import prepare_mesh
from iebench.render.mtl_file import split_map_options
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


def gltf(uri: str) -> str:
    meshes = [{"primitives": [{"attributes": {}}]}]
    return json.dumps({"asset": {"version": "2.0"}, "meshes": meshes, "buffers": [{"uri": uri, "byteLength": 4}]})


@pytest.mark.parametrize("uri", ["../../etc/passwd", "%2e%2e/secret.bin", "..\\secret.bin", "/etc/passwd", "link.bin"])
def test_a_gltf_that_reads_outside_is_refused(tmp_path, uri):
    path = tmp_path / "object" / "a.gltf"
    path.parent.mkdir()
    (path.parent / "link.bin").symlink_to("/etc/passwd")
    path.write_text(gltf(uri))
    with pytest.raises(IebenchError, match="outside"):
        prepare_mesh(Mesh(path, path.parent, True), tmp_path)


def test_a_gltf_is_taken_as_it_is_or_named(tmp_path):
    path = tmp_path / "a.gltf"
    path.write_text(gltf("data:application/octet-stream;base64,AAAA"))
    assert prepare_mesh(Mesh(path, path.parent, True), tmp_path).path == path
    path.write_text("{")
    with pytest.raises(IebenchError, match="not a readable glTF"):
        prepare_mesh(Mesh(path, path.parent, True), tmp_path)
