"""The files in which pixels leave Blender: an uncompressed bitmap for the picture, an uncompressed OpenEXR for its passes."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

EXR_BYTES = {1: "<f2", 2: "<f4"}  # pixel type → half, float


def read_bmp(path: Path, size: int) -> UInt8[ndarray, "size size 3"]:
    """Pixels of a square 24-bit BMP, the cheapest of the formats that Blender writes with the view transform applied."""
    content = path.read_bytes()
    start = int.from_bytes(content[10:14], "little")
    stride = (3 * size + 3) // 4 * 4
    rows = np.frombuffer(content, np.uint8, size * stride, start).reshape(size, stride)[:, : 3 * size]
    return np.ascontiguousarray(rows.reshape(size, size, 3)[::-1, :, ::-1])


def read_exr(path: Path, size: int, *channels: tuple[str, ...]) -> Float[ndarray, "channels size size"]:
    """Some channels of an uncompressed square OpenEXR file.

    Args:
        path: scan lines from top to bottom, each with its channels one after the other, as the format's documentation
            lays them out (https://openexr.com/en/latest/OpenEXRFileLayout.html).
        size: side in pixels.
        channels: for each, ends that its name may have; Blender puts the view layer before them.

    Raises:
        KeyError: one of them is not there.
    """
    content = path.read_bytes()
    attributes = dict(_exr_attributes(content))
    line = np.dtype([("y", "<i4"), ("bytes", "<i4"), *_exr_channels(attributes["channels"], size)])
    start = len(content) - size * line.itemsize
    lines = np.frombuffer(content, line, size, start)
    return np.stack([lines[_find_channel(line.names or (), ends)].astype(np.float32) for ends in channels])


def _find_channel(names: tuple[str, ...], ends: tuple[str, ...]) -> str:
    found = [name for name in names if name.endswith(ends)]
    if not found:
        raise KeyError(ends)
    return found[0]


def _exr_attributes(content: bytes) -> Iterator[tuple[str, bytes]]:
    """(name, value) of everything in the header."""
    position = 8
    while content[position]:
        end = content.index(b"\0", position)
        after_type = content.index(b"\0", end + 1) + 1
        length = int.from_bytes(content[after_type : after_type + 4], "little")
        yield content[position:end].decode(), content[after_type + 4 : after_type + 4 + length]
        position = after_type + 4 + length


def _exr_channels(value: bytes, size: int) -> Iterator[tuple[str, str, int]]:
    """(name, dtype, size) of the channels of a line."""
    position = 0
    while value[position]:
        end = value.index(b"\0", position)
        yield value[position:end].decode(), EXR_BYTES[int.from_bytes(value[end + 1 : end + 5], "little")], size
        position = end + 17
