"""Crash points: every call by which a command changes files, counted, and made to fail or to kill the process once."""

import builtins
import errno
import io
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from iebench.errors import IebenchError

KILLED = 77  # exit code of a process that a crash point has ended
FULL = re.compile("left on device|no room")
CHANGES = ("replace", "rename", "link", "unlink", "remove", "mkdir", "rmdir", "fsync", "posix_fallocate", "symlink")


class CrashPoints:
    """Counts the calls that change files below a folder, and breaks one of them.

    Attributes:
        seen: the calls so far, such as "rename out".
    """

    def __init__(self, root: Path, at: int | None = None, kills: bool = False) -> None:
        """Break the call with the number `at`, counted from 0: by an OSError, or by the process's end."""
        self.root, self.at, self.kills, self.seen = str(root), at, kills, []

    def meet(self, what: str, path: Any) -> bool:
        """Count a call; whether it is the one to break."""
        if isinstance(path, str | os.PathLike) and not str(path).startswith(self.root):
            return False
        self.seen.append(f"{what} {path if isinstance(path, int) else Path(path).name}")
        return len(self.seen) - 1 == self.at

    def strike(self) -> NoReturn:
        """Break a call."""
        if self.kills:
            os._exit(KILLED)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def patch(self, patched: pytest.MonkeyPatch) -> None:
        """Take the place of the calls."""
        for name in CHANGES:
            patched.setattr(os, name, self._around(name, getattr(os, name)))
        opened = io.open
        for module in (io, builtins):
            patched.setattr(module, "open", lambda *args, **settings: self._open(opened, *args, **settings))
        flush = np.memmap.flush
        patched.setattr(np.memmap, "flush", lambda rows: self._around("flush", flush)(rows))
        if "torch" in sys.modules:
            import torch

            save = torch.save
            patched.setattr(torch, "save", lambda content, path: self._save(save, content, path))

    def _around(self, name: str, call: Callable) -> Callable:
        def changed(path: Any, *args: Any, **settings: Any) -> Any:
            if self.meet(name, getattr(path, "filename", path)):
                self.strike()
            return call(path, *args, **settings)

        return changed

    def _open(self, opened: Callable, path: Any, mode: str = "r", *args: Any, **settings: Any) -> Any:
        if not set(mode) & set("wax+") or isinstance(path, int) or not str(path).startswith(self.root):
            return opened(path, mode, *args, **settings)
        breaks = self.meet("open", path)
        if breaks and not self.kills:
            self.strike()
        raw = _RawFile(path, "".join(letter for letter in mode if letter in "rwax+"))
        if breaks:  # after it was emptied
            self.strike()
        raw.points, raw.path = self, path
        binary = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return binary if "b" in mode else io.TextIOWrapper(binary, *args[1:], **settings)

    def _save(self, save: Callable, content: Any, path: Any) -> None:
        if self.meet("write", path):
            Path(path).write_bytes(b"a part")
            self.strike()
        save(content, path)


class _RawFile(io.FileIO):
    """A file whose every write is a crash point, at which half of it is written."""

    points: CrashPoints | None = None
    path: Any = None

    def write(self, content: Any) -> int:
        if self.points is not None and self.points.meet("write", self.path):
            super().write(bytes(content)[: len(content) // 2])
            self.points.strike()
        return super().write(content)


def run_with(points: CrashPoints, command: Callable[[], object]) -> None:
    """Run a command with a crash point: in a process of its own where the point kills."""
    with pytest.MonkeyPatch.context() as patched:
        if not points.kills:
            points.patch(patched)
            command()
            return
    child = os.fork()
    if not child:
        try:
            with pytest.MonkeyPatch.context() as patched:
                points.patch(patched)
                command()
        finally:
            os._exit(1)  # the point was not met
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == KILLED, f"point {points.at} was not met"


def read_folder(root: Path, but: tuple[str, ...] = ()) -> dict[str, bytes]:
    """Every file below a folder by its path, with its content."""
    paths = (path for path in root.rglob("*") if not set(path.relative_to(root).parts) & set(but))
    return {str(path.relative_to(root)): path.read_bytes() if path.is_file() else b"folder" for path in paths}


def check_every_point(
    tmp_path: Path, command: Callable[[Path], object], look: Callable[[Path], object], begin: Callable = Path.mkdir
) -> int:
    """Break a command at each of its points, once by an error and once by its death, and repeat it.

    Args:
        tmp_path: an empty folder.
        command: works in the folder that it is given.
        look: what of that folder must be as after an undisturbed run.
        begin: makes the folder in which a command begins.

    Returns:
        The number of crash points.
    """
    tmp_path.mkdir(exist_ok=True)
    begin(tmp_path / "clean")
    clean = CrashPoints(tmp_path / "clean")
    run_with(clean, lambda: command(tmp_path / "clean"))
    wanted = look(tmp_path / "clean")
    for kills in (False, True):
        for at, what in enumerate(clean.seen):
            folder = tmp_path / f"{'kill' if kills else 'error'}-{at}"
            begin(folder)
            points = CrashPoints(folder, at, kills)
            try:
                run_with(points, lambda folder=folder: command(folder))
            except (OSError, IebenchError) as error:
                if not FULL.search(str(error)):
                    raise AssertionError(f"{what}: {error!r}") from error
            command(folder)
            assert look(folder) == wanted, f"{folder.name}, {what}"
    return 2 * len(clean.seen)
