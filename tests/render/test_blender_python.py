"""Workers run in another Python where this one has no Blender."""

import hashlib
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from drawn_work import draw, small_job
from solids import SOLIDS

from iebench.child_process import python_command
from iebench.errors import UsageError
from iebench.render import blender_python
from iebench.render.blender_python import MODULES, VARIABLE, WHEELS, find_blender_python, tell_install
from iebench.render.farm import render_dataset

ROOT = Path(__file__).parents[2]
NO_BLENDER = "import sys; sys.modules['bpy'] = None; from iebench.cli.main import main; main()"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine whose commands are those that a test writes; this Python has no Blender."""
    monkeypatch.setattr(blender_python, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv(VARIABLE, raising=False)
    find_blender_python.cache_clear()

    def write(name, script):
        path = tmp_path / name if "/" in name else tmp_path / "bin" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return str(path)

    yield write
    find_blender_python.cache_clear()


def answer(version, missing=()):
    """A Python that has all modules of a worker but those that are missing."""
    return f"echo '{json.dumps([version, missing])}'"


def test_the_wheels_are_those_of_the_package():
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["render"]
    assert [f"{bpy}; python_version == '{version}'" for version, bpy in WHEELS.items()] == extra[: len(WHEELS)]
    assert {line.split(">")[0] for line in extra[len(WHEELS) :]} <= set(MODULES.values())


def test_the_first_python_with_blender_is_found(machine, tmp_path):
    assert find_blender_python() == sys.executable, "where none has Blender, this one tells what is missing"
    find_blender_python.cache_clear()
    machine("python3.11", "exit 127")  # what pyenv leaves for a Python that is not switched on
    last = machine("python3.13", answer("3.13"))
    assert find_blender_python() == last
    find_blender_python.cache_clear()
    uv = machine("elsewhere/python", answer("3.11"))
    machine("uv", f"echo {uv}")
    machine("python3.13", answer("3.13", ["bpy"]))
    assert find_blender_python() == uv
    find_blender_python.cache_clear()
    own = machine("data/iebench/blender/bin/python", answer("3.11"))
    assert find_blender_python() == own


def test_a_given_python_is_taken_or_refused_in_one_sentence(machine, monkeypatch):
    good = machine("good", answer("3.13"))
    assert find_blender_python("good") == find_blender_python(good) == good
    machine("echo", 'echo "$@"')
    for name in ("nowhere", "echo", "/"):
        with pytest.raises(
            UsageError, match=f"^--blender-python {name}: there is no Python 3.11 or newer by that name"
        ):
            find_blender_python(name)
    machine("bare", answer("3.13", ["bpy", "PIL"]))
    with pytest.raises(UsageError, match=r"bare lacks bpy, PIL: run `bare -m pip install 'bpy==5.2.\*' pillow`"):
        find_blender_python("bare")
    machine("new", answer("3.14", ["bpy"]))
    monkeypatch.setenv(VARIABLE, "new")
    with pytest.raises(UsageError, match=f"^{VARIABLE} new is Python 3.14, for which Blender has no wheel"):
        find_blender_python()


def test_the_advice_fits_the_machine(machine, tmp_path):
    folder = tmp_path / "data" / "iebench" / "blender"
    assert tell_install().startswith(f"pip install uv && uv venv --python 3.11 {folder} && uv pip install ")
    machine("python3.11", "exit 127")
    machine("python3.13", "exit 0")
    assert tell_install().startswith(f"python3.13 -m venv {folder} && {folder}/bin/python -m pip install 'bpy==5.2.*' ")
    machine("uv", "exit 0")
    assert tell_install().startswith(f"uv venv --python 3.11 {folder} && uv pip install ")


def test_another_python_keeps_apart_from_what_is_built_for_this_one(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", [str(tmp_path), "/x/lib/python3.12/site-packages", str(Path(os.__file__).parent)])
    command = python_command("iebench", shares_path=True, python="python3.13")
    assert command[:3] == ["python3.13", "-E", "-P"]
    assert json.loads(command[4]) == [str(tmp_path)]


def digest(root):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(root.glob("*.tar"))}


@pytest.mark.slow
def test_a_python_without_blender_renders_the_same_bytes(tmp_path):
    """With another Python that is found on PATH, of objects that the working folder's code makes."""
    (tmp_path / "solids.py").write_text(SOLIDS)
    command = tmp_path / "bin" / "python3.11"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    command.chmod(0o755)
    environment = {**os.environ, "PATH": f"{command.parent}:/bin:/usr/bin", "XDG_DATA_HOME": str(tmp_path)}
    words = ["--objects", "solids:Solids", "--views", "1", "--size", "16", "--quality", "preview", "--out"]
    for start, out in ((["-m", "iebench"], "with"), (["-c", NO_BLENDER], "without")):
        told = subprocess.run(
            [sys.executable, *start, "render", *words, out],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert told.returncode == 0, told.stderr
    assert digest(tmp_path / "with") == digest(tmp_path / "without") != {}


def test_a_render_is_not_continued_with_another_blender(tmp_path):
    """Python and Blender may be found elsewhere the next time; pictures of two releases are not of one dataset."""

    def stop_at_three(number):
        if number == 3:
            raise KeyboardInterrupt

    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        render_dataset(small_job(), out, lambda tasks: draw(tasks, stop_at_three, blender="4.5.14"))
    for _ in range(2):
        with pytest.raises(UsageError, match=r"was begun with Blender 4.5.14, and a worker has 5.2.3"):
            render_dataset(small_job(), out, lambda tasks: draw(tasks, blender="5.2.3"))
    assert render_dataset(small_job(), out, lambda tasks: draw(tasks, blender="4.5.15")).fresh == 1
