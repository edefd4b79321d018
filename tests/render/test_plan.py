"""Options that do not go together, and what the card of a render says."""

from pathlib import Path

import numpy as np
import pytest

from iebench.catalogue import ObjectClass
from iebench.errors import UsageError
from iebench.render.job import first_difference
from iebench.render.plan import plan_job
from iebench.render.request import RenderRequest

MUG = ("03797390", "p1-000000")


@pytest.fixture
def latents(tmp_path):
    """Writes latents of two views of a built-in mug and returns their folder."""

    def write(*rows):
        folder = tmp_path / "latents" / "/".join(MUG)
        folder.mkdir(parents=True)
        for view, row in enumerate(rows):
            np.save(folder / f"latent_{view}.npy", np.array(row))
        return tmp_path / "latents"

    return write


ROW = [0.1, 0.2, 0.3, 0.5, 0.6, 1.0, 0.5]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seed": 3}, "--seed 3 has no say where --latents"),
        ({"sweep": "rotation_z=-90:90deg:3"}, "--sweep rotation_z=-90:90deg:3 has no say where --latents"),
        ({"space": "3diebench-t"}, "should hold 10 numbers and holds 7"),
        (
            {"factors": ("floor_hue=0.4",)},
            r"holds floor_hue from 0\.5 to 0\.5, and 3diebench\* has 0\.4 to 0\.4: leave out",
        ),
    ],
)
def test_what_does_not_go_with_given_latents(latents, options, words):
    with pytest.raises(UsageError if "has" in words else Exception, match=words):
        plan_job(RenderRequest(latents=latents(ROW), **options))


def test_given_latents_tell_their_space(latents):
    turned = [3.0, *ROW[1:]]
    job = plan_job(RenderRequest(latents=latents(ROW, turned)))
    assert job.space.name == "3diebench*" and job.space.factors[0].high == 3.0
    assert job.num_views == 2 and job.latents_of(MUG).tolist() == [ROW, turned]


def test_given_latents_are_hashed_once(latents, monkeypatch):
    job, read = plan_job(RenderRequest(latents=latents(ROW, ROW))), []
    of_disk = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path.name) or of_disk(path))
    digest = "467ebeeb03144c4d5629c9badbef707832c7f236534fe95210e4d3eb82a63c28"
    assert job.settings()["latents"] == job.settings()["latents"] == digest  # a render that was begun goes on
    assert read == ["latent_0.npy", "latent_1.npy"]


def test_ten_latents_are_those_of_the_translated_benchmark(latents):
    root = latents([*ROW, 0.1, 0.2, 0.3])
    assert plan_job(RenderRequest(latents=root)).space.name == "3diebench-t"
    assert plan_job(RenderRequest(latents=root, space="3diebench-t")).space.name == "3diebench-t"


def test_a_sweep_and_a_range_of_one_factor_are_refused():
    with pytest.raises(UsageError, match=r"--sweep rotation_z=\S+ and --factor rotation_z=0.5 are of one factor"):
        plan_job(RenderRequest(classes="mug", sweep="rotation_z=-90:90deg:3", factors=("rotation_z=0.5",)))
    with pytest.raises(UsageError, match=r"^--sweep 'floor_hue=0:400': a hue lies"):
        plan_job(RenderRequest(classes="mug", sweep="floor_hue=0:400:3"))
    job = plan_job(RenderRequest(classes="mug", sweep="rotation_z=-90:90deg:3", factors=("floor_hue=0.5",)))
    assert job.num_views == 3


@pytest.mark.parametrize("seed", [2**63, -(2**63) - 1])
def test_a_seed_that_no_card_can_hold_is_refused(seed):
    with pytest.raises(UsageError, match=f"--seed {seed} does not fit in 64 bits"):
        plan_job(RenderRequest(classes="mug", seed=seed))


def test_a_class_of_which_all_is_excluded_is_told_so(tmp_path):
    excluded = tmp_path / "excluded.txt"
    names = plan_job(RenderRequest(classes="mug", objects_per_class=2)).splits
    excluded.write_text("".join(f"{synset}/{name}\n" for part in names.values() for synset, name in part))
    with pytest.raises(UsageError, match="--exclude leaves no object of class 03797390"):
        plan_job(RenderRequest(classes="mug", objects_per_class=2, exclude=excluded))


class Own:
    classes = (ObjectClass(0, "a", "a"),)

    def list_objects(self, synset, limit=None):
        return ["one"]

    def fetch(self, synset, object_id, scratch):
        raise NotImplementedError


@pytest.mark.parametrize("said", [{"sizes": {1, 2}}, {"scale": float("nan")}, {"number": np.int64(3)}, ["a list"]])
def test_what_no_card_can_hold_is_refused_before_anything_is_rendered(monkeypatch, unchecked, said):
    monkeypatch.setattr(Own, "describe", lambda self: said, raising=False)
    monkeypatch.setattr("iebench.render.plan.open_source", lambda path, one_class: Own())
    with pytest.raises(UsageError, match=r"--objects mine:Own: describe\(\) gives what no card can hold"):
        plan_job(RenderRequest(objects="mine:Own"))


def test_labels_that_shift_make_another_job(tmp_path):
    """A folder that comes before the chosen ones gives every class after it another label."""
    request = RenderRequest(objects=str(tmp_path), classes="bead,cone")
    for name in ("bead", "cone"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    begun = plan_job(request).settings()
    (tmp_path / "arch").mkdir()
    (tmp_path / "arch" / "one.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    difference = first_difference(begun, plan_job(request).settings())
    assert difference == 'labels was {"bead": 0, "cone": 1} and is now {"bead": 1, "cone": 2}'
    assert "labels" not in plan_job(RenderRequest(classes="mug")).settings()  # datasets of before go on
