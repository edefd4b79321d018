"""Folders that grow beside their name, as OUT.partial, until they are whole.

A folder in OUT.partial that is named after the command, such as `.render`, says whose work it is, so that no other command goes
on with it or removes it. It is the last thing to go, also from OUT.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from iebench.errors import IebenchError, UsageError
from iebench.files import sync
from iebench.locks import locked

COMMANDS = ("render", "merge", "import", "export", "push", "explore")


def partial_root(out: Path) -> Path:
    """OUT.partial, the folder beside `out` in which it grows until it is complete."""
    return out.with_name(out.name + ".partial")


@contextmanager
def growing(out: Path, command: str) -> Iterator[Path]:
    """An empty OUT.partial to fill, which takes the name `out` when the block ends; it is removed where the block fails.

    What a killed process of the same command has left is removed too.

    Raises:
        UsageError: `out` exists, another process makes it, or OUT.partial is not this command's.
    """
    _refuse_old(out, command)
    with locked(out, command):
        _refuse_old(out, command)
        partial = partial_root(out)
        claim(partial, command)
        _empty(partial, command)
        try:
            yield partial
        except BaseException:
            with suppress(OSError):  # what stays is this command's, and removed by its next call
                _remove(partial, command)
            raise
        sync(partial)
        partial.rename(out)
        sync(out.parent)
        release(out, command)


def claim(partial: Path, command: str) -> None:
    """Make OUT.partial a command's own.

    Raises:
        UsageError: it is another command's, or nobody's.
        IebenchError: it cannot be made.
    """
    mark = _mark(partial, command)
    if partial.is_symlink():
        raise UsageError(f"{partial} is a link, and what it leads to is not ours: remove it, or choose another --out.")
    try:
        partial.mkdir(exist_ok=True)
        if not mark.is_dir():
            if any(partial.iterdir()):
                raise UsageError(_tell_foreign(partial))
            mark.mkdir()
    except OSError as error:
        raise IebenchError(
            f"{partial} cannot be made ({error.strerror}): choose an --out that can be written to."
        ) from None


def release(root: Path, command: str) -> None:
    """Take a command's mark away where there is one, which is an empty folder."""
    with suppress(OSError):
        _mark(root, command).rmdir()


def _mark(root: Path, command: str) -> Path:
    return root / f".{command}"


def _refuse_old(out: Path, command: str) -> None:
    if os.path.lexists(out):  # a link that leads nowhere is in the way too
        release(out, command)  # which a process that was killed at its very end has left
        raise UsageError(f"{out} exists already: remove it, or choose another folder.")


def _empty(partial: Path, command: str) -> None:
    for path in partial.iterdir():
        if path.is_dir() and not path.is_symlink():
            if path != _mark(partial, command):
                shutil.rmtree(path)
        else:
            path.unlink()


def _remove(partial: Path, command: str) -> None:
    """Remove OUT.partial, its mark last."""
    _empty(partial, command)
    release(partial, command)
    partial.rmdir()


def _tell_foreign(partial: Path) -> str:
    maker = next((command for command in COMMANDS if _mark(partial, command).is_dir()), None)
    if maker is None:
        return f"{partial} is in the way, and no command has marked it as its own: remove or rename it, or choose another --out."
    return (
        f"{partial} is what an `iebench {maker}` has not finished: repeat that command to go on, remove the folder, "
        "or choose another --out."
    )
