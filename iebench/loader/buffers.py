"""Memory for batches of images that is used again and again, shared by the workers and the process that trains.

A fresh batch of 256 pairs is 100 MB, and the first touch of its 25 000 pages costs about as much as decoding into them. So
batches live in buffers that are touched once. A buffer is free again when the last tensor on it is gone, however long a user
keeps it; when none is free, a batch gets memory of its own. Workers inherit the file of the buffers, which has no name and takes
no room in /dev/shm.
"""

import mmap
import os
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import reduction
from typing import Any

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

OWN_MEMORY = -1
_OWN = -1  # in place of the file of memory that is not shared
_ALIGNMENT = 2 * 2**20  # a huge page


class BufferPool:
    """A fixed number of equal pieces of shared memory.

    One process, the one that made it, hands out buffers with `take` and receives them back; its workers only fill them.
    """

    def __init__(self, count: int, num_bytes: int, shared: bool) -> None:
        """Reserve memory, which is not touched yet.

        Args:
            count: number of buffers.
            num_bytes: of each.
            shared: with other processes; memory of this process alone can lie in huge pages, where writing is 10 % faster.
        """
        self._count = count
        self._num_bytes = max(-(-num_bytes // _ALIGNMENT), 1) * _ALIGNMENT  # no memory at all cannot be mapped
        self._file = _OWN
        if shared:
            self._file = os.memfd_create("iebench-batches")
            os.ftruncate(self._file, count * self._num_bytes)
        self._map_memory()
        self._free = deque(range(count))
        self._under_way: set[int] = set()

    def take(self) -> int:
        """The number of a free buffer, to be filled by whoever is told it; OWN_MEMORY when there is none."""
        try:
            buffer = self._free.pop()  # the one used last, whose memory is nearest
        except IndexError:
            return OWN_MEMORY
        self._under_way.add(buffer)
        return buffer

    def reclaim(self) -> None:
        """Free the buffers that were taken and never received, as when a user leaves an epoch in the middle."""
        self._free.extend(self._under_way)
        self._under_way.clear()

    def fill(self, buffer: int, shape: tuple[int, ...]) -> UInt8[ndarray, "..."]:
        """A buffer's memory as an array to write to."""
        return np.frombuffer(self._map, np.uint8, int(np.prod(shape)), buffer * self._num_bytes).reshape(shape)

    def receive(self, buffer: int, shape: tuple[int, ...]) -> UInt8[ndarray, "..."]:
        """A filled buffer as an array, which is free again when the array and everything that stands on it is gone."""
        self._under_way.discard(buffer)
        array = self.fill(buffer, shape)
        weakref.finalize(array, self._free.append, buffer).atexit = False
        return array

    def _map_memory(self) -> None:
        kind = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS if self._file == _OWN else mmap.MAP_SHARED
        self._map = mmap.mmap(self._file, self._count * self._num_bytes, kind)
        with suppress(OSError):  # a kernel without huge pages
            self._map.madvise(mmap.MADV_HUGEPAGE)

    def __getstate__(self) -> dict[str, Any]:
        size = {"_count": self._count, "_num_bytes": self._num_bytes}
        return {**size, "_file": reduction.DupFd(self._file)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _file=state["_file"].detach())
        self._map_memory()

    def __del__(self, close: Callable[[int], None] = os.close, own: int = _OWN) -> None:
        if self._file != own:  # both are bound, as modules are emptied at the interpreter's end
            close(self._file)
