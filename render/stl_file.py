"""STL files: whole, finite, near the origin; and the colors of faces, which Blender does not read, as an OBJ with vertex colors.

Two programs have put 15 bits of color in the spare number of each face of a binary STL, each in its own way:
https://en.wikipedia.org/wiki/STL_(file_format)#Color_in_binary_STL.
"""

import re

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from iebench.errors import IebenchError
from iebench.render.mesh_bytes import bring_near, check_finite, far_centre
from iebench.render.ply_to_obj import vertex_lines

HEAD = 84  # bytes: a comment of 80, and the number of triangles
TRIANGLE = np.dtype([("normal", "<f4", 3), ("points", "<f4", (3, 3)), ("color", "<u2")])
OWN = 1 << 15  # VisCAM sets this bit where a face has a color of its own, Materialise where it has none
MAGICS = b"COLOR="  # in the comment, by Materialise Magics: the color of all other faces
VERTEX = re.compile(rb"^[ \t]*vertex[ \t]+(\S+)[ \t]+(\S+)[ \t]+(\S+)", re.MULTILINE | re.IGNORECASE)


def clean_stl(content: bytes, name: str) -> bytes:
    """The same mesh, without what stands behind it, and moved to the origin where it lies far away.

    Raises:
        IebenchError: it is cut short, has no faces, or coordinates that are not finite numbers.
    """
    count = int.from_bytes(content[80:84], "little")
    size = HEAD + count * TRIANGLE.itemsize
    if len(content) >= size and count:  # Blender takes one with more bytes behind its triangles for a text
        return _clean_binary(content if len(content) == size else content[:size], count, name)
    if VERTEX.search(content) and b"facet" in content.lower():
        return _clean_text(content, name)
    if not count or (content[:5].lower() == b"solid" and b"\0" not in content):
        raise IebenchError(f"{name} has no faces")
    there = max(len(content) - HEAD, 0) // TRIANGLE.itemsize
    raise IebenchError(f"{name} is cut short: {there} of {count} triangles are there")


def _clean_binary(content: bytes, count: int, name: str) -> bytes:
    triangles = np.frombuffer(content, TRIANGLE, count, HEAD)
    points = triangles["points"].reshape(-1, 3).astype(np.float64)
    check_finite(name, points)
    centre = far_centre(points)
    if centre is None:
        return content
    moved = triangles.copy()
    moved["points"] = (points - centre).reshape(-1, 3, 3)
    return content[:HEAD] + moved.tobytes()


def _clean_text(content: bytes, name: str) -> bytes:
    words = VERTEX.findall(content)
    try:
        points = np.array(words).astype(np.float64)
    except ValueError:
        raise IebenchError(f"{name} has a coordinate that is not a number") from None
    check_finite(name, points)
    if b"endfacet" not in content.lower().rsplit(b"vertex", 1)[-1] or len(points) % 3:
        raise IebenchError(f"{name} is cut short: its last triangle is not whole")
    return bring_near(content, VERTEX, b"vertex", points)


def read_stl_colors(content: bytes) -> bytes | None:
    """The text of an OBJ, or None where an STL has no colors, or is no whole binary STL."""
    count = int.from_bytes(content[80:HEAD], "little")
    if not count or len(content) < HEAD + count * TRIANGLE.itemsize:
        return None
    faces = np.frombuffer(content, TRIANGLE, count, HEAD)
    colors = _face_colors(content[:80], faces["color"].astype(np.int64))
    if colors is None:
        return None
    rows = np.concatenate([faces["points"].reshape(-1, 3), np.repeat(colors, 3, axis=0)], axis=1)
    lines = vertex_lines("v", rows)
    lines += [f"f {3 * i + 1} {3 * i + 2} {3 * i + 3}" for i in range(count)]
    return ("\n".join(lines) + "\n").encode()


def _face_colors(comment: bytes, numbers: Int[ndarray, " faces"]) -> Float[ndarray, "faces 3"] | None:
    """Colors as sRGB in [0, 1]: white where a face has none and others have."""
    bits = np.stack([numbers >> 10 & 31, numbers >> 5 & 31, numbers & 31], axis=-1) / 31
    _, found, default = comment.partition(MAGICS)
    if found and len(default) >= 3:  # there, red is the lowest
        rest = np.frombuffer(default[:3], np.uint8) / 255
        return np.where((numbers & OWN)[:, None] > 0, rest, bits[:, ::-1])
    own = (numbers & OWN)[:, None] > 0
    return np.where(own, bits, 1.0) if own.any() else None
