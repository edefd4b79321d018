"""One table of many results, and the published rows beside them: each R² in a column of its own."""

import statistics
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from iebench.escapes import printable
from iebench.evals.columns import Cell, Column
from iebench.evals.metrics import pooled_from_uniform
from iebench.evals.published import PublishedResult, read_published
from iebench.evals.registry import EVALUATORS
from iebench.evals.results import Results, ScoreBook
from iebench.evals.series import describe_data, describe_series, group_results, join_evaluations, label_of, series_of
from iebench.evals.settings import CONSTANT, GROUND_TRUTH, RANDOM_INIT
from iebench.evals.table_formats import FORMATS

OUR_COLUMNS = tuple(column for evaluator in EVALUATORS for column in evaluator.columns)
HALVES = ("invariant", "equivariant")  # parts that evaluators declare columns for
PROTOCOLS = (
    "Rows of papers compare with rows of the same data and protocol; between papers a difference may be one of code."
)
ESTIMATED = "rotation R², pooled, estimated"
ESTIMATE = (
    "The estimated pooled R² of rows that give the uniform one is 0.229 + 0.771 · R², exact only where every component of the "
    "quaternion leaves the same share of its variance unexplained."
)


@dataclass
class Row:
    """One row of the table.

    Attributes:
        name: of the method, or of a baseline.
        protocol: how the numbers came about.
        cells: for each title that is filled.
        kind: "ours", "baseline" or "published".
        columns: those that its cells may stand in.
    """

    name: str
    protocol: str
    cells: dict[str, Cell] = field(default_factory=dict)
    kind: str = "ours"
    columns: tuple[Column, ...] = OUR_COLUMNS


def columns_of(results: Results) -> tuple[Column, ...]:
    """Our evaluators' columns, as they are today, those of parts with names of their own, and what the results declare beyond."""
    ours = (*OUR_COLUMNS, *_columns_of_parts(results))
    keys, titles = ({getattr(column, name) for column in ours} for name in ("key", "title"))
    return (*ours, *(c for c in results.columns if c.key not in keys and c.title not in titles))


def _columns_of_parts(results: Results) -> Iterator[Column]:
    """What stands in the table for the whole representation, for each part that is not simply one half of it."""
    for part in results.parts:
        for column in OUR_COLUMNS if part not in HALVES else ():
            if "/whole/" in column.key:
                key = column.key.replace("/whole/", f"/{part}/")
                yield replace(column, title=f"{column.title}, {part}", key=key, published="")


def build_rows(results: Sequence[Results]) -> list[Row]:
    """A row for each kind of training, its runs with other seeds put together as mean ± std, and the baselines below."""
    groups = group_results(results, lambda result: [series_of(result), *_basis_of(result)])
    baselines = (row for group in group_results(results, _basis_of) for row in _rows_of_baselines(group))
    return [*(_row_of_runs(join_evaluations(group)) for group in groups), *baselines]


def _basis_of(result: Results) -> list[Any]:
    """What scores that compare have in common."""
    return [result.data, result.protocol["probes"]]


def _rows_of_baselines(group: Sequence[Results]) -> Iterator[Row]:
    """Random init of each network, and what no network changes, as the first result has them that has them."""
    fresh = group_results([result for result in group if RANDOM_INIT in result.baselines], _network_of)
    for first, *_ in fresh:
        name = f"{RANDOM_INIT}, {_network_of(first)}" if len(fresh) > 1 else RANDOM_INIT
        yield _row_of_baseline(name, first, first.baselines[RANDOM_INIT])
    for name in (CONSTANT, GROUND_TRUTH):
        for first in [result for result in group if name in result.baselines][:1]:
            yield _row_of_baseline(name, first, first.baselines[name])


def _network_of(result: Results) -> str:
    """What is drawn anew for random init: the backbone of a method, or the network itself."""
    return str(result.training.get("method_settings", {}).get("backbone", result.name))


def _row_of_baseline(name: str, result: Results, book: ScoreBook) -> Row:
    columns = columns_of(result)
    return Row(name, f"baseline, {describe_data(result)}", _cells([book], columns), "baseline", columns)


def _row_of_runs(runs: Sequence[Results]) -> Row:
    columns, books = columns_of(runs[0]), [result.scores for result in runs]
    counts = {sum(column.key in book.scores for book in books) for column in columns}
    protocol = describe_series(runs) + ", some scores of fewer" * bool(counts - {0, len(books)})
    return Row(label_of(runs[0]), protocol, _cells(books, columns), columns=columns)


def _cells(books: Sequence[ScoreBook], columns: Sequence[Column]) -> dict[str, Cell]:
    cells: dict[str, Cell] = {}
    for column in columns:
        found = [book.scores[column.key] for book in books if column.key in book.scores]
        if len(found) > 1:
            means = [score.mean for score in found]
            cells[column.title] = Cell(statistics.fmean(means), statistics.stdev(means))
        elif found:
            cells[column.title] = Cell(found[0].mean, found[0].std, found[0].low, found[0].high)
    return cells


def published_rows(protocol: str = "") -> list[Row]:
    """What papers report, each with its protocol, every R² in the column of its kind.

    Args:
        protocol: words that protocol or source must have, see `read_published`.
    """
    return [_published_row(result) for result in read_published(protocol)]


def _published_row(result: PublishedResult) -> Row:
    texts = {column: result.get(column.published) for column in OUR_COLUMNS}
    cells = {column.title: Cell(float(text) / column.scale) for column, text in texts.items() if text}
    return Row(result.name, result.description, cells, "published")


def used_columns(rows: Sequence[Row]) -> list[Column]:
    """The columns that some row fills."""
    columns = dict.fromkeys(column for row in rows for column in row.columns)
    return [column for column in columns if any(column.title in row.cells for row in rows)]


def to_grid(rows: Sequence[Row], estimate: bool = False, intervals: bool = False) -> list[list[str]]:
    """Head and rows as text.

    Args:
        rows: of `build_rows` and `published_rows`.
        estimate: add a column that says what rows with a uniform R² would score pooled.
        intervals: show the bootstrap interval of scores of a single run and seed.
    """
    columns = used_columns(rows)
    head = ["method", *(column.head for column in columns)]
    body = [[row.name, *(column.show(row.cells.get(column.title), intervals) for column in columns)] for row in rows]
    if estimate:
        head.append(ESTIMATED)
        for line, row in zip(body, rows, strict=True):
            line.append(estimate_pooled(row))
    return [[*head, "protocol"], *([*line, row.protocol] for line, row in zip(body, rows, strict=True))]


def estimate_pooled(row: Row) -> str:
    """What a row with only a uniform rotation R² would score pooled, as text; empty for all others."""
    uniform = row.cells.get("rotation R², uniform")
    if uniform is None or "rotation R², pooled" in row.cells:
        return ""
    return f"≈ {pooled_from_uniform(uniform[0]):.2f}"


def has_estimate(rows: Sequence[Row]) -> bool:
    """Whether a published row has an estimate of its pooled R² to show."""
    return any(row.kind == "published" and estimate_pooled(row) for row in rows)


def notes_of(rows: Sequence[Row]) -> list[str]:
    """What must be known to read a table with published rows."""
    published = any(row.kind == "published" for row in rows)
    return [PROTOCOLS] * published + [ESTIMATE] * has_estimate(rows)


def share_protocols(rows: Sequence[Row]) -> tuple[list[Row], str]:
    """The rows without the words that the protocols of all runs have, and these words.

    Baselines lose the words too. Published rows keep theirs beside runs of ours, and among themselves share them alike.
    """
    runs = [row for row in rows if row.kind == "ours"] or [row for row in rows if row.kind == "published"]
    protocols = [row.protocol.split(", ") for row in runs]
    shared = [word for word in protocols[0] if all(word in others for others in protocols)] if len(runs) > 1 else []
    kinds = {"baseline", runs[0].kind} if runs else set()
    return [_without(row, shared) if row.kind in kinds else row for row in rows], ", ".join(shared)


def _without(row: Row, words: Collection[str]) -> Row:
    return replace(row, protocol=", ".join(word for word in row.protocol.split(", ") if word not in words))


def format_table(rows: Sequence[Row], form: str = "text", shared: str = "") -> str:
    """The table as text, Markdown, LaTeX or CSV; published rows bring the estimate and its cautions with them.

    Args:
        rows: of `build_rows` and `published_rows`.
        form: "text", "markdown", "latex" or "csv".
        shared: of `share_protocols`, told once below text and Markdown.
    """
    grid = to_grid(rows, estimate=has_estimate(rows), intervals=form == "text")
    told = [f"All runs: {printable(shared)}."] if shared else []
    notes = [*told, *notes_of(rows)] if form in ("text", "markdown") else []
    return FORMATS[form](grid) + "".join(f"\n{note}\n" for note in notes)
