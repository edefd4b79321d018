"""The pictures of a glTF: found inside the object's folder, in a format that Blender reads, or left out and named.

glTF 2.0: https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html
"""

import base64
import json
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from iebench.dataset.appearance import Lost
from iebench.render.object_files import PICTURES, ObjectFiles, readable_name
from iebench.render.texture_files import as_blender_reads, is_picture, is_whole, link_texture

TEXTURES = PICTURES | {".ktx2", ".basis"}
Document = dict[str, Any]


def mend_gltf(
    path: Path, content: bytes, document: Document, files: ObjectFiles, scratch: Path
) -> tuple[bytes | None, list[Lost]]:
    """A glTF that may be read in `scratch`, or None where it may be read as it is, and which of its textures are lost.

    Args:
        path: of the file, from which its URIs lead on.
        content: of the file, unpacked.
        document: its JSON, which is changed where a picture is elsewhere, in another format, or not to be had.
        files: of its object.
        scratch: for links to pictures and buffers, and for pictures in other formats.
    """
    images = _Images(path, content, document, files, scratch)
    textures, materials = document.get("textures", []), document.get("materials", [])
    used = sorted({info["index"] for _, _, info in _texture_infos(materials)})
    sources = {number: images.choose(textures[number]) for number in used}
    lost = [Lost("texture", name) for name in dict.fromkeys(name for _, name in sources.values() if name)]
    gone = {number for number, (image, _) in sources.items() if image is None}
    if not (gone or images.moved):
        return None, lost
    for number in set(sources) - gone:
        textures[number] = {**textures[number], "source": sources[number][0], "extensions": {}}
    for parent, key, info in _texture_infos(materials):
        if info["index"] in gone:
            del parent[key]
    return link_buffers(path, content, document, files, scratch), lost


def _texture_infos(value: Any) -> Iterator[tuple[Document, str, Document]]:
    """Every reference from materials to a texture, in extensions too: (object, key, what stands there)."""
    for key, entry in list(value.items() if isinstance(value, dict) else enumerate(value)):
        if isinstance(value, dict) and key.endswith("Texture") and isinstance(entry, dict) and "index" in entry:
            yield value, key, entry
        elif isinstance(entry, dict | list):
            yield from _texture_infos(entry)


class _Images:
    """The images of a document, each looked at when a texture needs it.

    Attributes:
        moved: whether one is not read from where the document says.
    """

    def __init__(self, path: Path, content: bytes, document: Document, files: ObjectFiles, scratch: Path) -> None:
        self._path, self._bytes, self._document = path, content, document
        self._files, self._scratch = files, scratch
        self._images: list[Document] = document.get("images", [])
        self._names = [_image_name(image, number) for number, image in enumerate(self._images)]
        self._found: dict[int, tuple[bool, bool]] = {}
        self.moved = False

    def choose(self, texture: Document) -> tuple[int | None, str]:
        """The image that shows a texture, and the image's name where something of it is lost.

        A texture may have several, for programs that read more than PNG and JPEG: Blender takes WebP before others.
        """
        extensions = texture.get("extensions", {})
        first = extensions.get("EXT_texture_webp", {}).get("source", texture.get("source"))
        others = [texture.get("source"), *(extension.get("source") for extension in extensions.values())]
        candidates = [index for index in dict.fromkeys([first, *others]) if index is not None]
        for index in candidates:
            usable, whole = self._look(index)
            if usable:
                self.moved |= index != first
                return index, "" if whole else self._names[index]
        return None, self._names[candidates[0]] if candidates else "a texture without an image"

    def _look(self, index: int) -> tuple[bool, bool]:
        """Whether Blender can show an image, and whether all of it."""
        if index not in self._found:
            self._found[index] = self._find(self._images[index])
        return self._found[index]

    def _find(self, image: Document) -> tuple[bool, bool]:
        source = self._content(image)
        if source is None or not is_picture(source):
            return False, False
        picture = as_blender_reads(source, self._scratch)
        self.moved |= picture is not source or (
            isinstance(source, Path) and source != literal_path(self._path, image["uri"])
        )
        if isinstance(picture, Path):  # all of them: a copy lies elsewhere
            image["uri"] = link_texture(picture, self._scratch)
            image.pop("bufferView", None)
        return True, is_whole(source)

    def _content(self, image: Document) -> bytes | Path | None:
        """What an image holds, or the file that holds it."""
        uri = image.get("uri", "")
        if uri.startswith("data:"):
            return _decode_data(uri)
        if uri:
            names = dict.fromkeys((unquote(uri), uri))
            tries = (self._files.find(name, TEXTURES, self._path, is_picture) for name in names)
            return next(filter(None, tries), None)
        if "bufferView" not in image:
            return None
        return read_view(self._path, self._bytes, self._document, self._files, image["bufferView"])


def _image_name(image: Document, number: int) -> str:
    uri = image.get("uri", "data:")
    return readable_name(image.get("name", f"image {number}") if uri.startswith("data:") else unquote(uri))


def literal_path(path: Path, uri: str) -> Path:
    """Where a URI in a glTF leads, as Blender reads it."""
    return Path(os.path.normpath(path.parent.absolute() / unquote(uri).replace("\\", "/")))


def read_view(path: Path, content: bytes, document: Document, files: ObjectFiles, index: int) -> bytes | None:
    """The bytes of a buffer view; None where its buffer lies outside the object's folder or is not there."""
    view = document["bufferViews"][index]
    uri = document["buffers"][view["buffer"]].get("uri")
    start, length = view.get("byteOffset", 0), view["byteLength"]
    if uri is None:
        start += binary_start(content)
        return content[start : start + length]
    if uri.startswith("data:"):
        return (_decode_data(uri) or b"")[start : start + length]
    file = literal_path(path, uri)
    if not (file.is_file() and files.is_inside(file)):
        return None
    with file.open("rb") as stream:
        stream.seek(start)
        return stream.read(length)


def binary_start(content: bytes) -> int:
    """Where the binary chunk's data begin in a `.glb`: after its header, the JSON chunk, and the chunk's own header."""
    return 12 + 8 + int.from_bytes(content[12:16], "little") + 8


def _decode_data(uri: str) -> bytes | None:
    try:
        return base64.b64decode(uri.partition(",")[2])
    except ValueError:
        return None


def link_buffers(path: Path, content: bytes, document: Document, files: ObjectFiles, scratch: Path) -> bytes:
    """A glTF of the document, with links in `scratch` to its buffers, and with the binary chunk of the file."""
    for number, buffer in enumerate(document.get("buffers", [])):
        uri = buffer.get("uri", "data:")
        if not uri.startswith("data:") and files.is_inside(target := literal_path(path, uri)) and target.is_file():
            (scratch / f"buffer-{number}.bin").symlink_to(target)
            buffer["uri"] = f"buffer-{number}.bin"
    text = json.dumps(document).encode()
    if not content.startswith(b"glTF"):
        return text
    text += b" " * (-len(text) % 4)
    chunk = struct.pack("<I4s", len(text), b"JSON") + text + content[binary_start(content) - 8 :]
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunk)) + chunk
