"""A table that is written row by row and read through a memory map, with a record of what it must hold."""

import json
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from isal.isal_zlib import crc32
from jaxtyping import Float
from numpy import ndarray

from iebench.errors import IebenchError
from iebench.files import is_full_disk, reserve, sync, write_whole
from iebench.untrusted import read_json

_CHECKED_ROWS = 65536  # at a time


class Record(NamedTuple):
    """What a table holds so far.

    Attributes:
        rows: how many.
        bytes: of the file.
        crc32: of the rows.
    """

    rows: int
    bytes: int
    crc32: int


class RowFile:
    """PATH.npy, which is PATH.partial.npy until it has all rows, and the record of both, PATH.json.

    What the record does not tell of exactly is damaged, and made anew. Only one process may write at a time.
    """

    def __init__(self, path: Path, size: int, dtype: str, saved_every: int) -> None:
        """Write nothing yet.

        Args:
            path: without suffix.
            size: rows of the whole table.
            dtype: of its numbers.
            saved_every: after how many rows it is noted that they are there.
        """
        self._done, self._partial, self._about = (
            path.with_name(f"{path.name}{suffix}") for suffix in (".npy", ".partial.npy", ".json")
        )
        self._size, self._dtype, self._saved_every = size, dtype, saved_every
        self._rows: ndarray | None = None
        self._start = self._saved = self._sum = 0

    def read(self) -> Float[ndarray, "size width"] | None:
        """The whole table; None where it is not finished, or not as it was written."""
        record = self._read_record()
        return self._open(self._done, record, "r") if record and record.rows == self._size else None

    def resume(self) -> int:
        """How many rows are there of an earlier call, behind which the next ones will stand."""
        record = self._read_record()
        self._rows = self._open(self._partial, record, "r+") if record else None
        if record and self._rows is not None:
            self._start = self._saved = record.rows
            self._sum = record.crc32
        return self._start

    def append(self, block: Float[ndarray, "n width"]) -> None:
        """Write the next rows.

        Raises:
            IebenchError: there is no room for the table.
        """
        if self._rows is None:
            self._rows = self._create(block.shape[1])
        self._rows[self._start : self._start + len(block)] = block
        self._sum = crc32(np.ascontiguousarray(block).data, self._sum)
        self._start += len(block)
        if self._start - self._saved >= self._saved_every:
            self._save()

    def finish(self) -> Float[ndarray, "size width"]:
        """The whole table, which gets its name."""
        assert self._rows is not None and self._start == self._size
        self._save()
        self._partial.replace(self._done)
        sync(self._done.parent)
        return np.load(self._done, mmap_mode="r")

    def _create(self, width: int) -> ndarray:
        self._partial.parent.mkdir(parents=True, exist_ok=True)
        self._about.unlink(missing_ok=True)
        self._partial.unlink(missing_ok=True)
        rows = np.lib.format.open_memmap(self._partial, "w+", self._dtype, (self._size, width))
        size = self._partial.stat().st_size
        try:
            reserve(self._partial, size)
        except OSError as error:
            self._partial.unlink(missing_ok=True)
            if is_full_disk(error):
                raise IebenchError(
                    f"{self._partial.parent} has no room for {size / 1e9:.1f} GB of representations: make some, name another "
                    "--cache, or take --half."
                ) from None
            raise
        return rows

    def _save(self) -> None:
        """Note the rows so far; they come first, as the record may only promise what is on the disk."""
        assert self._rows is not None
        self._rows.flush()  # type: ignore[attr-defined]
        record = Record(self._start, self._partial.stat().st_size, self._sum)
        write_whole(self._about, json.dumps(record._asdict()), lasting=True)
        self._saved = self._start

    def _read_record(self) -> Record | None:
        try:
            return Record(**read_json(self._about))
        except (OSError, ValueError, TypeError, RecursionError):
            return None

    def _open(self, path: Path, record: Record, mode: Literal["r", "r+"]) -> ndarray | None:
        """The rows of a file if it is what its record says."""
        try:
            if path.stat().st_size != record.bytes or (mode == "r+" and _has_other_names(path)):
                return None
            rows = np.load(path, mmap_mode=mode, allow_pickle=False)
        except (OSError, ValueError):
            return None
        if rows.dtype != self._dtype or rows.shape != (self._size, rows.shape[-1]):
            return None
        return rows if _sum_rows(rows[: record.rows]) == record.crc32 else None


def _has_other_names(path: Path) -> bool:
    """Whether to write to a file would write to somebody else's: it is a link, or has a second name."""
    return path.is_symlink() or path.stat().st_nlink > 1


def _sum_rows(rows: ndarray) -> int:
    total = 0
    for start in range(0, len(rows), _CHECKED_ROWS):
        total = crc32(np.ascontiguousarray(rows[start : start + _CHECKED_ROWS]).data, total)
    return total
