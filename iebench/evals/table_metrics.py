"""Picking scores of a table: by their names, or those that a reader looks for."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from iebench.errors import UsageError, suggest
from iebench.evals.columns import Column
from iebench.evals.table import Row, used_columns

MOST_COLUMNS = 8  # of a table that is shown whole
# Titles that a reader looks for first; the report folds the others of a wide table.
LEADING_TITLES = frozenset(
    {"top-1", "rotation R², uniform", "rotation error, median", "color R², uniform", "MRR", "H@1"}
)
MAIN_TITLES = LEADING_TITLES | {"rotation R², pooled", "gain", "MRR by action"}


def select_main(rows: Sequence[Row]) -> tuple[list[Row], int]:
    """The rows with the scores that a reader looks for, and how many columns of a wide table are left out for them.

    Those are the main scores of each evaluator, or its first where none is; and of a row that has none of them its own first.
    """
    used = used_columns(rows)
    if len(used) <= MOST_COLUMNS:
        return list(rows), 0
    main = {column.title for column in used if column.title in MAIN_TITLES}
    covered = {column.task for column in used if column.title in main}
    first = {column.task: column.title for column in reversed(used) if column.task not in covered}
    main |= set(first.values())
    main |= {next(iter(row.cells)) for row in rows if row.cells and not main & set(row.cells)}
    return _cut(rows, main), len([column for column in used if column.title not in main])


def _cut(rows: Sequence[Row], titles: Collection[str]) -> list[Row]:
    return [replace(row, cells={title: row.cells[title] for title in row.cells if title in titles}) for row in rows]


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
    cut = _cut(rows, titles)
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
