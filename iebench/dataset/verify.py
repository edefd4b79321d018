"""Whether every byte of a dataset is right."""

import tarfile
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from iebench.dataset.card import CARD, DatasetCard, describe_file, digest_card
from iebench.dataset.card_parts import FileEntry, ShardEntry
from iebench.dataset.jpeg import decode_jpeg
from iebench.dataset.reader import Dataset
from iebench.dataset.shards import view_name
from iebench.dataset.tar_members import BoundedMember, read_member
from iebench.dataset.writer import FAILURES, LATENTS, OBJECTS, read_failures
from iebench.errors import IebenchError
from iebench.escapes import printable
from iebench.limits import MAX_CARD_BYTES
from iebench.untrusted import FAULTS, parse_json, read_json, tell
from iebench.untrusted_arrays import parse_npy

NAMED = 20  # faults of a shard that are told one by one
Progress = Callable[[list[str]], Iterable[str]]


def verify_dataset(root: Path, decode: bool = False, progress: Progress = iter) -> list[str]:
    """Everything that is wrong with a dataset, one sentence each; an empty list for a whole one.

    The card is compared with its own digest, every other file with its length and SHA-256 in the card; in a shard that
    differs, the damaged views are named.

    Args:
        root: folder of the dataset.
        decode: also compare the members of every shard with the tables and decode every JPEG, which finds faults of the
            program that wrote the dataset.
        progress: wraps the iteration over names of files.

    Raises:
        IebenchError: there is no dataset.
    """
    try:
        card = DatasetCard.read(root)
    except IebenchError as error:
        if not (root / CARD).exists():
            raise
        return [str(error)]
    files = card.all_files
    found = {name: _check_file(root / name, files[name]) for name in progress(list(files))}
    damaged = [name for name, problem in found.items() if problem]
    problems = [*_check_card(root), *filter(None, found.values())]
    if not set(damaged) & set(card.files):
        problems += _check_content(root, damaged, decode)
    return problems


def _check_card(root: Path) -> list[str]:
    value = read_json(root / CARD, MAX_CARD_BYTES)
    return [] if value.get("digest") == digest_card(value) else [f"{root / CARD} was changed after it was written."]


def _check_file(path: Path, expected: FileEntry | ShardEntry) -> str | None:
    if not path.is_file():
        return f"{path} is missing: restore it."
    size = path.stat().st_size
    if size != expected.bytes:
        return f"{path} has {size} bytes and not {expected.bytes}: restore it."
    if describe_file(path).sha256 != expected.sha256:
        return f"{path} was altered, its SHA-256 is not the card's: restore it."
    return None


def _check_content(root: Path, damaged: list[str], decode: bool) -> list[str]:
    try:
        dataset = Dataset(root)
    except IebenchError as error:
        return [str(error)]
    problems = [*_check_counts(dataset), *_check_latents(dataset), *_check_design(dataset), *_check_tables(dataset)]
    for shard in dict.fromkeys(dataset.shards.tolist()):
        if (shard in damaged or decode) and (root / shard).is_file():
            check = _check_views if shard in damaged else _check_whole
            objects = np.flatnonzero(dataset.shards == shard).tolist()
            problems += _cut(shard, (problem for index in objects for problem in check(dataset, index)))
    return problems


def _cut(shard: str, problems: Iterable[str]) -> list[str]:
    """The first problems of a shard, and how many more there are."""
    found = list(problems)
    more = len(found) - NAMED
    return found if more <= 0 else [*found[:NAMED], f"{shard} has {more} more such faults."]


def _check_whole(dataset: Dataset, index: int) -> Iterator[str]:
    """What is wrong with one object, although its shard is as it was written."""
    yield from _check_views(dataset, index, decode=True)
    yield from _check_sample(dataset, index)


def _check_counts(dataset: Dataset) -> list[str]:
    counts = {split: len(dataset.split_indices(split)) for split in dataset.card.splits}
    told = {split: value.objects for split, value in dataset.card.splits.items()}
    return [f"{dataset.root / CARD} tells of {told} objects, and {OBJECTS} has {counts}."] if counts != told else []


def _check_latents(dataset: Dataset) -> list[str]:
    """Numbers that are not finite; a reader takes no time to look for them."""
    odd = (index for index, latents in enumerate(dataset.latents) if not np.isfinite(latents).all())
    path = dataset.root / LATENTS
    return [f"{path} has numbers that are not finite, first of object {index}." for index in islice(odd, 1)]


def _check_design(dataset: Dataset) -> list[str]:
    """Whether the latents are laid out as the card says."""
    if (design := dataset.card.design) is None:
        return []
    odd = (index for index, latents in enumerate(dataset.latents) if not design.is_kept_by(dataset.space, latents))
    path = dataset.root / LATENTS
    return [f"{path} is not laid out as the card says ({design}), first in object {index}." for index in islice(odd, 1)]


def _check_tables(dataset: Dataset) -> Iterator[str]:
    """Whether the tables can be read that a reader opens only when it is asked for them."""
    try:
        _ = dataset.lost
        if FAILURES in dataset.card.files:
            read_failures(dataset.root / FAILURES)
    except IebenchError as error:
        yield str(error)


def _check_views(dataset: Dataset, index: int, decode: bool = False) -> Iterator[str]:
    """What is wrong with the JPEGs of one object."""
    for view in range(dataset.num_views):
        try:
            jpeg = dataset.read_jpeg(index, view)
            if decode:
                decode_jpeg(jpeg, dataset.card.image_size)
        except IebenchError as error:
            yield str(error)
        except ValueError as error:
            yield str(dataset.damage(index, view, str(error)))


def _check_sample(dataset: Dataset, index: int) -> Iterator[str]:
    """Whether the sample in the shard says of one object what the tables say."""
    name, path = (dataset.synsets[index], dataset.object_ids[index]), dataset.root / dataset.shards[index]
    key = "/".join(name)
    try:
        members = _read_sample(dataset, index, path)
        key = next(iter(members), key).partition(".")[0]
        about = parse_json(members[f"{key}.json"])
        views = [view_name(view) for view in range(dataset.num_views)]
        if list(members) != [f"{key}.{part}" for part in (*views, "latents.npy", "json")]:
            yield f"{path}: the members of {key} are not those of a sample, in their order."
        elif not np.array_equal(parse_npy(members[f"{key}.latents.npy"]), dataset.latents[index]):
            yield f"{path}: {key}.latents.npy differs from latents.npy."
        elif (about["synset"], about["object_id"]) != name:
            yield f"{path}: {key}.json names another object than {OBJECTS}, {'/'.join(name)}."
        elif about["label"] != dataset.labels[index]:
            yield f"{path}: {key}.json has another label than {OBJECTS}."
    except (tarfile.TarError, EOFError, OSError, *FAULTS) as error:
        yield f"{path}: the sample {printable(key)} is no tar of the right members ({tell(error)})."


def _read_sample(dataset: Dataset, index: int, path: Path) -> dict[str, bytes]:
    """The members of one object's sample, which begins with the header of its first view."""
    members: dict[str, bytes] = {}
    with path.open("rb") as file:
        file.seek(int(dataset.offsets[index, 0, 0]) - tarfile.BLOCKSIZE)
        with tarfile.open(fileobj=file, mode="r|", tarinfo=BoundedMember) as archive:
            while (entry := archive.next()) is not None and len(members) < dataset.num_views + 2:
                members[entry.name] = read_member(archive, entry)
    return members
