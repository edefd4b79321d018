"""Nearest neighbors where their votes are known."""

import numpy as np
import pytest
from known_views import TRAIN, views_of

from iebench.errors import UsageError
from iebench.evals import Context, EvalSettings, Model
from iebench.evals.evaluator import Score
from iebench.evals.neighbors import Neighbors
from iebench.evals.tasks.knn import NearestNeighbors


def score(make, num_views=None, **settings):
    """Top-1 of a representation by a function of latents and of a generator."""
    train, val = views_of(make), views_of(make, 30, TRAIN)
    context = Context(
        train if num_views is None else train.thin(num_views), {"": val}, Model(len), EvalSettings(draws=0)
    )
    found = NearestNeighbors(**settings).run(context)
    return {one.key: one.value for one in found if isinstance(one, Score)}["knn/whole/top1"]


def of_class(latents, rng):
    """Directions of the classes, with noise, of all lengths."""
    labels = np.arange(len(latents)) % 5
    values = np.eye(8)[labels][:, None] + 0.1 * rng.normal(size=(*latents.shape[:2], 8))
    return values * rng.uniform(0.1, 10, size=(*latents.shape[:2], 1))


def test_separable_classes_are_told_apart():
    assert score(of_class) == 1
    assert score(of_class, num_views=60) == 1  # one view of each object
    assert score(of_class, k=10_000) == 1  # all vote, and the near ones weigh the most


def test_noise_and_a_collapsed_representation_score_chance():
    assert score(lambda latents, rng: rng.normal(size=(*latents.shape[:2], 4))) == pytest.approx(0.2, abs=0.1)
    assert score(lambda latents, rng: np.ones((*latents.shape[:2], 4))) == pytest.approx(0.2)
    assert score(lambda latents, rng: np.zeros((*latents.shape[:2], 4))) == pytest.approx(0.2)


def test_votes_are_those_of_the_formula():
    bank = views_of(lambda latents, rng: rng.normal(size=(*latents.shape[:2], 3)), 7)
    queries = np.random.default_rng(1).normal(size=(11, 3)).astype(np.float32)
    votes = Neighbors(bank, k=5, temperature=0.5).vote(queries)
    rows = bank.values.reshape(-1, 3)
    for query, vote in zip(queries, votes, strict=True):
        cosines = rows @ query / np.linalg.norm(rows, axis=1) / np.linalg.norm(query)
        nearest = np.argsort(-cosines)[:5]
        expected = np.zeros(bank.num_labels)
        for row in nearest:
            expected[bank.labels[row // bank.num_views]] += np.exp(cosines[row] / 0.5)
        assert vote == pytest.approx(expected / np.exp(2), rel=1e-4)


@pytest.mark.parametrize("temperature", [1e-3, 1e-6])
def test_at_a_small_temperature_the_nearest_one_decides(temperature):
    bank = views_of(lambda latents, rng: rng.normal(size=(*latents.shape[:2], 9)), 7)
    queries = np.random.default_rng(1).normal(size=(11, 9)).astype(np.float32)
    nearest, found = (Neighbors(bank, k, temperature).vote(queries) for k in (1, 20))
    assert (nearest.max(1) > 0).all() and np.array_equal(found.argmax(1), nearest.argmax(1))


@pytest.mark.parametrize("settings", [{"k": 0}, {"temperature": 0.0}, {"temperature": float("nan")}])
def test_settings_without_a_vote_are_refused(settings):
    with pytest.raises(UsageError, match="give 1 or more"):
        NearestNeighbors(**settings)
