"""Files that appear under their name only when they are whole, and the tables that come with the package."""

import csv
import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Protocol, runtime_checkable


@runtime_checkable
class ByteStream(Protocol):
    """What bytes are read from, one after the other: a file, an unpacked one, a connection."""

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, at most `size`; none at the end."""

    def close(self) -> None:
        """Give back what is held."""


@contextmanager
def whole_file(path: Path, lasting: bool = False) -> Iterator[Path]:
    """A path beside `path` to write a file to, which takes its name when the block ends, so that nobody ever finds a part of it.

    Args:
        path: the file that shall be there; one that is there already is replaced, and its content stays where it is linked.
        lasting: wait until the content is on the disk, so that the name survives a loss of power too.
    """
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)  # a killed process left it, or it is a link that leads elsewhere
    try:
        yield partial
        if lasting:
            sync(partial)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    if lasting:
        sync(path.parent)


def write_whole(path: Path, content: bytes | str, lasting: bool = False) -> None:
    """Write a file such that it has its name only when it is whole; text is UTF-8. See `whole_file`."""
    with whole_file(path, lasting) as partial:
        partial.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def reserve(path: Path, size: int) -> None:
    """Take the room of a file that will be written through a memory map: on a full disk, that would kill the process.

    Raises:
        OSError: there is no room.
    """
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, size)


def is_full_disk(error: BaseException) -> bool:
    """Whether an error says that nothing more can be written."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def link_or_copy(source: Path, target: Path) -> None:
    """A second name for a file, or a copy of it where the file system cannot link.

    Raises:
        FileExistsError: there is a `target`; what has other names must not be written to.
    """
    source = source.resolve()  # the cache of a hub holds relative links, which lead nowhere from another folder
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:  # another file system, or one without links
        with whole_file(target) as partial:
            shutil.copyfile(source, partial)


def read_table(name: str) -> list[dict[str, str]]:
    """The rows of a CSV file in `iebench/data`."""
    text = files("iebench").joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
