"""Files around the denoiser's network: those of Open Image Denoise in their format TZA 2.0, and Blender's Filmic.

The networks lie in the library `libOpenImageDenoise_core` of bpy's wheel, one after the other, those for high dynamic range
first; the format is that of https://github.com/RenderKit/oidn/blob/master/training/tza.py: tensors on multiples of 64 bytes,
then a table of them.
"""

import struct
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np

Buffer = bytes | memoryview
Arrays = dict[str, np.ndarray]
MAGIC, ALIGNMENT, SMALL = b"\xd7\x41\x02\x00", 64, 1_000_000  # bytes; the base networks have 1.8 million


def blender_folder() -> Path:
    """Where bpy's wheel was unpacked."""
    spec = find_spec("bpy")
    if spec is None or spec.origin is None:
        raise SystemExit("There is no Blender here: pip install 'iebench[render]'.")
    return Path(spec.origin).parent


def find_stock_weights(inputs: int) -> bytes:
    """The bytes of the small network for images with high dynamic range and so many channels of image and guides."""
    (library,) = sorted(blender_folder().glob("lib/libOpenImageDenoise_core*"))
    found = [
        content
        for content in _archives(library.read_bytes())
        if len(content) < SMALL and read_weights(content)["enc_conv0.weight"].shape[1] == inputs
    ]
    return found[0]


def _archives(library: bytes) -> Iterator[bytes]:
    at = library.find(MAGIC)
    while at >= 0:
        content = memoryview(library)[at:]
        (table,) = struct.unpack_from("<Q", content, 4)
        if 12 < table < len(content):
            yield bytes(content[: _end(content, table)])
        at = library.find(MAGIC, at + 1)


def read_weights(content: bytes) -> Arrays:
    """Tensors by name."""
    (table,) = struct.unpack_from("<Q", content, 4)
    return {
        name: np.frombuffer(content, np.float16, int(np.prod(shape)), offset).reshape(shape)
        for name, shape, offset, _ in _entries(content, table)
    }


def _end(content: Buffer, table: int) -> int:
    return max((end for *_, end in _entries(content, table)), default=table)


def _entries(content: Buffer, at: int) -> Iterator[tuple[str, tuple[int, ...], int, int]]:
    """(name, shape, offset, end of the entry) of each tensor in the table."""
    (number,) = struct.unpack_from("<I", content, at)
    at += 4
    for _ in range(number):
        (length,) = struct.unpack_from("<H", content, at)
        name = bytes(content[at + 2 : at + 2 + length]).decode()
        at += 2 + length
        dimensions = content[at]
        shape = struct.unpack_from(f"<{dimensions}I", content, at + 1)
        at += 1 + 4 * dimensions + dimensions + 1  # after the shape a letter for each dimension, and one for the type
        (offset,) = struct.unpack_from("<Q", content, at)
        at += 8
        yield name, shape, offset, at


def write_weights(arrays: Arrays, path: Path) -> None:
    """Write tensors of float16, weights as `oihw` and biases as `x`."""
    content, table = bytearray(MAGIC + bytes(8)), bytearray(struct.pack("<I", len(arrays)))
    for name, array in arrays.items():
        content += bytes(-len(content) % ALIGNMENT)
        table += struct.pack("<H", len(name)) + name.encode() + bytes([array.ndim])
        table += struct.pack(f"<{array.ndim}I", *array.shape) + (b"oihw" if array.ndim == 4 else b"x") + b"h"
        table += struct.pack("<Q", len(content))
        content += array.astype("<f2").tobytes()
    content += bytes(-len(content) % ALIGNMENT)
    struct.pack_into("<Q", content, 4, len(content))
    path.write_bytes(bytes(content + table))


def read_filmic() -> tuple[np.ndarray, np.ndarray]:
    """The cube (channels, blue, green, red) and the curve of Blender's Filmic."""
    (folder,) = blender_folder().glob("*/datafiles/colormanagement/filmic")
    cube = np.loadtxt(folder / "filmic_desat_33.cube", skiprows=3, dtype=np.float32)
    lines = (folder / "filmic_to_0-70_1-03.spi1d").read_text().split("{")[1].split("}")[0]
    return np.ascontiguousarray(cube.reshape(33, 33, 33, 3).transpose(3, 0, 1, 2)), np.array(lines.split(), np.float32)
