"""What stands in a PLY: its head, and the columns of its elements.

Format: http://paulbourke.net/dataformats/ply/. `comment TextureFile` and the lists of texture coordinates are MeshLab's.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy import ndarray

from iebench.errors import IebenchError

TYPES = {"char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4", "float": "f4", "double": "f8",
         "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4", "float32": "f4",
         "float64": "f8"}  # fmt: skip
HEADER = re.compile(rb"ply[ \t]*\r?\n.*?^[ \t]*end_header[ \t]*(?:\r\n|\n|\r)", re.DOTALL | re.MULTILINE)
ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
TEXTURE = re.compile(r"comment\s+texturefile\s+(.+)", re.IGNORECASE)
COORDINATES = (("s", "t"), ("u", "v"), ("texture_u", "texture_v"), ("texture_s", "texture_t"))
KNOWN_COLORS = ("red", "green", "blue")  # those that Blender reads, on vertices
COLORS = (KNOWN_COLORS, ("diffuse_red", "diffuse_green", "diffuse_blue"), ("r", "g", "b"))
NORMALS = ("nx", "ny", "nz")
CORNERS, CORNER_COORDINATES, TEXTURE_NUMBER = ("vertex_indices", "vertex_index"), "texcoord", "texnumber"


@dataclass(frozen=True)
class Property:
    """A column of an element: numpy's letter for its type, and that of its length where it is a list."""

    name: str
    type: str
    length_type: str | None


@dataclass(frozen=True)
class Element:
    """A kind of rows: how many, and their columns."""

    name: str
    count: int
    properties: tuple[Property, ...]

    @property
    def has_lists(self) -> bool:
        """Whether rows differ in length."""
        return any(entry.length_type for entry in self.properties)

    def row(self, order: str) -> np.dtype:
        """The layout of a row without lists."""
        return np.dtype([(entry.name, order + entry.type) for entry in self.properties])


@dataclass(frozen=True)
class Header:
    """What the head of a PLY says.

    Attributes:
        order: of bytes, "<" or ">", or "" for text.
        textures: names after `comment TextureFile`; what is not UTF-8 in them stands as surrogates.
        elements: in order.
        size: of the head in bytes.
    """

    order: str
    textures: tuple[str, ...]
    elements: tuple[Element, ...]
    size: int

    def columns(self, element: str) -> set[str]:
        """The names of an element's properties."""
        return {entry.name for found in self.elements if found.name == element for entry in found.properties}

    @property
    def has_coordinates(self) -> bool:
        """Whether textures have coordinates."""
        pairs = any(set(pair) <= self.columns("vertex") for pair in COORDINATES)
        return pairs or CORNER_COORDINATES in self.columns("face")

    @property
    def has_odd_colors(self) -> bool:
        """Whether there are colors, and Blender does not read them."""
        sets = [set(names) <= self.columns(element) for element in ("vertex", "face") for names in COLORS]
        return any(sets) and not set(KNOWN_COLORS) <= self.columns("vertex")


def parse_header(content: bytes, name: str) -> Header:
    """The head of a PLY.

    Args:
        content: of the file.
        name: of the file, for messages.

    Raises:
        IebenchError: it has none, or one that is damaged.
    """
    head = HEADER.match(content)
    if head is None:
        raise IebenchError(f"{name} is not a PLY file, or its header is cut short")
    lines = head.group().replace(b"\r", b"\n").decode("utf-8", "surrogateescape").split("\n")
    textures = [found.group(1) for line in lines if (found := TEXTURE.fullmatch(line.strip()))]
    words = [line.split() for line in lines]
    form = next((rest[0] for word, *rest in filter(None, words) if word == "format" and rest), "")
    try:
        elements = _parse_elements(words)
    except (IndexError, KeyError, ValueError):
        raise IebenchError(f"{name} is not a readable PLY file: its header is damaged") from None
    if form not in ORDERS:
        raise IebenchError(f"{name} is not a readable PLY file: its format is {form or 'not stated'!r}")
    return Header(ORDERS[form], tuple(textures), elements, head.end())


def _parse_elements(lines: Sequence[Sequence[str]]) -> tuple[Element, ...]:
    elements: list[tuple[str, int, list[Property]]] = []
    for words in lines:
        if words[:1] == ["element"]:
            elements.append((words[1], int(words[2]), []))
        elif words[:1] == ["property"]:
            length = TYPES[words[2]] if words[1] == "list" else None
            elements[-1][2].append(Property(words[-1], TYPES[words[-2]], length))
    if any(count < 0 for _, count, _ in elements):
        raise ValueError("a count is negative")
    return tuple(Element(name, count, tuple(properties)) for name, count, properties in elements)


Table = dict[str, ndarray | list[ndarray]]


def read_elements(content: bytes, header: Header) -> dict[str, Table]:
    """The columns of all elements in the content of a file; a list in each row is a list of arrays.

    Raises:
        ValueError: the file is cut short, or holds what is no number.
    """
    body = content[header.size :]
    rows = _TextRows(body) if not header.order else _BinaryRows(body, header.order)
    return {element.name: _read_table(rows, element.count, element.properties) for element in header.elements}


def _read_table(rows: "_TextRows | _BinaryRows", number: int, properties: Sequence[Property]) -> Table:
    if not any(entry.length_type for entry in properties):
        return rows.read_plain(number, properties)
    return _read_even_lists(rows, number, properties) or _read_uneven_lists(rows, number, properties)


def _read_even_lists(rows: "_TextRows | _BinaryRows", number: int, properties: Sequence[Property]) -> Table | None:
    """All rows at once, where every list is as long as the one in the first row."""
    start = rows.at
    first = _read_uneven_lists(rows, min(number, 1), properties)
    rows.at = start
    lengths = {entry.name: len(first[entry.name][0]) for entry in properties if entry.length_type and number}
    flat = [part for entry in properties for part in _flatten(entry, lengths.get(entry.name, 0))]
    try:
        table = rows.read_plain(number, flat)
    except ValueError:
        table = {}
    if not table or any((np.asarray(table[f"{name}#"]) != length).any() for name, length in lengths.items()):
        rows.at = start
        return None
    return {
        entry.name: np.stack([table[f"{entry.name}#{i}"] for i in range(lengths[entry.name])], axis=-1)
        if lengths.get(entry.name)
        else table[entry.name]
        for entry in properties
    }


def _flatten(entry: Property, length: int) -> list[Property]:
    if entry.length_type is None:
        return [entry]
    places = [Property(f"{entry.name}#{i}", entry.type, None) for i in range(length)]
    return [Property(f"{entry.name}#", entry.length_type, None), *places]


def _read_uneven_lists(rows: "_TextRows | _BinaryRows", number: int, properties: Sequence[Property]) -> Table:
    table: dict[str, list[ndarray]] = {entry.name: [] for entry in properties}
    for _ in range(number):
        for entry in properties:
            length = int(rows.read(1, entry.length_type)[0]) if entry.length_type else 1
            table[entry.name].append(rows.read(length, entry.type))
    return dict(table)


class _TextRows:
    def __init__(self, body: bytes) -> None:
        self._words, self.at = body.split(), 0

    def read(self, number: int, kind: str) -> ndarray:
        words = self._words[self.at : self.at + number]
        if len(words) < number:
            raise ValueError("it is cut short")
        self.at += number
        return np.array(words, "S").astype(np.float64).astype(kind)

    def read_plain(self, number: int, properties: Sequence[Property]) -> Table:
        values = self.read(number * len(properties), "f8").reshape(number, len(properties))
        return {entry.name: values[:, i].astype(entry.type) for i, entry in enumerate(properties)}


class _BinaryRows:
    def __init__(self, body: bytes, order: str) -> None:
        self._body, self._order, self.at = body, order, 0

    def read(self, number: int, kind: str) -> ndarray:
        values = np.frombuffer(self._body, self._order + kind, number, self.at)
        self.at += values.nbytes
        return values

    def read_plain(self, number: int, properties: Sequence[Property]) -> Table:
        row = np.dtype([(entry.name, self._order + entry.type) for entry in properties])
        values = np.frombuffer(self._body, row, number, self.at)
        self.at += values.nbytes
        return {name: values[name] for name in row.names or ()}
