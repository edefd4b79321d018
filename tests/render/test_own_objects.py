"""Objects that users add, by the examples of docs/objects.md as they stand there."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from checkout import ROOT, copy_checkout
from PIL import Image

from iebench.catalogue import CLASSES, ObjectClass
from iebench.dataset.reader import Dataset
from iebench.errors import UsageError
from iebench.factors.symmetry import built_in_classes
from iebench.render.procedural import build
from iebench.render.recipe import RECIPES
from iebench.render.sources import open_source


def read_examples() -> list[str]:
    """The row, the recipe, and the source of objects."""
    page = (ROOT / "docs" / "objects.md").read_text(encoding="utf-8")
    return re.findall(r"```(?:csv|python)\n(.*?)```", page, re.S)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., str]:
    """Run a command line in `tmp_path`, where Python finds modules first."""

    def call(*words: object) -> str:
        command = [sys.executable, "-m", "iebench", *map(str, words)]
        environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return call


def test_the_example_of_the_contributing_page_works(monkeypatch: pytest.MonkeyPatch) -> None:
    row, code, _ = read_examples()
    synset, name, turns, _ = row.split(",")
    classes = (*built_in_classes(), ObjectClass(55, synset, name, int(turns)))
    for module in ("iebench.factors.symmetry", "iebench.render.recipe"):
        monkeypatch.setattr(f"{module}.built_in_classes", lambda: classes)
    exec(code, {})
    for index in range(20):
        assert len(build(synset, index).parts) == 3
    monkeypatch.delitem(RECIPES, synset)


@pytest.mark.slow
def test_a_row_and_a_function_are_a_class_on_the_command_line(tmp_path: Path, run: Callable[..., str]) -> None:
    copy_checkout(tmp_path)
    row, code, _ = read_examples()
    with (tmp_path / "iebench" / "data" / "symmetry.csv").open("a", encoding="utf-8") as table:
        table.write(row)
    (tmp_path / "render" / "recipes_umbrella.py").write_text(code, encoding="utf-8")

    assert "04507155  umbrella" in run("objects", "list")
    run("objects", "sheet", "umbrella.png", "--classes", "umbrella", "--per-class", 2, "--size", 32)
    with Image.open(tmp_path / "umbrella.png") as sheet:
        assert sheet.size == (64, 32)
    small = ("--objects-per-class", 2, "--views", 2, "--size", 32, "--quality", "preview")
    run("render", "--classes", "umbrella,mug", *small, "--out", "data")
    dataset = Dataset(tmp_path / "data")
    assert [(entry.label, entry.name, entry.turns) for entry in dataset.classes] == [
        (37, "mug", 1),
        (55, "umbrella", 1),
    ]
    assert sorted(set(dataset.labels.tolist())) == [37, 55] and dataset.num_labels == 56
    assert "umbrella" in run("info", "data")


@pytest.mark.slow
def test_a_source_outside_the_project_is_rendered(tmp_path: Path, run: Callable[..., str]) -> None:
    (tmp_path / "solids.py").write_text(read_examples()[2], encoding="utf-8")
    small = ("--objects-per-class", 2, "--views", 2, "--size", 32, "--quality", "preview", "--workers", 2)
    run("render", "--objects", "solids:Solids", *small, "--out", "data")
    dataset = Dataset(tmp_path / "data")
    assert dataset.card.source == {"kind": "solids", "version": 1} and dataset.num_objects == 4
    assert [entry.to_json() for entry in dataset.classes] == [
        {"label": 0, "synset": "brick", "name": "brick", "turns": 2},
        {"label": 1, "synset": "post", "name": "post", "turns": 4},
    ]
    run("render", "--objects", "solids:Solids", *small, "--classes", "post", "--out", "posts")
    assert [entry.name for entry in Dataset(tmp_path / "posts").classes] == ["post"]


OWN = """
from iebench.catalogue import ObjectClass
from iebench.render.sources import ProceduralObjects

class Odd(ProceduralObjects):
    classes = (ObjectClass(0, "a/b", "odd"),)

class Twice(ProceduralObjects):
    classes = (ObjectClass(0, "a", "a"), ObjectClass(0, "b", "b"))

class Poor:
    classes = ()
    def list_objects(self, synset, limit=None): ...

instance = ProceduralObjects()
number = 3
def make(): return ProceduralObjects()
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_sources.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_sources", raising=False)


@pytest.mark.parametrize("name", ["instance", "make"])
def test_a_source_is_an_instance_or_what_gives_one(own: None, name: str) -> None:
    assert open_source(f"own_sources:{name}").classes[:55] == CLASSES


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Odd", "synset 'a/b' cannot be used, it holds"),
        ("Twice", "two classes have one label"),
        ("Poor", "has no 'describe'"),
        ("number", "has no 'classes'"),
        ("nothing", "has no 'nothing'"),
    ],
)
def test_what_is_no_source_is_refused(own: None, name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        open_source(f"own_sources:{name}")
