"""Where objects come from. A source lists objects and brings the mesh of one into a folder.

A source opens from one string, so that a worker process or another machine can open the same one.
"""

import os
import re
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from iebench.catalogue import CLASSES, ObjectClass, find_class
from iebench.errors import IebenchError, UsageError
from iebench.factors.symmetry import built_in_classes

PROCEDURAL = "procedural"
PROCEDURAL_OBJECTS = 20  # of each class, where no number is asked for
MESH_SUFFIXES = (".obj", ".glb", ".gltf", ".ply", ".stl")  # where a name occurs with several, the first counts
SHAPENET_MESHES = ("models/model_normalized.obj", "model.obj")  # ShapeNetCore v2, v1
SHAPENET_PARTS = (".obj", ".mtl", ".jpg", ".jpeg", ".png", ".bmp", ".tga", ".tif", ".tiff", ".gif")
SYNSET = re.compile(r"\d{8}")
LARGEST_MEMBER = 2 << 30  # bytes; no mesh or texture is as large


@dataclass(frozen=True)
class Mesh:
    """The mesh of one object on disk.

    Attributes:
        path: OBJ, GLB, glTF, PLY or STL file.
        folder: of the object: nothing outside it may be read.
        unit_diagonal: whether it has still to be scaled to a unit diagonal.
    """

    path: Path
    folder: Path
    unit_diagonal: bool


class ObjectSource(Protocol):
    """What the farm asks of a source."""

    @property
    def classes(self) -> tuple[ObjectClass, ...]:
        """The classes it has objects of, in label order."""

    def describe(self) -> dict[str, Any]:
        """Plain values for the card, without paths of this machine."""

    def list_objects(self, synset: str, limit: int | None = None) -> list[str]:
        """Object ids of a class, sorted; an endless source makes `limit` of them."""

    def fetch(self, synset: str, object_id: str, scratch: Path) -> Mesh:
        """Bring the mesh of one object, into `scratch` where it is not a file already.

        Raises:
            IebenchError: it is not there.
        """


def open_source(place: str) -> ObjectSource:
    """The source that `--objects` names.

    Args:
        place: "procedural", a zip file or a folder: ShapeNetCore v1 or v2, its zip files, or classes of mesh files.

    Raises:
        UsageError: there is nothing at that place, or nothing that holds objects.
    """
    if place == PROCEDURAL:
        return ProceduralObjects()
    root = Path(place)
    if not root.exists():
        raise UsageError(f"--objects {place}: there is no such folder; give a folder of objects, or 'procedural'.")
    archives = [root] if root.is_file() else sorted(root.glob("*.zip"))
    if archives:
        return ZipSource(tuple(archives))
    folders = [path.name for path in sorted(root.iterdir()) if path.is_dir()]
    if any(SYNSET.fullmatch(name) for name in folders):
        return ShapeNetFolder(root)
    if folders:
        return ClassFolders(root)
    raise UsageError(
        f"--objects {place} is empty: it should hold ShapeNet's synset folders or zip files, or a folder per class."
    )


class ProceduralObjects:
    """The built-in objects: of each class as many as are asked for."""

    @property
    def classes(self) -> tuple[ObjectClass, ...]:
        return built_in_classes()

    def describe(self) -> dict[str, Any]:
        from iebench.render.procedural import CATALOGUE_VERSION

        return {"kind": PROCEDURAL, "catalogue_version": CATALOGUE_VERSION}

    def list_objects(self, synset: str, limit: int | None = None) -> list[str]:
        from iebench.render.procedural import object_id

        return [object_id(index) for index in range(limit or PROCEDURAL_OBJECTS)]

    def fetch(self, synset: str, object_id: str, scratch: Path) -> Mesh:
        from iebench.render.obj_file import write_obj
        from iebench.render.procedural import build, index_of

        folder = scratch / synset / object_id
        return Mesh(write_obj(build(synset, index_of(object_id)).parts, folder), folder, unit_diagonal=False)


@dataclass(frozen=True)
class ShapeNetFolder:
    """ShapeNetCore, unpacked: synset/object_id/models/model_normalized.obj (v2) or synset/object_id/model.obj (v1)."""

    root: Path

    @cached_property
    def classes(self) -> tuple[ObjectClass, ...]:
        return tuple(entry for entry in CLASSES if (self.root / entry.synset).is_dir())

    def describe(self) -> dict[str, Any]:
        return {"kind": "shapenet"}

    def list_objects(self, synset: str, limit: int | None = None) -> list[str]:
        with os.scandir(self.root / synset) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir())

    def fetch(self, synset: str, object_id: str, scratch: Path) -> Mesh:
        return _shapenet_mesh(self.root / synset / object_id)


@dataclass(frozen=True)
class ZipSource:
    """ShapeNetCore in the zip files in which it is handed out; only the files of one object are unpacked at a time."""

    archives: tuple[Path, ...]
    _open: dict[Path, zipfile.ZipFile] = field(default_factory=dict, repr=False)

    @cached_property
    def _members(self) -> dict[tuple[str, str], list[tuple[Path, str, str]]]:
        """(synset, object_id) → its members as (archive, name in the archive, name below the object's folder)."""
        members: dict[tuple[str, str], list[tuple[Path, str, str]]] = {}
        for archive in self.archives:
            for name in self._archive(archive).namelist():
                found = _object_member(name)
                if found is not None:
                    members.setdefault(found[:2], []).append((archive, name, found[2]))
        return {name: parts for name, parts in members.items() if any(part in SHAPENET_MESHES for *_, part in parts)}

    @cached_property
    def classes(self) -> tuple[ObjectClass, ...]:
        present = {synset for synset, _ in self._members}
        return tuple(entry for entry in CLASSES if entry.synset in present)

    def describe(self) -> dict[str, Any]:
        return {"kind": "shapenet"}

    def list_objects(self, synset: str, limit: int | None = None) -> list[str]:
        return sorted(object_id for found, object_id in self._members if found == synset)

    def fetch(self, synset: str, object_id: str, scratch: Path) -> Mesh:
        folder = scratch / "object"
        for archive, name, below in self._members.get((synset, object_id), []):
            self._extract(archive, name, folder / below)
        return _shapenet_mesh(folder)

    def _extract(self, archive: Path, name: str, target: Path) -> None:
        info = self._archive(archive).getinfo(name)
        if info.file_size > LARGEST_MEMBER:
            raise IebenchError(f"{name} in {archive.name} claims {info.file_size} bytes, more than any mesh has")
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self._archive(archive).open(info) as packed, target.open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked)
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
            raise IebenchError(f"{name} in {archive.name} cannot be unpacked: {error}") from None

    def _archive(self, path: Path) -> zipfile.ZipFile:
        if path not in self._open:
            try:
                self._open[path] = zipfile.ZipFile(path)
            except (zipfile.BadZipFile, OSError) as error:
                raise UsageError(f"--objects {path} is not a readable zip file ({error}): fetch it again.") from None
        return self._open[path]


@dataclass(frozen=True)
class ClassFolders:
    """A folder per class with mesh files in it at any depth, as ModelNet, Objaverse or Google Scanned Objects give them.

    Where every folder is named like a class of 3DIEBench (name or synset), labels are the benchmark's. Otherwise labels count
    the folders in sorted order, and a folder's name stands for the synset.
    """

    root: Path

    @cached_property
    def _folders(self) -> dict[str, tuple[ObjectClass, Path]]:
        paths = [path for path in sorted(self.root.iterdir()) if path.is_dir() and not path.name.startswith(".")]
        try:
            entries = [find_class(path.name) for path in paths]
        except UsageError:
            entries = [ObjectClass(label, _safe(path.name), path.name) for label, path in enumerate(paths)]
        return {entry.synset: (entry, path) for entry, path in zip(entries, paths, strict=True)}

    @cached_property
    def classes(self) -> tuple[ObjectClass, ...]:
        return tuple(sorted(entry for entry, _ in self._folders.values()))

    def describe(self) -> dict[str, Any]:
        return {"kind": "folders"}

    def list_objects(self, synset: str, limit: int | None = None) -> list[str]:
        return sorted(self._meshes(synset))

    def fetch(self, synset: str, object_id: str, scratch: Path) -> Mesh:
        try:
            path = self._meshes(synset)[object_id]
        except KeyError:
            raise IebenchError(f"{self.root.name} has no object {synset}/{object_id}") from None
        top = self._folders[synset][1] / path.relative_to(self._folders[synset][1]).parts[0]
        return Mesh(path, top if top.is_dir() else path.parent, unit_diagonal=True)

    def _meshes(self, synset: str) -> dict[str, Path]:
        if synset not in self._cache:
            folder = self._folders[synset][1]
            found = sorted(_walk(folder), key=lambda path: MESH_SUFFIXES.index(path.suffix.lower()), reverse=True)
            self._cache[synset] = {
                _safe("-".join(path.relative_to(folder).with_suffix("").parts)): path for path in found
            }
        return self._cache[synset]

    @cached_property
    def _cache(self) -> dict[str, dict[str, Path]]:
        return {}


def _shapenet_mesh(folder: Path) -> Mesh:
    for name in SHAPENET_MESHES:
        if (folder / name).exists() or (folder / name).is_symlink():
            return Mesh(folder / name, folder, unit_diagonal=False)
    raise IebenchError(f"it holds neither {' nor '.join(SHAPENET_MESHES)}")


def _object_member(name: str) -> tuple[str, str, str] | None:
    """(synset, object_id, rest) of an archive member that rendering an object may need."""
    parts = PurePosixPath(name).parts
    if ".." in parts or name.startswith("/") or PurePosixPath(name).suffix.lower() not in SHAPENET_PARTS:
        return None
    place = next((i for i, part in enumerate(parts) if SYNSET.fullmatch(part)), None)
    if place is None or len(parts) < place + 3 or "screenshots" in parts:
        return None
    return parts[place], parts[place + 1], "/".join(parts[place + 2 :])


def _walk(folder: Path) -> Iterator[Path]:
    """Mesh files below a folder; links to folders are not followed, so no loop can catch it."""
    for place, _, names in os.walk(folder):
        yield from (Path(place) / name for name in names if Path(name).suffix.lower() in MESH_SUFFIXES)


def _safe(name: str) -> str:
    """A name that can stand in a sample's key: letters, digits, "-" and "_"."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_") or "_"
