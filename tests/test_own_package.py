"""Somebody's package with a method, an evaluator and object sources goes the whole way, and no file of ours is touched."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = {
    "__init__.py": '"""A package of somebody who uses iebench."""\n',
    "objects.py": '''
"""Boxes: a class is a proportion of the sides."""

from pathlib import Path

from iebench.catalogue import ObjectClass
from iebench.render.sources import Mesh

CORNERS = [(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)]
FACES = [(1, 2, 4, 3), (5, 7, 8, 6), (1, 5, 6, 2), (3, 4, 8, 7), (1, 3, 7, 5), (2, 6, 8, 4)]


class Boxes:
    def __init__(self, count):
        self.classes = tuple(ObjectClass(n, f"box-{n}", f"box number {n}", turns=2) for n in range(count))

    def describe(self):
        return {"kind": "boxes"}

    def list_objects(self, synset, limit=None):
        return [f"box{index}" for index in range(limit or 4)]

    def fetch(self, synset, object_id, scratch: Path):
        deep, high = 1 + int(synset.partition("-")[2]) / 10, 1 + int(object_id[3:]) / 5
        lines = [f"v {x} {y * high} {z * deep}" for x, y, z in CORNERS] + ["f " + " ".join(map(str, f)) for f in FACES]
        path = scratch / "box.obj"
        path.write_text("\\n".join(lines))
        return Mesh(path, scratch, unit_diagonal=True)


def three():
    return Boxes(3)


def sixty():
    return Boxes(60)
''',
    "triplet.py": '''
"""Three views: what happens from the first to the second is not what happens from the second to the third."""

from dataclasses import dataclass

import torch

from iebench.models.losses import squared_distance
from iebench.models.method import LossOutput, Method, register, stack_views
from iebench.models.settings import MethodSettings, setting


@dataclass(frozen=True)
class TripletSettings(MethodSettings):
    """Nobody's paper."""

    step_weight: float = setting(1.0, "Weight of the distance between a step and what its transform says.")


@register("triplet", TripletSettings)
class Triplet(Method[TripletSettings]):
    """The difference of two representations is a linear function of the transform between them."""

    num_views, anchor = 3, "previous"

    def __init__(self, settings, backbone, sizes):
        super().__init__(settings, backbone, sizes)
        self.steps = torch.nn.Linear(sizes.transform, sizes.representation)

    def forward(self, views):
        assert views.images.shape[1:3] == (3, 3) and views.transforms.shape[1] == 2
        first, second, third = (self.represent(views.images[:, i]) for i in range(3))
        taken = torch.cat([second - first, third - second])
        said = self.steps(views.transforms.transpose(0, 1).flatten(0, 1))
        return LossOutput(*self.weigh({"step": squared_distance(said, taken)}), stack_views(first, second, third))
''',
    "spread.py": '''
"""How far the representations of an object's views lie from each other."""

from iebench.evals import Column, Detail, Evaluator, Figure, Needs, Score


class Spread(Evaluator):
    name = "spread"
    needs = Needs(num_views=2)
    columns = (Column("spread of views", "spread/whole/std"),)
    figures = (Figure("Spread", "spread/by_part", "table", "Standard deviation over an object's views."),)

    def run(self, context):
        found = {part: float(val.values.std(axis=1).mean()) for part, val in context.parts(context.tests[""])}
        yield from (Score(f"spread/{part}/std", value) for part, value in found.items())
        yield Detail("spread/by_part", found)
''',
}


@pytest.fixture(scope="module")
def iebench(tmp_path_factory):
    """Runs a command of iebench where the package can be imported, and gives back what it prints."""
    root = tmp_path_factory.mktemp("own")
    (root / "somebody").mkdir()
    for name, text in PACKAGE.items():
        (root / "somebody" / name).write_text(text)
    path = os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])

    def run(*words):
        command = [sys.executable, "-m", "iebench", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, cwd=root)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run.root = root
    return run


@pytest.fixture(scope="module", params=[("three", 3), ("sixty", 60)], ids=["three", "sixty"])
def scored(request, iebench):
    """The number of classes, a dataset of them, a run of an own method on it, and the table of its scores."""
    source, count = request.param
    data, run = iebench.root / source, iebench.root / f"run-{source}"
    objects = ["--objects-per-class", 4, "--views", 3, "--size", 32, "--quality", "preview"]
    iebench("render", "--objects", f"somebody.objects:{source}", *objects, "--out", data)
    settings = ["--backbone", "resnet18-narrow", "--batch-size", 8, "--steps", 2, "--num-workers", 1]
    iebench("train", "somebody.triplet:Triplet", "--data", data, "--out", run, *settings)
    tasks = "classification,rotation,somebody.spread:Spread"
    table = iebench("eval", run, "--trust", "--data", data, "--tasks", tasks, "--epochs", 2, "--workers", 0)
    return count, data, run, table


@pytest.mark.slow
def test_own_objects_method_and_evaluator_go_the_whole_way(iebench, scored):
    count, data, run, table = scored
    told = iebench("info", data)
    assert all(f"box number {number} " in told for number in range(count))
    iebench("show", data, "--out", iebench.root / "pairs.png")
    assert "spread of views" in table and "top-1" in table
    results = json.loads((run / "results.json").read_text())
    names = {f"box number {number}" for number in range(count)}
    assert set(results["details"]["classification/whole/top1_by_class"]) <= names
    assert {entry["name"] for entry in results["data"]["classes"]} == names
    assert results["scores"]["rotation/whole/median_degrees_up_to_symmetry"]["mean"] <= 90


@pytest.mark.slow
def test_the_report_of_somebodys_results_imports_nothing_of_theirs(scored, tmp_path):
    count, _, run, _ = scored
    command = [sys.executable, "-m", "iebench", "report", str(run), "-o", str(tmp_path / "report.html")]
    subprocess.run(command, check=True, capture_output=True, cwd=Path(__file__).parent)
    text = (tmp_path / "report.html").read_text()
    assert "Standard deviation over an object" in text and "spread of views" in text
    assert f"box number {count - 1} *" in text and "airplane" not in text
