"""Finding the files that a mesh names, inside its object's folder and nowhere else.

Names are written by other people's programs on other people's machines: with backslashes, quotes, percent signs, in another
case, encoding or format than the file has, or with a path that leads nowhere here.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import takewhile
from pathlib import Path, PurePosixPath
from unicodedata import normalize
from urllib.parse import unquote

from iebench.render.folder_files import is_folder, list_folder
from iebench.render.mesh_bytes import MESH_SUFFIXES
from iebench.render.object_source import Mesh

PICTURES = frozenset((".png", ".jpg", ".jpeg", ".jpe", ".bmp", ".tga", ".tif", ".tiff", ".webp", ".dds", ".gif", ".exr", ".hdr",
                      ".jp2", ".psd", ".ppm", ".pcx", ".avif"))  # fmt: skip
LIBRARIES = frozenset({".mtl"})
USUAL_FOLDERS = ("", "images", "textures", "../images", "../textures", "..")
ENCODINGS = ("gb18030", "shift_jis", "euc_kr", "cp1251", "latin-1")  # of names that are not UTF-8
MOST_FILES = 50_000  # that are looked through


class ObjectFiles:
    """The files that belong to one object."""

    def __init__(self, mesh: Mesh) -> None:
        self._base, self._folder, *self._shared = (
            Path(os.path.normpath(path.absolute())) for path in (mesh.path.parent, mesh.folder, *mesh.shared)
        )
        self._real_folder, *self._real_shared = (os.path.realpath(root) for root in (self._folder, *self._shared))

    def find(
        self, name: str, kinds: frozenset[str], beside: Path | None = None, fits: Callable[[Path], bool] = Path.is_file
    ) -> Path | None:
        """The file that a name means.

        It is looked for where the name says, in the usual folders, and then in the whole folder of the object, but for
        subfolders with meshes of their own: by its name, by the name in another case or encoding, and by the name with
        another suffix. Of several that fit, the one counts whose path is most like the name's.

        Args:
            name: as written; what is not UTF-8 in it stands as surrogates.
            kinds: suffixes that the file may have if it is not the name's own.
            beside: the file that names it, where that is not the mesh.
            fits: whether a file will do; one that will not is passed over.

        Returns:
            None where no file fits, or several that differ.
        """
        readings = list(dict.fromkeys(_readings(name)))
        tries = (self._as_written, self._in_usual_folders)
        for find in tries:
            for wanted in readings:
                base = beside.parent if beside else self._base
                if wanted.name and (found := next(filter(fits, find(wanted, base)), None)):
                    return found
        return next((found for wanted in readings if (found := self._in_tree(wanted, kinds, fits))), None)

    def is_inside(self, path: Path, shared: bool = True) -> bool:
        """Whether a file, wherever links lead to, lies in the object's folder, or in one that objects share."""
        real = Path(os.path.realpath(path))
        return any(real.is_relative_to(root) for root in (self._real_folder, *(self._real_shared if shared else [])))

    def beside_mesh(self, suffix: str) -> list[Path]:
        """The files of a suffix in the mesh's own folder, sorted."""
        return [path for path in _list_folder(self._base).of_suffix(suffix) if self.is_inside(path)]

    def meshes_beside(self) -> list[str]:
        """The names of the meshes in the mesh's own folder."""
        listing = _list_folder(self._base)
        return [path.name for suffix in MESH_SUFFIXES for path in listing.of_suffix(suffix)]

    def _as_written(self, wanted: PurePosixPath, base: Path) -> Iterator[Path]:
        tries = [Path(os.path.normpath(folder / wanted)) for folder in dict.fromkeys((base, self._base))]
        return (path for path in tries if _is_file(path) and self.is_inside(path))

    def _in_usual_folders(self, wanted: PurePosixPath, base: Path) -> Iterator[Path]:
        tries = [Path(os.path.normpath(base / folder / wanted.name)) for folder in USUAL_FOLDERS]
        return (path for path in tries if _is_file(path) and self.is_inside(path, shared=False))

    def _in_tree(self, wanted: PurePosixPath, kinds: frozenset[str], fits: Callable[[Path], bool]) -> Path | None:
        stem = _spellings(wanted.stem if wanted.suffix.lower() in kinds else wanted.name)
        ways: tuple[Callable[[Path], bool], ...] = (
            lambda path: path.name == wanted.name,
            lambda path: bool(_spellings(path.name) & _spellings(wanted.name)),
            lambda path: path.suffix.lower() in kinds and bool(_spellings(path.stem) & stem),
        )
        for is_meant in ways:
            if found := [path for path in self._own if is_meant(path) and self.is_inside(path) and fits(path)]:
                return _most_like(found, wanted)
        return None

    @cached_property
    def _own(self) -> list[Path]:
        """All files of the object: those in its folder, but for branches in which another mesh lies."""
        folders = list(_walk(self._folder))
        branches = [self._branch(folder) for folder, _ in folders]
        others = {
            branch
            for branch, (_, listing) in zip(branches, folders, strict=True)
            if branch and any(map(listing.of_suffix, MESH_SUFFIXES))
        }
        own = (listing for branch, (_, listing) in zip(branches, folders, strict=True) if branch not in others)
        return [path for listing in own for path in listing.files][:MOST_FILES]

    def _branch(self, folder: Path) -> tuple[str, ...]:
        """The folder in which the way to another leaves the way to the mesh; empty where it does not."""
        steps = folder.relative_to(self._folder).parts
        way = self._base.relative_to(self._folder).parts if self._base.is_relative_to(self._folder) else ()
        shared = _count_common(steps, way)
        return steps[: shared + 1] if len(steps) > shared else ()


def readable_name(name: str) -> str:
    """A name for people and tables: bytes that are no UTF-8 as escapes, without line ends, of bearable length."""
    text = " ".join(name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").split())
    return text if len(text) <= 200 else text[:199] + "…"


def _readings(name: str) -> Iterator[PurePosixPath]:
    """What a name may mean: itself, what percent signs encode, and what stands before a comment."""
    plain = name.strip().strip("\"'").strip()
    for text in (plain, unquote(plain, errors="surrogateescape"), plain.partition(" #")[0].strip()):
        yield PurePosixPath(text.replace("\\", "/"))


@lru_cache(1 << 16)
def _spellings(name: str) -> frozenset[str]:
    """A name in small letters and composed accents, in each encoding that it may be in."""
    raw = name.encode("utf-8", "surrogateescape")
    texts = []
    for encoding in ("utf-8",) if _is_text(name) else ENCODINGS:
        try:
            texts.append(raw.decode(encoding))
        except UnicodeDecodeError:
            continue
    return frozenset(normalize("NFC", text).casefold() for text in texts)


def _is_text(name: str) -> bool:
    return not any("\udc80" <= letter <= "\udcff" for letter in name)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long, a folder that may not be read
        return False


def _count_common(first: Sequence[str], second: Sequence[str]) -> int:
    """How many entries two sequences have in common from their start on."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))


class _Listing:
    """The folders and the files in a folder, in order of names, without junk; links to folders are neither."""

    def __init__(self, folder: Path) -> None:
        entries = [(folder / entry.name, is_folder(entry), entry.is_symlink()) for entry in list_folder(folder)]
        self.folders = [path for path, is_one, is_link in entries if is_one and not is_link]
        self.files = [path for path, is_one, _ in entries if not is_one]
        self._by_suffix: dict[str, list[Path]] = {}
        for path in self.files:
            self._by_suffix.setdefault(path.suffix.lower(), []).append(path)

    def of_suffix(self, suffix: str) -> list[Path]:
        """The files of a suffix, which is in small letters."""
        return self._by_suffix.get(suffix, [])


def _walk(folder: Path) -> Iterator[tuple[Path, _Listing]]:
    """Every folder, from the outermost on, until more files are listed than can be looked through."""
    waiting, seen = [folder], 0
    while waiting and seen < MOST_FILES:
        folder = waiting.pop()
        listing = _list_folder(folder)
        yield folder, listing
        waiting += reversed(listing.folders)
        seen += len(listing.files)


def _list_folder(folder: Path) -> _Listing:
    return _list_once(folder, folder.stat().st_mtime_ns if folder.is_dir() else 0)


@lru_cache(1024)  # a folder that holds thousands of objects is asked for by each of them
def _list_once(folder: Path, _changed: int) -> _Listing:
    return _Listing(folder)


def _most_like(found: list[Path], wanted: PurePosixPath) -> Path | None:
    """The file whose last folders are most like the wanted ones; None where several are, and differ."""

    def likeness(path: Path) -> int:
        return _count_common(*([part.casefold() for part in reversed(p.parent.parts)] for p in (path, wanted)))

    best = max(map(likeness, found))
    fitting = [path for path in found if likeness(path) == best]
    same = len(fitting) == 1 or len({path.read_bytes() for path in fitting}) == 1
    return fitting[0] if same else None
