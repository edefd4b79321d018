"""Damaged meshes, material files and pictures, as they are made ready for Blender; tests/render/test_fuzz.py renders some."""

import base64
import io
import json
import shutil

import pytest
from appearances import obj, picture
from glb_file import Glb
from mutations import MUTATIONS, exchange_value
from PIL import Image

from iebench.render.mesh_files import prepare_mesh
from iebench.render.object_source import Mesh
from iebench.render.texture_files import as_blender_reads, is_empty_mask, is_picture, is_whole

pytestmark = pytest.mark.slow  # seconds

MTL = b"newmtl paint\nKd 0.9 0.05 0.05\nd 1\nmap_Kd paint.png\nmap_Bump -bm 0.5 paint.png\n"
PLY = b"""ply
format ascii 1.0
comment TextureFile paint.png
element vertex 3
property float x
property float y
property float z
property uchar red
property uchar green
property uchar blue
element face 1
property list uchar int vertex_indices
end_header
0 0 0 255 0 0
1 0 0 0 255 0
0 1 0 0 0 255
3 0 1 2
"""
STL = b"solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\nendsolid a\n"
OFF = b"OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n"


def textured():
    """A glTF with a texture in a file."""
    made = Glb()
    made.document["images"] = [{"uri": "paint.png"}]
    made.document["textures"] = [{"source": 0}]
    made.document["materials"] = [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}]
    return made


def textured_json():
    """The same as text, with its buffer inside."""
    made = textured()
    uri = "data:application/octet-stream;base64," + base64.b64encode(made.binary).decode()
    return json.dumps(made.document | {"buffers": [{"byteLength": len(made.binary), "uri": uri}]}).encode()


WHOLE = {
    "obj": (80, obj("mtllib a.mtl\nusemtl paint"), MUTATIONS),
    "mtl": (120, MTL, MUTATIONS),
    "ply": (150, PLY, MUTATIONS),
    "stl": (100, STL, MUTATIONS),
    "off": (100, OFF, MUTATIONS),
    "glb": (100, textured().to_bytes(), MUTATIONS),
    "gltf": (200, textured_json(), (*MUTATIONS, *(exchange_value,) * 5)),
}


@pytest.mark.parametrize("form", WHOLE)
def test_damaged_meshes(tmp_path, fuzz, form):
    number, whole, ways = WHOLE[form]
    folder, scratch = tmp_path / "object", tmp_path / "scratch"
    folder.mkdir()
    (folder / "paint.png").write_bytes(picture())
    (folder / "a.mtl").write_bytes(MTL)
    (folder / "a.obj").write_bytes(WHOLE["obj"][1])
    named = folder / ("a.obj" if form == "mtl" else f"a.{form}")

    def use(damaged):
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        (folder / f"a.{form}").write_bytes(damaged)
        prepare_mesh(Mesh(named, folder, False), scratch)

    fuzz(form.upper(), whole, number, use, ways)


@pytest.mark.parametrize(
    "form", ["PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP", "TGA", "PCX", "PPM", "DDS", "JPEG2000", "SGI"]
)
def test_damaged_pictures(tmp_path, fuzz, form):
    content = io.BytesIO()
    Image.effect_noise((24, 24), 40).convert("RGB").save(content, form)
    path = tmp_path / "a.png"

    def use(damaged):
        path.write_bytes(damaged)
        for look in (is_picture, is_whole, is_empty_mask, lambda path: as_blender_reads(path, tmp_path)):
            look(path)

    fuzz(f"{form} picture", content.getvalue(), 40, use)
