"""Sources of objects: the built-in ones, ShapeNet, folders of mesh files, or a source outside this project.

A source opens from one string, so that a worker process or another machine can open the same one.
"""

import inspect
import re
from pathlib import Path
from typing import Any

from iebench.catalogue import ObjectClass
from iebench.errors import UsageError
from iebench.factors.symmetry import built_in_classes
from iebench.plugins import is_dotted, load_object
from iebench.render.object_source import Mesh, ObjectSource
from iebench.render.source_folders import ClassFolders
from iebench.render.source_shapenet import SYNSET, ShapeNetFolder, ZipSource

PROCEDURAL = "procedural"
PROCEDURAL_OBJECTS = 20  # of each class, where no number is given
_MEMBERS = ("classes", "describe", "list_objects", "fetch")
_KEY = re.compile(r"[A-Za-z0-9_-]+")  # what may stand in a sample's key


def open_source(path: str) -> ObjectSource:
    """The source that `--objects` names.

    Args:
        path: "procedural"; a zip file or a folder: ShapeNetCore v1 or v2, its zip files, or classes of mesh files; or
            `package.module:name`, an `ObjectSource` or what gives one when it is called.

    Raises:
        UsageError: there is nothing of that name, or nothing that holds objects.
    """
    if path == PROCEDURAL:
        return ProceduralObjects()
    if is_dotted(path):
        return _load_source(path)
    root = Path(path)
    if not root.exists():
        raise UsageError(f"--objects {path}: there is no such folder; give one, package.module:name, or 'procedural'.")
    archives = [root] if root.is_file() else sorted(root.glob("*.zip"))
    if archives:
        return ZipSource(tuple(archives))
    folders = [entry.name for entry in sorted(root.iterdir()) if entry.is_dir()]
    if any(SYNSET.fullmatch(name) for name in folders):
        return ShapeNetFolder(root)
    if folders:
        return ClassFolders(root)
    raise UsageError(
        f"--objects {path} is empty: it should hold ShapeNet's synset folders or zip files, or a folder per class."
    )


def _load_source(path: str) -> ObjectSource:
    """A source outside this project.

    Raises:
        UsageError: it is no source, or its classes cannot stand in one dataset.
    """
    found = load_object(path, "--objects")
    is_source = hasattr(found, "list_objects") and not inspect.isclass(found)
    source = found if is_source or not callable(found) else found()
    missing = [name for name in _MEMBERS if inspect.getattr_static(source, name, None) is None]
    if missing:
        raise UsageError(
            f"--objects {path} has no {missing[0]!r}: give it all members of iebench.render.object_source.ObjectSource."
        )
    labels, synsets = ([getattr(entry, name) for entry in source.classes] for name in ("label", "synset"))
    odd = [synset for synset in synsets if not _KEY.fullmatch(synset)]
    if odd or len(set(labels)) < len(labels) or len(set(synsets)) < len(synsets):
        what = f"has the synset {odd[0]!r}" if odd else "has two classes of one label or synset"
        raise UsageError(
            f'--objects {path} {what}: labels and synsets differ, and synsets are of A-Z, a-z, 0-9, "-", "_".'
        )
    return source


class ProceduralObjects:
    """The built-in objects: of each class as many as are wanted."""

    @property
    def classes(self) -> tuple[ObjectClass, ...]:
        """The classes of which it has objects, in label order."""
        return built_in_classes()

    def describe(self) -> dict[str, Any]:
        """Plain values for the card."""
        from iebench.render.procedural import CATALOGUE_VERSION

        return {"kind": PROCEDURAL, "catalogue_version": CATALOGUE_VERSION}

    def list_objects(self, synset: str, limit: int | None = None) -> list[str]:
        """Object ids of a class, sorted."""
        from iebench.render.procedural import object_id

        return [object_id(index) for index in range(limit or PROCEDURAL_OBJECTS)]

    def fetch(self, synset: str, object_id: str, scratch: Path) -> Mesh:
        """The mesh of one object."""
        from iebench.render.obj_file import write_obj
        from iebench.render.procedural import build, index_of

        folder = scratch / synset / object_id
        return Mesh(write_obj(build(synset, index_of(object_id)).parts, folder), folder, unit_diagonal=False)
