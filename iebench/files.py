"""Files that appear under their name only when they are whole."""

from pathlib import Path


def write_whole(path: Path, content: bytes | str) -> None:
    """Write a file beside its place and rename it there, so that nobody ever finds a part of it; text is UTF-8."""
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    partial.rename(path)
