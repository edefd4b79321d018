"""Files that appear under their name only when they are whole."""

from pathlib import Path
from typing import Protocol, runtime_checkable


@runtime_checkable
class ByteStream(Protocol):
    """What bytes are read from, one after the other: a file, an unpacked one, a connection."""

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, at most `size`; none at the end."""

    def close(self) -> None:
        """Give back what is held."""


def write_whole(path: Path, content: bytes | str) -> None:
    """Write a file beside its place and rename it there, so that nobody ever finds a part of it; text is UTF-8."""
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    partial.rename(path)
