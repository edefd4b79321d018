"""The bytes of a mesh file: unpacked, and refused where they are no mesh at all."""

import re
import stat
import zlib
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from iebench.errors import IebenchError
from iebench.limits import MAX_OBJECT_BYTES

MESH_SUFFIXES = (".obj", ".glb", ".gltf", ".ply", ".stl", ".off")  # where a name occurs with several, the first counts
# Bytes up to 0x20 are blanks for Blender's reader of OBJ and MTL; a pattern that knows blank and tab alone would pass over words.
PLAIN_BLANKS = bytes(32 if byte < 32 and chr(byte) not in "\t\n\r" else byte for byte in range(256))
PACKED = ".gz"
_GZIP = b"\x1f\x8b"  # how packed files begin
FAR = 100.0  # distance from the origin, in sizes of the object, from which float32 is too coarse
STRANGERS = (
    (
        b"version https://git-lfs",
        "is a Git LFS pointer and not the file itself: run `git lfs pull` where it comes from",
    ),
    (b"<", "is a web page or another XML document, not a mesh: fetch it again"),
    (b"PK\3\4", "is a zip archive, not a mesh: unpack it"),
)


def mesh_suffix(path: Path) -> str:
    """The suffix that says the format, in small letters: ".obj" of "a.obj" and of "A.OBJ.gz"."""
    return Path(path.stem if path.suffix.lower() == PACKED else path.name).suffix.lower()


def is_plain(path: Path) -> bool:
    """Whether a file is not packed, nor called so: others have to be copied for Blender."""
    with path.open("rb") as file:
        return path.suffix.lower() != PACKED and file.read(len(_GZIP)) != _GZIP


def read_mesh_bytes(path: Path) -> bytes:
    """The content of a mesh file, unpacked where it is packed with gzip, whatever its name says.

    Raises:
        IebenchError: it is not a file, it is empty or too large, or it is no mesh.
    """
    _check_file(path)
    content = path.read_bytes()
    if content.startswith(_GZIP):
        content = _unpack(path, content)
    start = content[:256].removeprefix(b"\xef\xbb\xbf").lstrip()
    for beginning, odd in STRANGERS:
        if start.startswith(beginning):
            raise IebenchError(f"{path.name} {odd}")
    return content


def check_finite(name: str, points: Float[ndarray, "n 3"]) -> None:
    """Refuse coordinates of which Blender would make zeros or nothing.

    Raises:
        IebenchError: one is not a finite number.
    """
    if not np.isfinite(points).all():
        raise IebenchError(f"{name} has coordinates that are not finite numbers")


def far_centre(points: Float[ndarray, "n 3"]) -> Float[ndarray, "3"] | None:
    """The centre of points that lie so far from the origin that it has to be taken away before Blender sees float32."""
    low, high = points.min(axis=0), points.max(axis=0)
    centre = (low + high) / 2
    return centre if np.abs(centre).max() > FAR * (high - low).max() > 0 else None


def bring_near(content: bytes, line: re.Pattern[bytes], word: bytes, points: Float[ndarray, "n 3"]) -> bytes:
    """A text whose points lie at the origin where they lay far from it; else the same.

    Args:
        content: the text.
        line: finds the lines with coordinates, each of which then begins with `word`.
        word: such as "v".
        points: in the order of the lines.
    """
    centre = far_centre(points)
    if centre is None:
        return content
    rows = iter((points - centre).tolist())
    return line.sub(lambda _: b" ".join([word, *(repr(value).encode() for value in next(rows))]), content)


def _check_file(path: Path) -> None:
    try:
        status = path.stat()
    except OSError as error:
        raise IebenchError(f"{path.name} cannot be opened: {error.strerror}") from None
    if not stat.S_ISREG(status.st_mode):
        raise IebenchError(f"{path.name} is not a regular file")
    if status.st_size == 0:
        raise IebenchError(f"{path.name} is empty")
    if status.st_size > MAX_OBJECT_BYTES:
        raise IebenchError(f"{path.name} has {status.st_size} bytes, more than any mesh needs")


def _unpack(path: Path, content: bytes) -> bytes:
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        unpacked = unpacker.decompress(content, MAX_OBJECT_BYTES)
    except zlib.error as error:
        raise IebenchError(f"{path.name} cannot be unpacked: {error}") from None
    if not unpacker.eof:
        raise IebenchError(f"{path.name} is cut short, or holds more than {MAX_OBJECT_BYTES} bytes")
    return unpacked
