"""What lies in a folder of objects: in order of names, links followed, without the files of systems and editors."""

import os
from collections.abc import Iterator
from pathlib import Path

from iebench.escapes import printable
from iebench.render.mesh_bytes import MESH_SUFFIXES, PACKED, mesh_suffix

_NAMES = [suffix[1:].upper() if suffix != ".gltf" else "glTF" for suffix in MESH_SUFFIXES]
FORMATS = f"{', '.join(_NAMES[:-1])} and {_NAMES[-1]}"
_FOREIGN = "3ds 3mf abc blend c4d dae fbx iges igs lwo ma max mb pcd skp step stp usd usda usdc usdz vrml wrl x3d"
_PACKED = "7z rar tar tar.gz tgz zip"
FOREIGN_SUFFIXES = tuple(f".{kind}" for kind in f"{_FOREIGN} {_PACKED}".split(" "))
JUNK = frozenset(("__MACOSX", "__pycache__", "@eaDir", "lost+found", "$RECYCLE.BIN", "System Volume Information"))
LONGEST_LINK = 1024  # bytes of a path
NAMED = 3  # of what is left out for one reason


class Omissions:
    """What is left out of a source of objects, by the reason."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._names: dict[str, dict[str, None]] = {}

    def add(self, reason: str, path: Path, more: str = "") -> None:
        """Note a path below the root; `more` is told behind its name."""
        self._names.setdefault(reason, {})[printable(os.path.relpath(path, self._root)) + more] = None

    def sentences(self) -> list[str]:
        """One sentence for every reason, which names the first paths."""
        return [f"Left out: {name_some(list(names))} ({reason})." for reason, names in self._names.items()]


def name_some(names: list[str]) -> str:
    """The first of some names, and how many more there are."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def mesh_format(name: str) -> str | None:
    """The suffix, of those in `MESH_SUFFIXES`, by which a file is read; None for a file that is no mesh."""
    suffix = mesh_suffix(Path(name))
    return suffix if suffix in MESH_SUFFIXES else None


def mesh_stem(name: str) -> str:
    """The name of a mesh file without the suffix of its format, and without ".gz"."""
    plain = name[: -len(PACKED)] if name.lower().endswith(PACKED) else name
    return plain.rpartition(".")[0]


def is_junk(name: str) -> bool:
    """Whether a file or folder is the system's or an editor's: hidden, macOS's, a checkpoint or a backup."""
    return name.startswith(".") or name.endswith("~") or (name[0] == name[-1] == "#") or name in JUNK


def list_folder(folder: Path, omissions: Omissions | None = None) -> list[os.DirEntry[str]]:
    """What stands in a folder, in order of names and without junk; nothing where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted((entry for entry in entries if not is_junk(entry.name)), key=lambda entry: entry.name)
    except OSError as error:
        if omissions is not None:
            omissions.add(f"cannot be read, {(error.strerror or str(error)).lower()}", folder)
        return []


def list_folders(folder: Path, omissions: Omissions | None = None) -> list[Path]:
    """The folders in a folder, and the links to folders, in order of names; links that lead nowhere are noted."""
    found = []
    for entry in list_folder(folder, omissions):
        path = folder / entry.name
        if is_folder(entry):
            found.append(path)
        elif omissions is not None:
            note_link(entry, path, omissions)
    return found


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder or a link to one."""
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def walk(folder: Path, omissions: Omissions, above: frozenset[str] = frozenset()) -> Iterator[Path]:
    """All files below a folder, in order of names; links to folders are followed, but to those that they stand in."""
    real = os.path.realpath(folder)
    if real in above:
        omissions.add("a link to a folder that holds it", folder)
        return
    for entry in list_folder(folder, omissions):
        path = folder / entry.name
        if is_folder(entry):
            yield from walk(path, omissions, above | {real})
        elif not note_link(entry, path, omissions):
            yield path


def note_link(entry: os.DirEntry[str], path: Path, omissions: Omissions) -> bool:
    """Whether a file is a link that leads nowhere, also one that was saved as a text; it is noted then."""
    if entry.is_symlink() and not path.exists():
        omissions.add("a link that leads nowhere: mend it", path)
    elif _is_written_link(path):
        omissions.add("a link that was saved as a text, as git does without links: make it a link again", path)
    else:
        return False
    return True


def _is_written_link(path: Path) -> bool:
    try:
        if path.suffix or not path.is_file() or not 0 < path.stat().st_size <= LONGEST_LINK:
            return False
        target = path.read_bytes().decode("utf-8", "replace")
        return "/" in target and target.isprintable() and (target.startswith("../") or (path.parent / target).exists())
    except OSError:  # it cannot be read, or holds no path but a text with a slash, too long for a name
        return False
