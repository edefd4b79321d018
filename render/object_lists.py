"""Lists of objects in files: ours, and those that the published release hands out."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from iebench.dataset.splits import ObjectName, object_fraction
from iebench.dataset.writer import Failure
from iebench.errors import UsageError
from iebench.escapes import printable
from iebench.files import read_table
from iebench.names import name_fault
from iebench.render.object_source import ObjectSource
from iebench.untrusted import FAULTS, number_rows, read_text, tell
from iebench.untrusted_arrays import map_npy


def read_object_list(path: Path) -> list[ObjectName]:
    """Objects named in a file, in its order.

    Args:
        path: a `.npy` of the release, with rows (synset, id) or paths like "/synset/id/"; or a text file with
            "synset/id" or "synset,id" in each line, further columns, blank lines and what follows "#" at the beginning or
            after a blank being ignored. Names with a comma stand in quotes, as in any CSV file.

    Raises:
        UsageError: there is no such file, or a line names no object.
    """
    try:
        rows = _read_npy(path) if path.suffix == ".npy" else _read_text(path)
        return [_parse_name(path, number, row) for number, row in rows]
    except UsageError:
        raise
    except (OSError, *FAULTS) as error:
        raise UsageError(f"{path} cannot be read as a list of objects: {tell(error)}.") from None


def known_bad_objects() -> dict[ObjectName, str]:
    """Objects of ShapeNetCore that are known to break a render, with the reason."""
    return {(row["synset"], row["object_id"]): row["reason"] for row in read_table("known_bad_objects.csv")}


class Choice(NamedTuple):
    """The objects to render, those that cannot be, and how many were to be left out."""

    names: list[ObjectName]
    refused: list[Failure]
    excluded: int


def choose_objects(
    source: ObjectSource,
    synsets: Iterable[str],
    objects_per_class: int | None,
    only: Iterable[ObjectName] | None,
    exclude: Iterable[ObjectName],
) -> Choice:
    """The objects to render.

    Args:
        source: where they come from.
        synsets: of which classes.
        objects_per_class: how many of each at most, the same ones whatever else there is; None for all.
        only: take none but these.
        exclude: take none of these.

    Raises:
        UsageError: a class has no object left, or an object twice.
    """
    allowed = None if only is None else _by_synset(only)
    excluded, left_out = set(exclude), 0
    chosen: list[ObjectName] = []
    refused: list[Failure] = []
    for synset in synsets:
        ids = list(source.list_objects(synset, objects_per_class) if allowed is None else allowed.get(synset, ()))
        _refuse_twice(synset, ids)
        faults = {object_id: fault for object_id in ids if (fault := name_fault(object_id))}
        refused += [_refuse(synset, object_id, fault) for object_id, fault in faults.items()]
        usable = [(synset, object_id) for object_id in ids if object_id not in faults]
        names = [name for name in usable if name not in excluded]
        left_out += len(usable) - len(names)
        if usable and not names and allowed is None:
            raise UsageError(f"--exclude leaves no object of class {synset}: take the class out of --classes.")
        if not names and allowed is None:
            why = f" that can be used ({refused[-1].reason})" if refused and not usable else ""
            raise UsageError(
                f"Class {synset} has no objects in the source{why}: take it out of --classes, or add objects."
            )
        names.sort(key=lambda name: (object_fraction(name, "choose"), name))
        chosen += names[:objects_per_class]
    if not chosen:
        raise UsageError("No object is left to render: the list of objects and the chosen classes have none in common.")
    return Choice(chosen, refused, left_out)


def _refuse_twice(synset: str, ids: list[Any]) -> None:
    object_id, times = Counter(ids).most_common(1)[0] if ids else ("", 0)
    if times > 1:
        raise UsageError(
            f"The source lists the object {synset}/{object_id} {times} times: give every object an id of its own."
        )


def _refuse(synset: str, object_id: object, fault: str) -> Failure:
    return Failure(synset, printable(str(object_id)), f"its id cannot be used, {fault}", 0, "")


def _by_synset(names: Iterable[ObjectName]) -> dict[str, set[str]]:
    grouped: dict[str, set[str]] = defaultdict(set)
    for synset, object_id in names:
        grouped[synset].add(object_id)
    return grouped


def _read_npy(path: Path) -> Iterator[tuple[int, list[str]]]:
    if path.stat().st_size == 0:
        return
    table = map_npy(path)
    if table.size and (table.ndim > 2 or table.dtype.kind != "U" or (table.ndim == 2 and table.shape[1] < 2)):
        raise ValueError(f"an array of shape {table.shape} and type {table.dtype} names no objects")
    yield from enumerate((row if table.ndim == 2 else [row] for row in np.atleast_1d(table).tolist()), start=1)


def _read_text(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Rows of cells with the number of their line; those of a heading, of comments and of nothing are left out."""
    lines = re.sub(r"(^|(?<=[ \t]))#.*", "", read_text(path).removeprefix("\ufeff"), flags=re.MULTILINE).splitlines()
    yield from ((number, row) for number, row in number_rows(lines) if any(row) and row[0] != "synset")


def _parse_name(path: Path, number: int, row: list[str]) -> ObjectName:
    first = [part for part in re.split(r"[/\t]", row[0]) if part.strip()]
    parts = [*first, *row[1:]]
    if len(parts) < 2 or not parts[1]:
        raise UsageError(f"{path}, line {number}: {','.join(row)!r} names no object; write synset/object_id.")
    return parts[0].strip(), parts[1]
