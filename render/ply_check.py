"""PLY files: whole, with faces, finite, near the origin."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from iebench.errors import IebenchError
from iebench.render.mesh_bytes import check_finite, far_centre
from iebench.render.ply_file import Element, parse_header

FACES = ("face", "tristrips")


def clean_ply(content: bytes, name: str) -> bytes:
    """The same mesh, moved to the origin where it lies far away.

    Raises:
        IebenchError: it is damaged, cut short, has no faces, or coordinates that are not finite numbers.
    """
    header = parse_header(content, name)
    if not sum(element.count for element in header.elements if element.name in FACES):
        points = sum(element.count for element in header.elements if element.name == "vertex")
        raise IebenchError(f"{name} has no faces: it is a cloud of {points} points")
    body = content[header.size :]
    moved = (
        _clean_binary(body, header.elements, header.order, name)
        if header.order
        else _clean_text(body, header.elements, name)
    )
    return content if moved is None else content[: header.size] + moved


def _clean_binary(body: bytes, elements: Sequence[Element], order: str, name: str) -> bytes | None:
    place, moved = 0, None
    for element in elements:
        start, place = place, _end_of(body, place, element, order, name)
        if element.name == "vertex" and not element.has_lists:
            rows = np.frombuffer(body, element.row(order), element.count, start)
            points = _coordinates(
                [rows[axis].astype(np.float64) for axis in "xyz" if axis in (rows.dtype.names or ())],
                name,
            )
            centre = far_centre(points)
            if centre is not None:
                rows = rows.copy()
                for axis, shift in zip("xyz", centre, strict=True):
                    rows[axis] = rows[axis] - (shift if rows[axis].dtype.kind == "f" else round(shift))
                moved = body[:start] + rows.tobytes() + body[place:]
    return moved


def _end_of(body: bytes, start: int, element: Element, order: str, name: str) -> int:
    """Where the rows of an element end."""
    if not element.has_lists:
        end = start + element.count * element.row(order).itemsize
    else:
        end = start
        steps = [
            (np.dtype(entry.length_type or entry.type).itemsize, np.dtype(entry.type).itemsize, entry.length_type)
            for entry in element.properties
        ]
        for _ in range(element.count):
            for first, size, is_list in steps:
                if end + first > len(body):
                    raise IebenchError(f"{name} is cut short in its {element.name} rows")
                number = int.from_bytes(body[end : end + first], "little" if order == "<" else "big")
                end += first + (number * size if is_list else 0)
    if end > len(body):
        raise IebenchError(f"{name} is cut short in its {element.name} rows")
    return end


def _clean_text(body: bytes, elements: Sequence[Element], name: str) -> bytes | None:
    lines, moved = [line for line in body.splitlines() if line.strip()], False
    bounds = np.cumsum([0, *(element.count for element in elements)]).tolist()
    for element, (start, end) in zip(elements, pairwise(bounds), strict=True):
        if end > len(lines):
            raise IebenchError(f"{name} is cut short in its {element.name} rows")
        if element.name == "vertex" and not element.has_lists:
            columns = [index for index, entry in enumerate(element.properties) if entry.name in ("x", "y", "z")]
            rows = [line.split() for line in lines[start:end]]
            try:
                points = _coordinates(
                    [np.array([row[column] for row in rows]).astype(np.float64) for column in columns], name
                )
            except (IndexError, ValueError):
                raise IebenchError(f"{name} has a vertex whose coordinates are not numbers") from None
            if near := _move(rows, columns, points):
                lines[start:end], moved = near, True
    return b"\n".join(lines) + b"\n" if moved else None


def _move(rows: list[list[bytes]], columns: list[int], points: Float[ndarray, "n 3"]) -> list[bytes]:
    """The rows with coordinates near the origin; none where they are near it."""
    centre = far_centre(points)
    if centre is None:
        return []
    for row, point in zip(rows, (points - centre).tolist(), strict=True):
        for column, value in zip(columns, point, strict=True):
            row[column] = repr(value).encode()
    return [b" ".join(row) for row in rows]


def _coordinates(columns: list[ndarray], name: str) -> Float[ndarray, "n 3"]:
    if len(columns) != 3 or not len(columns[0]):
        raise IebenchError(f"{name} has no vertices with x, y and z")
    points = np.stack(columns, axis=-1)
    check_finite(name, points)
    return points
