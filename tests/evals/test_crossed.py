"""Evaluators of crossed designs on representations of which it is known: linear, random, conjunctive, multiplied."""

import numpy as np
import pytest

from iebench.catalogue import CLASSES
from iebench.evals.representations import Representations
from iebench.evals.settings import EvalSettings
from iebench.evals.suite import open_suite, run_suite
from iebench.evals.tasks.ccgp import measure_accuracies
from iebench.evals.tasks.interference import measure_spreads, shares_of
from iebench.evals.tasks.parallelism import measure_cosines
from iebench.factors.parse_design import make_crossed
from iebench.factors.space import get_space

SPACE = get_space("3diebench")
DESIGN = make_crossed({"rotation": 4}, {"light_hue": 3}, SPACE, seed=0)
THREE = make_crossed({"rotation": 3}, {"light_hue": 3, "floor_hue": 2}, SPACE, seed=0)
SCALARS = make_crossed({"rotation_z": 4}, {"light_hue": 3, "floor_hue": 3}, SPACE, seed=0)
RNG = np.random.default_rng(1)


def views_of(make, first=0, num_objects=60, design=DESIGN):
    """Representations by a function of (places of the views on each axis, each object's own generator)."""
    draws = [SPACE.sample(0, "02691156", f"object-{first + i}", 1) for i in range(num_objects)]
    latents = np.stack([design.arrange(SPACE, draw) for draw in draws])
    places = np.stack(np.unravel_index(np.arange(design.num_views), design.shape), axis=1)
    values = np.stack([make(places, np.random.default_rng(first + i)) for i in range(num_objects)]).astype(np.float32)
    index = np.arange(num_objects)
    return Representations(SPACE, CLASSES, latents, index % 5, index, values, design=design)


def score(make, design=DESIGN):
    """Of each axis: cosines within and across objects, accuracies at unseen and at seen conditions, and interference."""
    train, test = views_of(make, design=design), views_of(make, first=60, num_objects=40, design=design)
    cosines, accuracies = measure_cosines(test), measure_accuracies(train, {"": test})[""]
    spreads = measure_spreads(train, {"": test})[""]
    return {
        axis.name: {
            "parallel": cosines[axis.name].of_object.mean(),
            "across": cosines[axis.name].across_objects,
            "unseen": accuracies[axis.name].unseen.mean(),
            "seen": accuracies[axis.name].seen.mean(),
            "interference": 1 - shares_of(spreads[axis.name])[number],
        }
        for number, axis in enumerate(design.axes)
    }


@pytest.mark.parametrize("design", [SCALARS, DESIGN, THREE], ids=str)
def test_what_is_linear_in_the_factors_is_parallel_generalises_and_does_not_interfere(design):
    """In directions that are not orthogonal where each axis is one number; else in orthogonal subspaces."""
    mixing = RNG.normal(size=(10, 12)) if design is SCALARS else np.linalg.qr(RNG.normal(size=(12, 10)))[0].T

    def make(places, rng):
        codes = [np.array(axis.levels)[places[:, number]] for number, axis in enumerate(design.axes)]
        own = np.broadcast_to(rng.normal(size=3), (len(places), 3))
        values = np.concatenate([*codes, own], axis=1)
        return values @ mixing[: values.shape[1]] + 5

    for found in score(make, design).values():
        assert found["parallel"] == pytest.approx(1, abs=1e-5) and found["across"] == pytest.approx(1, abs=1e-5)
        assert found["unseen"] == found["seen"] == 1
        assert found["interference"] < 1e-4


@pytest.mark.parametrize("design", [DESIGN, THREE], ids=str)
def test_a_random_code_scores_chance(design):
    for found in score(lambda places, rng: rng.normal(size=(len(places), 12)), design).values():
        assert abs(found["parallel"]) < 0.06 and abs(found["across"]) < 0.03
        assert found["unseen"] == pytest.approx(0.5, abs=0.07) and found["seen"] == pytest.approx(0.5, abs=0.07)
        assert found["interference"] == pytest.approx(1 - 1 / len(design.axes), abs=0.07)


def test_a_code_of_its_own_for_each_condition_is_decoded_and_does_not_generalise():
    """Conjunctive: under each hue, rotations live in dimensions of their own."""
    codes = RNG.normal(size=(3, 4, 30))  # of a hue and a rotation

    def make(places, rng):
        return codes[places[:, 0], places[:, 1]] + 0.1 * rng.normal(size=30)

    found = score(make)["rotation"]
    assert abs(found["parallel"]) < 0.3 and found["seen"] > 0.95
    assert found["unseen"] < 0.8


def test_a_factor_that_multiplies_another_interferes():
    """A hue that turns the sign of the rotation's code: the same line, read the wrong way round; and one that stretches it."""
    code, mean = RNG.normal(size=(4, 12)), RNG.normal(size=12)
    turned, stretched = np.array([1.0, -1.0, 1.0]), np.array([1.0, 3.0, 9.0])
    signs = score(lambda places, rng: turned[places[:, 0], None] * code[places[:, 1]] + mean)["rotation"]
    assert signs["parallel"] == pytest.approx(-1 / 3, abs=1e-5)
    assert signs["unseen"] < 0.5 and signs["interference"] > 0.25
    gains = score(lambda places, rng: stretched[places[:, 0], None] * code[places[:, 1]] + mean)["rotation"]
    assert gains["parallel"] == pytest.approx(1, abs=1e-5)
    assert gains["interference"] > 0.25


def test_a_direction_of_each_object_is_parallel_within_it_alone():
    def make(places, rng):
        return rng.normal(size=(4, 12))[places[:, 1]] + rng.normal(size=(3, 12))[places[:, 0]]

    found = score(make)["rotation"]
    assert found["parallel"] == pytest.approx(1, abs=1e-5) and abs(found["across"]) < 0.05
    assert found["seen"] == pytest.approx(0.5, abs=0.1)


def test_a_constant_representation_scores_as_the_constant():
    for level in (0.0, 3.0):
        for found in score(lambda places, rng, level=level: np.full((len(places), 4), level)).values():
            assert list(found.values()) == [0, 0, 0.5, 0.5, 0.5]


@pytest.fixture
def crossed_fake(fake):
    """A fake dataset, whose images are the latents, of a crossed design."""

    def make(design=DESIGN, **settings):
        data = fake(num_views=1, **settings)
        data.latents = np.stack([design.arrange(data.space, draw) for draw in data.latents])
        data.card = {**data.card, "design": design.to_json()}
        return data

    return make


TASKS = "parallelism,ccgp,interference"


def test_an_evaluation_of_crossed_views_has_these_scores_with_their_baselines(crossed_fake, read_latents):
    """Another dataset with other levels is measured where nothing has to be fitted to them."""

    def network(images):
        return read_latents(images).float()

    results = run_suite(network, crossed_fake(), TASKS, EvalSettings(draws=5), ood=crossed_fake(THREE))
    assert results.get("parallelism/whole/mean") == pytest.approx(1)
    assert results.get("ccgp/whole/light_hue") == 1 and results.get("interference/whole/light_hue") < 1e-3
    assert results.scores.scores["ccgp/whole/rotation"].low is not None
    assert results.baselines["constant"].scores["ccgp/whole/mean"].mean == 0.5
    assert results.baselines["ground-truth latents"].scores["parallelism/whole/mean"].mean == pytest.approx(1)
    matrix = results.details["interference/whole/by_factor"]
    assert sum(cell["share"] for cell in matrix["rotation"].values()) == pytest.approx(1)
    assert results.get("ood/parallelism/whole/floor_hue") == pytest.approx(1)
    assert results.get("ood/ccgp/whole/mean") is None


def test_ordinary_views_are_left_out(fake, read_latents):
    suite = open_suite(lambda images: read_latents(images).float(), fake(num_train=5, num_val=5), f"pose,{TASKS}")
    assert [evaluator.name for evaluator in suite.able] == ["pose"]
