"""Which mesh files of a class's folder are which object.

Every mesh file is an object, but those that are the same in another format or make: `a.obj` and `a.stl`; in a folder of their own
`textured.obj` and `nontextured.ply`, `raw_model.obj` and `normalized_model.obj`; in YCB's `google_16k` and `tsdf`. The best is
taken, and the others are told.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from iebench.errors import UsageError
from iebench.render.folder_files import (
    FOREIGN_SUFFIXES,
    FORMATS,
    MESH_SUFFIXES,
    Omissions,
    mesh_format,
    mesh_stem,
    printable,
    walk,
)
from iebench.render.object_source import Mesh

SIDE_FOLDERS = frozenset(
    ("google_16k", "google_64k", "google_512k", "poisson", "tsdf", "clouds", "visual", "collision")
)
MAKES = frozenset(("textured", "normalized", "visual", "merged", "reoriented"))
LESSER_MAKES = frozenset(
    ("nontextured", "untextured", "simple", "simplified", "decimated", "raw", "collision", "watertight", "cloud")
)
PLAIN_NAMES = frozenset(("model", "mesh", "object", "scan", "scene"))
MODEL_SIGNS = (
    "materials",
    "model.config",
    "model.sdf",
)  # beside `meshes/`, as Gazebo and Google Scanned Objects have them


def list_objects(folder: Path, omissions: Omissions) -> dict[str, Mesh]:
    """The objects of one class by their ids, sorted.

    An id is the path below the class's folder without its suffix, with "-" between its parts; where several files are one
    object, or it has the layout of Google Scanned Objects or YCB, the name of its folder.

    Raises:
        UsageError: two files would have one id.
    """
    files = list(walk(folder, omissions))
    groups: dict[tuple[str, ...], list[Path]] = {}
    for path in files:
        if mesh_format(path.name):
            groups.setdefault(_find_group(path, folder), []).append(path)
    objects: dict[str, Mesh] = {}
    for group, paths in groups.items():
        best, *others = sorted(paths, key=lambda path: _rank(path, folder))
        _refuse_twins(paths)
        object_id = _name_object(group, paths, folder)
        if object_id in objects:
            raise _name_collision(objects[object_id].path, best, object_id)
        objects[object_id] = Mesh(best, _folder_of(best, folder), unit_diagonal=True)
        for path in others:
            omissions.add("beside a better file of the same object", path, f" beside {printable(best.name)}")
    _note_foreign(files, omissions)
    return dict(sorted(objects.items()))


def is_object_folder(folder: Path, names: Iterable[str]) -> bool:
    """Whether a folder holds one object and is no class, by the layout of a data set that is known."""
    names = set(names)
    scanned = "meshes" in names and not names.isdisjoint(MODEL_SIGNS)
    return scanned or not names.isdisjoint(SIDE_FOLDERS) or (folder / "models" / "model_normalized.obj").exists()


def is_plain_folder(names: Iterable[str]) -> bool:
    """Whether the meshes in a folder are all called as if there were one object, such as `model.obj`."""
    stems = [mesh_stem(name) for name in names if mesh_format(name)]
    return bool(stems) and all(_strip_make(stem) == "" for stem in stems)


def _find_group(path: Path, folder: Path) -> tuple[str, ...]:
    """What is equal for all files of one object: the path without side folders, makes and suffix."""
    *parents, name = path.relative_to(folder).parts
    sides = _side_folders(path, folder)
    stem = mesh_stem(name)
    kept = [part for index, part in enumerate(parents) if index not in sides]
    return (*kept, _strip_make(stem) if parents else stem)


def _side_folders(path: Path, folder: Path) -> list[int]:
    """Which of the folders on the way to a file are those in which data sets keep the makes of one object."""
    parents = path.relative_to(folder).parts[:-1]
    return [
        index
        for index, part in enumerate(parents)
        if part in SIDE_FOLDERS or (part == "meshes" and _has_signs(folder.joinpath(*parents[:index])))
    ]


def _has_signs(folder: Path) -> bool:
    return any((folder / name).exists() for name in MODEL_SIGNS)


def _words(stem: str) -> list[str]:
    return re.split(r"[-_. ]+", stem.lower())


def _strip_make(stem: str) -> str:
    """A name without the words that say how a mesh was made; empty where nothing is left that names an object."""
    kept = [word for word in _words(stem) if word not in MAKES | LESSER_MAKES | PLAIN_NAMES]
    return stem if len(kept) == len(_words(stem)) else "_".join(kept)


def _rank(path: Path, folder: Path) -> tuple[int, bool, int, bool, str]:
    """Order of the files of one object, the best first."""
    parts = path.relative_to(folder).parts
    words = [*_words(mesh_stem(path.name)), *(word for i in _side_folders(path, folder) for word in [parts[i]])]
    lesser = sum(word in LESSER_MAKES | {"clouds", "poisson", "tsdf"} for word in words)
    suffix = MESH_SUFFIXES.index(mesh_format(path.name) or "")
    return lesser, "textured" not in words, suffix, path.name.lower().endswith(".gz"), str(path)


def _refuse_twins(paths: list[Path]) -> None:
    """Two files that differ in the case of their suffix alone are two objects, and have one id."""
    seen: dict[tuple[str, str], Path] = {}
    for path in paths:
        key = (str(path.parent / mesh_stem(path.name)), path.name.lower())
        if key in seen:
            raise _name_collision(seen[key], path, mesh_stem(path.name))
        seen[key] = path


def _name_collision(first: Path, second: Path, object_id: str) -> UsageError:
    both = " and ".join(sorted(printable(str(path)) for path in (first, second)))
    return UsageError(f"{both} would both be the object {printable(object_id)!r}: rename one of them.")


def _name_object(group: tuple[str, ...], paths: list[Path], folder: Path) -> str:
    plain = {(*path.relative_to(folder).parts[:-1], mesh_stem(path.name)) for path in paths}
    if len(plain) == 1 and not _side_folders(paths[0], folder):
        return "-".join(plain.pop())
    return "-".join(filter(None, group)) or folder.name


def _folder_of(path: Path, folder: Path) -> Path:
    """The folder of an object, outside which nothing may be read for it."""
    parts = path.relative_to(folder).parts
    sides = _side_folders(path, folder)
    return folder.joinpath(*parts[: sides[0]]) if sides else folder.joinpath(*parts[:-1][:1])


def _note_foreign(files: list[Path], omissions: Omissions) -> None:
    """Note the files that hold objects in formats that are not read, where no mesh beside them has their name."""
    meshes = {path.parent / mesh_stem(path.name) for path in files if mesh_format(path.name)}
    for path in files:
        foreign = not mesh_format(path.name) and path.name.lower().endswith(FOREIGN_SUFFIXES)
        if foreign and path.with_suffix("") not in meshes:
            omissions.add(f"{FORMATS} are read: convert or unpack them", path)
