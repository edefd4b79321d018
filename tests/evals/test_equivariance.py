"""The fitted action on representations of which it is known: sums of Wigner-D blocks, noise, what does not turn."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from known_views import SPACE, TRAIN, views_of

import iebench
from iebench.evals.action_scores import Fits, score_part
from iebench.evals.evaluator import Score
from iebench.evals.linear_action import Family
from iebench.evals.model import Model
from iebench.factors.rotations import euler_to_matrix, euler_to_quaternion
from iebench.factors.space import HUES, ROTATION
from iebench.factors.transforms import make_transform

TEST = 30
RNG = np.random.default_rng(7)


def rotations(latents):
    return euler_to_matrix(latents[..., SPACE.columns(ROTATION)])


def score(make):
    """All scores of a representation, and what else is told."""
    fits = Fits.of(views_of(make), with_controls=True)
    assert fits is not None
    found = list(score_part("equivariance/whole", fits, views_of(make, TEST, TRAIN), draws=0))
    scores = {one.key.rpartition("/")[2]: one.value for one in found if isinstance(one, Score)}
    return scores | {one.key.rpartition("/")[2]: one.value for one in found if not isinstance(one, Score)}


def repeat(per_object, latents):
    """What each object has in all of its views."""
    return np.repeat(per_object[:, None], latents.shape[1], axis=1)


def test_a_rotation_matrix_is_moved_exactly():
    mixing = RNG.normal(size=(9, 20))  # in any basis, and with a mean
    scores = score(lambda latents, _: rotations(latents).reshape(*latents.shape[:2], 9) @ mixing + 3)
    assert scores["r2"] == pytest.approx(1, abs=1e-4) and scores["gain"] > 0.6
    assert scores["r2_orthogonal"] == pytest.approx(
        1, abs=1e-3
    )  # in coordinates of unit variance, up to the box of angles
    assert max(scores["composition"], scores["inverse"], scores["identity"]) < 1e-3
    assert scores["mrr"] == pytest.approx(1) and scores["pre"] < 1e-6


def test_a_rotation_of_degree_2_needs_degree_2():
    family = Family(make_transform("rotation", SPACE), degree=2)

    def make(latents, _):
        quaternions = euler_to_quaternion(latents[..., SPACE.columns(ROTATION)]).reshape(-1, 4)
        return family(quaternions)[:, 10:].reshape(*latents.shape[:2], 25)

    scores = score(make)
    assert scores["r2_degree_2"] == pytest.approx(1, abs=1e-4)
    assert scores["r2"] < 0.8


def test_wigner_d_is_a_representation():
    transform = make_transform("rotation", SPACE)
    family, quaternions = Family(transform, degree=2), RNG.normal(size=(2, 8, 4))
    first, second = quaternions / np.linalg.norm(quaternions, axis=-1, keepdims=True)
    blocks = [
        family(q)[:, 10:].reshape(-1, 5, 5) / np.sqrt(5) for q in (first, second, transform.compose(first, second))
    ]
    np.testing.assert_allclose(blocks[0] @ blocks[1], blocks[2], atol=1e-6)
    np.testing.assert_allclose(
        blocks[0] @ blocks[0].transpose(0, 2, 1), np.broadcast_to(np.eye(5), (8, 5, 5)), atol=1e-6
    )


def test_noise_scores_nothing():
    scores = score(lambda latents, rng: rng.normal(size=(*latents.shape[:2], 6)))
    assert scores["r2"] == pytest.approx(0, abs=0.03) and abs(scores["gain"]) < 0.03
    assert "rank" not in scores  # there is no effect whose share could be reached
    assert scores["r2_unmoved"] == pytest.approx(-1, abs=0.2)


def test_what_does_not_turn_scores_as_its_controls():
    scores = score(lambda latents, rng: repeat(rng.normal(size=(len(latents), 5)), latents))
    for name in ("r2", "r2_not_told", "r2_unmoved", "r2_invariant"):
        assert scores[name] == pytest.approx(1, abs=1e-3), name
    assert abs(scores["gain"]) < 1e-3 and "rank" not in scores
    assert abs(scores["r2_of_others"]) < 0.2


def test_the_rank_of_the_part_that_turns_is_found():
    vector = np.array([1.0, 2.0, -1.0])

    def make(latents, rng):
        turning = 10 * np.einsum("nvji,j->nvi", rotations(latents), vector)
        return np.concatenate([turning, repeat(rng.normal(size=(len(latents), 8)), latents)], axis=-1)

    scores = score(make)
    assert scores["rank"] == 3
    assert list(scores["by_rank"]["told"]) == ["1", "2", "3", "4", "6", "8", "11"]


def test_colors_are_moved_where_they_are_told():
    def make(latents, _):
        hues = 2 * np.pi * latents[..., SPACE.columns(HUES)]
        return np.concatenate([np.cos(hues), np.sin(hues)], axis=-1)

    scores = score(make)
    assert scores["r2_colors"] == pytest.approx(1, abs=1e-3)
    assert scores["r2"] == pytest.approx(0, abs=0.05)


def test_a_mirrored_action_does_not_pass():
    """Views that turn by the rotation's inverse are no right action of the rotation: what is fitted does not explain them."""
    scores = score(lambda latents, _: np.einsum("nvji,kj->nvik", rotations(latents), np.eye(3))[..., 0])
    assert scores["r2"] == pytest.approx(1, abs=1e-4)  # Rᵀv turns with rᵀ
    scores = score(lambda latents, _: np.einsum("nvij,j->nvi", rotations(latents), np.array([1.0, 2.0, -1.0])))
    assert scores["r2"] < 0.9  # R v does not follow from itself and r


def test_a_dataset_without_colors_is_scored():
    space = replace(SPACE, factors=tuple(factor for factor in SPACE.factors if factor.name not in HUES))
    views = views_of(lambda latents, _: rotations(latents).reshape(*latents.shape[:2], 9))
    views = replace(views, space=space, latents=views.latents[..., SPACE.columns(space.names)])
    fits = Fits.of(views, with_controls=True)
    assert fits is not None
    found = {one.key: one.value for one in score_part("x", fits, views, draws=0)}
    assert found["x/r2"] == pytest.approx(1, abs=1e-4) and "x/r2_colors" not in found


def test_objects_in_the_order_of_their_classes_are_no_pairs_of_one_class():
    def make(latents, rng):
        means = np.repeat(10 * rng.normal(size=(10, 5)), -(-len(latents) // 10), axis=0)[: len(latents)]
        return repeat(means, latents) + rng.normal(size=(*latents.shape[:2], 5))

    assert score(make)["r2_of_others"] < 0.2


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_a_collapsed_representation_scores_as_a_constant(level):
    """Also where rounding makes it vary."""
    views = views_of(lambda latents, rng: level + 1e-7 * level * rng.normal(size=(*latents.shape[:2], 4)))
    assert Fits.of(views, with_controls=True) is None


def test_a_collapsed_network_and_few_views_elsewhere_lose_no_score(fake):
    """Nothing of an evaluation is lost where a part does not vary, or where another dataset has no three views."""
    data, few = fake(), fake(num_views=2, space="3diebench", seed=5)
    model = Model(lambda images: torch.ones(len(images), 6), parts={"invariant": slice(0, 3)})
    results = iebench.evaluate(model, data, tasks="classification,equivariance", ood=few, epochs=1)
    assert results.get("equivariance/invariant/gain") == 0 and results.get("classification/whole/top1") is not None
    assert not any(key.startswith("ood/equivariance") for key in results.scores.scores)
