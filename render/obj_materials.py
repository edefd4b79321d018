"""Which materials an OBJ wears: its libraries found, and the names in both files brought together."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from unicodedata import normalize

from iebench.dataset.appearance import Lost
from iebench.render.mtl_file import read_materials, write_materials
from iebench.render.object_files import LIBRARIES, ObjectFiles, readable_name

# The line end before it is part of the match: a pattern that begins with a letter is looked for in a tenth of the time.
STATEMENT = re.compile(rb"\n(?:\xef\xbb\xbf)?[ \t]*(?i:(mtllib|usemtl))\b[ \t]*+([^\n]*)")
LIBRARY_NAME = re.compile(r"\"[^\"]+\"|\S.*?\.mtl(?=\s|$)|\S+", re.IGNORECASE)
NO_MATERIAL = ("", "none", "(null)", "null", "default")  # what exporters write where there is none


def dress_obj(content: bytes, path: Path, files: ObjectFiles, scratch: Path) -> tuple[bytes, list[Lost]]:
    """An OBJ that names one library of our making, which is written beside it, and what of its materials is lost.

    Args:
        content: of the OBJ.
        path: where it was.
        files: of its object.
        scratch: folder for the library, `object.mtl`, and for links to its textures.
    """
    content = b"\n" + content
    statements = [Statement(match) for match in STATEMENT.finditer(content)]
    libraries, missing = _find_libraries([s.name for s in statements if s.word == "mtllib"], path, files)
    materials = [material for library in libraries for material in read_materials(library)]
    defined = list(dict.fromkeys(material.name for material in materials))
    used = list(dict.fromkeys(statement.name for statement in statements if statement.word == "usemtl"))
    matched, unknown = match_names(used, defined)
    safe = {name: f"material-{i}" for i, name in enumerate(defined) if not name.isprintable()}  # others are no UTF-8
    worn = set(matched.values()) if used else defined[:1]
    text, lost = write_materials(materials, safe, files, scratch, worn)
    (scratch / "object.mtl").write_bytes(text)
    only = f"\nusemtl {safe.get(defined[0], defined[0])}" if not used and len(defined) == 1 else ""
    names = {name: safe.get(given, given) for name, given in matched.items()}
    content = f"mtllib object.mtl{only}".encode() + _rewrite(content, statements, names)
    return content, [*_tell_lost(used, unknown, missing, libraries, defined), *lost]


class Statement:
    """A line of an OBJ that tells of materials.

    Attributes:
        word: "mtllib" or "usemtl".
        name: what follows.
        span: where it lies, with the line end before it.
        plain: whether it is written as Blender knows it.
    """

    def __init__(self, match: re.Match[bytes]) -> None:
        self.word, self.name = match.group(1).decode().lower(), _text(match.group(2).rstrip(b" \t\r"))
        self.span, self.plain = match.span(), match.group(1).islower()


def _rewrite(content: bytes, statements: list[Statement], names: dict[str, str]) -> bytes:
    """An OBJ without libraries, with other names of materials."""
    pieces, start = [], 0
    for statement in statements:
        name = names.get(statement.name, statement.name)
        if statement.word == "mtllib" or name != statement.name or not statement.plain:
            line = "\n" if statement.word == "mtllib" else f"\nusemtl {name}"
            pieces += [content[start : statement.span[0]], line.encode("utf-8", "surrogateescape")]
            start = statement.span[1]
    return b"".join([*pieces, content[start:]])


def _find_libraries(lines: list[str], path: Path, files: ObjectFiles) -> tuple[list[Path], list[str]]:
    """The material files that an OBJ names, or else the one that must be meant, and the names of those that are not there."""
    named = list(dict.fromkeys(name for line in lines for name in _split_names(line, files)))
    found = {name: files.find(name, LIBRARIES) for name in named}
    missing = [name for name in named if found[name] is None]
    return list(dict.fromkeys(filter(None, found.values()))) or _libraries_beside(path, files), missing


def _split_names(whole: str, files: ObjectFiles) -> list[str]:
    """The names in a line of libraries: one, perhaps with spaces in it, or several."""
    names = LIBRARY_NAME.findall(whole)
    return [whole] if len(names) < 2 or files.find(whole, LIBRARIES) else names


def _libraries_beside(path: Path, files: ObjectFiles) -> list[Path]:
    """The material file beside an OBJ that has the OBJ's name, or the only one that has not another mesh's."""
    beside = files.beside_mesh(".mtl")
    namesakes = [library for library in beside if _stem(library.name) == _stem(path.name)]
    others = {_stem(name) for name in files.meshes_beside()} if beside and not namesakes else set()
    free = [library for library in beside if _stem(library.name) not in others]
    return namesakes[:1] or (free if len(free) == 1 else [])


def _stem(name: str) -> str:
    return name.partition(".")[0].casefold()  # MeshLab calls it model.obj.mtl


def match_names(used: Iterable[str], defined: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Which material a name in the OBJ means.

    Names that are equal match; then those that are equal without regard to case, accents' form, and blanks; and the only
    used name means the only material.

    Returns:
        The name in the library for each name in the OBJ, and those names for which there is none.
    """
    used, defined = list(used), list(dict.fromkeys(defined))
    matched: dict[str, str] = {}
    for fold in FOLDS:
        by_fold: dict[str, list[str]] = {}
        for name in defined:
            by_fold.setdefault(fold(name), []).append(name)
        for name in used:
            if name not in matched and len(fits := by_fold.get(fold(name), [])) == 1:
                matched[name] = fits[0]
    unknown = [name for name in used if name not in matched and name.casefold() not in NO_MATERIAL]
    if len(used) == len(defined) == len(unknown) == 1:
        return {used[0]: defined[0]}, []
    return matched, unknown


FOLDS: tuple[Callable[[str], str], ...] = (
    lambda name: name,
    lambda name: normalize("NFC", name).casefold(),
    lambda name: re.sub(r"[\s_]+", "_", normalize("NFC", name.partition(" #")[0].strip("\"' ")).casefold()),
)


def _tell_lost(
    used: list[str], unknown: list[str], missing: list[str], libraries: list[Path], defined: list[str]
) -> Iterator[Lost]:
    """Libraries that are missed, materials that are in none, and libraries of several materials none of which is used."""
    if missing and (unknown or not libraries):
        yield from (Lost("material library", readable_name(name)) for name in missing)
    elif unknown:
        yield from (Lost("material", readable_name(name)) for name in unknown)
    elif not used and len(defined) > 1:
        yield from (Lost("material library", readable_name(path.name)) for path in libraries)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
