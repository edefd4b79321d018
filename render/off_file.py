"""OFF files, as ModelNet has them, turned into OBJ."""

import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from iebench.errors import IebenchError
from iebench.render.mesh_bytes import check_finite, far_centre

HEADER = re.compile(r"(?:ST)?(C?)(N?)(4?)(n?)OFF[ \t]*")
COMMENT = re.compile(r"#[^\n]*")


def off_to_obj(content: bytes, name: str) -> bytes:
    """The text of an OBJ with the vertices and the faces of an OFF, and with their colors.

    Args:
        content: of the file; the counts may stand in the line of the header, with or without a blank, as in ModelNet.
        name: of the file, for messages.

    Raises:
        IebenchError: it is not OFF text, or not whole.
    """
    text = COMMENT.sub("", content.decode("latin-1")).strip()
    header = HEADER.match(text)
    if header is None or text[header.end() :].startswith("BINARY") or header.group(3) or header.group(4):
        raise IebenchError(f"{name} is not an OFF text file in three dimensions")
    lines = [line for line in re.split(r"[\r\n]+", text[header.end() :]) if line.strip()]
    try:
        num_vertices, num_faces = (int(word) for word in lines[0].split()[:2])
        rows = [[float(word) for word in line.split()] for line in lines[1 : 1 + num_vertices]]
        words = [line.split() for line in lines[1 + num_vertices : 1 + num_vertices + num_faces]]
        faces = [_corners(face) for face in words]
    except (ValueError, IndexError):
        raise IebenchError(f"{name} is not an OFF text file: a line does not hold the numbers that it should") from None
    if len(rows) < num_vertices or len(faces) < num_faces:
        raise IebenchError(f"{name} is cut short: {len(faces)} of {num_faces} faces are there")
    if not faces:
        raise IebenchError(f"{name} has no faces: it is a cloud of {num_vertices} points")
    points = _check(rows, faces, name)
    after = 6 if header.group(2) else 3
    colors = [row[after : after + 3] if header.group(1) and len(row) >= after + 3 else [] for row in rows]
    if not any(colors) and any(of_faces := [_face_color(face) for face in words]):
        points, colors, faces = _color_corners(points, faces, of_faces)
    return _write(points, colors, faces)


def _corners(words: Sequence[str]) -> list[int]:
    count = int(words[0])
    corners = [int(word) for word in words[1 : 1 + count]]
    if len(corners) < count:
        raise ValueError("too few corners")
    return corners


def _check(rows: list[list[float]], faces: list[list[int]], name: str) -> Float[ndarray, "n 3"]:
    if any(len(row) < 3 for row in rows):
        raise IebenchError(f"{name} has a vertex without three coordinates")
    points = np.array([row[:3] for row in rows])
    check_finite(name, points)
    if not all(0 <= corner < len(rows) for face in faces for corner in face):
        raise IebenchError(f"{name} has a face whose vertices are not there")
    centre = far_centre(points)
    return points if centre is None else points - centre


def _face_color(words: Sequence[str]) -> list[float]:
    """The color behind the corners of a face, of three numbers, or of four with opacity; else empty."""
    behind = words[1 + int(words[0]) :]
    try:
        color = [float(word) for word in behind]
    except ValueError:
        return []
    return color[:3] if len(color) in (3, 4) and np.isfinite(color).all() else []


def _color_corners(
    points: Float[ndarray, "n 3"], faces: list[list[int]], colors: list[list[float]]
) -> tuple[Float[ndarray, "corners 3"], list[list[float]], list[list[int]]]:
    """Each corner as a vertex in its face's color, white where that has none."""
    white = [_full(colors)] * 3
    corners = [corner for face in faces for corner in face]
    of_corners = [color or white for face, color in zip(faces, colors, strict=True) for _ in face]
    numbers = iter(range(len(corners)))
    return points[corners], of_corners, [[next(numbers) for _ in face] for face in faces]


def _full(colors: list[list[float]]) -> float:
    """What stands for a full color: 255 in whole numbers, and 1 in others."""
    return 255.0 if max((value for color in colors for value in color), default=0) > 1 else 1.0


def _write(points: Float[ndarray, "n 3"], colors: list[list[float]], faces: list[list[int]]) -> bytes:
    scale = _full(colors)
    lines = [
        " ".join(["v", *map(repr, point), *(repr(value / scale) for value in color)])
        for point, color in zip(points.tolist(), colors, strict=True)
    ]
    lines += [" ".join(["f", *(str(corner + 1) for corner in face)]) for face in faces if len(face) > 2]
    return ("\n".join(lines) + "\n").encode()
