"""Latents: pure functions of their names, with the distributions that their spaces promise."""

import itertools

import numpy as np
import pytest
from scipy.stats import kstest

from iebench.errors import UsageError
from iebench.factors.parse import custom_space, parse_factor
from iebench.factors.rotations import euler_to_matrix, euler_to_quaternion, quaternion_to_euler
from iebench.factors.space import FACTORS, Factor, FactorSpace, get_space


def sample(space: str | FactorSpace, objects: int = 200, views: int = 50) -> np.ndarray:
    space = get_space(space) if isinstance(space, str) else space
    return np.concatenate([space.sample(0, "02691156", f"object-{index}", views) for index in range(objects)])


def test_first_draws_stay_what_they_were():
    """Datasets name their seed; were these numbers to change, a seed would not give its dataset any more."""
    latents = get_space("3diebench").sample(0, "02691156", "abc", 2)
    expected = [
        0.09193397579,
        -1.3185703809,
        -0.43350156756,
        0.05182665276,
        0.52636016776,
        3.22160269995,
        0.30509257812,
    ]
    np.testing.assert_allclose(latents[0], expected, atol=1e-9)


def test_more_views_leave_the_first_as_they_were():
    space = get_space("3diebench")
    np.testing.assert_array_equal(space.sample(3, "a", "b", 50)[:7], space.sample(3, "a", "b", 7))


def test_every_name_counts():
    space = get_space("3diebench")
    drawn = [space.sample(*names, 1)[0, 0] for names in itertools.product((0, 1), ("a", "b"), ("c", "d"))]
    assert len(set(drawn)) == 8


def test_fixing_one_factor_leaves_the_others():
    space = get_space("3diebench")
    fixed = custom_space("3diebench", ["floor_hue=0.3"])
    before, after = space.sample(0, "a", "b", 9), fixed.sample(0, "a", "b", 9)
    assert (after[:, 3] == 0.3).all()
    np.testing.assert_array_equal(np.delete(before, 3, axis=1), np.delete(after, 3, axis=1))


@pytest.mark.parametrize("name", ["3diebench", "3diebench-t"])
def test_boxes_are_uniform(name):
    space = get_space(name)
    for factor, values in zip(space.factors, sample(name).T, strict=True):
        assert kstest((values - factor.low) / (factor.high - factor.low), "uniform").pvalue > 1e-3


def test_so3_is_haar():
    """Under the Haar measure every entry of the matrix is uniform on [-1, 1], and the quaternion has no direction."""
    angles = sample("so3")[:, :3]
    for entry in euler_to_matrix(angles).reshape(-1, 9).T:
        assert kstest((entry + 1) / 2, "uniform").pvalue > 1e-3


def test_ood_rotations_are_those_that_3diebench_cannot_make():
    angles = sample("ood-rotation")[:, :3]
    canonical = quaternion_to_euler(euler_to_quaternion(angles))
    assert ((np.abs(canonical[:, 0]) > np.pi / 2) | (np.abs(canonical[:, 2]) > np.pi / 2)).all()
    quarters = np.histogram2d(np.abs(canonical[:, 0]) > np.pi / 2, np.abs(canonical[:, 2]) > np.pi / 2, bins=2)[0]
    np.testing.assert_allclose(quarters / quarters.sum(), [[0, 1 / 3], [1 / 3, 1 / 3]], atol=0.02)


def test_turning_all_three_angles_outside_gives_training_rotations_back():
    x, y, z = np.random.default_rng(0).uniform(-np.pi / 2, np.pi / 2, (3, 50))
    outside = np.stack([x + np.pi, np.pi - y, z + np.pi], axis=-1)
    np.testing.assert_allclose(euler_to_matrix(outside), euler_to_matrix(np.stack([x, y, z], axis=-1)), atol=1e-12)


@pytest.mark.parametrize("name", ["3diebench", "3diebench-t", "so3", "ood-rotation"])
def test_spaces_survive_json(name):
    assert FactorSpace.from_json(get_space(name).to_json()) == get_space(name)


def test_factor_texts():
    factor = parse_factor("rotation_z=-180:180deg")
    assert (factor.name, factor.low, factor.high) == ("rotation_z", pytest.approx(-np.pi), pytest.approx(np.pi))
    assert parse_factor("floor_hue=0.3").low == parse_factor("floor_hue=0.3").high == 0.3


@pytest.mark.parametrize(
    ("space", "text", "message"),
    [
        ("3diebench", "floor_hue=a", "not understood"),
        ("3diebench", "floor_hue=1:0", "LOW <= HIGH"),
        ("3diebench", "flor_hue=0.5", "did you mean 'floor_hue'"),
        ("3diebench", "light_phi=nan", "LOW <= HIGH"),
        ("3diebench", "floor_hue=90deg", "hues are in turns"),
        ("3diebench", "light_phi=0.5turn", "angles in deg or rad"),
        ("3diebench", "light_hue=0:1.5", "between 0 and 1"),
        ("3diebench-t", "translation_x=10deg", "no unit for anything else"),
        ("3diebench", "translation_x=0.2", "take --space 3diebench-t"),
        ("so3", "rotation_x=0", "draws the three angles together"),
    ],
)
def test_wrong_factors_are_refused(space, text, message):
    with pytest.raises(UsageError, match=message):
        custom_space(space, [text])


@pytest.mark.parametrize("text", ['base = ["3diebench"]', "factors = 3", 'bse = "so3"', "base = "])
def test_wrong_space_files_are_refused(text, tmp_path):
    (tmp_path / "space.toml").write_text(text)
    with pytest.raises(UsageError, match=r"--space .*space\.toml"):
        custom_space(str(tmp_path / "space.toml"), [])


def test_a_factor_knows_its_unit_period_and_group():
    told = {name: (Factor(name, 0, 1).unit, Factor(name, 0, 1).period, Factor(name, 0, 1).group) for name in FACTORS}
    assert told["rotation_y"] == ("rad", 2 * np.pi, "rotation")
    assert told["light_theta"] == told["light_phi"] == ("rad", 2 * np.pi, "light")
    assert told["floor_hue"] == told["light_hue"] == ("turn", 1, "color")
    assert told["translation_z"] == ("diagonal", None, "translation")
    assert get_space("3diebench").group("translation") == ()
    assert get_space("3diebench-t").group("color") == ("floor_hue", "light_hue")


def test_a_factor_is_circular_where_its_range_is_a_whole_period():
    circular = {name: {f.name for f in get_space(name).factors if f.is_circular} for name in ("3diebench-t", "so3")}
    assert circular["3diebench-t"] == {"floor_hue", "light_phi", "light_hue"}
    assert circular["so3"] == {"rotation_x", "rotation_z", "floor_hue", "light_phi", "light_hue"}
    assert not Factor("floor_hue", 0.0, 0.5).is_circular


def test_encoding_is_a_point_of_the_circle_or_a_number_from_minus_one_to_one():
    values = np.array([[0.0, 0.25], [0.5, 1.0]])
    hue, narrow = Factor("floor_hue", 0.0, 1.0), Factor("floor_hue", 0.0, 0.5)
    assert (hue.num_encoded, narrow.num_encoded) == (2, 1)
    np.testing.assert_allclose(hue.encode(values), [[[1, 0], [0, 1]], [[-1, 0], [1, 0]]], atol=1e-12)
    np.testing.assert_allclose(narrow.encode(values)[..., 0], [[-1, 0], [1, 3]])
    np.testing.assert_array_equal(Factor("light_phi", 2, 2).unit_interval(values + 2), 0 * values)
