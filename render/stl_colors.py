"""Binary STL with a color for each face, which Blender does not read: as an OBJ with vertex colors.

Two programs have put 15 bits of color in the spare number of each face, each in its own way:
https://en.wikipedia.org/wiki/STL_(file_format)#Color_in_binary_STL.
"""

from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

HEAD = 84  # bytes: a comment of 80, and the number of faces
FACE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("color", "<u2")])
OWN = 1 << 15  # VisCAM sets this bit where a face has a color of its own, Materialise where it has none
MAGICS = b"COLOR="  # in the comment, by Materialise Magics: the color of all other faces


def read_stl_colors(path: Path) -> bytes | None:
    """The text of an OBJ, or None where an STL has no colors, or is no whole binary STL."""
    content = path.read_bytes()
    count = int.from_bytes(content[80:HEAD], "little")
    if not count or len(content) < HEAD + count * FACE.itemsize:
        return None
    faces = np.frombuffer(content, FACE, count, HEAD)
    colors = _face_colors(content[:80], faces["color"].astype(np.int64))
    if colors is None:
        return None
    rows = np.concatenate([faces["corners"].reshape(-1, 3), np.repeat(colors, 3, axis=0)], axis=1)
    lines = ["v " + " ".join(f"{value:.9g}" for value in row) for row in rows.tolist()]
    lines += [f"f {3 * i + 1} {3 * i + 2} {3 * i + 3}" for i in range(count)]
    return ("\n".join(lines) + "\n").encode()


def _face_colors(comment: bytes, numbers: Int[ndarray, " faces"]) -> Float[ndarray, "faces 3"] | None:
    """Colors as sRGB in [0, 1]."""
    bits = np.stack([numbers >> 10 & 31, numbers >> 5 & 31, numbers & 31], axis=-1) / 31
    _, found, default = comment.partition(MAGICS)
    if found and len(default) >= 3:  # there, red is the lowest
        rest = np.frombuffer(default[:3], np.uint8) / 255
        return np.where((numbers & OWN)[:, None] > 0, rest, bits[:, ::-1])
    return bits if (numbers & OWN).all() else None
