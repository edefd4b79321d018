"""Folders for files on their way: in memory where there is room, marked as ours, and removed when nobody holds them any more."""

import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from iebench.errors import IebenchError
from iebench.locks import flock, remove_abandoned

MARK = ".iebench-scratch"  # a file in each of our folders, locked as long as its owner lives
MEMORY = Path("/dev/shm")
MEMORY_BYTES = (
    1 << 30
)  # free there, else the disk is taken: a container has 64 MB by default, which pictures alone may fill


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder in memory where there is room, as every view passes through it; those of killed renders are removed.

    Raises:
        IebenchError: there is no room in memory, and no folder for temporary files.
    """
    disk = _find_disk()
    for parent in filter(None, (MEMORY, disk)):
        for old in parent.glob("iebench-*"):
            remove_abandoned(old / MARK, partial(shutil.rmtree, old, ignore_errors=True))
    has_room = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES
    if not has_room and disk is None:
        raise IebenchError("There is no folder for temporary files: name one that can be written to by TMPDIR.")
    with own_folder(_name_in(MEMORY if has_room or disk is None else disk)) as folder:
        yield folder


def spare_path(folder: Path) -> Path:
    """Where to make a folder on the disk once it is needed; in `folder` where there is no other place."""
    return _name_in(_find_disk() or folder)


@contextmanager
def own_folder(path: Path) -> Iterator[Path]:
    """A new folder with our mark, which goes when the block ends."""
    path.mkdir(mode=0o700)
    try:
        descriptor = _mark(path)
        try:
            yield path
        finally:
            os.close(descriptor)
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _find_disk() -> Path | None:
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:
        return None


def _name_in(parent: Path) -> Path:
    return parent / f"iebench-{os.getpid()}-{secrets.token_hex(8)}"


def _mark(folder: Path) -> int:
    """Mark a folder by a file that is locked before it has its name: nobody may take it for abandoned between."""
    fresh = folder / f"{MARK}.new"
    descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    flock(descriptor, fcntl.LOCK_EX)
    fresh.rename(folder / MARK)
    return descriptor
