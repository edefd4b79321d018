"""Rotations agree with scipy's, in every form."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from iebench.factors.rotations import (
    ROTATION_SIZES,
    angle_between,
    canonicalise,
    compose,
    euler_to_matrix,
    euler_to_quaternion,
    format_rotation,
    invert,
    parse_rotation,
    relative_rotation,
)
from iebench.factors.space import get_space


@pytest.fixture(scope="module")
def pairs() -> tuple[np.ndarray, np.ndarray]:
    latents = np.concatenate([get_space("3diebench").sample(0, "a", str(index), 50) for index in range(200)])
    return latents[::2, :3], latents[1::2, :3]


def test_quaternions_are_scipys_in_value_and_sign(pairs):
    np.testing.assert_allclose(
        euler_to_quaternion(pairs[0]), Rotation.from_euler("xyz", pairs[0]).as_quat(), atol=1e-15
    )


def test_relative_rotation_is_scipys_in_value_and_sign(pairs):
    source, target = (Rotation.from_euler("xyz", euler) for euler in pairs)
    np.testing.assert_allclose(relative_rotation(*pairs), (source.inv() * target).as_quat(), atol=1e-14)


def test_relative_rotation_takes_source_to_target(pairs):
    """R(target) = R(source) r."""
    relative = Rotation.from_quat(relative_rotation(*pairs)).as_matrix()
    np.testing.assert_allclose(euler_to_matrix(pairs[0]) @ relative, euler_to_matrix(pairs[1]), atol=1e-12)


def test_four_percent_of_pairs_have_a_negative_w_unless_canonical(pairs):
    assert (relative_rotation(*pairs)[:, 3] < 0).mean() == pytest.approx(0.04, abs=0.01)
    assert (canonicalise(relative_rotation(*pairs))[:, 3] >= 0).all()


def test_angle_is_geodesic_and_blind_to_sign(pairs):
    first, second = (euler_to_quaternion(euler) for euler in pairs)
    expected = (Rotation.from_quat(first).inv() * Rotation.from_quat(second)).magnitude()
    np.testing.assert_allclose(angle_between(first, second), expected, atol=1e-9)
    np.testing.assert_allclose(angle_between(first, -second), expected, atol=1e-9)
    np.testing.assert_allclose(angle_between(first, -first), 0, atol=1e-9)


def test_inverse_undoes(pairs):
    quaternion = euler_to_quaternion(pairs[0])
    np.testing.assert_allclose(compose(quaternion, invert(quaternion)), [[0, 0, 0, 1]] * len(quaternion), atol=1e-12)


@pytest.mark.parametrize("form", ROTATION_SIZES)
def test_every_form_describes_the_same_rotation(pairs, form):
    quaternion = relative_rotation(*pairs)
    value = format_rotation(quaternion, form)
    assert value.shape == (len(quaternion), ROTATION_SIZES[form])
    matrix = Rotation.from_quat(quaternion).as_matrix()
    back = {
        "quaternion": lambda: Rotation.from_quat(value).as_matrix(),
        "matrix": lambda: value.reshape(-1, 3, 3),
        "6d": lambda: np.stack([value[:, :3], value[:, 3:], np.cross(value[:, :3], value[:, 3:])], axis=-1),
        "euler": lambda: Rotation.from_euler("xyz", value).as_matrix(),
        "rotation-vector": lambda: Rotation.from_rotvec(value).as_matrix(),
    }
    np.testing.assert_allclose(back[form](), matrix, atol=1e-9)
    assert angle_between(parse_rotation(value, form), quaternion).max() < 1e-7
    one = parse_rotation(value[0], form)
    assert one.shape == (4,) and angle_between(one, quaternion[0]) < 1e-7


def test_six_numbers_that_are_no_columns_of_a_rotation_are_made_so():
    columns = np.array([2.0, 0, 0, 5, 3, 0])
    np.testing.assert_allclose(parse_rotation(columns, "6d"), [0, 0, 0, 1], atol=1e-12)
