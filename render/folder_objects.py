"""Which mesh files of a class's folder are which object.

Every mesh file is an object, but those that are the same in another format or make: `a.obj` and `a.stl`; in a folder of their own
`textured.obj` and `nontextured.ply`, `raw_model.obj` and `normalized_model.obj`; in YCB's `google_16k` and `tsdf`. The best is
taken, and the others are told.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from iebench.errors import UsageError
from iebench.escapes import printable
from iebench.render.folder_files import (
    FOREIGN_SUFFIXES,
    FORMATS,
    Omissions,
    list_folder,
    mesh_format,
    mesh_stem,
    walk,
)
from iebench.render.mesh_bytes import MESH_SUFFIXES, PACKED, mesh_suffix
from iebench.render.object_source import Mesh

YCB_FOLDERS = frozenset(("google_16k", "google_64k", "google_512k", "poisson", "tsdf"))
SIDE_FOLDERS = YCB_FOLDERS | {"clouds", "visual", "collision"}
MAKES = frozenset(("textured", "normalized", "visual", "merged", "reoriented"))
LESSER_MAKES = frozenset(
    ("nontextured", "untextured", "simple", "simplified", "decimated", "raw", "collision", "watertight", "cloud")
)
LESSER_FOLDERS = frozenset(("clouds", "collision", "poisson", "tsdf"))
ALL_MAKES = MAKES | LESSER_MAKES
NOUNS = frozenset(("model", "mesh", "object", "scan", "scene"))
MODEL_SIGNS = (
    "materials",
    "model.config",
    "model.sdf",
)  # beside `meshes/`, as Gazebo and Google Scanned Objects have them


@dataclass(frozen=True)
class _MeshFile:
    """A mesh file below the folder of its class.

    Attributes:
        parents: the folders between the class's and the file.
        sides: which of these are those in which data sets keep the makes of one object.
    """

    path: Path
    parents: tuple[str, ...]
    sides: tuple[int, ...]

    @property
    def stem(self) -> str:
        return mesh_stem(self.path.name)

    @property
    def group(self) -> tuple[str, ...]:
        """What is equal for all files of one object: the path without side folders, makes and suffix."""
        kept = [part for index, part in enumerate(self.parents) if index not in self.sides]
        return (*kept, _without(ALL_MAKES | NOUNS, self.stem) if self.parents else self.stem)

    @property
    def noun(self) -> str:
        """What is not equal for the files of two objects whose names have only words that name none: `scan` and `scene`."""
        return "" if self.sides else _without(ALL_MAKES, self.stem)

    @property
    def rank(self) -> tuple[int, bool, int, bool, str]:
        """Order of the files of one object, the best first."""
        words = _words(self.stem)
        lesser = sum(word in LESSER_MAKES for word in words)
        lesser += sum(self.parents[index] in LESSER_FOLDERS for index in self.sides)
        suffix = MESH_SUFFIXES.index(mesh_suffix(self.path))
        packed = self.path.name.lower().endswith(PACKED)
        return lesser, "textured" not in words, suffix, packed, str(self.path)

    def folder(self, class_folder: Path) -> Path:
        """The folder of the object, outside which nothing may be read for it."""
        return class_folder.joinpath(*self.parents[: self.sides[0] if self.sides else 1])


def list_objects(folder: Path, omissions: Omissions) -> dict[str, Mesh]:
    """The objects of one class by their ids, sorted.

    An id is the path below the class's folder without its suffix, with "-" between its parts; where several files are one
    object, or it has the layout of Google Scanned Objects or YCB, the name of its folder.

    Raises:
        UsageError: two files would have one id.
    """
    files = list(walk(folder, omissions))
    groups: dict[tuple[str, ...], list[_MeshFile]] = {}
    for path in files:
        if mesh_format(path.name):
            file = _place(path, folder)
            groups.setdefault(file.group, []).append(file)
    objects: dict[str, Mesh] = {}
    for group, members in chain.from_iterable(_split(*entry) for entry in groups.items()):
        _refuse_twins(members)
        best, *others = sorted(members, key=lambda file: file.rank) if len(members) > 1 else members
        object_id = _name_object(members) or "-".join(filter(None, group)) or folder.name
        if object_id in objects:
            raise _name_collision(objects[object_id].path, best.path, object_id)
        objects[object_id] = Mesh(best.path, best.folder(folder), unit_diagonal=True)
        for file in others:
            omissions.add("beside a better file of the same object", file.path, f" beside {printable(best.path.name)}")
    _note_foreign(files, omissions)
    return dict(sorted(objects.items()))


def _split(group: tuple[str, ...], members: list[_MeshFile]) -> Iterator[tuple[tuple[str, ...], list[_MeshFile]]]:
    """A group whose names differ in nouns, and not in makes alone, is several objects."""
    nouns: dict[str, list[_MeshFile]] = {}
    for file in members:
        nouns.setdefault(file.noun, []).append(file)
    if len(nouns.keys() - {""}) < 2:
        yield group, members
    else:
        yield from (((*group[:-1], noun), files) for noun, files in nouns.items())


def _place(path: Path, folder: Path) -> _MeshFile:
    parents = path.parts[len(folder.parts) : -1]
    sides = (index for index, part in enumerate(parents) if _is_side(part, folder.joinpath(*parents[:index])))
    return _MeshFile(path, parents, tuple(sides))


def _is_side(name: str, parent: Path) -> bool:
    return name in SIDE_FOLDERS or (name == "meshes" and any((parent / sign).exists() for sign in MODEL_SIGNS))


def is_object_folder(folder: Path) -> bool:
    """Whether a folder holds one object and is no class, by the layout of a data set that is known."""
    names = {entry.name for entry in list_folder(folder)}
    scanned = "meshes" in names and not names.isdisjoint(MODEL_SIGNS)
    return scanned or not names.isdisjoint(YCB_FOLDERS) or (folder / "models" / "model_normalized.obj").exists()


def is_plain_folder(folder: Path) -> bool:
    """Whether the meshes in a folder are all called as if there were one object, such as `model.obj`."""
    stems = [mesh_stem(entry.name) for entry in list_folder(folder) if mesh_format(entry.name)]
    return bool(stems) and all(_without(ALL_MAKES | NOUNS, stem) == "" for stem in stems)


def _words(stem: str) -> list[str]:
    return re.split(r"[-_. ]+", stem.lower())


def _without(left_out: frozenset[str], stem: str) -> str:
    """A name without some words, such as those that say how a mesh was made; empty where nothing is left of it."""
    words = _words(stem)
    kept = [word for word in words if word not in left_out]
    return stem if len(kept) == len(words) else "_".join(kept)


def _refuse_twins(files: list[_MeshFile]) -> None:
    """Two files that differ in the case of their suffix alone are two objects, and have one id."""
    seen: dict[tuple[str, ...], Path] = {}
    for file in files:
        key = (*file.parents, file.stem, file.path.name.lower())
        if key in seen:
            raise _name_collision(seen[key], file.path, file.stem)
        seen[key] = file.path


def _name_collision(first: Path, second: Path, object_id: str) -> UsageError:
    both = " and ".join(sorted(printable(str(path)) for path in (first, second)))
    return UsageError(f"{both} would both be the object {printable(object_id)!r}: rename one of them.")


def _name_object(files: list[_MeshFile]) -> str | None:
    """The id of an object from its path; None where its files have several, or stand in side folders."""
    paths = {"-".join((*file.parents, file.stem)) for file in files}
    return None if len(paths) > 1 or files[0].sides else paths.pop()


def _note_foreign(files: list[Path], omissions: Omissions) -> None:
    """Note the files that hold objects in formats that are not read, where no mesh beside them has their name."""
    foreign = [path for path in files if path.name.lower().endswith(FOREIGN_SUFFIXES)]
    meshes = {path.parent / mesh_stem(path.name) for path in files if mesh_format(path.name)} if foreign else set()
    for path in foreign:
        if path.with_suffix("") not in meshes:
            omissions.add(f"{FORMATS} are read: convert or unpack them", path)
