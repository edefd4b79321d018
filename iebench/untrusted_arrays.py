"""Reading arrays that were downloaded: no pickle, and no memory taken before the file's size bears a header out.

Like `untrusted`, everything here raises ValueError on what is not as it should be.
"""

import io
import math
import os
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from iebench.untrusted import FAULTS, open_regular, tell

_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def map_npy(path: Path) -> ndarray:
    """The table of an `.npy` file, memory-mapped; its size is the file's before any of it is touched."""
    with os.fdopen(open_regular(path), "rb") as file:
        shape, order, dtype = _read_header(file, os.fstat(file.fileno()).st_size)
        return np.memmap(file, dtype, "r", file.tell(), shape, order) if math.prod(shape) else np.empty(shape, dtype)


def parse_npy(content: bytes) -> ndarray:
    """The table in the bytes of an `.npy` file."""
    file = io.BytesIO(content)
    shape, order, dtype = _read_header(file, len(content))
    if not math.prod(shape):
        return np.empty(shape, dtype)
    return np.frombuffer(content, dtype, offset=file.tell()).reshape(shape, order=order)


def _read_header(file: io.BufferedIOBase, size: int) -> tuple[tuple[int, ...], Any, np.dtype]:
    try:
        version = np.lib.format.read_magic(file)
        shape, is_fortran, dtype = _HEADERS[version](file)  # type: ignore[no-untyped-call]
    except Exception as error:  # numpy's header parser fails in many ways on damaged bytes
        raise ValueError(f"no table of numpy, {tell(error)}") from None
    length = math.prod(shape) * dtype.itemsize
    if dtype.kind not in "biufU" or not dtype.itemsize or min(shape, default=1) < 0 or length != size - file.tell():
        raise ValueError(f"shape {shape} of {dtype} in {size} bytes")
    return shape, "F" if is_fortran else "C", dtype


def read_npz(path: Path, names: Collection[str], limit: int) -> dict[str, ndarray] | None:
    """The tables of an `.npz` file of at most `limit` bytes unpacked; None where they have other names."""
    with os.fdopen(open_regular(path), "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                found = {entry.filename.removesuffix(".npy"): entry for entry in archive.infolist()}
                if sum(entry.file_size for entry in found.values()) > limit:
                    raise ValueError(f"more than {limit} bytes unpacked")
                whole = set(found) == set(names)
                return {name: parse_npy(archive.read(entry)) for name, entry in found.items()} if whole else None
        except FAULTS:
            raise
        except Exception as error:  # zipfile and its unpackers have errors of their own
            raise ValueError(tell(error)) from None
