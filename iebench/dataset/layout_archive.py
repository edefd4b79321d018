"""The published layout in an archive, `.tar.gz`, `.tar` or `.zip`, which is read once and never unpacked.

Nothing that it says is trusted: members that could reach out of a folder, or fill the memory, are refused.
"""

import gzip
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from iebench.dataset.published_layout import LooseObject, Member, parse_member
from iebench.dataset.splits import ObjectName
from iebench.dataset.tar_members import BoundedMember, read_member
from iebench.errors import IebenchError
from iebench.files import ByteStream
from iebench.limits import MAX_HELD_BYTES, MAX_MEMBER_BYTES

MAX_OPEN_OBJECTS = 64  # whose members are scattered over an archive
ZIP = b"PK\x03\x04"
# What the readers raise on bytes that nobody has written so.
_DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    ValueError,
)


class LayoutArchive:
    """An archive that is being read.

    Args:
        path: the archive.
        has_lists: lists are known already; without, an archive that holds lists is refused, as they may come last.

    Attributes:
        share: part of it that was read.
    """

    def __init__(self, path: Path, has_lists: bool = False) -> None:
        self._path, self._has_lists = path, has_lists
        self.share = 0.0

    def read(self) -> Iterator[LooseObject]:
        """The objects in the order in which they stand, from one pass with bounded memory.

        Raises:
            IebenchError: the archive is damaged or cut short, or holds what a data set has no business to hold.
        """
        try:
            with self._path.open("rb") as file:
                is_zip = file.read(4) == ZIP
            yield from _group(self._read_zip() if is_zip else self._read_tar())
        except _DAMAGE as error:
            raise IebenchError(f"{self._path} is damaged or cut short ({error}): fetch it again.") from None

    def _read_tar(self) -> Iterator[Member]:
        with self._path.open("rb") as file:
            stream = _unpack(file)
            yield from self._read_members(file, stream)

    def _read_members(self, file: IO[bytes], stream: ByteStream) -> Iterator[Member]:
        size = self._path.stat().st_size
        with tarfile.open(fileobj=cast(IO[bytes], stream), mode="r|", tarinfo=_BoundedFile) as archive:
            while (entry := archive.next()) is not None:
                archive.members = []  # type: ignore[attr-defined]  # tarfile remembers each, and the release has five million
                self._refuse(entry.name, (entry.isfile() or entry.isdir()) and not entry.issparse())
                found = parse_member(entry.name)
                self.share = file.tell() / size
                if found and entry.isfile():
                    yield Member(*found, read_member(archive, entry))
            _read_rest(cast(ByteStream, archive.fileobj))

    def _read_zip(self) -> Iterator[Member]:
        with zipfile.ZipFile(self._path) as archive:
            entries = archive.infolist()
            for number, entry in enumerate(entries, 1):
                self._refuse(entry.filename, not stat.S_ISLNK(entry.external_attr >> 16))
                self.share = number / len(entries)
                if found := parse_member(entry.filename):
                    yield Member(*found, self._read_packed(archive, entry))

    def _read_packed(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
        if entry.flag_bits & 1:
            raise IebenchError(f"{self._path} is locked by a password: pack it again without one.")
        with archive.open(entry) as file:
            content = file.read(MAX_MEMBER_BYTES + 1)
        if len(content) > MAX_MEMBER_BYTES:
            raise ValueError(f"{entry.filename!r} has more than {MAX_MEMBER_BYTES} bytes, too many for a view")
        return content

    def _refuse(self, name: str, is_plain: bool) -> None:
        path = Path(name)
        if path.is_absolute() or ".." in path.parts:
            raise IebenchError(f"{self._path} holds {name!r}, which points out of it: do not trust this archive.")
        if not is_plain:
            raise IebenchError(
                f"{self._path} holds {name!r}, a link, a device or a sparse file: do not trust this archive."
            )
        if not self._has_lists and re.fullmatch(r"(train|val)_(images|labels)\.npy", path.name):
            raise IebenchError(
                f"{self._path} holds {name!r}, which one pass may meet too late: "
                "take the lists out, and name their folder with --lists."
            )


def _unpack(file: IO[bytes]) -> ByteStream:
    start = file.read(2)
    file.seek(0)
    return gzip.GzipFile(fileobj=file) if start == b"\x1f\x8b" else file


def _read_rest(file: ByteStream) -> None:
    """Read an archive to its end, where gzip compares its checksum; what follows the last member is no member.

    Raises:
        ValueError: it is.
    """
    while chunk := file.read(2**20):
        if chunk.count(0) < len(chunk) and any(_is_header(chunk[at : at + 512]) for at in range(0, len(chunk), 512)):
            raise ValueError("more follows its end, as where two archives were joined by `cat`")


def _is_header(block: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError):
        return False
    return True


def _group(members: Iterator[Member]) -> Iterator[LooseObject]:
    """Objects from their members, which may be mingled with those of a bounded number of other objects."""
    waiting: dict[ObjectName, LooseObject] = {}
    for member in members:
        if member.name not in waiting:
            while len(waiting) == MAX_OPEN_OBJECTS or sum(loose.size for loose in waiting.values()) > MAX_HELD_BYTES:
                yield waiting.pop(next(iter(waiting)))
            waiting[member.name] = LooseObject(member.name)
        waiting[member.name].add(member)
    yield from waiting.values()


class _BoundedFile(BoundedMember):
    """A member of at most a view's size.

    An archive ends with a block of zeros. Where tarfile meets the end of the file instead, it takes that for the same.
    """

    limit = MAX_MEMBER_BYTES

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_BoundedFile":
        if not buf:
            raise ValueError("its end is missing")
        return super().frombuf(buf, encoding, errors)  # type: ignore[return-value]
