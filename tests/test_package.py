"""The rooms and the arrows between them, and what is in the wheel."""

import ast
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = {"iebench.render": ROOT / "render", "iebench.models": ROOT / "models", "iebench": ROOT / "iebench"}


def modules(room: str) -> list[Path]:
    folder = ROOMS[room]
    return sorted(
        path for path in folder.rglob("*.py") if not {"render", "models"} & set(path.relative_to(folder).parts)
    )


def imports(path: Path) -> set[str]:
    """Dotted names that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize(
    ("room", "banned"),
    [
        ("iebench.render", ("torch", "lightning", "iebench.models")),
        ("iebench.models", ("bpy", "mathutils", "iebench.render")),
        ("iebench", ("bpy", "mathutils", "iebench.render", "iebench.models")),
    ],
)
def test_arrows_between_the_rooms(room, banned):
    for path in modules(room):
        if room == "iebench" and path.name.startswith("cli"):
            continue  # the command line sees all three, inside its functions
        wrong = {name for name in imports(path) for word in banned if f"{name}.".startswith(f"{word}.")}
        assert not wrong, f"{path.relative_to(ROOT)} imports {wrong}"


def test_only_one_module_speaks_to_blender():
    users = {path.name for path in modules("iebench.render") if {"bpy"} & {n.split(".")[0] for n in imports(path)}}
    assert users == {"blender.py"}


def test_rooms_are_flat():
    for room in ("render", "models"):
        assert not [path for path in (ROOT / room).iterdir() if path.is_dir() and path.name != "__pycache__"]


def test_import_needs_neither_torch_nor_blender():
    code = "import iebench, iebench.cli, sys; assert not {'torch', 'bpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_lazy_names_are_there():
    import iebench

    for name in iebench.__all__:
        assert getattr(iebench, name)
    with pytest.raises(AttributeError, match="no attribute 'Pears'"):
        iebench.Pears  # noqa: B018


@pytest.mark.slow
def test_wheel_holds_every_module(tmp_path):
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    for room, folder in ROOMS.items():
        for path in modules(room):
            assert f"{room.replace('.', '/')}/{path.relative_to(folder).as_posix()}" in packed
    assert "iebench/data/classes.csv" in packed


def purpose(path: Path) -> str:
    """The first sentence of a module's docstring."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.split("\n\n")[0].replace("\n", " ").split(". ")[0].rstrip(".")


def test_readme_has_the_tree_with_a_purpose_for_every_file():
    lines = []
    for folder in ("iebench", "iebench/evals", "render", "models", "benchmarks"):
        lines.append(f"{folder}/")
        lines += [f"    {path.name:24s}{purpose(path)}" for path in sorted((ROOT / folder).glob("*.py"))]
    tree = "\n".join(lines)
    assert tree in (ROOT / "README.md").read_text(encoding="utf-8"), f"README.md should hold this tree:\n{tree}"


def test_readme_names_every_command():
    from iebench.cli import COMMANDS

    pages = "".join(path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
    for command in COMMANDS:
        assert f"iebench {command.name}" in pages, f"`iebench {command.name}` stands on no page"
        help = command.get_short_help_str(limit=59)  # what a terminal of 80 columns has room for
        assert help and not help.endswith("..."), f"`iebench {command.name}` has no help, or too long a one"


def test_an_output_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file.txt").touch()
    command = [
        sys.executable,
        "-m",
        "iebench.cli",
        "objects",
        "export",
        str(tmp_path / "file.txt" / "out"),
        "--classes",
        "mug",
    ]
    told = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert told.returncode == 1
    assert re.fullmatch(
        r"Error: .*file\.txt/out\S* cannot be read or written \(not a directory\): [^.]*\.\n", told.stderr
    )
