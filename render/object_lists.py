"""Lists of objects in files: ours, and those that the published release hands out."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from iebench.dataset.splits import ObjectName, object_fraction
from iebench.errors import UsageError
from iebench.files import read_table
from iebench.render.object_source import ObjectSource


def read_object_list(path: Path) -> list[ObjectName]:
    """Objects named in a file, in its order.

    Args:
        path: a `.npy` of the release, with rows (synset, id) or paths like "/synset/id/"; or a text file with
            "synset/id" or "synset,id" in each line, further columns, blank lines and lines from "#" on being ignored.

    Raises:
        UsageError: there is no such file, or a line names no object.
    """
    try:
        lines = _npy_lines(path) if path.suffix == ".npy" else path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as a list of objects: {error}.") from None
    wanted = [(number, line.partition("#")[0].strip()) for number, line in enumerate(lines, start=1)]
    return [_parse_name(path, number, line) for number, line in wanted if line and not line.startswith("synset,")]


def known_bad_objects() -> dict[ObjectName, str]:
    """Objects of ShapeNetCore that are known to break a render, with the reason."""
    return {(row["synset"], row["object_id"]): row["reason"] for row in read_table("known_bad_objects.csv")}


def choose_objects(
    source: ObjectSource,
    synsets: Iterable[str],
    objects_per_class: int | None,
    only: Iterable[ObjectName] | None,
    exclude: Iterable[ObjectName],
) -> list[ObjectName]:
    """The objects to render.

    Args:
        source: where they come from.
        synsets: of which classes.
        objects_per_class: how many of each at most, the same ones whatever else there is; None for all.
        only: take none but these.
        exclude: take none of these.

    Raises:
        UsageError: a class has no object left.
    """
    allowed = None if only is None else _by_synset(only)
    excluded = set(exclude)
    chosen: list[ObjectName] = []
    for synset in synsets:
        ids = source.list_objects(synset, objects_per_class) if allowed is None else sorted(allowed.get(synset, set()))
        names = [(synset, object_id) for object_id in ids if (synset, object_id) not in excluded]
        if not names and allowed is None:
            raise UsageError(f"Class {synset} has no objects in the source: take it out of --classes, or add objects.")
        names.sort(key=lambda name: (object_fraction(name, "choose"), name))
        chosen += names[:objects_per_class]
    if not chosen:
        raise UsageError("No object is left to render: the list of objects and the chosen classes have none in common.")
    return chosen


def _by_synset(names: Iterable[ObjectName]) -> dict[str, set[str]]:
    grouped: dict[str, set[str]] = defaultdict(set)
    for synset, object_id in names:
        grouped[synset].add(object_id)
    return grouped


def _npy_lines(path: Path) -> list[str]:
    table = np.load(path, allow_pickle=False)
    if table.ndim == 2 and table.shape[1] >= 2:
        return [f"{row[0]},{row[1]}" for row in table]
    if table.ndim != 1 or table.dtype.kind != "U":
        raise ValueError(f"an array of shape {table.shape} and type {table.dtype} names no objects")
    return table.tolist()


def _parse_name(path: Path, number: int, line: str) -> ObjectName:
    parts = [part for part in line.replace(",", "/").replace("\t", "/").split("/") if part.strip()]
    if len(parts) < 2:
        raise UsageError(f"{path}, line {number}: {line!r} names no object; write synset/object_id.")
    return parts[0].strip(), parts[1].strip()
