"""Making the mesh file of an object safe and whole before Blender opens it.

Real files are odd: materials in a file of another name, textures in another folder or with backslashes in the path, opacity
written upside down, paths that lead out of the object's folder. An OBJ is therefore copied into the scratch folder with one
material file of our own making, whose textures are links to files found inside the object's folder; a glTF is copied where
one of its pictures has to be found, and a PLY becomes an OBJ where Blender would pass over its texture or its colors.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from iebench.dataset.appearance import Lost
from iebench.errors import IebenchError
from iebench.render.gltf_file import check_gltf
from iebench.render.gltf_images import link_buffers, mend_gltf
from iebench.render.mesh_bytes import is_plain, mesh_suffix, read_mesh_bytes
from iebench.render.mtl_file import MtlMaterial, write_materials
from iebench.render.obj_materials import dress_obj
from iebench.render.obj_text import clean_obj
from iebench.render.object_files import ObjectFiles, readable_name
from iebench.render.object_source import Mesh
from iebench.render.off_file import off_to_obj
from iebench.render.ply_check import clean_ply
from iebench.render.ply_file import Header, parse_header, read_elements
from iebench.render.ply_to_obj import convert_ply
from iebench.render.stl_file import clean_stl, read_stl_colors
from iebench.untrusted import FAULTS, tell


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
    files = ObjectFiles(mesh)
    if not files.is_inside(mesh.path, shared=False):
        raise IebenchError(
            f"{mesh.path.name} lies outside the object's folder, perhaps as a link: copy the file, or link the whole folder"
        )
    content, suffix, name = read_mesh_bytes(mesh.path), mesh_suffix(mesh.path), mesh.path.name
    if suffix == ".obj":
        dressed, lost = dress_obj(clean_obj(content, name), mesh.path, files, scratch)
        return _write_obj(dressed, lost, scratch)
    if suffix == ".off":
        return _write_obj(off_to_obj(content, name), (), scratch)
    if suffix in (".gltf", ".glb"):
        return _prepare_gltf(mesh.path, content, files, scratch)
    clean = {".ply": clean_ply, ".stl": clean_stl}[suffix](content, name)
    unchanged = clean is content and is_plain(mesh.path)
    path = mesh.path if unchanged else _copy(clean, scratch / f"object{suffix}")
    if suffix == ".ply":
        return _prepare_ply(mesh.path, clean, path, files, scratch)
    colored = read_stl_colors(clean)
    return PreparedMesh(path) if colored is None else _write_obj(colored, (), scratch)


def _copy(content: bytes, path: Path) -> Path:
    path.write_bytes(content)
    return path


def _write_obj(content: bytes, lost: Iterable[Lost], scratch: Path) -> PreparedMesh:
    return PreparedMesh(_copy(content, scratch / "object.obj"), tuple(dict.fromkeys(lost)))


def _prepare_ply(named: Path, content: bytes, path: Path, files: ObjectFiles, scratch: Path) -> PreparedMesh:
    """A PLY, whose content lies in `path`, as it is, or as an OBJ where it has a texture or colors that Blender does not read."""
    header = parse_header(content, named.name)
    if not (header.textures or header.has_odd_colors):
        return PreparedMesh(path)
    textured = bool(header.textures) and header.has_coordinates
    try:
        text = convert_ply(read_elements(content, header), textured)
    except FAULTS:  # damaged, or of triangle strips: Blender has the last word
        return PreparedMesh(path, _all_textures(header))
    if not textured:
        return _write_obj(text, _all_textures(header), scratch)
    materials = [
        MtlMaterial(f"texture-{number}", (("map_Kd", name),), named) for number, name in enumerate(header.textures)
    ]
    library, lost = write_materials(materials, {}, files, scratch)
    (scratch / "object.mtl").write_bytes(library)
    return _write_obj(b"mtllib object.mtl\n" + text, lost, scratch)


def _all_textures(header: Header) -> tuple[Lost, ...]:
    return tuple(Lost("texture", readable_name(name)) for name in header.textures)


def _prepare_gltf(path: Path, content: bytes, files: ObjectFiles, scratch: Path) -> PreparedMesh:
    document = check_gltf(path, content, files)
    try:
        mended, lost = mend_gltf(path, content, document, files, scratch)
        if mended is None and not is_plain(path):
            mended = link_buffers(path, content, document, files, scratch)
    except FAULTS as error:
        raise IebenchError(f"{path.name} is not a readable glTF file: {tell(error)}") from None
    mended_path = path if mended is None else _copy(mended, scratch / f"object{mesh_suffix(path)}")
    return PreparedMesh(mended_path, tuple(lost))
