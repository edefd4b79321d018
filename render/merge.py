"""Joining the parts that several machines rendered."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from iebench.catalogue import ObjectClass
from iebench.dataset.card import DatasetCard
from iebench.dataset.reader import Dataset
from iebench.dataset.splits import SPLITS
from iebench.dataset.writer import FAILURES, ObjectRow, ShardTables, finish_dataset, read_failures
from iebench.errors import IebenchError, UsageError
from iebench.files import link_or_copy
from iebench.growing import growing
from iebench.render.job import first_difference

WHOLE = "1/1"


def merge_parts(folders: Sequence[Path], out: Path) -> Dataset:
    """Join the parts of one dataset, rendered with `--part 1/n` … `--part n/n`, to the dataset that one machine would make.

    Shards are linked where the file system can, else copied; the parts stay as they are.

    Raises:
        UsageError: parts are missing, given twice, or of different datasets; or `out` exists, or is being made.
        IebenchError: a part's shard is not what its card says.
    """
    parts = [Dataset(folder) for folder in folders]
    _check_parts(parts)
    classes = _join_classes(parts)
    _check_shards(parts)
    with growing(out, "merge") as root:
        shards = sorted((piece for part in parts for piece in _take_shards(part, root)), key=_shard_order)
        card = replace(parts[0].card, settings=parts[0].card.settings | {"part": WHOLE}, classes=classes)
        failures = [failure for part in parts for failure in read_failures(part.root / FAILURES)]
        _check_taken(parts, finish_dataset(root, card, shards, failures))
    return Dataset(out)


def _check_parts(parts: Sequence[Dataset]) -> None:
    first = parts[0]
    numbers = []
    for part in parts:
        number = part.card.settings.get("part", WHOLE).partition("/")[0]
        numbers.append(int(number))
        expected = first.card.settings | {"part": f"{number}/{len(parts)}"}
        difference = first_difference(expected, part.card.settings)
        if difference:
            raise UsageError(
                f"{part.root} does not fit {first.root} and {len(parts)} parts: {difference}. Give the parts of one render, "
                "all of them, each once."
            )
    twice = [parts[i].root for i, number in enumerate(numbers) if number in numbers[:i]]
    if twice:
        raise UsageError(f"{twice[0]} is a part that is given already: give every part once.")


def _check_shards(parts: Sequence[Dataset]) -> None:
    holders: dict[str, Path] = {}
    for part in parts:
        for shard in part.card.shards:
            if holders.setdefault(shard.name, part.root) != part.root:
                raise UsageError(
                    f"{part.root} and {holders[shard.name]} both hold {shard.name}: render one of these parts again."
                )


def _check_taken(parts: Sequence[Dataset], merged: DatasetCard) -> None:
    """Compare what was taken with the parts' cards: a shard may be a link to what its part's maker has no business with."""
    taken = {shard.name: shard.sha256 for shard in merged.shards}
    for part in parts:
        for shard in part.card.shards:
            if taken.get(shard.name, shard.sha256) != shard.sha256:
                raise _tell_altered(part, shard.name)


def _tell_altered(part: Dataset, shard: str) -> IebenchError:
    return IebenchError(f"{part.root / shard} is not what the part's card says: restore it, or render the part again.")


def _take_shards(part: Dataset, target: Path) -> Iterator[ShardTables]:
    sizes = {shard.name: shard.bytes for shard in part.card.shards}
    for shard in dict.fromkeys(part.shards.tolist()):
        path = part.root / shard
        if not path.is_file() or path.stat().st_size != sizes[shard]:  # a device has no end
            raise _tell_altered(part, shard)
        link_or_copy(part.root / shard, target / shard)
        chosen = np.flatnonzero(part.shards == shard)
        rows = [
            ObjectRow(str(part.splits[i]), str(part.synsets[i]), int(part.labels[i]), str(part.object_ids[i]), shard)
            for i in chosen
        ]
        names = {(row.synset, row.object_id) for row in rows}
        lost = tuple(row for row in part.lost if row.object_name in names)
        passes = part.pass_offsets[chosen] if part.passes else None
        yield ShardTables(rows, part.latents[chosen], part.offsets[chosen], lost, passes)


def _shard_order(piece: ShardTables) -> tuple[int, str]:
    return SPLITS.index(piece.rows[0].split), piece.rows[0].shard


def _join_classes(parts: Sequence[Dataset]) -> tuple[ObjectClass, ...]:
    """The classes of all parts.

    Raises:
        UsageError: parts give one label to two classes, or two labels to one class.
    """
    by_label: dict[int, ObjectClass] = {}
    by_synset: dict[str, ObjectClass] = {}
    for part in parts:
        for entry in part.card.classes:
            for known in (by_label.setdefault(entry.label, entry), by_synset.setdefault(entry.synset, entry)):
                if (known.label, known.synset) != (entry.label, entry.synset):
                    raise UsageError(
                        f"{part.root} has the class {entry.synset} with label {entry.label}, and another part has "
                        f"{known.synset} with label {known.label}: render the parts from the same folder of objects."
                    )
    return tuple(by_label[label] for label in sorted(by_label))
