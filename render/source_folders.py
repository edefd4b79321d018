"""Folders of mesh files as a source of objects: a folder for each class, or one class for all."""

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from iebench.catalogue import CLASSES, ObjectClass, find_class
from iebench.errors import IebenchError, UsageError
from iebench.escapes import printable
from iebench.names import name_fault
from iebench.render.folder_files import (
    FORMATS,
    Omissions,
    list_folder,
    list_folders,
    mesh_format,
    mesh_stem,
    walk,
)
from iebench.render.folder_objects import list_objects
from iebench.render.object_source import Mesh

_NO_MESH = f"no mesh in it: {FORMATS} are read, so convert what it holds, or take it away"
LOOKED_AT = 10_000  # files of a folder without meshes, to say what it holds


@dataclass(frozen=True)
class ClassFolders:
    """A folder per class with mesh files in it at any depth, as ModelNet, Objaverse or Google Scanned Objects give them.

    Where every folder is named like a class of 3DIEBench (name or synset), labels are the benchmark's. Otherwise labels count
    the folders in sorted order, and a folder's name stands for the synset. Folders without a mesh are none.

    Attributes:
        root: the folder of folders; with `one_class` any folder of meshes, or one mesh file.
        one_class: the class of all objects.
    """

    root: Path
    one_class: str | None = None

    def __post_init__(self) -> None:
        if self.one_class is not None and (fault := name_fault(self.one_class)):
            raise UsageError(f"--class {self.one_class!r} cannot name a class, as {fault}: choose another name.")

    @cached_property
    def _folders(self) -> dict[str, tuple[ObjectClass, Path]]:
        if self.one_class is not None:
            (entry,) = _label_classes([self.one_class])
            return {entry.synset: (entry, self.root)}
        found: dict[str, tuple[ObjectClass, Path]] = {}
        paths = self._class_paths()
        for entry, path in zip(_label_classes([path.name for path in paths]), paths, strict=True):
            if entry.synset in found:
                both = f"{found[entry.synset][1].name} and {path.name}"
                raise UsageError(f"--objects {self.root}: the folders {both} are one class, {entry.name}: join them.")
            found[entry.synset] = (entry, path)
        return found

    def _class_paths(self) -> list[Path]:
        paths = []
        for path in list_folders(self.root, self._omissions):
            if fault := name_fault(path.name):
                self._omissions.add(f"no name for a class, {fault}", path)
            elif has_mesh(path):
                paths.append(path)
            else:
                self._omissions.add(_NO_MESH, path, f" ({describe_files(path)})")
        for path in loose_meshes(self.root) if paths else []:
            self._omissions.add("beside the folders of the classes, so of no class", path)
        return paths

    @cached_property
    def classes(self) -> tuple[ObjectClass, ...]:
        """The classes of which it has objects, in label order."""
        return tuple(sorted(entry for entry, _ in self._folders.values()))

    def describe(self) -> dict[str, Any]:
        """Plain values for the card."""
        return {"kind": "folders"} if self.one_class is None else {"kind": "folders", "class": self.one_class}

    def list_objects(self, synset: str, limit: int | None = None) -> list[str]:
        """Object ids of a class, sorted."""
        return list(self._meshes(synset))

    def left_out(self) -> list[str]:
        """What was passed over in the folders that have been listed, and why."""
        return [*self._doubt_level(), *self._omissions.sentences()]

    def _doubt_level(self) -> list[str]:
        """Whether the classes may stand one folder further down."""
        if len(self._folders) != 1:
            return []
        ((entry, path),) = self._folders.values()
        if entry in CLASSES or path == self.root or len(mesh_folders(path)) < 2:
            return []
        return [
            f"All objects are of the class {entry.name!r}: give --objects {path} where the folders in it are the classes."
        ]

    def fetch(self, synset: str, object_id: str, scratch: Path) -> Mesh:
        """The mesh of one object."""
        try:
            mesh = self._meshes(synset)[object_id]
        except KeyError:
            raise IebenchError(f"{self.root.name} has no object {synset}/{object_id}") from None
        return replace(mesh, shared=self._shared(synset))

    def _shared(self, synset: str) -> tuple[Path, ...]:
        """Folders beside those of the objects, in which there is no mesh: textures that objects of a class share."""
        if synset not in self._shared_folders:
            folder = self._folders[synset][1]
            beside = list_folders(folder) if folder.is_dir() else []
            meshes = self._meshes(synset).values() if beside else ()
            own = {mesh.path.parts[len(folder.parts)] for mesh in meshes}  # what stands in the class's folder
            self._shared_folders[synset] = tuple(path for path in beside if path.name not in own)
        return self._shared_folders[synset]

    @cached_property
    def _shared_folders(self) -> dict[str, tuple[Path, ...]]:
        return {}

    def _meshes(self, synset: str) -> dict[str, Mesh]:
        if synset not in self._cache:
            folder = self._folders[synset][1]
            self._cache[synset] = list_objects(folder, self._omissions) if folder.is_dir() else _one_file(folder)
        return self._cache[synset]

    @cached_property
    def _cache(self) -> dict[str, dict[str, Mesh]]:
        return {}

    @cached_property
    def _omissions(self) -> Omissions:
        return Omissions(self.root)


def mesh_folders(folder: Path) -> list[Path]:
    """The folders in a folder below which there is a mesh file."""
    return [path for path in list_folders(folder) if has_mesh(path)]


def has_mesh(folder: Path) -> bool:
    """Whether there is a mesh file below a folder."""
    return any(mesh_format(path.name) for path in walk(folder, Omissions(folder)))


def loose_meshes(folder: Path) -> list[Path]:
    """The mesh files that stand in a folder itself."""
    return [folder / entry.name for entry in list_folder(folder) if mesh_format(entry.name) and entry.is_file()]


def describe_files(folder: Path) -> str:
    """Which files are below a folder without meshes: "2 .fbx, 1 .txt", or "empty"."""
    paths = islice(walk(folder, Omissions(folder)), LOOKED_AT)
    counts = Counter(path.suffix.lower() or path.name for path in paths)
    return ", ".join(f"{count} {printable(kind)}" for kind, count in counts.most_common(4)) or "empty"


def _one_file(path: Path) -> dict[str, Mesh]:
    return {mesh_stem(path.name): Mesh(path, path.parent, unit_diagonal=True)}


def _label_classes(names: list[str]) -> list[ObjectClass]:
    """The classes of some names: the benchmark's where all are its, else classes of their own."""
    try:
        return [find_class(name) for name in names]
    except UsageError:
        return [ObjectClass(label, name, name) for label, name in enumerate(names)]
