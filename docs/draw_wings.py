"""Draws the wings of iebench from the code's own imports to docs/images/wings.svg, and lists their files in docs/architecture.md.

Run as `python docs/draw_wings.py`; a test holds both against the code.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PICTURE, PAGE = ROOT / "docs" / "images" / "wings.svg", ROOT / "docs" / "architecture.md"
TREE_START, TREE_END = "<!-- tree: written by docs/draw_wings.py -->\n```\n", "```\n<!-- end of the tree -->"
# A wing's modules begin with its name; the ground is what is in no wing.
WINGS = ("cli", "explore", "sharing", "report", "models", "evals", "render", "loader", "dataset", "factors", "ground")
FOLDERS = {"render": ROOT / "render", "models": ROOT / "models"}
FACES = ("iebench", "iebench.__main__", "iebench.callbacks")  # they name what lies in the wings, and belong to none

Arrow = tuple[str, str]  # from the module or wing that imports to the one that is imported

BOX_WIDTH, BOX_HEIGHT, FLOOR_HEIGHT, MARGIN = 176, 52, 92, 24
COLUMNS = {"render": 0, "explore": 0, "models": 2}  # all others stand in the middle


def list_modules() -> dict[str, Path]:
    """Every module of the package by its dotted name, packages by theirs."""
    roots = {"iebench": ROOT / "iebench", **{f"iebench.{name}": folder for name, folder in FOLDERS.items()}}
    modules = {}
    for package, folder in roots.items():
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            if package == "iebench" and parts[0] in FOLDERS:
                continue  # the symlinks
            modules[".".join([package, *(part for part in parts if part != "__init__")])] = path
    return modules


def wing_of(module: str) -> str:
    """The wing in which a module stands."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in WINGS else "ground"


@cache
def read_file(path: Path) -> tuple[frozenset[str], str]:
    """Dotted names that a file imports, wherever in it, inside functions and under TYPE_CHECKING too; and its docstring.

    Raises:
        ValueError: an import is relative, so that it could not be followed.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{path} has a relative import")
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names), ast.get_docstring(tree) or ""


def read_imports(path: Path) -> frozenset[str]:
    """Dotted names that a file imports."""
    return read_file(path)[0]


@cache
def find_arrows() -> frozenset[Arrow]:
    """(importing module, imported module) for all modules of the package but its faces."""
    modules = list_modules()
    return frozenset(
        (importer, target)
        for importer, path in modules.items()
        if importer not in FACES
        for name in read_imports(path)
        if (target := _longest_module(name, modules)) is not None and target != importer
    )


def _longest_module(name: str, modules: Iterable[str]) -> str | None:
    """The module that an import of `package.module.name` reads."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name or None


def arrows_between_wings() -> set[Arrow]:
    """(importing wing, imported wing), without those inside a wing."""
    pairs = {(wing_of(importer), wing_of(target)) for importer, target in find_arrows()}
    return {(importer, target) for importer, target in pairs if importer != target}


def floors_of(arrows: Iterable[Arrow]) -> dict[str, int]:
    """The floor of every node: one above the highest that it imports.

    Raises:
        ValueError: there is a circle.
    """
    below: dict[str, set[str]] = {}
    for importer, target in arrows:
        below.setdefault(importer, set()).add(target)
        below.setdefault(target, set())
    floors: dict[str, int] = {}
    while len(floors) < len(below):
        ready = [node for node in below if node not in floors and below[node] <= set(floors)]
        if not ready:
            raise ValueError(f"a circle among {sorted(set(below) - set(floors))}")
        floors |= {node: 1 + max((floors[other] for other in below[node]), default=-1) for node in ready}
    return floors


def purpose_of(wing: str) -> str:
    """The first words of a wing's docstring."""
    if wing == "ground":
        return "classes, errors, files"
    return re.split(r"[:,.]", read_file(list_modules()[f"iebench.{wing}"])[1])[0].lower()


def draw() -> str:
    """The picture as SVG text."""
    arrows = arrows_between_wings()
    floors = floors_of(arrows)
    top = max(floors.values())
    width, height = 3 * BOX_WIDTH + 6 * MARGIN, (top + 1) * FLOOR_HEIGHT + 8
    corners = {
        wing: (MARGIN + COLUMNS.get(wing, 1) * (BOX_WIDTH + 2 * MARGIN), 8 + (top - floor) * FLOOR_HEIGHT)
        for wing, floor in floors.items()
    }
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="15" role="img" aria-label="The wings of iebench; every import goes down.">',
        "<style>svg{color:#1f2328}@media(prefers-color-scheme:dark){svg{color:#d1d7e0}}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="currentColor"/></marker></defs>',
        *(_draw_arrow(corners[a], corners[b]) for a, b in sorted(_reduce(arrows))),
        *(_draw_box(wing, corners[wing]) for wing in sorted(corners)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _reduce(arrows: set[Arrow]) -> Iterator[Arrow]:
    """The arrows that no path of others replaces: who imports a wing may import what lies below it too."""
    reach: dict[str, set[str]] = {}
    for wing, _ in sorted(floors_of(arrows).items(), key=lambda item: item[1]):
        targets = {target for importer, target in arrows if importer == wing}
        reach[wing] = targets.union(*(reach[target] for target in targets))
    for importer, target in arrows:
        if not any(target in reach[other] for first, other in arrows if first == importer and other != target):
            yield importer, target


def _draw_arrow(start: tuple[int, int], end: tuple[int, int]) -> str:
    x1, y1 = start[0] + BOX_WIDTH / 2, start[1] + BOX_HEIGHT
    x2, y2 = end[0] + BOX_WIDTH / 2, end[1] - 1
    x2 += max(-1, min(1, (x1 - x2) / BOX_WIDTH)) * BOX_WIDTH / 3
    line = f"M{x1:.0f} {y1} C{x1:.0f} {(y1 + y2) / 2:.0f} {x2:.0f} {(y1 + y2) / 2:.0f} {x2:.0f} {y2}"
    return f'<path d="{line}" fill="none" stroke="currentColor" stroke-opacity=".55" marker-end="url(#tip)"/>'


def _draw_box(wing: str, corner: tuple[int, int]) -> str:
    x, y = corner
    middle = x + BOX_WIDTH / 2
    return (
        f'<rect x="{x}" y="{y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8" fill="#0072b2" fill-opacity=".14" '
        f'stroke="currentColor" stroke-opacity=".5"/>'
        f'<text x="{middle:.0f}" y="{y + 23}" text-anchor="middle" fill="currentColor" font-weight="600">{wing}</text>'
        f'<text x="{middle:.0f}" y="{y + 42}" text-anchor="middle" fill="currentColor" font-size="12" opacity=".75">'
        f"{purpose_of(wing)}</text>"
    )


def list_files() -> str:
    """Every file of every wing and of benchmarks/ with its purpose, the first sentence of its docstring."""
    modules = list_modules()
    folders: dict[Path, list[Path]] = {}
    for path in [*modules.values(), *sorted((ROOT / "benchmarks").glob("*.py"))]:
        if path.name != "__init__.py":
            folders.setdefault(path.parent, []).append(path)
    order = sorted(folders, key=lambda folder: folder.relative_to(ROOT).as_posix())
    lines = []
    for folder in order:
        lines.append(f"{folder.relative_to(ROOT).as_posix()}/")
        lines += [
            f"    {path.name:{max(24, len(path.name) + 2)}s}{_first_sentence(path)}" for path in sorted(folders[folder])
        ]
    return "\n".join(lines) + "\n"


def _first_sentence(path: Path) -> str:
    return read_file(path)[1].split("\n\n")[0].replace("\n", " ").split(". ")[0].rstrip(".")


def page_with_tree() -> str:
    """docs/architecture.md with the tree as it is now."""
    before, rest = PAGE.read_text(encoding="utf-8").split(TREE_START)
    return before + TREE_START + list_files() + TREE_END + rest.split(TREE_END)[1]


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
    PAGE.write_text(page_with_tree(), encoding="utf-8")
    print(
        f"{PICTURE.relative_to(ROOT)}: {len(arrows_between_wings())} arrows between {len(WINGS)} wings, all going down"
    )
