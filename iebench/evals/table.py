"""One table of many results, and the published rows beside them: each R² in a column of its own."""

import csv
import io
import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from iebench.evals.metrics import pooled_from_uniform
from iebench.evals.results import Results, Score, ScoreBook

FORMATS = ("text", "markdown", "latex", "csv")
ESTIMATED = "rotation R², pooled, estimated"
ESTIMATE = (
    "The estimated pooled R² of rows that give the uniform one is 0.229 + 0.771 · R², exact only where every component of the "
    "quaternion leaves the same share of its variance unexplained."
)


@dataclass(frozen=True)
class Column:
    """One column: the scores that fill it, the first one present being taken.

    Attributes:
        title: head of the column.
        keys: of scores.
        published: column of the file of published rows.
        scale: factor before printing.
        digits: after the decimal point.
        unit: such as "%" or "°".
        better: "up" or "down".
    """

    title: str
    keys: tuple[str, ...]
    published: str = ""
    scale: float = 1.0
    digits: int = 3
    unit: str = ""
    better: str = "up"

    def show(self, value: float | None, std: float | None = None) -> str:
        """The value as it stands in a table, with its standard deviation if there is one."""
        if value is None:
            return ""
        text = f"{value * self.scale:.{self.digits}f}"
        return text if std is None else f"{text} ± {std * self.scale:.{self.digits}f}"


COLUMNS = (
    Column("top-1", ("classification/whole/top1",), "top1", 100, 1, "%"),
    Column("top-5", ("classification/whole/top5",), "", 100, 1, "%"),
    Column("top-1, invariant part", ("classification/invariant/top1",), "", 100, 1, "%"),
    Column("top-1, equivariant part", ("classification/equivariant/top1",), "", 100, 1, "%"),
    Column("rotation R², pooled", ("rotation/whole/r2_pooled",), "rotation_r2:pooled"),
    Column("rotation R², uniform", ("rotation/whole/r2_uniform",), "rotation_r2:uniform"),
    Column("rotation R², uniform, invariant part", ("rotation/invariant/r2_uniform",)),
    Column("rotation R², uniform, equivariant part", ("rotation/equivariant/r2_uniform",)),
    Column("rotation error, median", ("rotation/whole/median_degrees",), "", 1, 1, "°", "down"),
    Column("colour R², pooled", ("colour/whole/r2_pooled",), "color_r2:pooled"),
    Column("colour R², uniform", ("colour/whole/r2_uniform",), "color_r2:uniform"),
    Column("PRE", ("retrieval/val-val/pre",), "", better="down"),
    Column("MRR", ("retrieval/val-val/mrr",), "mrr"),
    Column("H@1", ("retrieval/val-val/hit_at_1",), "hit_at_1"),
    Column("H@5", ("retrieval/val-val/hit_at_5",), "hit_at_5"),
)


@dataclass
class Row:
    """One row of the table.

    Attributes:
        name: of the method, or of a baseline.
        protocol: how the numbers came about.
        cells: value and standard deviation for each title that is filled.
        kind: "ours", "baseline" or "published".
    """

    name: str
    protocol: str
    cells: dict[str, tuple[float, float | None]] = field(default_factory=dict)
    kind: str = "ours"


def build_rows(results: Sequence[Results]) -> list[Row]:
    """A row for each kind of training, its runs with other seeds put together as mean ± std, and the baselines below."""
    groups: dict[str, list[Results]] = {}
    for result in results:
        groups.setdefault(json.dumps([result.method, training_of(result), result.data], sort_keys=True), []).append(
            result
        )
    rows = [_row_of_runs(group) for group in groups.values()]
    for name in ("random weights", "constant", "oracle"):
        books = [result.baselines[name] for result in results if name in result.baselines]
        if books:
            rows.append(Row(name, "baseline", _cells([books[0]]), "baseline"))
    return rows


def training_of(result: Results) -> dict[str, Any]:
    """The settings of the training without those in which runs of one group may differ."""

    def strip(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: strip(inner) for key, inner in value.items() if key not in ("seed", "num_workers", "devices")}
        return value

    return strip(result.training)


def describe_group(group: Sequence[Results]) -> str:
    """How the numbers of a group of runs came about, in a few words."""
    first = group[0]
    trainer = first.training.get("trainer", {})
    length = f"{trainer['steps']} steps" if trainer.get("steps") else f"{trainer.get('epochs')} epochs"
    seeds = len(group) if len(group) > 1 else len(first.protocol["seeds"])
    kind = "run" if len(group) > 1 else "probe seed"
    words = [
        f"{first.data.get('name', 'data')} {first.data.get('evaluated_size', '')}px",
        *([length] if trainer else []),
        f"probes {first.protocol['probes']['epochs']} epochs",
        f"{seeds} {kind}{'s' if seeds > 1 else ''}",
    ]
    return ", ".join(words)


def label_of(result: Results) -> str:
    """The method's name with its transform, where it has one."""
    transform = result.training.get("method_settings", {}).get("transform")
    has_one = transform is not None and ("retrieval/val-val/mrr" in result.scores.scores or transform != "rotation")
    return (
        f"{result.method} ({transform})" if has_one else (result.name if result.method == "backbone" else result.method)
    )


def _row_of_runs(group: Sequence[Results]) -> Row:
    return Row(label_of(group[0]), describe_group(group), _cells([result.scores for result in group]))


def _cells(books: Sequence[ScoreBook]) -> dict[str, tuple[float, float | None]]:
    cells: dict[str, tuple[float, float | None]] = {}
    for column in COLUMNS:
        found = [score for book in books if (score := _find(book, column)) is not None]
        if len(found) > 1:
            means = [score.mean for score in found]
            cells[column.title] = (statistics.fmean(means), statistics.stdev(means))
        elif found:
            cells[column.title] = (found[0].mean, found[0].std)
    return cells


def _find(book: ScoreBook, column: Column) -> Score | None:
    return next((book.scores[key] for key in column.keys if key in book.scores), None)


def published_rows() -> list[Row]:
    """What papers report, each with its protocol, every R² in the column of its kind."""
    lines = files("iebench").joinpath("data/published_results.csv").read_text(encoding="utf-8").splitlines()
    return [_published_row(row) for row in csv.DictReader(lines)]


def _published_row(row: Mapping[str, str]) -> Row:
    cells: dict[str, tuple[float, float | None]] = {}
    for column in COLUMNS:
        name, _, kind = column.published.partition(":")
        if name and row[name] and kind in ("", row["r2_kind"]):
            cells[column.title] = (float(row[name]) / column.scale, None)
    transform = "" if row["transform"] == "none" else f" ({row['transform']})"
    return Row(f"{row['method']}{transform}", f"{row['protocol']}; {row['source']}", cells, "published")


def used_columns(rows: Sequence[Row]) -> list[Column]:
    """The columns that some row fills."""
    return [column for column in COLUMNS if any(column.title in row.cells for row in rows)]


def to_grid(rows: Sequence[Row], estimate: bool = False) -> list[list[str]]:
    """Head and rows as text; with `estimate`, a column that says what rows with a uniform R² would score pooled."""
    columns = used_columns(rows)
    head = ["method", *(c.title + (f", {c.unit}" if c.unit else "") for c in columns)]
    body = [
        [row.name, *(column.show(*row.cells.get(column.title, (None, None))) for column in columns)] for row in rows
    ]
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


def format_table(rows: Sequence[Row], form: str = "text") -> str:
    """The table as text, Markdown, LaTeX or CSV; published rows bring the estimate and its caution with them."""
    published = any(row.kind == "published" for row in rows)
    grid = to_grid(rows, estimate=published)
    makers: dict[str, Callable[[list[list[str]]], str]] = {
        "text": _as_text,
        "markdown": _as_markdown,
        "latex": _as_latex,
        "csv": _as_csv,
    }
    note = f"\n{ESTIMATE}\n" if published and form in ("text", "markdown") else ""
    return makers[form](grid) + note


def _as_text(grid: list[list[str]]) -> str:
    """One block for each row's name, a line for each score: wide tables do not fit a terminal."""
    titles = grid[0][1:-1]
    width = max(len(line[0]) for line in grid)
    blocks = []
    for line in grid[1:]:
        filled = [(title, cell) for title, cell in zip(titles, line[1:-1], strict=True) if cell]
        wide = max((len(title) for title, _ in filled), default=0)
        blocks.append(f"{line[0]:{width}s}  {line[-1]}\n" + "".join(f"    {t:{wide}s}  {c}\n" for t, c in filled))
    return "".join(blocks)


def _as_markdown(grid: list[list[str]]) -> str:
    rows = [[cell.replace("|", "\\|") for cell in line] for line in grid]
    rule = ["---", *["--:"] * (len(grid[0]) - 2), "---"]
    return "".join("| " + " | ".join(line) + " |\n" for line in [rows[0], rule, *rows[1:]])


def _as_latex(grid: list[list[str]]) -> str:
    signs = {"±": r"$\pm$", "%": r"\%", "°": r"$^\circ$", "²": "$^2$", "_": r"\_", "&": r"\&", "≈": r"$\approx$"}
    lines = [" & ".join("".join(signs.get(sign, sign) for sign in cell) for cell in line) + r" \\" for line in grid]
    body = [r"\toprule", lines[0], r"\midrule", *lines[1:], r"\bottomrule"]
    return "\n".join([rf"\begin{{tabular}}{{l{'r' * (len(grid[0]) - 2)}l}}", *body, r"\end{tabular}", ""])


def _as_csv(grid: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(grid)
    return text.getvalue()
