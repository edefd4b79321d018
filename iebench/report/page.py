"""One HTML page about evaluated runs: tables, plots and pictures in a single file that needs no network."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from iebench.errors import IebenchError, explain_missing_package
from iebench.evals.columns import Column
from iebench.evals.results import Results
from iebench.evals.table import (
    ESTIMATED,
    Row,
    build_rows,
    estimate_pooled,
    has_estimate,
    notes_of,
    published_rows,
    share_protocols,
    used_columns,
)
from iebench.evals.table_metrics import LEADING_TITLES, MOST_COLUMNS
from iebench.files import write_whole
from iebench.locks import locked
from iebench.report.evaluated_runs import load_runs
from iebench.report.gallery import show_gallery
from iebench.version import __version__


def write_report(
    paths: Sequence[Path],
    out: Path,
    title: str = "iebench report",
    published: bool = False,
    plots: Path | None = None,
    protocol: str = "",
) -> None:
    """Write the page.

    Args:
        paths: runs, or results.json files.
        out: the HTML file.
        title: head of the page.
        published: whether to set published rows into the table.
        plots: a folder for the page's plots as SVG files too.
        protocol: words that the protocol or source of published rows must have.

    Raises:
        UsageError: another process writes it, or no published row has the words.
        IebenchError: a run has no results, or damaged ones, or Jinja2 or matplotlib is not installed.
    """
    runs = load_runs(paths)
    try:
        from jinja2 import Environment

        from iebench.report.sections import draw_published, draw_tradeoff, make_sections
    except ModuleNotFoundError as error:
        raise IebenchError(explain_missing_package(error) or str(error)) from None
    rows = build_rows([run.results for run in runs])
    papers = published_rows(protocol) if published else []
    lead, reported, sections = draw_tradeoff(rows), draw_published(papers), make_sections(runs)
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(files("iebench.report").joinpath("page.html.j2").read_text(encoding="utf-8"))
    page = template.render(
        title=title,
        version=__version__,
        runs=runs,
        lead=lead,
        table=make_table(rows),
        papers=make_table(papers, has_estimate(papers)) if papers else None,
        reported=reported,
        notes=notes_of(papers),
        sections=sections,
        galleries=[(run.name, gallery) for run in runs if (gallery := show_gallery(run.folder))],
        settings=[(run.name, settings_of(run.results)) for run in runs],
    )
    with locked(out, "report"):
        write_whole(out, page)
        if plots is not None:
            plots.mkdir(parents=True, exist_ok=True)
            for picture in (*lead, *reported, *(picture for section in sections for picture in section.pictures)):
                picture.write(plots)


def make_table(rows: Sequence[Row], estimate: bool = False) -> dict[str, Any]:
    """Heads, folds, what is shared, and for each row its cells: text, title, number to sort by, whether it is the best of ours.

    A head and its cells are of a fold, by number, unless they are always shown.
    """
    columns = used_columns(rows)
    folds, (told, shared) = _fold(columns), share_protocols(rows)
    best = {column.title: _best(rows, column.title, column.better) for column in columns}
    lines = []
    for row in told:
        cells = []
        for column in columns:
            cell = row.cells.get(column.title)
            value = None if cell is None else cell.value
            is_best = row.kind == "ours" and value is not None and value == best[column.title]
            cells.append(
                {
                    "text": column.show(cell),
                    "title": column.show(cell, True),
                    "value": "" if value is None else value,
                    "best": is_best,
                    "fold": folds.get(column),
                }
            )
        lines.append({"name": row.name, "kind": row.kind, "cells": cells, "protocol": row.protocol})
        if estimate:
            text = estimate_pooled(row)
            cells.append({"text": text, "title": text, "value": text.removeprefix("≈ "), "best": False, "fold": None})
    heads = [{"text": _head_of(column), "fold": folds.get(column)} for column in columns]
    heads += [{"text": ESTIMATED, "fold": None}] * estimate
    return {"heads": heads, "rows": lines, "folds": _count_folds(columns), "shared": shared}


def _head_of(column: Column) -> str:
    """The head of a column, whose unit does not stand on a line of its own."""
    return column.head.replace(f", {column.unit}", f",\N{NO-BREAK SPACE}{column.unit}") if column.unit else column.head


def _fold(columns: Sequence[Column]) -> dict[Column, int]:
    """Of columns that are shown where they are asked for, the number of their fold: one for each evaluator."""
    if len(columns) <= MOST_COLUMNS:
        return {}
    tasks = list(dict.fromkeys(column.task for column in columns))
    return {column: tasks.index(column.task) for column in columns if column.title not in LEADING_TITLES}


def _count_folds(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """The folds of a table: number, name, and how many columns each hides."""
    folds = _fold(columns)
    names = {number: column.task for column, number in folds.items()}
    return [
        {"number": number, "name": name, "columns": list(folds.values()).count(number)}
        for number, name in names.items()
    ]


def _best(rows: Sequence[Row], title: str, better: str) -> float | None:
    values = [row.cells[title].value for row in rows if row.kind == "ours" and title in row.cells]
    if len(values) < 2 or better == "none":
        return None
    return max(values) if better == "up" else min(values)


def settings_of(results: Results) -> list[tuple[str, str]]:
    """All that the scores depend on, as (name, value), nested names joined by dots."""
    groups = {
        "data": results.data,
        "training": results.training,
        "protocol": results.protocol,
        "parts": results.parts,
        "versions": results.versions,
    }
    return list(_flatten(groups))


def _flatten(value: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            lines += _flatten(inner, f"{prefix}{name}.")
        else:
            lines.append((prefix + name, str(inner)))
    return lines
