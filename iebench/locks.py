"""Locks: only one process at a time works on a file or folder, on all machines that share it where its file system can lock."""

import errno
import fcntl
import os
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from iebench.errors import IebenchError, UsageError
from iebench.escapes import for_terminal

# From file systems that know none, and from those that leave it to a server, or to FUSE, to say so.
NO_LOCKS = (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL, errno.ENOTTY, errno.EPERM)
_held: set[int] = set()


@contextmanager
def locked(
    path: Path,
    command: str,
    waits: bool = False,
    tells: bool = True,
    lock: Path | None = None,
    mend: str = "choose a folder that can be written to",
) -> Iterator[None]:
    """Hold a file or folder for this process, by a file that names the holder.

    The kernel ends a lock with its process, however that ends: a lock file that is left behind holds nobody up.

    Args:
        path: what is held; it need not exist.
        command: what holds it.
        waits: for other holders; else they are an error.
        tells: on standard error that it waits.
        lock: the lock's file; PATH.lock where absent.
        mend: what to do where the lock's file cannot be written.

    Raises:
        UsageError: another process holds it.
        IebenchError: the lock's file cannot be written, or not be locked.
    """
    lock = lock or path.with_name(path.name + ".lock")
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _acquire(lock, path, waits, tells)
    except OSError as error:
        raise IebenchError(f"{error.filename or lock} cannot be made ({error.strerror}): {mend}.") from None
    holder, process = f"{command} (process {os.getpid()} on {platform.node()})", os.getpid()
    _held.add(descriptor)
    try:
        with suppress(OSError):  # a full disk: nobody learns who holds it
            if os.fstat(descriptor).st_size:  # a killed holder's name; to cut an empty file takes milliseconds on ext4
                os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, holder.encode(), 0)
        yield
    finally:
        if os.getpid() == process:  # and not one that was forked inside the block
            _held.discard(descriptor)
            with suppress(OSError):
                lock.unlink()
            os.close(descriptor)


def _acquire(lock: Path, path: Path, waits: bool, tells: bool) -> int:
    """A descriptor of the lock's file, locked."""
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        try:
            _flock(descriptor, path, waits, tells)
            if is_still_there(lock, descriptor):
                return descriptor
        except OSError as error:
            os.close(descriptor)
            lock.unlink(missing_ok=True)  # what cannot be locked is held by nobody
            raise IebenchError(
                f"{lock} cannot be locked ({error.strerror}): choose a folder on another file system."
            ) from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # its holder has removed it meanwhile


def _flock(descriptor: int, path: Path, waits: bool, tells: bool) -> None:
    try:
        flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = for_terminal(os.pread(descriptor, 1000, 0).decode("utf-8", "replace")) or "process"
        if not waits:
            raise UsageError(
                f"{path} is in use by another {holder}: wait until it ends, or choose another --out."
            ) from None
        if tells:
            print(f"{path} is in use by another {holder}: waiting until it ends.", file=sys.stderr, flush=True)
        flock(descriptor, fcntl.LOCK_EX)


def flock(descriptor: int, operation: int) -> bool:
    """Lock an open file, where its file system can lock.

    Args:
        descriptor: of the file.
        operation: as for `fcntl.flock`.

    Returns:
        Whether it is locked now; False where the file system knows no locks.

    Raises:
        BlockingIOError: another holds it, and `operation` has LOCK_NB.
    """
    try:
        fcntl.flock(descriptor, operation)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        return False
    return True


def remove_abandoned(mark: Path, remove: Callable[[], object]) -> None:
    """Remove what a killed process has left.

    Args:
        mark: the file that its owner holds while it lives; a link stays, as it leads elsewhere.
        remove: what removes it, called while we hold the mark; what cannot be removed stays.
    """
    with suppress(OSError):
        descriptor = os.open(mark, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB) and is_still_there(mark, descriptor):
                remove()
        finally:
            os.close(descriptor)


def is_still_there(path: Path, descriptor: int) -> bool:
    """Whether an open file has its name still."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _forget() -> None:
    """Close what a forked process has of its parent's locks: else it would hold them after the parent's end."""
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_forget)
