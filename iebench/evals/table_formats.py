"""A table of text as a block for each row, as Markdown, LaTeX or CSV."""

import csv
import io
from collections.abc import Callable

from iebench.escapes import csv_cell, latex_cell, markdown_cell, printable


def _as_text(grid: list[list[str]]) -> str:
    """One block for each row's name, a line for each score: wide tables do not fit a terminal."""
    titles = grid[0][1:-1]
    width = max(len(line[0]) for line in grid)
    blocks = []
    for line in ([printable(cell) for cell in line] for line in grid[1:]):
        filled = [(title, cell) for title, cell in zip(titles, line[1:-1], strict=True) if cell]
        wide = max((len(title) for title, _ in filled), default=0)
        blocks.append(f"{line[0]:{width}s}  {line[-1]}\n" + "".join(f"    {t:{wide}s}  {c}\n" for t, c in filled))
    return "".join(blocks)


def _as_markdown(grid: list[list[str]]) -> str:
    has_protocols = any(line[-1] for line in grid[1:])
    rows = [[markdown_cell(cell) for cell in line[: None if has_protocols else -1]] for line in grid]
    rule = ["---", *["--:"] * (len(grid[0]) - 2), *["---"] * has_protocols]
    return "".join("| " + " | ".join(line) + " |\n" for line in [rows[0], rule, *rows[1:]])


def _as_latex(grid: list[list[str]]) -> str:
    lines = [" & ".join(map(latex_cell, line)) + r" \\" for line in grid]
    body = [r"\toprule", lines[0], r"\midrule", *lines[1:], r"\bottomrule"]
    return "\n".join([rf"\begin{{tabular}}{{l{'r' * (len(grid[0]) - 2)}l}}", *body, r"\end{tabular}", ""])


def _as_csv(grid: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(map(csv_cell, line) for line in grid)
    return text.getvalue()


FORMATS: dict[str, Callable[[list[list[str]]], str]] = {
    "text": _as_text,
    "markdown": _as_markdown,
    "latex": _as_latex,
    "csv": _as_csv,
}
