"""Members of tars that were downloaded: plain files of bounded size, and nothing else."""

import tarfile

from iebench.limits import MAX_JPEG_BYTES


def read_member(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    """The content of a plain member.

    Raises:
        ValueError: it is a link, a device, or a sparse file, which may claim any size.
    """
    content = archive.extractfile(entry) if entry.isfile() and not entry.issparse() else None
    if content is None:
        raise ValueError(f"{entry.name!r} is no plain file")
    return content.read()


class BoundedMember(tarfile.TarInfo):
    """A tar header that claims a bounded size, also where tarfile would read the whole of it to learn a member's name."""

    limit = MAX_JPEG_BYTES

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "BoundedMember":
        """The header in a block.

        Raises:
            ValueError: it claims a size out of bounds.
        """
        entry = super().frombuf(buf, encoding, errors)
        if not 0 <= entry.size <= cls.limit:
            raise ValueError(f"{entry.name!r} claims {entry.size} bytes, too many for a view")
        return entry
