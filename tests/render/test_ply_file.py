"""PLY as an OBJ: the same numbers from text and from bytes, with lists of one length and of several."""

import numpy as np
import pytest
from appearances import ply

from iebench.errors import IebenchError
from iebench.render.mesh_files import prepare_mesh
from iebench.render.object_source import Mesh
from iebench.render.ply_file import parse_header, read_elements
from iebench.render.ply_to_obj import convert_ply

COLORS = ("uchar r,uchar g,uchar b", (255, 0, 51))


@pytest.mark.parametrize("order", ["ascii", "binary_little_endian", "binary_big_endian"])
def test_colors_and_faces_are_those_of_the_file(order):
    content = ply(*COLORS, order=order)
    header = parse_header(content, "a.ply")
    assert header.has_odd_colors and not header.textures
    lines = convert_ply(read_elements(content, header), textured=False).decode().splitlines()
    assert lines[0] == "v 0 0 0 1 0 0.2" and lines[8:] == ["s off", "f 1 4 3 2", "f 5 6 7 8", "f 1 2 6 5", "f 2 3 7 6",
                                                          "f 3 4 8 7", "f 4 1 5 8"]  # fmt: skip


def test_lists_of_several_lengths_and_faces_without_coordinates():
    content = (
        b"ply\nformat ascii 1.0\ncomment TextureFile my skin.png\nelement vertex 4\nproperty float x\nproperty float y\n"
        b"property float z\nelement face 2\nproperty list uchar int vertex_index\nproperty list uchar float texcoord\n"
        b"end_header\n0 0 0\n1 0 0\n1 1 0\n0 1 0.1\n3 0 1 2 6 0 0 1 0 1 1\n4 0 1 2 3 0\n"
    )
    header = parse_header(content, "a.ply")
    assert header.textures == ("my skin.png",) and header.has_coordinates
    text = convert_ply(read_elements(content, header), textured=True).decode()
    assert text.endswith("vt 0 0\nvt 1 0\nvt 1 1\ns off\nusemtl texture-0\nf 1/1 2/2 3/3\nf 1 2 3 4\n")


def as_obj(content: bytes) -> bytes:
    return convert_ply(read_elements(content, parse_header(content, "a.ply")), textured=False)


@pytest.mark.parametrize("cut", [30, 200, 400])
def test_a_file_cut_short_is_no_ply(cut):
    content = ply(*COLORS, order="binary_little_endian")[:cut]
    with pytest.raises((ValueError, IebenchError), match=r"buffer|header is cut short"):
        as_obj(content)


def test_float_coordinates_keep_all_their_digits():
    value = np.float32(1 / 3)
    content = ply("float s,float t", (float(value), 0.5), order="binary_little_endian")
    header = parse_header(content, "a.ply")
    line = next(
        line for line in convert_ply(read_elements(content, header), False).decode().splitlines() if line[:2] == "vt"
    )
    assert np.float32(line.split()[1]) == value


@pytest.mark.parametrize("comment", ["comment the end_header follows", "comment " + "x" * 70_000])
def test_what_a_comment_says_ends_no_header(tmp_path, comment):
    """Textures behind it were lost without a word."""
    (tmp_path / "scratch").mkdir()
    content = ply("float s,float t", (0, 0), comments=f"{comment}\ncomment TextureFile gone.png")
    (tmp_path / "a.ply").write_bytes(content)
    prepared = prepare_mesh(Mesh(tmp_path / "a.ply", tmp_path, True), tmp_path / "scratch")
    assert [loss.name for loss in prepared.lost] == ["gone.png"]
