"""STL files: whole, finite, near the origin."""

import re

import numpy as np

from iebench.errors import IebenchError
from iebench.render.mesh_bytes import check_finite, far_centre, replace_coordinates

HEAD, TRIANGLE = 84, np.dtype([("normal", "<f4", 3), ("points", "<f4", (3, 3)), ("attribute", "<u2")])
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
    centre = far_centre(points)
    if centre is None:
        return content
    return replace_coordinates(content, VERTEX, b"vertex", points - centre)
