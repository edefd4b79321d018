"""PLY files: whole, with faces, finite, near the origin."""

import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from iebench.errors import IebenchError
from iebench.render.mesh_bytes import check_finite, far_centre

HEADER = re.compile(rb"ply[ \t]*\r?\n.*?^[ \t]*end_header[ \t]*(?:\r\n|\n|\r)", re.DOTALL | re.MULTILINE)
TYPES = {
    name: kind
    for names, kind in (
        ("char int8", "i1"),
        ("uchar uint8", "u1"),
        ("short int16", "i2"),
        ("ushort uint16", "u2"),
        ("int int32", "i4"),
        ("uint uint32", "u4"),
        ("float float32", "f4"),
        ("double float64", "f8"),
    )
    for name in names.split()
}
ORDERS = {"binary_little_endian": "<", "binary_big_endian": ">"}
FACES = ("face", "tristrips")


@dataclass(frozen=True)
class Element:
    """A kind of rows: how many, and their properties as (name, type), or (name, type, type of the count) for lists."""

    name: str
    count: int
    properties: tuple[tuple[str, ...], ...]

    @property
    def has_lists(self) -> bool:
        """Whether rows differ in length."""
        return any(len(entry) == 3 for entry in self.properties)

    def row(self, order: str) -> np.dtype:
        """The layout of a row without lists."""
        return np.dtype([(name, order + kind) for name, kind in self.properties])


def clean_ply(content: bytes, name: str) -> bytes:
    """The same mesh, moved to the origin where it lies far away.

    Raises:
        IebenchError: it is damaged, cut short, has no faces, or coordinates that are not finite numbers.
    """
    header = HEADER.match(content)
    if header is None:
        raise IebenchError(f"{name} is not a PLY file, or its header is cut short")
    form, elements = _read_header(header.group().decode("latin-1"), name)
    count = sum(element.count for element in elements if element.name in FACES)
    if not count:
        points = sum(element.count for element in elements if element.name == "vertex")
        raise IebenchError(f"{name} has no faces: it is a cloud of {points} points")
    body = content[header.end() :]
    moved = _clean_text(body, elements, name) if form == "ascii" else _clean_binary(body, elements, ORDERS[form], name)
    return content if moved is None else header.group() + moved


def _read_header(text: str, name: str) -> tuple[str, list[Element]]:
    form, elements = "", []
    try:
        for words in (line.split() for line in text.splitlines()):
            if words[:1] == ["format"]:
                form = words[1]
            elif words[:1] == ["element"]:
                elements.append(Element(words[1], int(words[2]), ()))
            elif words[:1] == ["property"]:
                last = elements.pop()
                types = [TYPES[word] for word in words[1:-1] if word != "list"]
                elements.append(Element(last.name, last.count, (*last.properties, (words[-1], *types[::-1]))))
    except (IndexError, KeyError, ValueError):
        raise IebenchError(f"{name} is not a readable PLY file: its header is damaged") from None
    if form not in ("ascii", *ORDERS) or any(element.count < 0 for element in elements):
        raise IebenchError(f"{name} is not a readable PLY file: its format is {form or 'not stated'!r}")
    return form, elements


def _clean_binary(body: bytes, elements: list[Element], order: str, name: str) -> bytes | None:
    place, moved = 0, None
    for element in elements:
        start, place = place, _end_of(body, place, element, order, name)
        if element.name == "vertex" and not element.has_lists:
            rows = np.frombuffer(body, element.row(order), element.count, start).copy()
            points = _coordinates(
                [rows[axis].astype(np.float64) for axis in "xyz" if axis in [entry[0] for entry in element.properties]],
                name,
            )
            centre = far_centre(points)
            for axis, shift in zip("xyz", [] if centre is None else centre, strict=False):
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
            (np.dtype(order + entry[-1]), np.dtype(entry[1]).itemsize, len(entry) == 3) for entry in element.properties
        ]
        for _ in range(element.count):
            for kind, size, is_list in steps:
                if end + kind.itemsize > len(body):
                    raise IebenchError(f"{name} is cut short in its {element.name} rows")
                number = int.from_bytes(body[end : end + kind.itemsize], "little" if order == "<" else "big")
                end += kind.itemsize + (number * size if is_list else 0)
    if end > len(body):
        raise IebenchError(f"{name} is cut short in its {element.name} rows")
    return end


def _clean_text(body: bytes, elements: list[Element], name: str) -> bytes | None:
    lines = [line for line in body.splitlines() if line.strip()]
    bounds = np.cumsum([0, *(element.count for element in elements)]).tolist()
    for element, (start, end) in zip(elements, pairwise(bounds), strict=True):
        if end > len(lines):
            raise IebenchError(f"{name} is cut short in its {element.name} rows")
        if element.name == "vertex" and not element.has_lists:
            columns = [index for index, (axis, *_) in enumerate(element.properties) if axis in "xyz"]
            rows = [line.split() for line in lines[start:end]]
            try:
                points = _coordinates(
                    [np.array([row[column] for row in rows]).astype(np.float64) for column in columns], name
                )
            except (IndexError, ValueError):
                raise IebenchError(f"{name} has a vertex whose coordinates are not numbers") from None
            lines[start:end] = _move(rows, columns, points) or lines[start:end]
    return None if lines == [line for line in body.splitlines() if line.strip()] else b"\n".join(lines) + b"\n"


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
