"""Open shards, of which images are read without a byte that is not theirs."""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from isal.isal_zlib import crc32

from iebench.dataset.remote import RemoteFolder
from iebench.errors import IebenchError
from iebench.locks import flock
from iebench.open_files import allow_more_open_files
from iebench.untrusted import open_regular

Extent = Sequence[int]  # offset and length
_PROBED = 4  # images of a batch that are looked for in the page cache


class OpenShards:
    """The shards of a dataset, each opened when it is first read.

    They are read, not mapped: a mapped file that is cut short kills the process, and pages of a mapping count as its memory.
    """

    def __init__(self, root: Path, remote: RemoteFolder | None) -> None:
        """Open nothing yet.

        Args:
            root: folder of the shards.
            remote: where they are fetched from, if they are; `root` is its cache then, which does not evict what is open here.
        """
        self._root, self._remote = root, remote
        self._descriptors: dict[str, int] = {}

    def read(
        self,
        shards: Sequence[str],
        extents: Sequence[Extent],
        checksums: Sequence[int],
        refuse: Callable[[int, str], IebenchError],
    ) -> Iterator[bytes]:
        """Images, each from its shard, in the order given.

        Unless the last few lie in the page cache, the kernel is told of all of them before the first is read, so that a cold
        disk serves them together.

        Args:
            shards: name of each image's shard.
            extents: where in it each lies.
            checksums: CRC-32 of each.
            refuse: makes the error to raise of an image's number and what is wrong.

        Raises:
            IebenchError: a shard is missing, shorter than it should be, or altered.
        """
        descriptors = [self._descriptor(shard) for shard in shards]
        if not all(map(_is_cached, descriptors[-_PROBED:], extents[-_PROBED:])):
            for descriptor, (offset, length) in zip(descriptors, extents, strict=True):
                os.posix_fadvise(descriptor, offset, length, os.POSIX_FADV_WILLNEED)
        for number, (descriptor, (offset, length)) in enumerate(zip(descriptors, extents, strict=True)):
            content = os.pread(descriptor, length, offset)
            if len(content) != length or crc32(content) != checksums[number]:
                raise refuse(number, f"the shard is {'altered' if len(content) == length else 'cut short'}")
            yield content

    def _descriptor(self, shard: str) -> int:
        if shard not in self._descriptors:
            descriptor = self._open(shard)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)  # no read-ahead: neighbours are not wanted
            if self._remote:
                flock(descriptor, fcntl.LOCK_SH)  # what is locked is not evicted
            self._descriptors[shard] = descriptor
        return self._descriptors[shard]

    def _open(self, shard: str) -> int:
        try:
            return self._open_file(shard)
        except OSError as error:
            if error.errno != errno.EMFILE:
                raise IebenchError(f"{self._root / shard} cannot be read ({error.strerror}): restore it.") from None
            allow_more_open_files()
            return self._open_file(shard)
        except ValueError as error:
            raise IebenchError(f"{self._root / shard} cannot be read ({error}): restore it.") from None

    def _open_file(self, shard: str) -> int:
        return open_regular(self._remote.fetch(shard) if self._remote else self._root / shard)

    def __del__(self, close: Callable[[int], None] = os.close) -> None:  # bound, as modules are emptied at the end
        for descriptor in self._descriptors.values():
            close(descriptor)


def _is_cached(descriptor: int, extent: Extent) -> bool:
    """Whether the first byte of an image lies in the page cache."""
    try:
        return os.preadv(descriptor, [bytearray(1)], extent[0], os.RWF_NOWAIT) == 1
    except OSError:  # it does not, or the file system cannot tell
        return False
