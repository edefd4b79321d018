"""A PLY as an OBJ with the same faces, for what Blender reads of the one and not of the other."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from iebench.render.ply_file import (
    COLORS,
    COORDINATES,
    CORNER_COORDINATES,
    CORNERS,
    NORMALS,
    TEXTURE_NUMBER,
    Table,
)


def convert_ply(elements: dict[str, Table], textured: bool) -> bytes:
    """The text of an OBJ, whose materials are called texture-0, texture-1 and so on, by the number of the texture.

    Args:
        elements: as `read_elements` gives them.
        textured: whether faces have a material.

    Raises:
        ValueError: there are no faces, or they name vertices that are not there.
    """
    vertex, face = elements.get("vertex", {}), elements.get("face", {})
    corners = next((face[name] for name in CORNERS if name in face), None)
    if corners is None or not {"x", "y", "z"} <= set(vertex) or not len(corners):
        raise ValueError("it has no faces")
    ids = np.concatenate([np.asarray(row, np.int64) for row in corners])
    points = _columns(vertex, ("x", "y", "z"))
    if ids.min(initial=0) < 0 or ids.max(initial=0) >= len(points):
        raise ValueError("a face has a corner that is no vertex")
    lengths = np.array([len(row) for row in corners])
    colors, of_faces, places = _find_colors(vertex), _find_colors(face), ids
    if colors is None and of_faces is not None:  # each corner becomes a vertex, in its face's color
        points, colors, places = points[ids], np.repeat(of_faces, lengths, axis=0), np.arange(len(ids))
    uv, uv_ids = _find_coordinates(vertex, face, lengths, ids)
    normals = _columns(vertex, NORMALS) if set(NORMALS) <= set(vertex) else np.empty((0, 3))
    lines = vertex_lines("v", points if colors is None else np.concatenate([points, colors], axis=1))
    lines += vertex_lines("vt", uv) + vertex_lines("vn", normals)
    numbers = face.get(TEXTURE_NUMBER, np.zeros(len(lengths))) if textured else None
    lines += _face_lines(places, uv_ids, ids if len(normals) else None, lengths, numbers)
    return ("\n".join(lines) + "\n").encode()


def _columns(table: Table, names: Sequence[str]) -> Float[ndarray, "rows columns"]:
    return np.stack([np.asarray(table[name], np.float64) for name in names], axis=-1)


def _find_colors(table: Table) -> Float[ndarray, "rows 3"] | None:
    """Colors as sRGB in [0, 1]; whole numbers count up to the largest of their type, or up to 255."""
    names = next((names for names in COLORS if set(names) <= set(table)), None)
    if names is None:
        return None
    kind, colors = np.asarray(table[names[0]]).dtype, _columns(table, names)
    small = kind.kind == "f" and colors.max(initial=0) <= 1
    full = 1.0 if small else float(np.iinfo(kind).max) if kind.kind == "u" else 255.0
    return np.clip(colors / full, 0, 1)


def _find_coordinates(
    vertex: Table, face: Table, lengths: Int[ndarray, " faces"], ids: Int[ndarray, " corners"]
) -> tuple[Float[ndarray, "n 2"], Int[ndarray, " corners"] | None]:
    """Texture coordinates, and which of them each corner has: -1 for none."""
    if (lists := face.get(CORNER_COORDINATES)) is not None:
        fits = np.array([len(row) for row in lists]) == 2 * lengths
        given = [np.asarray(row, np.float64) for row, fit in zip(lists, fits, strict=True) if fit]
        has = np.repeat(fits, lengths)
        return np.concatenate([np.empty(0), *given]).reshape(-1, 2), np.where(has, np.cumsum(has) - 1, -1)
    pair = next((pair for pair in COORDINATES if set(pair) <= set(vertex)), None)
    return (_columns(vertex, pair), ids) if pair else (np.empty((0, 2)), None)


def vertex_lines(word: str, rows: Float[ndarray, "rows columns"]) -> list[str]:
    """Lines of an OBJ, each of a word and some numbers."""
    line = word + " %.9g" * rows.shape[1]  # as many digits as a float32 has
    return [line % tuple(row) for row in rows.tolist()]


def _face_lines(
    places: Int[ndarray, " corners"],
    uv_ids: Int[ndarray, " corners"] | None,
    normal_ids: Int[ndarray, " corners"] | None,
    lengths: Int[ndarray, " faces"],
    numbers: ndarray | list[ndarray] | None,
) -> Iterator[str]:
    corners = [str(place + 1) for place in places.tolist()]
    if uv_ids is not None or normal_ids is not None:
        uvs = [str(i + 1) if i >= 0 else "" for i in uv_ids.tolist()] if uv_ids is not None else [""] * len(corners)
        corners = [f"{corner}/{uv}" for corner, uv in zip(corners, uvs, strict=True)]
    if normal_ids is not None:
        corners = [f"{corner}/{i + 1}" for corner, i in zip(corners, normal_ids.tolist(), strict=True)]
    yield "s off" if normal_ids is None else "s 1"
    worn, start = None, 0
    for index, length in enumerate(lengths.tolist()):
        if numbers is not None and int(numbers[index]) != worn:
            worn = int(numbers[index])
            yield f"usemtl texture-{worn}"
        yield "f " + " ".join(corners[start : start + length]).replace("/ ", " ").removesuffix("/")
        start += length
