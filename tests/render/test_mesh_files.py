"""Making files safe and whole before Blender opens them."""

import gzip
import json

import pytest
from PIL import Image

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


@pytest.mark.parametrize("name", ["a.gltf.gz", "a.gltf"])
def test_a_packed_gltf_keeps_its_buffer_and_its_picture(tmp_path, name):
    folder, scratch = tmp_path / "object", tmp_path / "scratch"
    scratch.mkdir()
    (folder / "images").mkdir(parents=True)
    (folder / "a.bin").write_bytes(b"1234")
    Image.new("RGB", (2, 2), "red").save(folder / "images" / "skin.png")
    textured = {"textures": [{"source": 0}], "images": [{"uri": "images/skin.png"}],
                "materials": [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}]}  # fmt: skip
    (folder / name).write_bytes(gzip.compress(json.dumps(json.loads(gltf("a.bin")) | textured).encode()))
    prepared = prepare_mesh(Mesh(folder / name, folder, True), scratch)
    document = json.loads(prepared.path.read_bytes())
    assert not prepared.lost and (prepared.path.parent / document["buffers"][0]["uri"]).read_bytes() == b"1234"
    assert Image.open(prepared.path.parent / document["images"][0]["uri"]).getpixel((0, 0)) == (255, 0, 0)


def test_a_copied_gltf_keeps_the_pictures_that_are_where_it_says(tmp_path):
    folder, scratch = tmp_path / "object", tmp_path / "scratch"
    scratch.mkdir()
    folder.mkdir()
    Image.new("RGB", (2, 2), "red").save(folder / "skin.png")
    textured = {"textures": [{"source": 0}, {"source": 1}], "images": [{"uri": "skin.png"}, {"uri": "gone.png"}],
                "materials": [{"pbrMetallicRoughness": {"baseColorTexture": {"index": i}}} for i in (0, 1)]}  # fmt: skip
    (folder / "a.gltf").write_text(json.dumps(json.loads(gltf("data:,AAAA")) | textured))
    prepared = prepare_mesh(Mesh(folder / "a.gltf", folder, True), scratch)
    image = json.loads(prepared.path.read_bytes())["images"][0]["uri"]
    assert [loss.name for loss in prepared.lost] == ["gone.png"] and (prepared.path.parent / image).is_file()
