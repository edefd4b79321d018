"""ShapeNetCore as a source of objects, unpacked or in its zip files."""

import shutil
import zipfile
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from iebench.catalogue import BY_SYNSET, CLASSES, SYNSET, ObjectClass
from iebench.errors import IebenchError, UsageError
from iebench.limits import MAX_OBJECT_BYTES
from iebench.render.folder_files import Omissions, is_junk, list_folders
from iebench.render.object_source import Mesh

SHAPENET_MESHES = ("models/model_normalized.obj", "model.obj")  # ShapeNetCore v2, v1
SHAPENET_PARTS = (".obj", ".mtl", ".jpg", ".jpeg", ".png", ".bmp", ".tga", ".tif", ".tiff", ".gif")
LOOKED_AT = 100  # objects of a class, to find one that has a mesh


@dataclass(frozen=True)
class ShapeNetFolder:
    """ShapeNetCore, unpacked: synset/object_id/models/model_normalized.obj (v2) or synset/object_id/model.obj (v1).

    Attributes:
        root: the folder of synsets.
        only: the one synset to take; None for all.
    """

    root: Path
    only: str | None = None

    @cached_property
    def classes(self) -> tuple[ObjectClass, ...]:
        """The classes of which it has objects, in label order."""
        folders = {path.name for path in list_folders(self.root, self._omissions)}
        if self.only is not None:
            folders &= {self.only}
        filled = {name for name in folders & set(BY_SYNSET) if list_folders(self.root / name)}
        for name in sorted(folders - filled):
            reason = "no object in it" if name in BY_SYNSET else "none of the 55 classes of 3DIEBench"
            self._omissions.add(reason, self.root / name)
        return tuple(entry for entry in CLASSES if entry.synset in filled)

    def describe(self) -> dict[str, Any]:
        """Plain values for the card."""
        return {"kind": "shapenet"}

    def list_objects(self, synset: str, limit: int | None = None) -> list[str]:
        """Object ids of a class, sorted."""
        return [path.name for path in list_folders(self.root / synset, self._omissions)]

    def left_out(self) -> list[str]:
        """What was passed over, and why."""
        return self._omissions.sentences()

    def fetch(self, synset: str, object_id: str, scratch: Path) -> Mesh:
        """The mesh of one object."""
        return _shapenet_mesh(self.root / synset / object_id)

    @cached_property
    def _omissions(self) -> Omissions:
        return Omissions(self.root)


def is_shapenet(root: Path) -> bool:
    """Whether a folder holds synset folders with objects as ShapeNetCore has them."""
    synsets = [path for path in list_folders(root) if SYNSET.fullmatch(path.name)]
    return any(is_synset(path) for path in synsets)


def is_synset(folder: Path) -> bool:
    """Whether the folders in a folder are objects as ShapeNetCore has them."""
    objects = list_folders(folder)[:LOOKED_AT]
    return any(_has_file(path / name) for path in objects for name in SHAPENET_MESHES)


@dataclass(frozen=True)
class ZipSource:
    """ShapeNetCore in the zip files in which it is handed out; only the files of one object are unpacked at a time."""

    archives: tuple[Path, ...]
    _open: dict[Path, zipfile.ZipFile] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for archive in self.archives:
            self._archive(archive)

    @cached_property
    def _members(self) -> dict[tuple[str, str], list[tuple[Path, str, str]]]:
        """(synset, object_id) → its members as (archive, name in the archive, name below the object's folder)."""
        members: dict[tuple[str, str], list[tuple[Path, str, str]]] = {}
        for archive in self.archives:
            for name in self._archive(archive).namelist():
                found = _object_member(name)
                if found is not None:
                    members.setdefault(found[:2], []).append((archive, name, found[2]))
        whole = {name for name, parts in members.items() if any(part in SHAPENET_MESHES for *_, part in parts)}
        for synset, object_id in sorted(members.keys() - whole):
            self._omissions.add("no mesh in the zip file", Path(synset, object_id))
        return {name: parts for name, parts in members.items() if name in whole}

    @cached_property
    def classes(self) -> tuple[ObjectClass, ...]:
        """The classes of which it has objects, in label order."""
        present = {synset for synset, _ in self._members}
        for synset in sorted(present - set(BY_SYNSET)):
            self._omissions.add("none of the 55 classes of 3DIEBench", Path(synset))
        return tuple(entry for entry in CLASSES if entry.synset in present)

    def describe(self) -> dict[str, Any]:
        """Plain values for the card."""
        return {"kind": "shapenet"}

    def list_objects(self, synset: str, limit: int | None = None) -> list[str]:
        """Object ids of a class, sorted."""
        return sorted(object_id for found, object_id in self._members if found == synset)

    def left_out(self) -> list[str]:
        """What was passed over, and why."""
        return self._omissions.sentences()

    def first_names(self) -> list[str]:
        """The names of the first files in the archives."""
        names = (name for archive in self.archives for name in self._archive(archive).namelist())
        return list(islice((name for name in names if not name.endswith("/")), LOOKED_AT))

    @cached_property
    def _omissions(self) -> Omissions:
        return Omissions(Path())

    def fetch(self, synset: str, object_id: str, scratch: Path) -> Mesh:
        """The mesh of one object."""
        folder = scratch / "object"
        for archive, name, below in self._members.get((synset, object_id), []):
            self._extract(archive, name, folder / below)
        return _shapenet_mesh(folder)

    def _extract(self, archive: Path, name: str, target: Path) -> None:
        info = self._archive(archive).getinfo(name)
        if info.file_size > MAX_OBJECT_BYTES:
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


def _shapenet_mesh(folder: Path) -> Mesh:
    for name in SHAPENET_MESHES:
        if _has_file(folder / name):
            return Mesh(folder / name, folder, unit_diagonal=False)
    raise IebenchError(f"it holds neither {' nor '.join(SHAPENET_MESHES)}")


def _has_file(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _object_member(name: str) -> tuple[str, str, str] | None:
    """(synset, object_id, rest) of an archive member that rendering an object may need."""
    parts = PurePosixPath(name).parts
    if ".." in parts or name.startswith("/") or PurePosixPath(name).suffix.lower() not in SHAPENET_PARTS:
        return None
    if any(map(is_junk, parts)):
        return None
    position = next((i for i, part in enumerate(parts) if SYNSET.fullmatch(part)), None)
    if position is None or len(parts) < position + 3 or "screenshots" in parts:
        return None
    return parts[position], parts[position + 1], "/".join(parts[position + 2 :])
