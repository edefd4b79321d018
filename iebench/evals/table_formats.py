"""A table's head and rows as text, Markdown, LaTeX or CSV; the last column is the protocol."""

import csv
import io
from collections.abc import Callable


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


FORMATS: dict[str, Callable[[list[list[str]]], str]] = {
    "text": _as_text,
    "markdown": _as_markdown,
    "latex": _as_latex,
    "csv": _as_csv,
}
