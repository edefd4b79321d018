"""Making the mesh file of an object safe and whole before Blender opens it.

Real files are odd: materials in a file of another name, textures in another folder or with backslashes in the path, opacity
written upside down, paths that lead out of the object's folder. An OBJ is therefore copied into the scratch folder with one
material file of our own making, whose textures are links to files found inside the object's folder.
"""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from iebench.errors import IebenchError
from iebench.render.gltf_file import check_gltf
from iebench.render.mesh_bytes import mesh_suffix, read_mesh_bytes
from iebench.render.obj_text import clean_obj
from iebench.render.object_source import Mesh
from iebench.render.off_file import off_to_obj
from iebench.render.ply_file import clean_ply
from iebench.render.stl_file import clean_stl

VANISHED = 0.01  # opacity under which nothing is seen
TEXTURE_FOLDERS = ("", "images", "textures", "../images", "../textures", "..")
MTLLIB = re.compile(rb"^[ \t]*mtllib[ \t]+(.+?)[ \t\r]*$", re.MULTILINE)
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
MAP_OPTIONS = re.compile(r"-(blendu|blendv|bm|boost|cc|clamp|imfchan|mm|o|s|t|texres|type)")
WORD_OPTIONS = ("-blendu", "-blendv", "-cc", "-clamp", "-imfchan", "-type")
MtlMaterial = list[tuple[str, str]]  # statements of an MTL as (word, rest), "newmtl" first


def prepare_mesh(mesh: Mesh, scratch: Path) -> Path:
    """The file that Blender may open for an object.

    Args:
        mesh: as its source gave it.
        scratch: an empty folder for copies.

    Raises:
        IebenchError: the file cannot be rendered, and why.
    """
    _check_inside(mesh)
    content, suffix, name = read_mesh_bytes(mesh.path), mesh_suffix(mesh.path), mesh.path.name
    if suffix == ".obj":
        return _prepare_obj(mesh, clean_obj(content, name), scratch)
    if suffix == ".off":
        return _copy(off_to_obj(content, name), scratch / "object.obj")
    if suffix in (".gltf", ".glb"):
        check_gltf(mesh, content)
        return mesh.path if mesh.path.suffix.lower() == suffix else _copy(content, scratch / f"object{suffix}")
    clean = {".ply": clean_ply, ".stl": clean_stl}[suffix](content, name)
    unchanged = clean is content and mesh.path.suffix.lower() == suffix
    return mesh.path if unchanged else _copy(clean, scratch / f"object{suffix}")


def _copy(content: bytes, path: Path) -> Path:
    path.write_bytes(content)
    return path


def _check_inside(mesh: Mesh) -> None:
    if not Path(os.path.realpath(mesh.path)).is_relative_to(os.path.realpath(mesh.folder)):
        raise IebenchError(
            f"{mesh.path.name} lies outside the object's folder, perhaps as a link: copy the file, or link the whole folder"
        )


def _prepare_obj(mesh: Mesh, content: bytes, scratch: Path) -> Path:
    materials = [m for path in _material_files(mesh, content) for m in read_materials(path)]
    (scratch / "object.mtl").write_text(write_materials(materials, mesh, scratch), encoding="utf-8")
    return _copy(b"mtllib object.mtl\n" + MTLLIB.sub(b"", content), scratch / "object.obj")


def _material_files(mesh: Mesh, content: bytes) -> Iterator[Path]:
    """The material files that an OBJ names, or the only one beside it where it names none that exists."""
    named = [match.group(1).decode("utf-8", "replace") for match in MTLLIB.finditer(content)]
    found = [path for name in named if (path := find_file(name, mesh.path.parent, mesh.folder)) is not None]
    beside = sorted(mesh.path.parent.glob("*.mtl"))
    if not found and len(beside) == 1:
        found = [path for path in beside if path.is_file()]
    yield from dict.fromkeys(found)


def find_file(name: str, base: Path, folder: Path) -> Path | None:
    """A file that a mesh or material names, looked for under that name and in the usual folders.

    Args:
        name: as written, perhaps with backslashes or quotes, or with a path of its author's machine.
        base: folder of the file that names it.
        folder: of the object; whatever lies outside is not read.

    Returns:
        Its path, or None where there is no such file inside `folder`.
    """
    plain = PurePosixPath(name.strip().strip('"').replace("\\", "/"))
    tries = [base / plain] + [base / folder / plain.name for folder in TEXTURE_FOLDERS]
    for path in (Path(os.path.normpath(path)) for path in tries):
        if path.is_relative_to(os.path.normpath(folder)) and path.is_file():
            return path
    return None


def read_materials(path: Path) -> list[MtlMaterial]:
    """The materials of an MTL file; what stands before the first `newmtl` belongs to none and is left out."""
    materials: list[MtlMaterial] = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        word, _, rest = line.strip().replace("\t", " ").partition(" ")
        if word == "newmtl":
            materials.append([(word, rest.strip())])
        elif word and not word.startswith("#") and materials:
            materials[-1].append((word, rest.strip()))
    return materials


def write_materials(materials: Iterable[MtlMaterial], mesh: Mesh, scratch: Path) -> str:
    """The text of an MTL file with the same materials, textures linked into `scratch` or left out where there are none."""
    materials = list(materials)
    opacities = [_opacity(material) for material in materials]
    upside_down = bool(opacities) and max(opacities) <= VANISHED  # else the whole object would be invisible
    lines: list[str] = []
    for material, opacity in zip(materials, opacities, strict=True):
        lines += [f"{word} {rest}" for word, rest in material if word not in ("d", "Tr") and not _is_map(word)]
        lines.append(f"d {1.0 if upside_down else opacity:g}")
        lines += [text for word, rest in material if _is_map(word) for text in _link_map(word, rest, mesh, scratch)]
    return "\n".join(lines) + "\n"


def _is_map(word: str) -> bool:
    return word.lower().startswith("map_") or word.lower() in ("bump", "disp", "decal", "refl", "norm")


def _opacity(material: MtlMaterial) -> float:
    """Opacity from `d`, or from `Tr`, its opposite; `d` counts where a file has both."""
    value = {word: NUMBER.search(rest) for word, rest in material if word in ("d", "Tr")}
    if value.get("d"):
        return float(value["d"].group())  # type: ignore[union-attr]
    return 1 - float(value["Tr"].group()) if value.get("Tr") else 1.0  # type: ignore[union-attr]


def _link_map(word: str, rest: str, mesh: Mesh, scratch: Path) -> list[str]:
    options, name = split_map_options(rest)
    texture = find_file(name, mesh.path.parent, mesh.folder)
    if texture is None or not _is_picture(texture) or (word.lower() == "map_d" and _is_empty_mask(texture)):
        print(f"left out: {word} {rest}")
        return []
    link = scratch / f"texture-{len(list(scratch.glob('texture-*')))}{texture.suffix.lower()}"
    link.symlink_to(texture.resolve())
    return [" ".join(filter(None, (word, options, link.name)))]


def split_map_options(rest: str) -> tuple[str, str]:
    """Split what follows `map_Kd` into its options and the file's name, which may hold spaces."""
    words = rest.split(" ")
    position = 0
    while position < len(words) and MAP_OPTIONS.fullmatch(words[position]):
        position += 2 if words[position] in WORD_OPTIONS else 1
        while position < len(words) - 1 and NUMBER.fullmatch(words[position]):
            position += 1
    return " ".join(words[:position]), " ".join(words[position:])


def _is_picture(path: Path) -> bool:
    try:
        with Image.open(path) as picture:
            return picture.width > 0
    except (OSError, ValueError, Image.DecompressionBombError):
        return False


def _is_empty_mask(path: Path) -> bool:
    """Whether a mask would hide all that it covers, as one that is meant upside down does."""
    with Image.open(path) as picture:
        mask = picture.getchannel("A") if "A" in picture.getbands() else picture.convert("L")
        return float(np.asarray(mask).mean()) <= 255 * VANISHED
