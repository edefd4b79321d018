"""The pages of the leaderboard, Markdown and sortable HTML, from its entries."""

import re
from collections.abc import Sequence
from importlib.resources import files
from itertools import groupby
from pathlib import Path

from iebench.errors import IebenchError
from iebench.escapes import markdown_cell, printable
from iebench.evals.columns import Cell, Column
from iebench.evals.table import Row, build_rows, format_table, to_grid, used_columns
from iebench.files import write_whole
from iebench.sharing.boards import Board, get_board, read_boards
from iebench.sharing.entry import Entry, read_entry
from iebench.sharing.entry_checks import check_all

PAGE, SORTABLE = "leaderboard.md", "leaderboard.html"
_MAIN = (
    "top-1",
    "rotation R², uniform",
    "rotation R², pooled",
    "rotation error, median",
    "color R², uniform",
    "MRR",
    "PRE",
)
_HEAD = """# Leaderboard

Each row is checked from its file in `leaderboard/` before it stands here ([what a check can tell](submitting.md)); runs that
differ in their seed alone are one row, mean ± standard deviation. `iebench leaderboard` writes this page, and
[a sortable one](leaderboard.html).
"""


def read_board_entries(folder: Path, boards: Sequence[Board] | None = None) -> list[tuple[Entry, Board]]:
    """All entries of a leaderboard with their boards, checked, in the order of boards and methods.

    Raises:
        IebenchError: there is none, or one cannot be true.
    """
    known = read_boards() if boards is None else boards
    paths = sorted(folder.glob("*.json"))
    if not paths:
        raise IebenchError(f"{folder} has no entry: `iebench submit RUN --out {folder}` writes one.")
    found = [(entry := read_entry(path), get_board(entry.board, known, str(path))) for path in paths]
    check_all(found)
    for path, (entry, _) in zip(paths, found, strict=True):
        if path.name != entry.file_name:
            raise IebenchError(f"{path} holds the entry that belongs into {entry.file_name}: rename it.")
    order = [board.name for board in known]
    return sorted(found, key=lambda pair: (order.index(pair[1].name), pair[0].method, pair[0].name))


def write_leaderboard(folder: Path, out: Path, boards: Sequence[Board] | None = None) -> list[Path]:
    """Check all entries of a folder and write both pages into another; returns their paths.

    Raises:
        IebenchError: an entry cannot be true.
    """
    entries = read_board_entries(folder, boards)
    pages = {PAGE: write_markdown(entries), SORTABLE: write_html(entries)}
    out.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        write_whole(out / name, text)
    return [out / name for name in pages]


def write_markdown(entries: Sequence[tuple[Entry, Board]]) -> str:
    """The page in Markdown."""
    parts = [_HEAD]
    for board, group in _by_board(entries):
        parts += [f"## {board.title}\n", _describe_board(board), format_table(_rows(group, board), "markdown")]
        parts += ["### Entries\n", _list_entries(group)]
    return "\n".join(parts)


def _by_board(entries: Sequence[tuple[Entry, Board]]) -> list[tuple[Board, list[Entry]]]:
    groups = groupby(entries, key=lambda pair: pair[1].name)
    return [(found[0][1], [entry for entry, _ in found]) for found in (list(group) for _, group in groups)]


def _rows(entries: Sequence[Entry], board: Board) -> list[Row]:
    """Rows with the main columns, the best rotation first."""
    rows = build_rows([entry.to_results(board) for entry in entries])
    for row in rows:
        row.columns = tuple(column for column in row.columns if column.title in _MAIN)
    none = Cell(float("-inf"))
    return sorted(rows, key=lambda row: -row.cells.get("rotation R², uniform", none).value)


def _describe_board(board: Board) -> str:
    splits = ", ".join(f"{counts['objects']} {split}" for split, counts in board.data["splits"].items())
    return (
        f"Objects: {splits}, {board.data['num_views']} views each. Identity of the data `{board.data['identity']}`, "
        f"hash of data and protocol `{board.protocol_hash[:16]}`.\n"
    )


def _list_entries(entries: Sequence[Entry]) -> str:
    head = "| entry | trained on | weights, SHA-256 | where | bound by | iebench | torch |\n|---|---|---|---|---|---|---|\n"
    return head + "".join(
        f"| {markdown_cell(entry.name)} | {markdown_cell(str(entry.training.get('dataset', {}).get('name', '')))} "
        f"| `{entry.weights['tensors'][:16]}` | {markdown_cell(entry.weights['at'] or 'not published')} | {entry.bound_by} "
        f"| {markdown_cell(entry.versions['iebench'])} | {markdown_cell(entry.versions['torch'])} |\n"
        for entry in entries
    )


def write_html(entries: Sequence[tuple[Entry, Board]]) -> str:
    """The sortable page, one file that asks for nothing else."""
    from jinja2 import Environment

    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = files("iebench.sharing").joinpath("leaderboard.html.j2").read_text(encoding="utf-8")
    tables = [_make_table(board, _rows(group, board)) for board, group in _by_board(entries)]
    return environment.from_string(template).render(tables=tables) + "\n"


def _make_table(board: Board, rows: Sequence[Row]) -> dict[str, object]:
    columns: list[Column] = used_columns(rows)
    grid = to_grid(rows)
    body = [[(printable(cell), _sort_key(cell)) for cell in line] for line in grid[1:]]
    kinds = ["", *(column.better for column in columns), ""]
    return {"title": board.title, "head": list(zip(grid[0], kinds, strict=True)), "body": body}


def _sort_key(cell: str) -> str:
    """The number that a cell begins with, else the cell."""
    found = re.match(r"-?\d+(\.\d+)?", cell)
    return found[0] if found else printable(cell)
