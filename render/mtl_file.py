"""Material files of OBJ: read as people write them, written as Blender reads them.

Text is kept byte for byte: what is not UTF-8 stands as surrogates between reading and writing.
"""

import codecs
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from iebench.dataset.appearance import Lost
from iebench.render.mesh_bytes import PLAIN_BLANKS
from iebench.render.object_files import PICTURES, ObjectFiles, readable_name
from iebench.render.scene import VANISHED
from iebench.render.texture_files import as_blender_reads, is_empty_mask, is_picture, is_whole, link_texture

NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
DECIMAL_COMMAS = re.compile(r"[-+]?\d+,\d+([eE][-+]?\d+)?(\s+[-+]?\d+(,\d+)?([eE][-+]?\d+)?)*")
MAP_OPTIONS = re.compile(r"-(blendu|blendv|bm|boost|cc|clamp|imfchan|mm|o|s|t|texres|type)")
WORD_OPTIONS = ("-blendu", "-blendv", "-cc", "-clamp", "-imfchan", "-type")
COLORS = ("Ka", "Kd", "Ks", "Ke", "Tf")
SHOWN_MAPS = ("map_Kd", "map_Ks", "map_Ke", "map_Ns", "map_d", "map_Bump", "bump", "norm", "refl", "map_refl",
              "map_Pr", "map_Pm", "map_Ps")  # fmt: skip
OTHER_MAPS = ("map_Ka", "map_Tr", "disp", "decal")
NUMBERS = (*COLORS, "Kt", "Ns", "Ni", "d", "Tr", "illum", "Pr", "Pm", "Ps", "Pc", "Pcr", "aniso", "anisor")
WORDS = {word.lower(): word for word in ("newmtl", *NUMBERS, *SHOWN_MAPS, *OTHER_MAPS)}


@dataclass(frozen=True)
class MtlMaterial:
    """A material of an MTL file.

    Attributes:
        name: after `newmtl`.
        statements: all others, as (word, rest).
        path: of the file, from which textures are looked for.
    """

    name: str
    statements: tuple[tuple[str, str], ...]
    path: Path


def read_materials(path: Path) -> list[MtlMaterial]:
    """The materials of an MTL file; what stands before the first `newmtl` belongs to none and is left out."""
    blocks: list[tuple[str, list[tuple[str, str]]]] = []
    for line in _read_text(path).split("\n"):
        word, _, rest = line.strip().replace("\t", " ").partition(" ")
        word, rest = WORDS.get(word.lower(), word), rest.strip()
        if word == "newmtl":
            blocks.append((rest, []))
        elif word and not word.startswith("#") and blocks:
            blocks[-1][1].append((word, _plain_numbers(word, rest)))
    return [MtlMaterial(name, tuple(statements), path) for name, statements in blocks]


def _read_text(path: Path) -> str:
    content = path.read_bytes()
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        content = content.decode("utf-16", "replace").encode()
    text = content.removeprefix(codecs.BOM_UTF8).translate(PLAIN_BLANKS).decode("utf-8", "surrogateescape")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _plain_numbers(word: str, rest: str) -> str:
    """Numbers with points, and colours of three of them: MTL says that a single one stands for all three."""
    if word not in NUMBERS:
        return rest
    if DECIMAL_COMMAS.fullmatch(rest):
        rest = rest.replace(",", ".")
    return " ".join([rest] * 3) if word in COLORS and NUMBER.fullmatch(rest) else rest


def write_materials(
    materials: Iterable[MtlMaterial],
    names: dict[str, str],
    files: ObjectFiles,
    scratch: Path,
    worn: Collection[str] | None = None,
) -> tuple[bytes, list[Lost]]:
    """The text of an MTL file with the same materials, and what of them is lost.

    Args:
        materials: in their order.
        names: to give to materials instead of their own.
        files: of the object, among which textures are found.
        scratch: textures are linked into it, or left out where there are none.
        worn: those that the object wears, by their own names; all where it is left out.
    """
    materials = list(materials)
    opacities = [_opacity(material) for material in materials]
    shown = [
        opacity for material, opacity in zip(materials, opacities, strict=True) if worn is None or material.name in worn
    ]
    upside_down = bool(shown) and max(shown) <= VANISHED  # else the whole object would be invisible
    textures = _Textures(files, scratch)
    lines: list[str] = []
    lost: list[Lost] = []
    for material, opacity in zip(materials, opacities, strict=True):
        lines.append(f"newmtl {names.get(material.name, material.name)}")
        lines += [f"{word} {rest}" for word, rest in material.statements if word in NUMBERS and word not in ("d", "Tr")]
        lines.append(f"d {1.0 if upside_down else opacity:g}")
        maps, missing = _link_maps(material, textures)
        lines += maps
        lost += missing
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape"), lost


def _is_map(word: str) -> bool:
    return word in SHOWN_MAPS or word in OTHER_MAPS


def _opacity(material: MtlMaterial) -> float:
    """Opacity from `d`, or from `Tr`, its opposite; `d` counts where a file has both."""
    value = {word: NUMBER.search(rest) for word, rest in material.statements if word in ("d", "Tr")}
    if value.get("d"):
        return float(value["d"].group())  # type: ignore[union-attr]
    return 1 - float(value["Tr"].group()) if value.get("Tr") else 1.0  # type: ignore[union-attr]


class _Textures:
    """The textures of an object, each of which is looked for and read once, however many materials wear it."""

    def __init__(self, files: ObjectFiles, scratch: Path) -> None:
        def find(name: str, source: Path) -> Path | None:
            """The picture that a name in a file means."""
            return files.find(name, PICTURES, source, is_picture)

        def link(picture: Path, word: str) -> str:  # noqa: ARG001 - the word is for the cache
            """A picture's name beside the library; one for each word, as Blender reads colors otherwise than other numbers."""
            return link_texture(as_blender_reads(picture, scratch), scratch)

        self.find, self.link = cache(find), cache(link)
        self.is_whole, self.is_empty_mask = cache(is_whole), cache(is_empty_mask)


def _link_maps(material: MtlMaterial, textures: _Textures) -> tuple[list[str], list[Lost]]:
    """The map statements of a material with their textures linked, and those textures that are lost.

    A map of the ambient colour, which Blender does not show, stands for one of the diffuse colour where there is none.
    """
    maps = [(word, rest) for word, rest in material.statements if _is_map(word)]
    linked = [(word, _link_map(word, rest, material.path, textures)) for word, rest in maps]
    lines = [f"{word} {text}" for word, (text, _) in linked if text]
    lost = [name for word, (_, name) in linked if name and word in SHOWN_MAPS]
    if not any(text for word, (text, _) in linked if word == "map_Kd"):
        ambient = [entry for word, entry in linked if word == "map_Ka"]
        lines += [f"map_Kd {text}" for text, _ in ambient if text]
        lost += [name for _, name in ambient if name]
    return lines, [Lost("texture", readable_name(name)) for name in dict.fromkeys(lost)]


def _link_map(word: str, rest: str, source: Path, textures: _Textures) -> tuple[str, str]:
    """What follows the word of a map, empty where its texture is left out, and the name of the texture where it is lost."""
    options, name = split_map_options(rest)
    found = textures.find(name, source)
    if found is None:
        return "", name or rest
    if word == "map_d" and textures.is_empty_mask(found):
        return "", ""
    link = textures.link(found, word)
    return " ".join(filter(None, (options, link))), "" if textures.is_whole(found) else name


def split_map_options(rest: str) -> tuple[str, str]:
    """Split what follows `map_Kd` into its options and the file's name, which may hold spaces."""
    words = rest.split(" ")
    position = 0
    while position < len(words) and MAP_OPTIONS.fullmatch(words[position]):
        position += 2 if words[position] in WORD_OPTIONS else 1
        while position < len(words) - 1 and NUMBER.fullmatch(words[position]):
            position += 1
    return " ".join(words[:position]), " ".join(words[position:])
