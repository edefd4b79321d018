import numpy as np
import pytest

from iebench.evals import metrics
from iebench.factors.rotations import canonicalise, compose, relative_rotation
from iebench.factors.space import ROTATION, get_space
from iebench.factors.symmetry import rotations_of_turns


def quaternion_about_z(degrees):
    half = np.radians(degrees) / 2
    return np.array([[0, 0, np.sin(half), np.cos(half)]])


@pytest.mark.parametrize(
    ("scores", "labels", "k", "expected"),
    [
        ([[3, 2, 1], [1, 2, 3]], [0, 0], 1, 0.5),
        ([[3, 2, 1], [1, 2, 3]], [1, 0], 2, 0.5),
        ([[0, 0, 0, 0]], [2], 1, 0.25),  # ties count by their chance
        ([[5, 1, 1, 0]], [1], 2, 0.5),
        ([[np.nan] * 4], [2], 1, 0.25),  # a probe that has diverged knows nothing
        ([[np.nan, 1, 2, 3]], [0], 3, 0),
    ],
)
def test_top_k(scores, labels, k, expected):
    assert metrics.hit_chances(np.array(scores, float), np.array(labels), k).mean() == expected


def test_accuracy_by_class():
    scores = np.array([[1, 0], [0, 1], [1, 0], [0, 1]], float)
    assert metrics.accuracy_by_class(scores, np.array([0, 0, 1, 1])) == {0: 0.5, 1: 0.5}
    assert metrics.accuracy_by_class(scores, np.array([0, 1, 0, 1])) == {0: 1, 1: 1}


def test_the_two_r2_by_hand():
    target = np.array([[0.0, 10.0], [2.0, 12.0]])
    constant = np.array([[1.0, 11.0], [1.0, 11.0]])
    assert metrics.r2_uniform(target, constant) == 0
    assert metrics.r2_pooled(target, constant) == pytest.approx(1 - 1 / 26)  # mean 6: (36 + 16 + 16 + 36) / 4 = 26
    half_right = np.array([[0.0, 11.0], [2.0, 11.0]])
    assert metrics.r2_uniform(target, half_right) == 0.5
    assert metrics.r2_pooled(target, half_right) == pytest.approx(1 - 0.5 / 26)


def test_uniform_r2_leaves_out_components_that_do_not_vary():
    assert metrics.r2_uniform(np.array([[0.0, 5.0], [1.0, 5.0]]), np.array([[0.0, 4.0], [1.0, 4.0]])) == 1


def test_conversion_is_exact_for_the_constant_and_for_the_perfect():
    assert metrics.pooled_from_uniform(0) == 0.229
    assert metrics.pooled_from_uniform(1) == 1


@pytest.mark.parametrize("degrees", [0, 15, 90, 180, 270])
def test_rotation_errors(degrees):
    identity = quaternion_about_z(0)
    expected = min(degrees, 360 - degrees)
    assert metrics.rotation_errors(identity, 3 * quaternion_about_z(degrees))[0] == pytest.approx(expected)
    assert metrics.rotation_errors(identity, -quaternion_about_z(degrees))[0] == pytest.approx(expected)


@pytest.mark.parametrize("turns", [1, 2, 4])
@pytest.mark.parametrize("arity", [1, 2])
def test_errors_up_to_turns_are_the_least_over_all_that_look_the_same(turns, arity):
    target, prediction = np.random.default_rng(0).standard_normal((2, 50, 4))
    target /= np.linalg.norm(target, axis=1, keepdims=True)
    same = rotations_of_turns(turns)
    before = same if arity == 2 else same[:1]
    alike = [compose(compose(s, prediction), t) for s in before for t in same]
    least = np.min([metrics.rotation_errors(target, q) for q in alike], axis=0)
    assert metrics.rotation_errors_up_to_turns(target, prediction, turns, arity) == pytest.approx(least, abs=1e-5)


@pytest.mark.parametrize("arity", [1, 2])
def test_errors_up_to_any_turn_are_what_ever_finer_turns_come_to(arity):
    target, prediction = np.random.default_rng(1).standard_normal((2, 50, 4))
    target /= np.linalg.norm(target, axis=1, keepdims=True)
    fine = metrics.rotation_errors_up_to_turns(target, prediction, 180, arity)
    errors = metrics.rotation_errors_up_to_turns(target, prediction, 0, arity)
    assert (errors <= fine + 1e-5).all() and errors == pytest.approx(fine, abs=1)
    spun = compose(target, rotations_of_turns(0)[7])
    assert metrics.rotation_errors_up_to_turns(target, spun, 0, arity) == pytest.approx(np.zeros(50), abs=1e-5)


def test_a_zero_prediction_counts_as_the_identity():
    assert metrics.rotation_errors(quaternion_about_z(40), np.zeros((1, 4)))[0] == pytest.approx(40)


def test_signs_are_aligned():
    target = quaternion_about_z(30)
    assert np.array_equal(metrics.align_signs(target, -target), target)
    assert np.array_equal(metrics.align_signs(target, 0.5 * target), 0.5 * target)


def test_hues_go_round():
    errors = metrics.circular_errors(np.array([0.05, 0.2]), np.array([0.95, 0.6]))
    assert errors == pytest.approx([0.1, 0.4])


def sampled_pairs(canonical=False, count=400, num_views=50):
    space = get_space("3diebench")
    latents = np.stack([space.sample(0, "02691156", str(i), num_views) for i in range(count)])
    euler = latents[..., space.columns(ROTATION)]
    relative = relative_rotation(euler[:, 0::2].reshape(-1, 3), euler[:, 1::2].reshape(-1, 3))
    return canonicalise(relative) if canonical else relative


def test_a_constant_scores_what_is_known_on_3diebench():
    quaternions = sampled_pairs()
    constant = np.tile(quaternions.mean(0), (len(quaternions), 1))
    assert metrics.r2_pooled(quaternions, constant) == pytest.approx(0.229, abs=0.005)
    assert metrics.r2_uniform(quaternions, constant) == pytest.approx(0, abs=1e-9)
    canonical = sampled_pairs(canonical=True)
    constant = np.tile(canonical.mean(0), (len(canonical), 1))
    assert metrics.r2_pooled(canonical, constant) == pytest.approx(0.244, abs=0.005)


def test_answering_the_identity_is_wrong_by_110_degrees():
    quaternions = sampled_pairs()
    identity = np.tile([0.0, 0, 0, 1], (len(quaternions), 1))
    assert np.median(metrics.rotation_errors(quaternions, identity)) == pytest.approx(110.3, abs=1)
