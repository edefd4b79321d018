"""Sources of objects: the built-in ones, ShapeNet, folders of mesh files, or a source outside this project.

A source opens from one string, so that a worker process or another machine can open the same one.
"""

import inspect
from pathlib import Path
from typing import Any

from iebench.catalogue import ObjectClass
from iebench.errors import UsageError
from iebench.factors.symmetry import built_in_classes
from iebench.names import name_fault
from iebench.plugins import is_dotted, load_object
from iebench.render.folder_layout import open_folder
from iebench.render.object_source import Mesh, ObjectSource

PROCEDURAL = "procedural"
PROCEDURAL_OBJECTS = 20  # of each class, where no number is given
_MEMBERS = ("classes", "describe", "list_objects", "fetch")


def open_source(path: str, one_class: str | None = None) -> ObjectSource:
    """The source that `--objects` names.

    Args:
        path: "procedural"; a zip file or a folder: ShapeNetCore v1 or v2, its zip files, or classes of mesh files; or
            `package.module:name`, an `ObjectSource` or what gives one when it is called.
        one_class: the class of all objects in a folder, or of one file.

    Raises:
        UsageError: there is nothing of that name, or nothing that holds objects.
    """
    if one_class is not None and (path == PROCEDURAL or is_dotted(path)):
        raise UsageError(
            f"--class {one_class} is for a folder or a file of meshes: --objects {path} has classes of its own."
        )
    if path == PROCEDURAL:
        return ProceduralObjects()
    if is_dotted(path):
        return _load_source(path)
    root = Path(path)
    if not root.exists():
        raise UsageError(f"--objects {path}: there is no such folder; give one, package.module:name, or 'procedural'.")
    return open_folder(root, one_class)


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
    faults = [f"the synset {synset!r} cannot be used, {fault}" for synset in synsets if (fault := name_fault(synset))]
    if len(set(labels)) < len(labels) or len(set(synsets)) < len(synsets):
        faults.append("two classes have one label or synset")
    if faults:
        raise UsageError(
            f'--objects {path}: {faults[0]}; labels and synsets differ, and a synset is a text without "/".'
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
