"""glTF files: whole, finite, not nested too deep, and of the object's folder alone."""

import base64
import binascii
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from iebench.errors import IebenchError
from iebench.render.gltf_images import Document, binary_start, literal_path
from iebench.render.mesh_bytes import check_finite
from iebench.render.object_files import ObjectFiles
from iebench.untrusted import FAULTS, parse_json, tell

DEEPEST = 300  # nested nodes; Blender's importer, which calls itself for each, gives up at about 900
WITHOUT_FACES = (0, 1, 2, 3)  # modes of points and lines
FLOAT = 5126  # component type


def check_gltf(path: Path, content: bytes, files: ObjectFiles) -> Document:
    """The JSON of a glTF; one that Blender would read wrongly, or not at all, is refused.

    Args:
        path: of the file.
        content: of it, unpacked.
        files: of the object.

    Raises:
        IebenchError: the file is damaged or cut short, holds no faces or numbers that are not finite, nests its nodes too
            deep, or reads buffers outside the object's folder.
    """
    name = path.name
    try:
        document = parse_json(_json_chunk(content, name))
        _check_outside(path, document, files)
        _check_version(document, name)
        _check_depth(document, name)
        _check_faces(document, name)
        _check_positions(path, document, content)
        return document
    except FAULTS as error:
        raise IebenchError(f"{name} is not a readable glTF file: {tell(error)}") from None


def _json_chunk(content: bytes, name: str) -> bytes:
    """The JSON of a `.gltf` file, or of the first chunk of a `.glb` (glTF 2.0, section 4.4)."""
    if content[:4] != b"glTF":
        return content
    announced = int.from_bytes(content[8:12], "little")
    if announced > len(content):
        raise IebenchError(f"{name} is cut short: {len(content)} of {announced} bytes are there")
    return content[20 : 20 + int.from_bytes(content[12:16], "little")]


def _check_version(document: Document, name: str) -> None:
    version = str(document["asset"]["version"])
    if version.split(".")[0] != "2":
        raise IebenchError(f"{name} is glTF {version}, and 2.0 is read: convert it")


def _check_outside(path: Path, document: Document, files: ObjectFiles) -> None:
    """Buffers only: pictures are looked for inside the folder, and counted where they are lost."""
    uris = [buffer.get("uri", "") for buffer in document.get("buffers", [])]
    for uri in (uri for uri in uris if uri and not uri.startswith("data:")):
        if not files.is_inside(literal_path(path, uri)):
            raise IebenchError(f"{path.name} reads {uri}, which lies outside the object's folder")


def _check_depth(document: Document, name: str) -> None:
    children = [node.get("children", []) for node in document.get("nodes", [])]
    level, depth = set(range(len(children))), 0
    while level:
        level, depth = {child for node in level for child in children[node]}, depth + 1
        if depth > DEEPEST:
            raise IebenchError(
                f"{name} nests its nodes more than {DEEPEST} deep, or in a circle, which Blender cannot read"
            )


def _primitives(document: Document) -> Iterator[Document]:
    for mesh in document.get("meshes", []):
        yield from mesh["primitives"]


def _check_faces(document: Document, name: str) -> None:
    modes = [primitive.get("mode", 4) for primitive in _primitives(document)]
    if all(mode in WITHOUT_FACES for mode in modes):
        raise IebenchError(f"{name} has no faces" + (": it holds points or lines" if modes else ""))


def _check_positions(path: Path, document: Document, content: bytes) -> None:
    buffers = [_read_buffer(path, buffer, content) for buffer in document.get("buffers", [])]
    attributes = [part for p in _primitives(document) for part in (p["attributes"], *p.get("targets", []))]
    for number in sorted({part["POSITION"] for part in attributes if "POSITION" in part}):
        accessor = document["accessors"][number]
        if "bufferView" not in accessor or accessor["componentType"] != FLOAT:  # compressed, sparse or quantised
            continue
        view = document["bufferViews"][accessor["bufferView"]]
        start, stride = view.get("byteOffset", 0) + accessor.get("byteOffset", 0), view.get("byteStride", 12)
        data = buffers[view["buffer"]]
        if data is None:
            continue
        if accessor["count"] < 1 or start + stride * (accessor["count"] - 1) + 12 > len(data):
            raise IebenchError(f"{path.name} is cut short: it has fewer positions than it announces")
        points: np.ndarray = np.ndarray((accessor["count"], 3), "<f4", data, start, (stride, 4))
        check_finite(path.name, points)


def _read_buffer(path: Path, buffer: Document, content: bytes) -> bytes | None:
    """The bytes of a buffer; None where another file should have them and is not there, which Blender names."""
    uri = buffer.get("uri")
    if uri is None:
        start = binary_start(content)
        return content[start : start + int.from_bytes(content[start - 8 : start - 4], "little")]
    if uri.startswith("data:"):
        try:
            return base64.b64decode(uri.partition(",")[2])
        except binascii.Error as error:
            raise ValueError(f"a buffer is not base64: {error}") from None
    file = literal_path(path, uri)
    return file.read_bytes() if file.is_file() else None
