"""Files that appear under their name only when they are whole, and the tables that come with the package."""

import csv
import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Protocol, runtime_checkable

from iebench.locks import flock, is_still_there, remove_abandoned

# What file systems say that cannot sync a folder: its names are as lasting as they make them.
_NO_FOLDER_SYNC = (errno.EINVAL, errno.EBADF, errno.ENOTSUP, errno.EACCES)


@runtime_checkable
class ByteStream(Protocol):
    """What bytes are read from, one after the other: a file, an unpacked one, a connection."""

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, at most `size`; none at the end."""

    def close(self) -> None:
        """Give back what is held."""


@contextmanager
def whole_file(path: Path, lasting: bool = False) -> Iterator[Path]:
    """An empty file beside `path` to write to, which takes its name when the block ends, so that nobody ever finds a part of it.

    Of two that write at the same time each has a file of its own, and the last one's stays.

    Args:
        path: the file that shall be there; one that is there already is replaced, and its content stays where it is linked.
        lasting: wait until the content is on the disk, so that the name survives a loss of power too.
    """
    partial, descriptor = _begin(path)
    try:
        yield partial
        if lasting:
            sync(partial)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    finally:
        with suppress(OSError):
            flock(descriptor, fcntl.LOCK_UN)  # which forked processes would hold on to
        os.close(descriptor)
    if lasting:
        sync(path.parent)


def _begin(path: Path) -> tuple[Path, int]:
    """A new file, PATH.partial, or another where somebody is writing that; and a descriptor that marks it as being written."""
    partial = path.with_name(f"{path.name}.partial")
    remove_abandoned(partial, partial.unlink)
    with suppress(FileExistsError):
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        if _holds(partial, descriptor):
            return partial, descriptor
        os.close(descriptor)  # somebody took it for abandoned
    partial = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}.partial")
    return partial, os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)


def _holds(partial: Path, descriptor: int) -> bool:
    """Whether a file that we have just made is ours, and shown to be so where its file system can lock."""
    try:
        flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # then nobody else can lock it either
        return True
    return is_still_there(partial, descriptor)


def write_whole(path: Path, content: bytes | str, lasting: bool = False) -> None:
    """Write a file such that it has its name only when it is whole; text is UTF-8. See `whole_file`."""
    with whole_file(path, lasting) as partial:
        partial.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk; some file systems cannot do the latter."""
    is_folder = path.is_dir()
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except PermissionError:
        if is_folder:  # one that may be written to and not be listed
            return
        raise
    try:
        os.fsync(descriptor)
    except OSError as error:
        if not (is_folder and error.errno in _NO_FOLDER_SYNC):
            raise
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
    """A second name for a file, or a copy of it where the file system cannot link. Where `source` is a link, it is followed.

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
