"""OFF files, as ModelNet has them, turned into OBJ."""

import re
from collections.abc import Sequence

import numpy as np

from iebench.errors import IebenchError
from iebench.render.mesh_bytes import check_finite, far_centre

HEADER = re.compile(r"(?:ST)?(C?)(N?)(4?)(n?)OFF[ \t]*")
COMMENT = re.compile(r"#[^\n]*")


def off_to_obj(content: bytes, name: str) -> bytes:
    """The text of an OBJ with the vertices, their colors and the faces of an OFF.

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
        faces = [_corners(line.split()) for line in lines[1 + num_vertices : 1 + num_vertices + num_faces]]
    except (ValueError, IndexError):
        raise IebenchError(f"{name} is not an OFF text file: a line does not hold the numbers that it should") from None
    if len(rows) < num_vertices or len(faces) < num_faces:
        raise IebenchError(f"{name} is cut short: {len(faces)} of {num_faces} faces are there")
    if not faces:
        raise IebenchError(f"{name} has no faces: it is a cloud of {num_vertices} points")
    return _write(rows, faces, name, colored=header.group(1) == "C", after=6 if header.group(2) else 3)


def _corners(words: Sequence[str]) -> list[int]:
    count = int(words[0])
    corners = [int(word) for word in words[1 : 1 + count]]
    if len(corners) < count:
        raise ValueError("too few corners")
    return corners


def _write(rows: list[list[float]], faces: list[list[int]], name: str, colored: bool, after: int) -> bytes:
    if any(len(row) < 3 for row in rows):
        raise IebenchError(f"{name} has a vertex without three coordinates")
    points = np.array([row[:3] for row in rows])
    check_finite(name, points)
    if not all(0 <= corner < len(rows) for face in faces for corner in face):
        raise IebenchError(f"{name} has a face whose vertices are not there")
    centre = far_centre(points)
    points = points if centre is None else points - centre
    colors = [row[after : after + 3] if colored and len(row) >= after + 3 else [] for row in rows]
    scale = 255 if max((value for color in colors for value in color), default=0) > 1 else 1
    lines = [
        " ".join(["v", *map(repr, point), *(repr(value / scale) for value in color)])
        for point, color in zip(points.tolist(), colors, strict=True)
    ]
    lines += [" ".join(["f", *(str(corner + 1) for corner in face)]) for face in faces if len(face) > 2]
    return ("\n".join(lines) + "\n").encode()
