import numpy as np
import pytest
import torch

from iebench.evals.factor_matrix import AllFactors, RidgeRegression, encode_factor, factor_scores, is_circular
from iebench.evals.features import extract
from iebench.evals.measure import Measure, mean_of, median_of
from iebench.evals.training import ProbeSettings
from iebench.factors.space import Factor, get_space


def test_circular_factors_have_no_seam():
    hue = Factor("floor_hue", 0.0, 1.0)
    near, far = encode_factor(hue, np.array([0.001, 0.999])), encode_factor(hue, np.array([0.0, 0.5]))
    assert np.linalg.norm(near[0] - near[1]) < 0.02
    assert np.linalg.norm(far[0] - far[1]) == pytest.approx(2)


def test_which_factors_are_circular():
    circular = {f.name for f in get_space("3diebench").factors if is_circular(f)}
    assert circular == {"floor_hue", "light_phi", "light_hue"}
    assert not is_circular(Factor("floor_hue", 0.0, 0.5))
    assert is_circular(get_space("so3").factors[0])
    assert not any(is_circular(f) for f in get_space("3diebench-t").factors if f.name.startswith("translation"))


def test_ridge_finds_a_linear_relation_and_ignores_dead_units(fake, read_latents):
    def represent(images):
        latents = read_latents(images).float()
        return torch.cat([2 * latents[:, :3] + 1, torch.zeros(len(latents), 5)], dim=1)

    source = fake()
    train, val = extract(represent, source, "train"), extract(represent, source, "val")
    task = AllFactors(source.space)
    answers = RidgeRegression(task, train).predict(task, val)
    truth = task.relate(val.latents.reshape(-1, 1, 7))
    assert answers[:, :3] == pytest.approx(truth[:, :3], abs=1e-3)


def test_more_units_than_views_do_not_ruin_the_linear_score(fake):
    generator = torch.Generator().manual_seed(0)
    source = fake(num_train=10, num_val=10, num_views=5)
    noise = [extract(lambda x: torch.randn(len(x), 200, generator=generator), source, s) for s in ("train", "val")]
    scores = factor_scores(*noise, ProbeSettings(epochs=1), seed=0)
    assert all(-0.6 < score["linear"] < 0.2 for score in scores.values())


def test_measures_by_hand():
    values = np.array([[1.0, 3.0], [5.0, 7.0]])
    assert mean_of("m", values).value == 4
    assert median_of("m", values).value == 4
    assert Measure("sum", np.sum, (values,)).value == 16


def test_the_interval_is_over_objects_not_over_views():
    rng = np.random.default_rng(0)
    objects = rng.standard_normal((200, 1))
    low, high = mean_of("m", np.repeat(objects, 50, axis=1)).interval(draws=500)
    assert high - low == pytest.approx(2 * 1.96 / np.sqrt(200), rel=0.2)
    assert low < objects.mean() < high
