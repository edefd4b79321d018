"""Shards: plain WebDataset tars in which a sample is one object with all its views.

A sample has the members KEY.00.jpg … KEY.49.jpg, KEY.latents.npy and KEY.json, with KEY = synset-object_id. The same content
gives the same bytes: no time stamps, no owners, one order.
"""

import io
import json
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from iebench.files import whole_file

END_OF_ARCHIVE = bytes(2 * tarfile.BLOCKSIZE)


def sample_key(synset: str, object_id: str) -> str:
    """The name of a sample. It holds no dot, as WebDataset ends a key at the first one."""
    return f"{synset}-{object_id}"


def view_name(view: int) -> str:
    """The part of a member's name that says which view it is: two digits, or more where needed."""
    return f"{view:02d}.jpg"


def shard_name(split: str, index: int) -> str:
    """`train-000000.tar`."""
    return f"{split}-{index:06d}.tar"


def pack_sample(
    synset: str, object_id: str, label: int, jpegs: Sequence[bytes], latents: Float[ndarray, "views factors"]
) -> bytes:
    """The tar bytes of one sample, without the end-of-archive blocks, so that samples concatenate to a shard."""
    key = sample_key(synset, object_id)
    about = {"synset": synset, "object_id": object_id, "label": label}
    members = {view_name(view): jpeg for view, jpeg in enumerate(jpegs)}
    members["latents.npy"] = _npy_bytes(np.ascontiguousarray(latents, dtype="<f8"))
    members["json"] = json.dumps(about, sort_keys=True).encode()
    buffer = io.BytesIO()
    archive = tarfile.TarFile(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT)
    for name, content in members.items():
        entry = tarfile.TarInfo(f"{key}.{name}")
        entry.size, entry.mode = len(content), 0o444
        archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def locate_views(sample: bytes, num_views: int) -> Int[ndarray, "views 2"]:
    """Where each JPEG lies in the bytes of a sample, as rows of (offset, length), in order of the views.

    Raises:
        ValueError: the sample is damaged or has another number of views.
    """
    found = {}
    try:
        with tarfile.TarFile(fileobj=io.BytesIO(sample + END_OF_ARCHIVE)) as archive:
            for member in archive:
                found[member.name.partition(".")[2]] = (member.offset_data, member.size)
        return np.array([found[view_name(view)] for view in range(num_views)], dtype=np.int64)
    except (tarfile.TarError, KeyError) as error:
        raise ValueError(f"not a whole sample of {num_views} views: {error}") from error


def write_shard(path: Path, samples: Iterable[bytes]) -> None:
    """Concatenate samples to a shard; it appears under its name only when whole."""
    with whole_file(path) as partial, partial.open("wb") as file:
        for sample in samples:
            file.write(sample)
        file.write(END_OF_ARCHIVE)


def split_shard(path: Path) -> Iterator[tuple[str, bytes]]:
    """(key, bytes) of every sample of a shard, in order: the inverse of `write_shard`.

    Raises:
        tarfile.TarError: the shard is damaged.
    """
    with path.open("rb") as file, tarfile.TarFile(fileobj=file) as archive:
        extents: dict[str, list[int]] = {}
        for member in archive:
            end = member.offset_data + -(-member.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
            extents.setdefault(member.name.partition(".")[0], [member.offset, end])[1] = end
        for key, (start, end) in extents.items():
            file.seek(start)
            yield key, file.read(end - start)


def _npy_bytes(array: ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()
