"""The text of an OBJ file, as people write it, made one that Blender reads rightly.

A file without oddities is returned as it is, byte for byte.
"""

import re
from itertools import pairwise

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from iebench.errors import IebenchError
from iebench.render.mesh_bytes import PLAIN_BLANKS, bring_near, check_finite

BYTE_ORDER_MARKS = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
)
CONTINUED = re.compile(rb"\\[ \t]*\r?\n")
CONTINUED_COMMENT = re.compile(
    rb"^([ \t]*#[^\n]*?)\\[ \t]*\r?\n", re.MULTILINE
)  # a path of Windows; else its next line is lost
COMMENT = re.compile(rb"^([ \t]*(?:v|vt|vn|vp|f|l|p)[ \t])([^#\n]*+)#[^\n]*", re.MULTILINE)
VERTEX = re.compile(rb"^[ \t]*v[ \t]+(\S+)[ \t]+(\S+)[ \t]+([^\s\\]+)", re.MULTILINE)
VERTEX_LINE = re.compile(rb"^[ \t]*v[ \t]", re.MULTILINE)
POINT_LINES = re.compile(rb"^[ \t]*v[tn]?[ \t][^\n]*\n?", re.MULTILINE)
FACE = re.compile(rb"^[ \t]*f[ \t]([^\n]*)", re.MULTILINE)
CORNER = re.compile(rb"(-?\d+)\S*")
ZERO_INDEX = re.compile(rb"^[ \t]*f[ \t][^\n]*?(?<=[ \t])0(?=[/\s]|\Z)", re.MULTILINE)
NURBS = re.compile(rb"^[ \t]*(cstype|curv2?|surf)[ \t]", re.MULTILINE)
DECIMAL_COMMA = re.compile(rb"[-+]?\d*,\d+")


def clean_obj(content: bytes, name: str) -> bytes:
    """The same object in one byte a character, with its comments, line ends and order in a form that Blender reads.

    Args:
        content: of the file.
        name: of the file, for messages.

    Raises:
        IebenchError: it cannot be read, and what is odd about it.
    """
    content = _decode(content, name)
    if b"\r" in content.replace(b"\r\n", b""):
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    content = CONTINUED.sub(b" ", CONTINUED_COMMENT.sub(rb"\1\n", content))
    content = COMMENT.sub(lambda found: found.group(1) + found.group(2).rstrip(b" \t"), content)
    _check_faces(content, name)
    points = _points(content, name)
    if _has_early_faces(content):
        content = b"".join(POINT_LINES.findall(content + b"\n")) + POINT_LINES.sub(b"", content)
    return bring_near(content, VERTEX, b"v", points)


def _decode(content: bytes, name: str) -> bytes:
    """Text in an encoding of one byte a character, or UTF-8."""
    encoding = next((encoding for mark, encoding in BYTE_ORDER_MARKS if content.startswith(mark)), None)
    if encoding is None and len(content) > 8 and not any(content[1:8:2]):
        encoding = "utf-16-le"
    if encoding is not None:
        content = content.decode(encoding, "replace").encode()
    if b"\0" in content[:4096]:
        raise IebenchError(f"{name} is a binary file, not an OBJ")
    return content.translate(PLAIN_BLANKS)


def _check_faces(content: bytes, name: str) -> None:
    if not FACE.search(content):
        if NURBS.search(content):
            raise IebenchError(f"{name} has NURBS surfaces and no faces: export it as polygons")
        points = len(VERTEX_LINE.findall(content))
        raise IebenchError(f"{name} has no faces" + (f": it is a cloud of {points} points" if points else ""))
    if ZERO_INDEX.search(content):
        raise IebenchError(f"{name} counts its vertices from 0, and OBJ counts from 1: export it anew")


def _points(content: bytes, name: str) -> Float[ndarray, "n 3"]:
    words = VERTEX.findall(content)
    if len(words) != len(VERTEX_LINE.findall(content)):
        raise IebenchError(f"{name} has a vertex without three coordinates")
    if not words:
        raise IebenchError(f"{name} has no faces: it has no vertices")
    try:
        points = np.array(words).astype(np.float64)
    except ValueError:
        raise IebenchError(_odd_number(words, name)) from None
    check_finite(name, points)
    return points


def _odd_number(words: list[tuple[bytes, bytes, bytes]], name: str) -> str:
    for word in (word for line in words for word in line):
        try:
            float(word)
        except ValueError:
            text = word.decode("utf-8", "replace")[:40]
            if DECIMAL_COMMA.fullmatch(word):
                return f"{name} has decimal commas, such as {text}: export it with decimal points"
            return f"{name} has a coordinate that is not a number: {text!r}"
    return f"{name} has coordinates that are not numbers"


def _has_early_faces(content: bytes) -> bool:
    """Whether a face names a vertex that comes after it, counted from the start of the file as nearly all do."""
    first = FACE.search(content)
    if first is None or not VERTEX_LINE.search(content, first.start()):
        return False
    faces = list(FACE.finditer(content))
    vertices = [match.start() for match in VERTEX_LINE.finditer(content)]
    before = np.searchsorted(vertices, [face.start() for face in faces])
    runs = np.flatnonzero(np.diff(before, prepend=-1, append=-1)).tolist()  # of faces with no vertex between them
    early = False
    for low, high in pairwise(runs):
        corners = np.array(CORNER.findall(b" ".join(face.group(1) for face in faces[low:high])), "S").astype(np.float64)
        if (corners < 0).any():
            return False
        early |= bool(((corners > before[low]) & (corners <= len(vertices))).any())
    return early
