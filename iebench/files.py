"""Files that appear under their name only when they are whole, and the tables that come with the package."""

import csv
import os
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
        path: the file that shall be there; one that is there already is replaced.
        lasting: wait until the content is on the disk, so that the name survives a loss of power too.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        yield partial
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    if lasting:
        with partial.open("rb") as file:
            os.fsync(file.fileno())
    partial.replace(path)


def write_whole(path: Path, content: bytes | str) -> None:
    """Write a file such that it has its name only when it is whole; text is UTF-8."""
    with whole_file(path) as partial:
        partial.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


def read_table(name: str) -> list[dict[str, str]]:
    """The rows of a CSV file in `iebench/data`."""
    text = files("iebench").joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
