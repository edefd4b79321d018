"""Picking scores of a table by their names."""

from collections.abc import Sequence
from dataclasses import replace

from iebench.errors import UsageError, suggest
from iebench.evals.columns import Column
from iebench.evals.table import Row


def select_metrics(rows: Sequence[Row], names: str) -> list[Row]:
    """The rows that have one of some scores, with these alone.

    Args:
        rows: of `build_rows` and `published_rows`.
        names: with commas between: keys of scores, or parts of them, as "rotation", "rotation/r2_uniform" or "mrr".

    Raises:
        UsageError: a name is in no key, or no row has such a score.
    """
    columns = dict.fromkeys(column for row in rows for column in row.columns)
    asked = [name.strip() for name in names.split(",") if name.strip()] or [""]
    titles = {column.title for name in asked for column in _find_columns(name, list(columns))}
    cut = [replace(row, cells={title: row.cells[title] for title in row.cells if title in titles}) for row in rows]
    if not any(row.cells for row in cut):
        raise UsageError(f"--metric {names}: no row of this table has it; leave it out to see which there are.")
    return [row for row in cut if row.cells]


def _find_columns(name: str, columns: Sequence[Column]) -> list[Column]:
    """The column of a key, or those whose keys have all parts of a name."""
    found = [column for column in columns if column.key == name] or [
        column for column in columns if set(name.split("/")) <= set(column.key.split("/"))
    ]
    if not found:
        parts = dict.fromkeys(part for column in columns for part in column.key.split("/"))
        hint = suggest(name, parts, f"take {', '.join(parts)}, or some of them with / between.")
        raise UsageError(f"--metric {name!r} is in the name of no score: {hint}")
    return found
