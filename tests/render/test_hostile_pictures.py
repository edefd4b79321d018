"""Pictures and meshes that somebody made to do harm: none starts a program, takes gigabytes, or is read from elsewhere."""

import json
import os
import stat
import struct
import zlib

import pytest
from appearances import obj
from PIL import Image

from iebench.errors import IebenchError
from iebench.limits import MAX_PICTURE_PIXELS
from iebench.pictures import FORMATS, NO_PICTURE, open_picture
from iebench.render.mesh_files import prepare_mesh
from iebench.render.object_source import Mesh
from iebench.render.texture_files import as_blender_reads, is_empty_mask, is_picture, is_whole

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\n(r) file\nshowpage\n%%EOF\n"


def png_bomb(side):
    """A PNG of a few bytes that claims side x side pixels."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")


@pytest.fixture
def ghostscript(tmp_path, monkeypatch):
    """A program that is called as Ghostscript and leaves a mark."""
    mark = tmp_path / "started"
    for name in ("gs", "gsc"):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\ntouch {mark}\nexit 0\n")
        program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return mark


@pytest.mark.parametrize("name", ["a.png", "a.eps", "a.jpg"])
def test_no_picture_starts_ghostscript(tmp_path, ghostscript, name):
    path = tmp_path / name
    path.write_bytes(EPS)
    assert not is_picture(path) and not is_whole(path) and not is_empty_mask(path)
    assert as_blender_reads(path, tmp_path) == path
    assert not ghostscript.exists()


def test_only_pictures_of_the_list_are_opened():
    assert not FORMATS & {"EPS", "WMF", "FPX", "MIC", "PDF", "GBR", "IM", "HDF5", "GRIB", "BUFR", "ICNS", "IPTC"}
    with pytest.raises(NO_PICTURE):
        open_picture(EPS)


@pytest.mark.parametrize("side", [14_000, 60_000])
def test_a_texture_that_claims_gigabytes_is_lost_and_takes_no_memory(tmp_path, side):
    assert side**2 > MAX_PICTURE_PIXELS
    content = png_bomb(side)
    assert not is_picture(content) and not is_whole(content)
    folder, scratch = tmp_path / "object", tmp_path / "scratch"
    folder.mkdir(), scratch.mkdir()
    (folder / "a.obj").write_bytes(obj("mtllib a.mtl\nusemtl paint"))
    (folder / "a.mtl").write_text("newmtl paint\nmap_Kd bomb.png\n")
    (folder / "bomb.png").write_bytes(content)
    prepared = prepare_mesh(Mesh(folder / "a.obj", folder, False), scratch)
    assert [(lost.what, lost.name) for lost in prepared.lost] == [("texture", "bomb.png")]


def test_a_large_texture_is_opened_without_a_warning():
    assert open_picture(png_bomb(10_000)).size == (10_000, 10_000)


GLTFS = {
    "deep": b"[" * 100_000,
    "twice": b'{"asset": {"version": "2.0"}, "asset": {}}',
    "list": b"[]",
    "infinite": b'{"asset": {"version": "2.0"}, "scene": 1e999}',
    "integer": b'{"asset": {"version": "2.0"}, "scene": ' + b"9" * 400 + b"}",
}


@pytest.mark.parametrize("content", GLTFS.values(), ids=GLTFS)
def test_texts_that_are_no_gltf_are_refused_in_one_sentence(tmp_path, content):
    (tmp_path / "a.gltf").write_bytes(content)
    (tmp_path / "scratch").mkdir()
    with pytest.raises(IebenchError, match=r"a\.gltf is not a readable glTF file") as found:
        prepare_mesh(Mesh(tmp_path / "a.gltf", tmp_path, False), tmp_path / "scratch")
    assert "\n" not in str(found.value) and len(str(found.value)) < 500


WAYS_OUT = {
    "vertical-tab": b"map_Kd\x0b{}\n",
    "form-feed": b"\x0cmap_Kd {}\n",
    "unit-separator": b"map_Kd\x1f{}\n",
    "backspace": b"\x08map_Kd {}\n",
    "nul": b"map_Kd\0{}\n",
    "continuation": b"map_Kd \\\n{}\n",
    "continued-word": b"map\\\n_Kd {}\n",
    "continued-number": b"Kd 1 1 1 \\\nmap_Kd {}\n",
    "return-alone": b"Kd 1 1 1\rmap_Kd {}\r",
    "options": b"map_Kd -s 1 1 1 -o 0 0 0 {}\n",
    "unknown-option": b"map_Kd -surprise {}\n",
    "case": b"MAP_KD {}\n",
    "quoted": b'map_Kd "{}"\n',
    "percent": b"map_Kd {percent}\n",
    "in-a-name": b"newmtl x \\\nmap_Kd {}\n",
    "reflection": b"refl -type sphere {}\n",
    "displacement": b"disp {}\n",
}


@pytest.mark.parametrize("way", WAYS_OUT.values(), ids=WAYS_OUT)
@pytest.mark.parametrize("target", ["absolute", "parent", "link"])
def test_no_way_out_of_an_objects_folder_is_written_for_blender(tmp_path, way, target):
    """What Blender reads is our own text and links, of which none leads out; the secret is a picture that would be shown."""
    Image.new("RGB", (4, 4), "magenta").save(tmp_path / "secret.png")
    folder, scratch = tmp_path / "a" / "object", tmp_path / "scratch"
    folder.mkdir(parents=True), scratch.mkdir()
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    name = {"absolute": str(tmp_path / "secret.png"), "parent": "../../secret.png", "link": "link.png"}[target]
    percent = "".join(f"%{byte:02x}" for byte in name.encode())
    text = way.replace(b"{percent}", percent.encode()).replace(b"{}", name.encode())
    (folder / "a.obj").write_bytes(obj("mtllib a.mtl\nusemtl paint"))
    (folder / "a.mtl").write_bytes(b"newmtl paint\n" + text)
    prepare_mesh(Mesh(folder / "a.obj", folder, False), scratch)
    written = [line.split() for line in (scratch / "object.mtl").read_bytes().splitlines()]
    maps = [
        words
        for words in written
        if words[0].lower().startswith((b"map", b"refl", b"bump", b"norm", b"disp", b"decal"))
    ]
    assert not maps and not [path for path in scratch.iterdir() if path.is_symlink()]


@pytest.mark.parametrize(
    "uri", ["../../secret.png", "%2e%2e/%2e%2e/secret.png", "..\\..\\secret.png", "{}", "link.png", "file://{}"]
)
def test_no_image_of_a_gltf_leads_out(tmp_path, uri):
    from glb_file import Glb

    Image.new("RGB", (4, 4), "magenta").save(tmp_path / "secret.png")
    folder, scratch = tmp_path / "a" / "object", tmp_path / "scratch"
    folder.mkdir(parents=True), scratch.mkdir()
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    made = Glb()
    made.document["images"] = [{"uri": uri.replace("{}", str(tmp_path / "secret.png"))}]
    made.document["textures"] = [{"source": 0}]
    made.document["materials"] = [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}]
    (folder / "a.glb").write_bytes(made.to_bytes())
    prepared = prepare_mesh(Mesh(folder / "a.glb", folder, False), scratch)
    written = prepared.path.read_bytes()
    document = json.loads(written[20 : 20 + int.from_bytes(written[12:16], "little")])
    assert len(prepared.lost) == 1 and not [path for path in scratch.iterdir() if path.is_symlink()]
    assert "baseColorTexture" not in document["materials"][0]["pbrMetallicRoughness"]
