"""What the explorer says of runs whose answers are known."""

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

import numpy as np
import pytest
from drawing import write_dataset
from explored_runs import exact_run, mistaken_run, quaternions_of, read_script

from iebench.catalogue import CLASSES
from iebench.evals import Context, EvalSettings
from iebench.evals.model import Model
from iebench.evals.representations import Representations
from iebench.explore.maps import make_maps, project_on_principal
from iebench.explore.questions import DEGREES
from iebench.explore.runs import ExploredRun, classify
from iebench.explore.writing import write_site
from iebench.factors.rotations import compose
from iebench.factors.space import get_space


@pytest.fixture(scope="module")
def explored(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    dataset = write_dataset(root / "data", "4", objects_per_class=6, num_views=6)
    write_site(dataset, root / "site", runs=[exact_run(dataset), mistaken_run(dataset)])
    return dataset, lambda name: read_script(root / "site" / "data" / f"{name}.js")


def views_held_out(dataset, read):
    """(object, view) of every candidate number."""
    objects = read("index")["objects"]["index"][read("questions")["candidates"]]
    return np.repeat(objects, dataset.num_views), np.tile(np.arange(dataset.num_views), len(objects))


def test_an_exact_predictor_finds_every_target_first(explored):
    dataset, read = explored
    questions, answers = read("questions"), read("run0-answers")
    assert (answers["rank"] == 1).all() and (answers["own"][..., 0] == np.arange(dataset.num_views)).all()
    rows = np.searchsorted(questions["candidates"], questions["places"])
    targets = rows[:, None, None] * dataset.num_views + np.arange(dataset.num_views)
    np.testing.assert_array_equal(answers["found"][..., 0], np.broadcast_to(targets, answers["rank"].shape))


def test_steering_finds_the_view_whose_rotation_is_nearest(explored):
    dataset, read = explored
    questions, own = read("questions"), read("run0-answers")["steeredOwn"]
    objects = read("index")["objects"]["index"][questions["steeredPlaces"]]
    views = quaternions_of(dataset)[objects]
    for axis in range(3):
        half = np.radians(DEGREES)[:, None] / 2
        turns = np.concatenate([np.sin(half) * np.eye(3)[axis], np.cos(half)], axis=1)
        wanted = compose(views[:, questions["steeredSources"], None], turns)
        cosines = np.einsum("osdk,ovk->osdv", wanted, views)
        np.testing.assert_array_equal(own[:, :, axis], cosines.argmax(-1))


def test_classes_are_right_but_where_the_run_is_mistaken(explored):
    dataset, read = explored
    objects, views = views_held_out(dataset, read)
    right, mistaken = (read(f"run{number}-classes")["label"] for number in (0, 1))
    np.testing.assert_array_equal(right, dataset.labels[objects])
    np.testing.assert_array_equal(mistaken == dataset.labels[objects], views % 2 == 0)


def test_a_run_without_a_predictor_shows_neighbours_alone(explored):
    dataset, read = explored
    assert [(run["predicts"], run["steers"]) for run in read("index")["runs"]] == [(True, True), (False, False)]
    unmoved = read("run1-answers")["unmoved"]
    objects, _ = views_held_out(dataset, read)
    assert set(read("run1-answers")) == {"unmoved"}
    shown = read("run1-classes")["label"]  # what the run represents, and nothing else
    own = np.arange(len(objects)).reshape(unmoved.shape[:2])
    assert (shown[unmoved[..., 0]] == shown[own]).all() and (unmoved != own[..., None]).all()


def test_the_map_has_every_view_and_every_part(explored):
    dataset, read = explored
    told = read("index")["runs"][0]["maps"]
    assert [one["part"] for one in told if one["kind"] == "PCA"] == ["whole", "invariant", "equivariant"]
    positions = read("run0-map")
    assert sorted(positions["places"].tolist()) == list(range(dataset.num_objects))
    assert positions["map0"].shape == (dataset.num_objects * dataset.num_views, 2)


def test_runs_of_one_name_are_told_apart(explored, tmp_path):
    dataset, _ = explored
    model = Model(lambda images: images.float().mean((2, 3)))
    write_site(dataset, tmp_path / "site", runs=[ExploredRun("a", model, "x/a"), ExploredRun("a", model, "y/a")])
    assert [run["name"] for run in read_script(tmp_path / "site" / "data" / "index.js")["runs"]] == ["a, x/a", "a, y/a"]


def test_principal_components_of_a_line_are_its_length():
    values = np.outer(np.linspace(-1, 1, 9), [3.0, 4.0, 0.0])
    found, shares = project_on_principal(values)
    np.testing.assert_allclose(found, np.stack([5 * np.linspace(-1, 1, 9), np.zeros(9)], 1), atol=1e-12)
    assert shares == pytest.approx([1, 0])


def test_a_collapsed_representation_has_a_map_too():
    positions, _ = make_maps(np.ones((5, 1)), {})
    assert (positions["map0"] == positions["map0"][0]).all()


def test_umap_is_there_where_it_is_installed(monkeypatch):
    def fit_transform(self, values):
        return values[:, :2]

    module = ModuleType("umap")
    module.__spec__ = ModuleSpec("umap", None)
    module.UMAP = type("UMAP", (), {"__init__": lambda self, **settings: None, "fit_transform": fit_transform})
    monkeypatch.setitem(sys.modules, "umap", module)
    _, told = make_maps(np.eye(5), {"invariant": slice(0, 3)})
    assert [(one["part"], one["kind"]) for one in told] == [
        ("whole", "PCA"), ("whole", "UMAP"), ("invariant", "PCA"), ("invariant", "UMAP"),
    ]  # fmt: skip


def test_the_nearest_vote_by_their_cosine():
    def views(values, labels):
        values, index = np.array(values, np.float32)[:, None], np.arange(len(labels))
        space = get_space("3diebench")
        latents = np.zeros((*values.shape[:2], len(space.names)))
        return Representations(space, CLASSES, latents, np.array(labels), index, values)

    memory = views([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]], [7, 7, 3])
    context = Context(memory, {"": views([[5.0, 0.0], [0.0, 0.2]], [0, 0])}, Model(len), EvalSettings())
    found = classify(context, np.arange(2))
    assert found["label"].tolist() == [7, 3] and (found["share"] > 0.99 * 255).all()
