"""Transforms form a group, in every form in which their rotation may be written."""

import numpy as np
import pytest

from iebench.errors import UsageError
from iebench.factors.rotations import (
    IDENTITY,
    ROTATION_SIZES,
    compose,
    euler_to_matrix,
    invert,
    parse_rotation,
    quaternion_to_matrix,
)
from iebench.factors.space import ROTATION, TRANSLATION, get_space
from iebench.factors.transforms import Transform, make_transform

SPACE = get_space("3diebench-t")
every_form = pytest.mark.parametrize("form", ROTATION_SIZES)


@pytest.fixture(scope="module")
def latents() -> list[np.ndarray]:
    """Three views of each of fifty objects."""
    drawn = np.stack([SPACE.sample(0, "a", str(index), 3) for index in range(50)])
    return [drawn[:, view] for view in range(3)]


def make(spec: str = "all", form: str = "quaternion", **settings: object) -> Transform:
    return make_transform(spec, SPACE, form, **settings)


def same(transform: Transform, first: np.ndarray, second: np.ndarray) -> None:
    """Whether transforms are equal, with q and -q for the same rotation."""
    if transform.rotation_format == "quaternion":
        columns = transform.columns("rotation")
        signs = np.sign(np.sum(first[:, columns] * second[:, columns], axis=1, keepdims=True))
        first = np.concatenate([signs * first[:, columns], first[:, columns.stop :]], axis=1)
    np.testing.assert_allclose(first, second, atol=2e-6)


@every_form
@pytest.mark.parametrize("frame", ["object", "base"])
def test_two_steps_are_the_way_from_the_first_view_to_the_last(latents, form, frame):
    transform = make("all", form, translation_frame=frame)
    a, b, c = latents
    same(transform, transform.compose(transform(a, b), transform(b, c)), transform(a, c))


def to_motions(transform: Transform, values: np.ndarray) -> np.ndarray:
    motions = np.tile(np.eye(4), (len(values), 1, 1))
    motions[:, :3, :3] = quaternion_to_matrix(parse_rotation(values[:, :-3], transform.rotation_format))
    motions[:, :3, 3] = values[:, -3:]
    return motions


@every_form
@pytest.mark.parametrize("frame", ["object", "base"])
def test_displacements_make_rigid_motions(latents, form, frame):
    """In the base frame [R(source), R(source) t(source)] times the motion is [R(target), R(target) t(target)]."""
    transform = make(f"rotation+displacement-{frame}", form)
    a, b, c = latents
    there, back, on = transform(a, b), transform(b, a), transform(b, c)
    same(transform, transform.compose(there, on), transform(a, c))
    same(transform, transform.invert(there), back)
    same(transform, transform.compose(there, transform.identity(1)), there)
    composed = to_motions(transform, there) @ to_motions(transform, on)
    np.testing.assert_allclose(composed, to_motions(transform, transform(a, c)), atol=2e-6)

    views = []
    for view in (a, b):
        rotation, position = euler_to_matrix(view[:, SPACE.columns(ROTATION)]), view[:, SPACE.columns(TRANSLATION)]
        views.append(np.tile(np.eye(4), (len(view), 1, 1)))
        views[-1][:, :3, :3] = rotation
        views[-1][:, :3, 3] = np.einsum("nij,nj->ni", rotation, position) if frame == "base" else position
    np.testing.assert_allclose(views[0] @ to_motions(transform, there), views[1], atol=2e-6)


def test_a_displacement_needs_a_rotation_and_a_space_that_translates():
    with pytest.raises(UsageError, match=r"write rotation\+displacement-base"):
        make("displacement-base")
    with pytest.raises(UsageError, match="no transform 'displacement-object' in factor space 3diebench"):
        make_transform("rotation+displacement-object", get_space("3diebench"))


@every_form
def test_the_inverse_is_the_way_back(latents, form):
    transform = make("all", form)
    same(transform, transform.invert(transform(latents[0], latents[1])), transform(latents[1], latents[0]))


@every_form
def test_the_identity_changes_nothing(latents, form):
    transform = make("all", form)
    there = transform(latents[0], latents[1])
    same(transform, transform.compose(there, transform.identity(1)), there)
    same(transform, transform.identity(50), transform(latents[0], latents[0]))


@every_form
def test_rotations_about_an_axis_are_asked_for_in_any_form(form):
    transform = make("rotation+floor_hue", form)
    turns = transform.rotate_about(np.array([0.0, 0.0, 1.0]), np.radians([30, 60, -90]))
    assert np.array_equal(turns, transform.rotate_about(np.array([0.0, 0.0, 2.0]), np.radians([30, 60, -90])))
    assert turns.shape == (3, transform.size) and not turns[:, -1].any()
    there = transform.compose(turns[:1], turns[1:2])
    same(transform, transform.compose(there, turns[2:]), transform.identity(1))
    matrix = quaternion_to_matrix(parse_rotation(there[0, transform.columns("rotation")], form))
    np.testing.assert_allclose(matrix, [[0, -1, 0], [1, 0, 0], [0, 0, 1]], atol=1e-12)


def test_columns_name_the_parts():
    transform = make("light_hue+rotation+translation", "6d")
    assert [transform.columns(part) for part in transform.parts] == [slice(0, 1), slice(1, 7), slice(7, 10)]
    with pytest.raises(UsageError, match="has no part 'floor_hue'"):
        transform.columns("floor_hue")
    with pytest.raises(UsageError, match="has no part 'rotation'"):
        make("color").rotate_about(np.array([0.0, 0.0, 1.0]), np.zeros(1))


def test_canonical_quaternions_stay_so(latents):
    transform = make("rotation", canonical=True)
    a, b, c = latents
    for result in (transform.compose(transform(a, b), transform(b, c)), transform.invert(transform(a, b))):
        assert (result[:, 3] >= 0).all()


def test_by_default_quaternions_are_multiplied_as_they_are(latents):
    """Signs are those of the Hamilton product, as in the published numbers."""
    transform, (a, b, c) = make("rotation+color"), latents
    first, second = transform(a, b), transform(b, c)
    expected = np.concatenate([compose(first[:, :4], second[:, :4]), first[:, 4:] + second[:, 4:]], axis=1)
    np.testing.assert_array_equal(transform.compose(first, second), expected)
    np.testing.assert_array_equal(transform.invert(first)[:, :4], invert(first[:, :4]))


def test_the_identity_cannot_be_changed_by_accident():
    with pytest.raises(ValueError, match="read-only"):
        IDENTITY[0] = 1
