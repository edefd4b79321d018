"""Whether every byte of a dataset is right."""

import io
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import simplejpeg

from iebench.dataset.card import CARD, DatasetCard, FileEntry, ShardEntry, describe_file, digest_card
from iebench.dataset.reader import Dataset
from iebench.dataset.shards import view_name
from iebench.dataset.writer import OBJECTS
from iebench.errors import IebenchError

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
    value = json.loads((root / CARD).read_text(encoding="utf-8"))
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
    problems = _check_counts(dataset)
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
    yield from _check_views(dataset, index, _decode)
    yield from _check_sample(dataset, index)


def _check_counts(dataset: Dataset) -> list[str]:
    counts = {split: len(dataset.split_indices(split)) for split in dataset.card.splits}
    told = {split: value.objects for split, value in dataset.card.splits.items()}
    names = set(zip(dataset.synsets.tolist(), dataset.object_ids.tolist(), strict=True))
    problems = [f"{dataset.root / CARD} tells of {told} objects, and {OBJECTS} has {counts}."] if counts != told else []
    if len(names) < dataset.num_objects:
        problems.append(f"{dataset.root / OBJECTS} names {dataset.num_objects - len(names)} objects twice.")
    return problems


def _check_views(dataset: Dataset, index: int, check: Callable[[Dataset, bytes], None] | None = None) -> Iterator[str]:
    """What is wrong with the JPEGs of one object."""
    for view in range(dataset.num_views):
        try:
            jpeg = dataset.read_jpeg(index, view)
            if check:
                check(dataset, jpeg)
        except IebenchError as error:
            yield str(error)
        except ValueError as error:
            yield str(dataset.damage(index, view, str(error)))


def _decode(dataset: Dataset, jpeg: bytes) -> None:
    shape, size = simplejpeg.decode_jpeg(jpeg).shape, dataset.card.image_size
    if shape != (size, size, 3):
        raise ValueError(f"it has {shape[1]} x {shape[0]} pixels")


def _check_sample(dataset: Dataset, index: int) -> Iterator[str]:
    """Whether the sample in the shard says of one object what the tables say."""
    name, path = (dataset.synsets[index], dataset.object_ids[index]), dataset.root / dataset.shards[index]
    key = "/".join(name)
    try:
        members = _read_sample(dataset, index, path)
        key = next(iter(members), key).partition(".")[0]
        about = json.loads(members[f"{key}.json"])
        views = [view_name(view) for view in range(dataset.num_views)]
        if list(members) != [f"{key}.{part}" for part in (*views, "latents.npy", "json")]:
            yield f"{path}: the members of {key} are not those of a sample, in their order."
        elif not np.array_equal(np.load(io.BytesIO(members[f"{key}.latents.npy"])), dataset.latents[index]):
            yield f"{path}: {key}.latents.npy differs from latents.npy."
        elif (about["synset"], about["object_id"]) != name:
            yield f"{path}: {key}.json names another object than {OBJECTS}, {'/'.join(name)}."
        elif about["label"] != dataset.labels[index]:
            yield f"{path}: {key}.json has another label than {OBJECTS}."
    except (tarfile.TarError, ValueError, KeyError, TypeError) as error:
        yield f"{path}: the sample {key} is no tar of the right members ({error})."


def _read_sample(dataset: Dataset, index: int, path: Path) -> dict[str, bytes]:
    """The members of one object's sample, which begins with the header of its first view."""
    members: dict[str, bytes] = {}
    with path.open("rb") as file:
        file.seek(int(dataset.offsets[index, 0, 0]) - tarfile.BLOCKSIZE)
        with tarfile.open(fileobj=file, mode="r|") as archive:
            while (entry := archive.next()) is not None and len(members) < dataset.num_views + 2:
                content = archive.extractfile(entry)
                members[entry.name] = content.read() if content else b""
    return members
