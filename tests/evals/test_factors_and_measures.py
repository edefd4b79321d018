import numpy as np
import pytest
import torch

from iebench.evals.factor_regression import AllFactors, RidgeRegression, score_factors
from iebench.evals.measure import Measure, mean_of, median_of
from iebench.evals.representations import extract
from iebench.evals.settings import ProbeSettings


def test_ridge_finds_a_linear_relation_and_ignores_dead_units(fake, read_latents):
    def represent(images):
        latents = read_latents(images).float()
        return torch.cat([2 * latents[:, :3] + 1, torch.zeros(len(latents), 5)], dim=1)

    dataset = fake()
    train, val = extract(represent, dataset, "train"), extract(represent, dataset, "val")
    task = AllFactors(dataset.space)
    predictions = RidgeRegression(task, train).predict(task, val)
    truth = task.relate(val.latents.reshape(-1, 1, 7))
    assert predictions[:, :3] == pytest.approx(truth[:, :3], abs=1e-3)


def test_more_units_than_views_do_not_ruin_the_linear_score(fake):
    generator = torch.Generator().manual_seed(0)
    dataset = fake(num_train=10, num_val=10, num_views=5)
    noise = [extract(lambda x: torch.randn(len(x), 200, generator=generator), dataset, s) for s in ("train", "val")]
    scores = score_factors(*noise, ProbeSettings(epochs=1), seed=0)
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
