"""Writing a dataset: shards one by one, then the tables, then the card, then its name."""

import csv
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, UInt32
from numpy import ndarray

from iebench.dataset.appearance import APPEARANCE, LostRow, write_lost
from iebench.dataset.card import DatasetCard, describe_file
from iebench.dataset.card_parts import ShardEntry, SplitCounts
from iebench.dataset.pages import write_pages
from iebench.dataset.splits import ObjectName
from iebench.files import sync, write_whole
from iebench.untrusted import read_rows, read_text, refusals

OBJECTS, FAILURES, FAILURES_LOG = "objects.csv", "failures.csv", "failures.log"
LATENTS, OFFSETS, CHECKSUMS = "latents.npy", "offsets.npy", "checksums.npy"
PASS_OFFSETS, PASS_CHECKSUMS = "pass_offsets.npy", "pass_checksums.npy"  # of a dataset with passes
_INDENT = "    "  # of what was printed; the names stand at the margin


@dataclass(frozen=True)
class ObjectRow:
    """One row of `objects.csv`, without its index."""

    split: str
    synset: str
    label: int
    object_id: str
    shard: str


@dataclass(frozen=True)
class Failure:
    """An object that is left out: a row of `failures.csv`, and what was printed in `failures.log`.

    Attributes:
        reason: one line.
        attempts: how often it was tried.
        log: the last lines that Blender printed.
    """

    synset: str
    object_id: str
    reason: str
    attempts: int
    log: str

    @property
    def object_name(self) -> ObjectName:
        """Of the object."""
        return self.synset, self.object_id


@dataclass(frozen=True)
class ShardTables:
    """What the tables of a dataset need to know of one finished shard; `passes` where the dataset has some."""

    rows: list[ObjectRow]
    latents: Float[ndarray, "objects views factors"]
    offsets: Int[ndarray, "objects views 2"]
    lost: tuple[LostRow, ...] = ()
    passes: Int[ndarray, "objects views passes 2"] | None = None


def place_samples(
    sizes: Sequence[int], located: Sequence[Int[ndarray, "*images 2"]]
) -> Int[ndarray, "objects *images 2"]:
    """Offsets in a shard from the offsets in its samples, which follow each other with the given sizes."""
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    return np.stack([images + np.array([start, 0]) for images, start in zip(located, starts, strict=True)])


def finish_dataset(
    root: Path, card: DatasetCard, parts: Sequence[ShardTables], failures: Sequence[Failure]
) -> DatasetCard:
    """Write the tables and the card of a dataset whose shards lie in `root`.

    Args:
        root: folder that holds the shards that `parts` name, in their order.
        card: all but splits, shards and files, which are filled in here.
        parts: one per shard.
        failures: objects that are in no shard.
    """
    rows = [row for part in parts for row in part.rows]
    shape = (len(rows), card.num_views)
    latents = _join([part.latents for part in parts], (*shape, len(card.space.names)), np.float64)
    offsets = _join([part.offsets for part in parts], (*shape, 2), np.int64)
    np.save(root / LATENTS, latents, allow_pickle=False)
    np.save(root / OFFSETS, offsets, allow_pickle=False)
    np.save(root / CHECKSUMS, _sum_images(root, [row.shard for row in rows], offsets), allow_pickle=False)
    pass_tables = _write_passes(root, rows, parts) if card.passes else ()
    _write_objects(root / OBJECTS, rows)
    left_out = write_failures(root, failures)
    lost = [row for part in parts for row in part.lost]
    (root / APPEARANCE).unlink(missing_ok=True)  # of an earlier finish, before failed objects were tried again
    if lost:
        write_lost(root / APPEARANCE, lost)
    tables = (OBJECTS, LATENTS, OFFSETS, CHECKSUMS, *pass_tables, *left_out, *((APPEARANCE,) if lost else ()))
    finished = replace(
        card,
        splits=_count_splits(rows, card.num_views),
        shards=tuple(_describe_shard(root, part.rows) for part in parts),
        files={name: describe_file(root / name) for name in tables},
    )
    write_pages(root, finished)
    for name in tables:
        sync(root / name)
    finished.write(root)
    return finished


def write_failures(root: Path, failures: Sequence[Failure]) -> list[str]:
    """Write `failures.csv`, and `failures.log` where something was printed, sorted by name: the order of work leaves no trace.

    Returns:
        The names of the files.
    """
    ordered = sorted(failures, key=lambda failure: failure.object_name)
    with (root / FAILURES).open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, [field.name for field in fields(Failure)], lineterminator="\n")
        table.writeheader()
        for failure in ordered:
            reason = " ".join(failure.reason.split())
            table.writerow({**asdict(failure), "reason": reason, "log": FAILURES_LOG if failure.log else ""})
    log = "".join(_write_log(failure) for failure in ordered if failure.log)
    (root / FAILURES_LOG).unlink(missing_ok=True)
    if log:
        write_whole(root / FAILURES_LOG, log)
    return [FAILURES, FAILURES_LOG] if log else [FAILURES]


def read_failures(path: Path) -> list[Failure]:
    """The inverse of `write_failures`, from the path of the table. Old tables hold what was printed themselves.

    Raises:
        IebenchError: the table or the log is damaged.
    """
    with refusals(path.with_name(FAILURES_LOG), "restore it"):
        logs = _read_logs(path.with_name(FAILURES_LOG))
    with refusals(path, "restore it"):
        rows = read_rows(path, [field.name for field in fields(Failure)])
        return [
            Failure(
                row["synset"],
                row["object_id"],
                row["reason"],
                int(row["attempts"]),
                logs.get(f"{row['synset']}/{row['object_id']}", row["log"]),
            )
            for row in rows
        ]


def _join(arrays: Sequence[ndarray], shape: tuple[int, ...], dtype: type) -> ndarray:
    return np.concatenate([np.empty((0, *shape[1:]), dtype), *arrays]).astype(dtype, copy=False)


def _write_passes(root: Path, rows: Sequence[ObjectRow], parts: Sequence[ShardTables]) -> tuple[str, str]:
    """Write where the passes lie, and their checksums; returns the names of both files."""
    offsets = np.concatenate([part.passes for part in parts if part.passes is not None])
    flat = offsets.reshape(len(rows), -1, 2)
    sums = _sum_images(root, [row.shard for row in rows], flat).reshape(offsets.shape[:-1])
    np.save(root / PASS_OFFSETS, offsets, allow_pickle=False)
    np.save(root / PASS_CHECKSUMS, sums, allow_pickle=False)
    return PASS_OFFSETS, PASS_CHECKSUMS


def _sum_images(
    root: Path, shards: Sequence[str], offsets: Int[ndarray, "objects images 2"]
) -> UInt32[ndarray, "objects images"]:
    """CRC-32 of every JPEG or pass, read back from the shards, so that a reader can tell an altered one."""
    sums = np.empty(offsets.shape[:2], "<u4")
    for index, (shard, images) in enumerate(zip(shards, offsets.tolist(), strict=True)):
        with (root / shard).open("rb") as file:
            for image, (offset, length) in enumerate(images):
                file.seek(offset)
                sums[index, image] = zlib.crc32(file.read(length))
    return sums


def _write_objects(path: Path, rows: Sequence[ObjectRow]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, ["index", *ObjectRow.__annotations__], lineterminator="\n")
        table.writeheader()
        table.writerows({"index": index, **asdict(row)} for index, row in enumerate(rows))


def _count_splits(rows: Sequence[ObjectRow], num_views: int) -> dict[str, SplitCounts]:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.split] = counts.get(row.split, 0) + 1
    return {split: SplitCounts(count, count * num_views) for split, count in counts.items()}


def _describe_shard(root: Path, rows: Sequence[ObjectRow]) -> ShardEntry:
    file = describe_file(root / rows[0].shard)
    return ShardEntry(rows[0].shard, rows[0].split, len(rows), file.bytes, file.sha256)


def _write_log(failure: Failure) -> str:
    lines = ["/".join(failure.object_name), *(_INDENT + line for line in failure.log.splitlines())]
    return "\n".join(lines) + "\n"


def _read_logs(path: Path) -> dict[str, str]:
    """What was printed, by the name of the object."""
    logs: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in read_text(path).split("\n") if path.exists() else []:
        if line.startswith(_INDENT):
            lines.append(line.removeprefix(_INDENT))
        else:
            lines = logs.setdefault(line, [])
    return {name: "\n".join(found) for name, found in logs.items()}
