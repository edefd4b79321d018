"""What is in the package: lazy names, the wheel, a page and a help for every command."""

import os
import re
import subprocess
import sys
import zipfile

import pytest
from checkout import ROOT, copy_checkout


def test_rooms_are_flat():
    for room in ("render", "models"):
        assert not [path for path in (ROOT / room).iterdir() if path.is_dir() and path.name != "__pycache__"]


def test_import_needs_neither_torch_nor_blender():
    code = "import iebench, iebench.cli.main, sys; assert not {'torch', 'bpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


@pytest.mark.slow
def test_the_base_needs_no_extra():
    extras = (
        "lightning",
        "tensorboard",
        "webdataset",
        "bpy",
        "trimesh",
        "shapely",
        "jinja2",
        "matplotlib",
        "ray",
        "fsspec",
    )
    code = f"import sys; sys.modules.update(dict.fromkeys({extras})); import iebench; [getattr(iebench, n) for n in sys.argv[1:]]"
    names = ["Dataset", "MultiViewDataset", "PairDataset", "ViewDataset", "evaluate", "load"]
    subprocess.run([sys.executable, "-c", code, *names], check=True, cwd=ROOT)
    subprocess.run([sys.executable, "-m", "iebench", "train", "--help"], check=True, cwd=ROOT, capture_output=True)


def test_doctor_tells_that_blender_is_missing(tmp_path):
    """Whoever has not installed what renders asks it what to do; Blender is probed in a process of its own."""
    for name in ("bpy", "trimesh", "shapely", "mapbox_earcut"):
        (tmp_path / f"{name}.py").write_text(
            f"""raise ModuleNotFoundError("No module named '{name}'", name='{name}')"""
        )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    told = subprocess.run(
        [sys.executable, "-m", "iebench", "doctor"], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert told.returncode == 1
    assert "Blender is not installed: run `pip install 'iebench[render]'`" in told.stdout, told.stdout + told.stderr


def test_lazy_names_are_there():
    import iebench

    for name in iebench.__all__:
        assert getattr(iebench, name)
    with pytest.raises(AttributeError, match="no attribute 'Pears'"):
        iebench.Pears  # noqa: B018


@pytest.mark.slow
def test_wheel_holds_every_file_and_no_other(tmp_path):
    source = copy_checkout(tmp_path / "source")
    build = f"from setuptools.build_meta import build_wheel; build_wheel({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", build], check=True, capture_output=True, cwd=source)
    (wheel,) = tmp_path.glob("*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    code = {"iebench": "iebench", "render": "iebench/render", "models": "iebench/models"}
    files = {
        f"{place}/{path.relative_to(source / folder)}"
        for folder, place in code.items()
        for path in (source / folder).rglob("*")
        if path.is_file()
    }
    assert packed == files


def test_readme_names_every_command():
    from iebench.cli.main import COMMANDS

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
        "iebench",
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


def test_every_recipe_names_the_libraries_that_blender_needs():
    from iebench.render.system import LIBRARIES

    for path in (ROOT / "Containerfile", ROOT / ".ci" / "run", ROOT / "docs" / "install.md"):
        text = path.read_text(encoding="utf-8")
        assert not [package for package in LIBRARIES.values() if package not in text], path
