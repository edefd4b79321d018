"""Shards: plain WebDataset tars in which a sample is one object with all its views.

A sample has the members KEY.00.jpg … KEY.49.jpg, KEY.latents.npy and KEY.json, with KEY = synset-object_id. Where a dataset has
geometry passes, KEY.00.mask.png, KEY.00.depth.png, … follow, so that all before them is as without. The same content
gives the same bytes: no time stamps, no owners, one order. KEY.json has the names as they are written; in the key, what is
no letter, digit, "_" or "-" stands as %XX for each byte of its UTF-8.
"""

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple, cast

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from iebench.dataset.splits import ObjectName
from iebench.dataset.tar_members import BoundedMember, read_member
from iebench.files import ByteStream, whole_file
from iebench.untrusted import parse_json

END_OF_ARCHIVE = bytes(2 * tarfile.BLOCKSIZE)
LONGEST_KEY = 88  # so that a member's name has its place in a tar header, of 100 bytes
_ODD = re.compile(rb"[^A-Za-z0-9_-]")


def sample_key(synset: str, object_id: str) -> str:
    """The name of a sample, another one for every object.

    It holds no dot, as WebDataset ends a key at the first one, and nothing else that a file's name should not hold. The first
    "-" ends the synset, in which "-" is encoded too; `urllib.parse.unquote` of both parts gives the names back. A longer key
    than `LONGEST_KEY` is cut and ends with "%~" and a hash.
    """
    key = f"{_encode(synset).replace('-', '%2D')}-{_encode(object_id)}"
    if len(key) <= LONGEST_KEY:
        return key
    ending = f"%~{hashlib.blake2b(key.encode(), digest_size=12).hexdigest()}"
    return key[: LONGEST_KEY - len(ending)] + ending


def sample_file(synset: str, object_id: str) -> str:
    """A sample's key as a name for files, also where a file system takes "Mug" and "mug" for the same."""
    key = sample_key(synset, object_id)
    return key if key == key.lower() else f"{key}.{hashlib.blake2b(key.encode(), digest_size=4).hexdigest()}"


def _encode(name: str) -> str:
    return _ODD.sub(lambda found: b"%%%02X" % found[0][0], name.encode()).decode()


def view_name(view: int) -> str:
    """The part of a member's name that says which view it is: two digits, or more where needed."""
    return f"{view:02d}.jpg"


def pass_name(view: int, name: str) -> str:
    """The part of a member's name that says which pass of which view it is: `00.depth.png`."""
    return f"{view:02d}.{name}.png"


def member_names(num_views: int, passes: Sequence[str] = ()) -> list[str]:
    """The members of a sample without its key, in their order."""
    geometry = [pass_name(view, name) for view in range(num_views) for name in passes]
    return [*(view_name(view) for view in range(num_views)), "latents.npy", "json", *geometry]


def shard_name(split: str, index: int) -> str:
    """`train-000000.tar`."""
    return f"{split}-{index:06d}.tar"


def pack_sample(
    synset: str,
    object_id: str,
    label: int,
    jpegs: Sequence[bytes],
    latents: Float[ndarray, "views factors"],
    passes: Sequence[Mapping[str, bytes]] = (),
) -> bytes:
    """The tar bytes of one sample, without the end-of-archive blocks, so that samples concatenate to a shard.

    `passes` are the PNGs of each view by the name of the pass.
    """
    key = sample_key(synset, object_id)
    about = {"synset": synset, "object_id": object_id, "label": label}
    members = {view_name(view): jpeg for view, jpeg in enumerate(jpegs)}
    members["latents.npy"] = _npy_bytes(np.ascontiguousarray(latents, dtype="<f8"))
    members["json"] = json.dumps(about, sort_keys=True).encode()
    members |= {pass_name(view, name): png for view, pngs in enumerate(passes) for name, png in pngs.items()}
    buffer = io.BytesIO()
    archive = tarfile.TarFile(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT)
    for name, content in members.items():
        entry = tarfile.TarInfo(f"{key}.{name}")
        entry.size, entry.mode = len(content), 0o444
        archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


class Located(NamedTuple):
    """Where the images of an object lie in its sample, as (offset, length).

    Attributes:
        views: of each JPEG.
        passes: of the PNG of each pass of each view.
    """

    views: Int[ndarray, "views 2"]
    passes: Int[ndarray, "views passes 2"]


def locate_views(sample: bytes, num_views: int) -> Int[ndarray, "views 2"]:
    """Where each JPEG lies in the bytes of a sample, as rows of (offset, length), in order of the views.

    Raises:
        ValueError: the sample is damaged or has another number of views.
    """
    return locate_images(sample, num_views).views


def locate_images(sample: bytes, num_views: int, passes: Sequence[str] = ()) -> Located:
    """Where each JPEG and each pass lies in the bytes of a sample.

    Raises:
        ValueError: the sample is damaged, or has another number of views or not these passes.
    """
    return _images_of(_read_members(sample, f" of {num_views} views"), num_views, passes)


def sample_name(sample: bytes) -> ObjectName:
    """The synset and object id of a sample, as its `KEY.json` tells them.

    Raises:
        ValueError: the sample is damaged.
    """
    return _name_of(_read_members(sample), sample)


def read_sample(sample: bytes, num_views: int, passes: Sequence[str] = ()) -> tuple[ObjectName, Located]:
    """`sample_name` and `locate_images` at once.

    Raises:
        ValueError: the sample is damaged, or has another number of views or not these passes.
    """
    members = _read_members(sample, f" of {num_views} views")
    return _name_of(members, sample), _images_of(members, num_views, passes)


def _read_members(sample: bytes, what: str = "") -> dict[str, tuple[int, int]]:
    """Offset and length of each member of a sample, by its name without the key; `what` it is to be is for the error."""
    try:
        with tarfile.TarFile(fileobj=io.BytesIO(sample + END_OF_ARCHIVE), tarinfo=BoundedMember) as archive:
            members = list(archive)
    except tarfile.TarError as error:
        raise ValueError(f"not a whole sample{what}: {error}") from error
    found = {member.name.partition(".")[2]: (member.offset_data, member.size) for member in members}
    if len(found) < len(members):
        raise ValueError(f"not a whole sample{what}: a member stands twice in it")
    return found


def _name_of(members: dict[str, tuple[int, int]], sample: bytes) -> ObjectName:
    try:
        offset, length = members["json"]
        told = parse_json(sample[offset : offset + length])
        return told["synset"], told["object_id"]
    except KeyError as error:
        raise ValueError(f"not a whole sample: {error!r}") from error


def _images_of(members: dict[str, tuple[int, int]], num_views: int, passes: Sequence[str]) -> Located:
    try:
        views = [members[view_name(view)] for view in range(num_views)]
        geometry = [members[pass_name(view, name)] for view in range(num_views) for name in passes]
        shape = (num_views, len(passes), 2)
        return Located(np.array(views, np.int64), np.array(geometry, np.int64).reshape(shape))
    except KeyError as error:
        raise ValueError(f"not a whole sample of {num_views} views: {error}") from error


def write_shard(path: Path, samples: Iterable[bytes]) -> None:
    """Concatenate samples to a shard; it appears under its name only when whole, and lasts, as samples are removed then."""
    with whole_file(path, lasting=True) as partial, partial.open("wb") as file:
        for sample in samples:
            file.write(sample)
        file.write(END_OF_ARCHIVE)


def split_shard(path: Path) -> Iterator[tuple[str, bytes]]:
    """(key, bytes) of every sample of a shard, in order: the inverse of `write_shard`.

    Raises:
        tarfile.TarError: the shard is damaged.
    """
    with path.open("rb") as file, tarfile.TarFile(fileobj=file, tarinfo=BoundedMember) as archive:
        extents: dict[str, list[int]] = {}
        last = ""
        for member in archive:
            end = member.offset_data + -(-member.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
            key = member.name.partition(".")[0]
            if key != last and key in extents:
                raise tarfile.ReadError(f"the key {key!r} comes twice")
            extents.setdefault(key, [member.offset, end])[1] = end
            last = key
        for key, (start, end) in extents.items():
            file.seek(start)
            yield key, file.read(end - start)


def read_samples(stream: ByteStream, num_views: int, num_passes: int = 0) -> Iterator[tuple[str, dict[str, bytes]]]:
    """(key, members) of every sample of a shard from a stream, one sample in memory at a time; members without the key.

    Raises:
        ValueError, tarfile.TarError: the shard is damaged, or holds more than samples of so many views and passes.
    """
    most = num_views * (1 + num_passes) + 2
    seen: set[str] = set()
    members: dict[str, bytes] = {}
    last = ""
    with tarfile.open(fileobj=cast(IO[bytes], stream), mode="r|", tarinfo=BoundedMember) as archive:
        while (entry := archive.next()) is not None:
            archive.members = []  # type: ignore[attr-defined]  # tarfile remembers each
            key, _, part = entry.name.partition(".")
            if key != last:
                if last:
                    yield last, members
                last, members = key, {}
                if key in seen:
                    raise ValueError(f"the key {key!r} comes twice")
                seen.add(key)
            if part in members or len(members) == most:
                raise ValueError(f"{entry.name!r} is one member too many")
            members[part] = read_member(archive, entry)
    if last:
        yield last, members


def _npy_bytes(array: ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()
