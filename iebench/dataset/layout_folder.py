"""The published layout in a folder: which objects lie there, and their files."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from iebench.catalogue import SYNSET
from iebench.dataset.published_layout import Lists, LooseObject, Member, parse_member, read_lists
from iebench.dataset.splits import SPLITS, ObjectName
from iebench.errors import IebenchError
from iebench.limits import MAX_MEMBER_BYTES
from iebench.untrusted import read_bytes, refusals

DEPTH = 1  # how far below the given folder the classes may lie


class LayoutFolder(NamedTuple):
    """A folder of classes, and the objects in it."""

    root: Path
    names: Sequence[ObjectName]


def open_folder(path: Path) -> LayoutFolder:
    """The layout in a folder, also where it is a level too high or too low.

    Args:
        path: the folder that holds the classes, one that holds this alone, or one class.

    Raises:
        IebenchError: it holds one object's files, several such folders, or none.
    """
    if any(_views(path)):
        raise IebenchError(f"{path} is the folder of one object: give the folder of the classes, two levels above it.")
    if any(any(_views(folder)) for folder in _folders(path)):
        root = path.resolve()
        return LayoutFolder(root.parent, [(root.name, folder.name) for folder in _folders(root)])
    for depth in range(DEPTH + 1):
        found = [root for root in _folders_at(path, depth) if any(_list_objects(root))]
        if len(found) > 1:
            names = " and ".join(str(root) for root in found[:2])
            raise IebenchError(f"{path} holds several datasets in the published layout, {names}: give one of them.")
        if found:
            return LayoutFolder(found[0], list(_list_objects(found[0])))
    raise IebenchError(
        f"{path} is not in the published layout: it should hold SYNSET/OBJECT/image_0.jpg, and holds no object."
    )


def find_lists(path: Path, root: Path) -> Lists:
    """The lists that lie in the given folder, or with the classes; none where there are none."""
    has_lists = any((path / f"{split}_images.npy").exists() for split in SPLITS)
    return read_lists(path if has_lists else root)


def order_objects(layout: LayoutFolder, lists: Lists) -> list[ObjectName]:
    """Listed objects in the lists' order, then all others by name."""
    there = set(layout.names)
    return [*(name for name in lists.placed if name in there), *sorted(there - lists.placed.keys())]


def read_folder(root: Path, names: Iterable[ObjectName]) -> Iterator[LooseObject]:
    """Objects with their files; one object at a time is read."""
    for synset, object_id in names:
        loose = LooseObject((synset, object_id))
        for file in (root / synset / object_id).glob("*"):
            found = parse_member(f"{synset}/{object_id}/{file.name}")
            if found and file.is_file():
                with refusals(file, "remove it"):
                    loose.add(Member(*found, read_bytes(file, MAX_MEMBER_BYTES)))
        yield loose


def _list_objects(root: Path) -> Iterator[ObjectName]:
    """Objects in folders that are named as a synset, or that hold a view of some object."""
    for folder in _folders(root):
        if SYNSET.fullmatch(folder.name) or any(any(_views(entry)) for entry in _folders(folder)):
            yield from ((folder.name, entry.name) for entry in _folders(folder))


def _folders_at(path: Path, depth: int) -> list[Path]:
    return [path] if depth == 0 else [folder for above in _folders_at(path, depth - 1) for folder in _folders(above)]


def _folders(path: Path) -> list[Path]:
    return [entry for entry in sorted(path.iterdir()) if entry.is_dir() and not entry.name.startswith((".", "__"))]


def _views(path: Path) -> Iterator[Path]:
    return path.glob("image_[0-9]*.jpg")
