"""iebench starts whatever lies in the working folder."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from checkout import copy_checkout
from solids import SOLIDS

import iebench
from iebench.child_process import python_command

HOME = str(Path(iebench.__file__).parent.parent)


@pytest.fixture
def folder(tmp_path):
    """A working folder with a clone's folder `iebench`, and files that bear names of Python's modules."""
    (tmp_path / "iebench" / "tests").mkdir(parents=True)
    for name in ("random", "numpy", "simplejpeg"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a module of the working folder was imported')")
    (tmp_path / "solids.py").write_text(SOLIDS)
    return tmp_path


def test_a_child_runs_the_iebench_of_its_parent(folder):
    told = subprocess.run(python_command("iebench", "--version"), capture_output=True, text=True, cwd=folder)
    assert told.stdout == f"iebench, version {iebench.__version__}\n", told.stderr


@pytest.mark.slow
@pytest.mark.parametrize("objects", ["procedural", "solids:Solids"])
def test_a_render_imports_nothing_from_the_working_folder_but_what_is_named(folder, objects):
    words = ["--objects", objects, "--classes", "1", "--objects-per-class", "2", "--views", "1", "--size", "16"]
    command = [sys.executable, "-P", "-m", "iebench", "render", *words, "--quality", "preview", "--out", "out"]
    environment = {**os.environ, "PYTHONPATH": HOME}
    told = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment)
    assert told.returncode == 0 and "out: 2 objects, 2 views" in told.stdout, told.stderr


SPAWN = """
import multiprocessing
import sys

from iebench.cli.main import main

if __name__ == "__main__":
    sys.argv = ["iebench", "classes"]
    main()
    child = multiprocessing.get_context("forkserver").Process(target=print, args=("a child",))
    child.start()
    child.join()
    sys.exit(child.exitcode)
"""


@pytest.mark.slow
def test_children_of_multiprocessing_import_nothing_from_the_working_folder(folder, tmp_path_factory):
    script = tmp_path_factory.mktemp("bin") / "start.py"
    script.write_text(SPAWN)
    environment = {**os.environ, "PYTHONPATH": HOME}
    told = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=folder, env=environment)
    assert told.returncode == 0 and told.stdout.endswith("a child\n"), told.stderr


@pytest.mark.slow
def test_a_script_beside_an_editable_clone_finds_the_package(folder, tmp_path_factory):
    """The folder that holds a clone holds a folder `iebench`, which Python would take for a package without code."""
    built = tmp_path_factory.mktemp("built")
    build = f"from setuptools.build_meta import build_editable; build_editable({str(built)!r})"
    clone = copy_checkout(tmp_path_factory.mktemp("clone"))
    subprocess.run([sys.executable, "-c", build], check=True, capture_output=True, cwd=clone)
    (wheel,) = built.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(built / "site-packages")
    for name in ("random", "numpy", "simplejpeg"):
        (folder / f"{name}.py").unlink()
    script = folder / "mine.py"
    script.write_text(
        f"import site; site.addsitedir({str(built / 'site-packages')!r})\n"
        "from iebench import Dataset; import iebench.render.farm, iebench.models; print(Dataset)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    told = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=folder, env=environment)
    assert told.returncode == 0, told.stderr
