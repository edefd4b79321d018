"""Reading mesh files as people write them: mended where the meaning is plain, else refused with what is odd."""

import gzip
import json
import struct

import numpy as np
import pytest

from iebench.errors import IebenchError
from iebench.render.mesh_bytes import far_centre, mesh_suffix, read_mesh_bytes
from iebench.render.mesh_files import prepare_mesh
from iebench.render.obj_text import clean_obj
from iebench.render.object_source import Mesh
from iebench.render.off_file import off_to_obj
from iebench.render.ply_check import clean_ply
from iebench.render.stl_file import clean_stl, read_stl_colors

TRIANGLE = b"v 0 0 0\nv 1 0 0\nv 0 1 0\n"
OBJ = TRIANGLE + b"f 1 2 3\n"


PLAIN_OBJS = (
    OBJ,
    b"# by a program\r\no a#1\r\n" + OBJ,
    OBJ + b"v 0 0 1\nf 1 2 4\n",
    OBJ + b"f -1 -2 -3\nv 0 0 9\n",
    OBJ + b"vn 0 0 1\nf 1//1 2//1 3//1",
)


@pytest.mark.parametrize("content", PLAIN_OBJS)
def test_an_obj_without_oddities_is_left_as_it_is(content):
    assert clean_obj(content, "a.obj") == content


@pytest.mark.parametrize(
    ("content", "clean"),
    [
        (OBJ.replace(b"\n", b" # so\n"), OBJ),
        (OBJ.replace(b"\n", b"\r"), OBJ),
        (b"\xef\xbb\xbf" + OBJ, OBJ),
        (OBJ.decode().encode("utf-16"), OBJ),
        (OBJ.decode().encode("utf-16-le"), OBJ),
        (b"f 1 2 3\n" + TRIANGLE, TRIANGLE + b"f 1 2 3\n"),
        (b"v 0 0 0\nf 1 2 3\nv 1 0 0\nv 0 1 0", b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"),
        (OBJ.replace(b"f 1", b"f \\\n1"), OBJ.replace(b"f 1", b"f  1")),
        (b"# C:\\work\\\n" + OBJ, b"# C:\\work\n" + OBJ),
    ],
)
def test_an_odd_obj_is_mended(content, clean):
    assert clean_obj(content, "a.obj") == clean


@pytest.mark.parametrize(
    ("content", "odd"),
    [
        (OBJ.replace(b"1 0 0", b"1,5 0,0 0,0"), "decimal commas, such as 1,5"),
        (OBJ.replace(b"1 0 0", b"nan 0 0"), "not finite"),
        (OBJ.replace(b"1 0 0", b"0 -Inf 0"), "not finite"),
        (OBJ.replace(b"1 0 0", b"1.#QNAN 0 0"), "'1.#QNAN'|three coordinates"),
        (OBJ.replace(b"1 0 0", b"1 0"), "without three coordinates"),
        (TRIANGLE + b"f 0 1 2\n", "from 0"),
        (TRIANGLE + b"f 2/2 1/1 0/0\n", "from 0"),
        (TRIANGLE, "cloud of 3 points"),
        (TRIANGLE + b"cstype bspline\nsurf 0 1 0 1 1 2 3\nend\n", "NURBS"),
        (b"\0" * 100, "binary"),
        (b"f 1 2 3\n", "no vertices"),
    ],
)
def test_an_obj_that_cannot_be_read_is_named(content, odd):
    with pytest.raises(IebenchError, match=odd):
        clean_obj(content, "a.obj")


@pytest.mark.parametrize("place", [(512345.0, 4812345.0, 310.0), (-1e7, 0.0, 0.0)])
def test_far_points_are_brought_near_without_losing_digits(place):
    points = np.array([[0.125, 0, 0], [1, 0.0625, 0], [0, 1, 0.03125]])
    text = "".join("v {!r} {!r} {!r}\n".format(*row) for row in (points + place).tolist()) + "f 1 2 3\n"
    rows = [line.split()[1:] for line in clean_obj(text.encode(), "a.obj").splitlines() if line.startswith(b"v")]
    near = np.array(rows).astype(float)
    np.testing.assert_array_equal(near - near[0], points - points[0])
    assert np.abs(near).max() < 1
    assert far_centre(points) is None


def ply(body: bytes, form: str = "ascii", vertices: int = 3, faces: int = 1, kind: str = "double") -> bytes:
    rows = "".join(f"property {kind} {axis}\n" for axis in "xyz")
    head = f"ply\nformat {form} 1.0\nelement vertex {vertices}\n{rows}element face {faces}\n"
    return f"{head}property list uchar int vertex_indices\nend_header\n".encode() + body


def packed(points: np.ndarray, order: str = "<") -> bytes:
    return points.astype(order + "f8").tobytes() + struct.pack(order + "B3i", 3, 0, 1, 2)


CORNERS = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
ROWS = b"0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n"


@pytest.mark.parametrize(
    "content",
    [ply(ROWS), ply(packed(CORNERS), "binary_little_endian"), ply(packed(CORNERS, ">"), "binary_big_endian"),
     ply(ROWS).replace(b"\n", b"\r\n")],
)  # fmt: skip
def test_a_whole_ply_is_left_as_it_is(content):
    assert clean_ply(content, "a.ply") is content


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_far_ply_is_brought_near(order):
    form = {"<": "binary_little_endian", ">": "binary_big_endian"}[order]
    clean = clean_ply(ply(packed(CORNERS + 5e6, order), form), "a.ply")
    assert clean == ply(packed(CORNERS - 0.5 * np.array([1, 1, 0]), order), form)
    text = clean_ply(ply(b"5000000 0 0\n5000001 0 0\n5000000 1 0\n3 0 1 2\n"), "a.ply")
    assert text.endswith(b"-0.5 -0.5 0.0\n0.5 -0.5 0.0\n-0.5 0.5 0.0\n3 0 1 2\n")


@pytest.mark.parametrize(
    ("content", "odd"),
    [
        (ply(ROWS, faces=2), "cut short in its face rows"),
        (ply(ROWS, vertices=9), "cut short in its vertex rows"),
        (ply(packed(CORNERS)[:-1], "binary_little_endian"), "cut short in its face rows"),
        (ply(packed(CORNERS)[:50], "binary_little_endian"), "cut short in its vertex rows"),
        (ply(packed(np.full((3, 3), np.inf)), "binary_little_endian"), "not finite"),
        (ply(ROWS.replace(b"1 0 0", b"1 nan 0")), "not finite"),
        (ply(ROWS.replace(b"1 0 0", b"1 0,5 0")), "not numbers"),
        (ply(ROWS, faces=0), "cloud of 3 points"),
        (ply(ROWS, kind="real"), "header is damaged"),
        (ply(ROWS, form="zip"), "format is 'zip'"),
        (ply(ROWS)[:60], "header is cut short"),
    ],
)
def test_a_ply_that_cannot_be_read_is_named(content, odd):
    with pytest.raises(IebenchError, match=odd):
        clean_ply(content, "a.ply")


def stl(corners: np.ndarray, count: int = 1) -> bytes:
    return bytes(80) + struct.pack("<I", count) + struct.pack("<12f", 0, 0, 1, *corners.ravel()) + b"\0\0"


STL_TEXT = (
    b"solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\nendsolid\n"
)


@pytest.mark.parametrize(
    ("content", "odd"),
    [
        (stl(CORNERS, count=2), "1 of 2 triangles"),
        (stl(np.full((3, 3), np.nan)), "not finite"),
        (bytes(84), "no faces"),
        (b"solid a\nendsolid\n", "no faces"),
        (STL_TEXT.replace(b"1 0 0", b"1 inf 0"), "not finite"),
        (STL_TEXT[:90], "cut short"),
    ],
)
def test_an_stl_that_cannot_be_read_is_named(content, odd):
    with pytest.raises(IebenchError, match=odd):
        clean_stl(content, "a.stl")


def test_an_stl_is_moved_where_it_is_far_cut_where_it_goes_on_and_left_else():
    assert clean_stl(STL_TEXT, "a.stl") is STL_TEXT
    near = stl(CORNERS)
    assert clean_stl(near, "a.stl") is near
    assert clean_stl(near + b"made by a program", "a.stl") == near
    assert clean_stl(stl(CORNERS + np.array([4096, 0, 0])), "a.stl") == stl(CORNERS - [0.5, 0.5, 0])
    assert b"vertex 0.5 -0.5 0.0" in clean_stl(STL_TEXT.replace(b"vertex ", b"vertex 70000"), "a.stl")


def test_faces_without_a_color_are_white_where_others_have_one():
    red, plain = ((stl(CORNERS)[84:-2] + color.to_bytes(2, "little")) for color in (0x8000 | 31 << 10, 0))
    lines = (read_stl_colors(stl(CORNERS, count=2)[:84] + red + plain) or b"").splitlines()
    assert lines[0] == b"v 0 0 0 1 0 0" and lines[5] == b"v 0 1 0 1 1 1"
    assert read_stl_colors(stl(CORNERS)) is None


OFF = b"0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n"


@pytest.mark.parametrize(
    "head", [b"OFF\n3 1 0\n", b"OFF3 1 0\n", b"OFF 3 1 0\n", b"# hello\nOFF\n# so\n3 1 0 # so\n\n"]
)
def test_off_is_read(head):
    assert off_to_obj(head + OFF, "a.off") == b"v 0.0 0.0 0.0\nv 1.0 0.0 0.0\nv 0.0 1.0 0.0\nf 1 2 3\n"


def test_off_keeps_the_colors_of_its_vertices():
    colored = OFF.replace(b"0 0\n", b"0 0 255 0 51 255\n").replace(b"1 0\n", b"1 0 255 0 51 255\n")
    assert b"v 1.0 0.0 0.0 1.0 0.0 0.2\n" in off_to_obj(b"COFF\n3 1 0\n" + colored, "a.off")


def test_off_keeps_the_colors_of_its_faces():
    text = off_to_obj(b"OFF\n3 2 0\n" + OFF[:-1] + b" 255 0 51\n3 2 1 0\n", "a.off")
    assert text == (b"v 0.0 0.0 0.0 1.0 0.0 0.2\nv 1.0 0.0 0.0 1.0 0.0 0.2\nv 0.0 1.0 0.0 1.0 0.0 0.2\n"
                    b"v 0.0 1.0 0.0 1.0 1.0 1.0\nv 1.0 0.0 0.0 1.0 1.0 1.0\nv 0.0 0.0 0.0 1.0 1.0 1.0\n"
                    b"f 1 2 3\nf 4 5 6\n")  # fmt: skip
    assert off_to_obj(b"OFF\n3 1 0\n" + OFF[:-1] + b" 7\n", "a.off").startswith(b"v 0.0 0.0 0.0\n")


@pytest.mark.parametrize(
    ("content", "odd"),
    [
        (b"OFF\n3 2 0\n" + OFF, "1 of 2 faces"),
        (b"OFF\n3 1 0\n" + OFF.replace(b"3 0", b"3 7"), "not there"),
        (b"OFF\n3 1 0\n" + OFF.replace(b"1 0 0", b"1 nan 0"), "not finite"),
        (b"OFF\n3 1 0\n" + OFF.replace(b"1 0 0", b"1 x 0"), "numbers that it should"),
        (b"OFF BINARY\n\0\0\0", "not an OFF text file"),
        (b"OFF\n3 0 0\n" + OFF, "cloud of 3 points"),
        (b"hello", "not an OFF text file"),
    ],
)
def test_an_off_that_cannot_be_read_is_named(content, odd):
    with pytest.raises(IebenchError, match=odd):
        off_to_obj(content, "a.off")


@pytest.mark.parametrize(
    ("content", "odd"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "Git LFS pointer"),
        (b"<!DOCTYPE html><html>404</html>", "web page"),
        (b"PK\3\4" + bytes(30), "zip archive"),
        (gzip.compress(OBJ, mtime=0)[:-9], "cut short"),
        (b"\x1f\x8b" + b"x" * 30, "unpacked"),
        (b"", "empty"),
    ],
)
def test_what_is_no_mesh_at_all_is_named(tmp_path, content, odd):
    (tmp_path / "a.obj").write_bytes(content)
    with pytest.raises(IebenchError, match=odd):
        read_mesh_bytes(tmp_path / "a.obj")


def test_packed_files_are_unpacked_whatever_their_name_says(tmp_path):
    for name in ("a.obj", "a.obj.gz"):
        (tmp_path / name).write_bytes(gzip.compress(OBJ))
        assert read_mesh_bytes(tmp_path / name) == OBJ
        assert mesh_suffix(tmp_path / name) == ".obj"


def deep(levels: int) -> dict:
    return {"nodes": [{"children": [number + 1]} for number in range(levels)] + [{"mesh": 0}]}


@pytest.mark.parametrize(
    ("change", "odd"),
    [
        (deep(900), "nests its nodes"),
        ({"nodes": [{"children": [1]}, {"children": [0]}]}, "in a circle"),
        ({"meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "mode": 0}]}]}, "points or lines"),
        ({"meshes": []}, "no faces"),
        ({"asset": {"version": "1.0"}}, "glTF 1.0"),
        ({"accessors": [{"componentType": 5126, "count": 9, "bufferView": 0}]}, "fewer positions"),
        ({"buffers": [{"uri": "data:,AACAfwAAAAAAAAAA"}]}, "not finite"),
        ({"nodes": [{"translation": [float("nan"), 0, 0]}]}, "NaN"),
        ({"accessors": []}, "not a readable glTF"),
    ],
)
def test_a_gltf_that_cannot_be_read_is_named(tmp_path, change, odd):
    document = {
        "asset": {"version": "2.0"},
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "accessors": [{"componentType": 5126, "count": 1, "bufferView": 0}],
        "bufferViews": [{"buffer": 0}],
        "buffers": [{"uri": "data:,AAAAAAAAAAAAAAAA"}],
    }
    mesh = Mesh(tmp_path / "a.gltf", tmp_path, True)
    mesh.path.write_text(json.dumps(document))
    assert prepare_mesh(mesh, tmp_path).path == mesh.path
    mesh.path.write_text(json.dumps(document | change))
    with pytest.raises(IebenchError, match=odd):
        prepare_mesh(mesh, tmp_path)
