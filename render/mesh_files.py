"""Making the mesh file of an object safe and whole before Blender opens it.

Real files are odd: materials in a file of another name, textures in another folder or with backslashes in the path, opacity
written upside down, paths that lead out of the object's folder. An OBJ is therefore copied into the scratch folder with one
material file of our own making, whose textures are links to files found inside the object's folder; a glTF is copied where
one of its pictures has to be found, and a PLY becomes an OBJ where Blender would pass over its texture or its colors.
"""

import json
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from iebench.dataset.appearance import Lost
from iebench.errors import IebenchError
from iebench.render.gltf_images import Document, literal_path, mend_gltf
from iebench.render.mtl_file import MtlMaterial, write_materials
from iebench.render.obj_materials import dress_obj
from iebench.render.object_files import ObjectFiles, readable_name
from iebench.render.object_source import Mesh
from iebench.render.ply_file import Header, read_elements, read_header
from iebench.render.ply_to_obj import convert_ply
from iebench.render.stl_colors import read_stl_colors

LARGEST_FILE = 2 << 30  # bytes
FACE = re.compile(rb"^[ \t]*f[ \t]", re.MULTILINE)
NOT_FINITE = re.compile(rb"^[ \t]*v[ \t][^\n]*(nan|inf)", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True)
class PreparedMesh:
    """A mesh that Blender may open.

    Attributes:
        path: of the file.
        lost: what of the object's appearance is not to be had.
    """

    path: Path
    lost: tuple[Lost, ...] = ()


def prepare_mesh(mesh: Mesh, scratch: Path) -> PreparedMesh:
    """The file that Blender may open for an object.

    Args:
        mesh: as its source gave it.
        scratch: an empty folder for copies.

    Raises:
        IebenchError: the file cannot be rendered, and why.
    """
    _check_file(mesh.path)
    suffix = mesh.path.suffix.lower()
    if suffix == ".obj":
        return _prepare_obj(mesh, scratch)
    if suffix == ".ply":
        return _prepare_ply(mesh, scratch)
    if suffix == ".stl" and (content := read_stl_colors(mesh.path)):
        return _write_obj(content, (), scratch)
    if suffix in (".gltf", ".glb"):
        return _prepare_gltf(mesh, scratch)
    return PreparedMesh(mesh.path)


def _check_file(path: Path) -> None:
    try:
        status = path.stat()
    except OSError as error:
        raise IebenchError(f"{path.name} cannot be opened: {error.strerror}") from None
    if not stat.S_ISREG(status.st_mode):
        raise IebenchError(f"{path.name} is not a regular file")
    if status.st_size == 0:
        raise IebenchError(f"{path.name} is empty")
    if status.st_size > LARGEST_FILE:
        raise IebenchError(f"{path.name} has {status.st_size} bytes, more than any mesh needs")


def _prepare_obj(mesh: Mesh, scratch: Path) -> PreparedMesh:
    content = mesh.path.read_bytes()
    if b"\0" in content[:4096]:
        raise IebenchError(f"{mesh.path.name} is a binary file, not an OBJ")
    if not FACE.search(content):
        raise IebenchError(f"{mesh.path.name} has no faces")
    if NOT_FINITE.search(content):  # Blender would read a zero
        raise IebenchError(f"{mesh.path.name} has coordinates that are not finite numbers")
    content, lost = dress_obj(content, mesh.path, ObjectFiles(mesh), scratch)
    return _write_obj(content, lost, scratch)


def _write_obj(content: bytes, lost: Iterable[Lost], scratch: Path) -> PreparedMesh:
    copy = scratch / "object.obj"
    copy.write_bytes(content)
    return PreparedMesh(copy, tuple(dict.fromkeys(lost)))


def _prepare_ply(mesh: Mesh, scratch: Path) -> PreparedMesh:
    """A PLY as it is, or as an OBJ where it has a texture or colors that Blender does not read."""
    header = read_header(mesh.path)
    if header is None or not (header.textures or header.has_odd_colors):
        return PreparedMesh(mesh.path)
    textured = bool(header.textures) and header.has_coordinates
    try:
        content = convert_ply(read_elements(mesh.path, header), textured)
    except ValueError:  # damaged, or of triangle strips: Blender has the last word
        return PreparedMesh(mesh.path, _all_textures(header))
    if not textured:
        return _write_obj(content, _all_textures(header), scratch)
    materials = [
        MtlMaterial(f"texture-{number}", (("map_Kd", name),), mesh.path) for number, name in enumerate(header.textures)
    ]
    text, lost = write_materials(materials, {}, ObjectFiles(mesh), scratch)
    (scratch / "object.mtl").write_bytes(text)
    return _write_obj(b"mtllib object.mtl\n" + content, lost, scratch)


def _all_textures(header: Header) -> tuple[Lost, ...]:
    return tuple(Lost("texture", readable_name(name)) for name in header.textures)


def _prepare_gltf(mesh: Mesh, scratch: Path) -> PreparedMesh:
    document, files = _read_gltf(mesh), ObjectFiles(mesh)
    try:
        path, lost = mend_gltf(mesh.path, document, files, scratch)
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        raise IebenchError(f"{mesh.path.name} is not a readable glTF file: {error!r}") from None
    return PreparedMesh(path, tuple(lost))


def _read_gltf(mesh: Mesh) -> Document:
    """The JSON of a glTF; one that is damaged, or whose buffers lie outside the object's folder, is refused."""
    try:
        document = json.loads(_gltf_json(mesh.path.read_bytes()))
        names = [
            uri for buffer in document.get("buffers", []) if not (uri := buffer.get("uri", "")).startswith("data:")
        ]
    except (ValueError, AttributeError, IndexError, TypeError) as error:
        raise IebenchError(f"{mesh.path.name} is not a readable glTF file: {error}") from None
    for name in filter(None, names):
        if not ObjectFiles(mesh).is_inside(literal_path(mesh.path, name)):
            raise IebenchError(f"{mesh.path.name} reads {name}, which lies outside the object's folder")
    return document


def _gltf_json(content: bytes) -> bytes:
    """The JSON of a `.gltf` file, or of the first chunk of a `.glb` (glTF 2.0, section 4.4)."""
    if content[:4] != b"glTF":
        return content
    length = int.from_bytes(content[12:16], "little")
    return content[20 : 20 + length]
