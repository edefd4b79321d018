"""From what rays meet to passes: known answers, without Blender."""

import numpy as np
import pytest

from iebench.errors import IebenchError
from iebench.factors.space import get_space
from iebench.render.scene import project, view_scene, world_to_camera
from iebench.render.surface import transform
from iebench.render.view_passes import Traced, encode_passes, floor_depth, make_pass


def trace(points: np.ndarray, matrix: np.ndarray) -> Traced:
    """Four points of an object, each in a pixel of its own, with normals that point as the points do."""
    position = transform(matrix, points)
    normal = points @ matrix[:3, :3].T
    return Traced(np.ones((2, 2), bool), position.reshape(2, 2, 3), normal.reshape(2, 2, 3))


def test_what_is_told_is_in_the_objects_frame():
    space, points = get_space("3diebench-t"), np.random.default_rng(0).normal(size=(4, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    matrix = view_scene(space, space.sample(0, "a", "b", 1)[0]).object_matrix
    traced = trace(points, matrix)
    for name in ("position", "normal"):
        np.testing.assert_allclose(make_pass(name, traced, matrix).reshape(4, 3), points, atol=1e-6)
    depth = -transform(world_to_camera() @ matrix, points)[:, 2]
    np.testing.assert_allclose(make_pass("depth", traced, matrix).reshape(4), depth, atol=1e-6)


def test_an_object_that_is_too_large_is_refused():
    traced = trace(np.full((4, 3), 5.0), np.eye(4))
    with pytest.raises(IebenchError, match=r"the object is too large for the pass position, .* 5, and ends at 4"):
        encode_passes(["position"], traced, np.eye(4))


@pytest.mark.parametrize("lens", [50.0, 12.0])
def test_the_floor_ends_at_the_horizon(lens):
    depth = floor_depth(64, lens)
    horizon = project(np.array([[0.0], [1.0], [-1.0]]), 64, lens)[1, 0]  # level, as the camera looks down by 45 degrees
    assert (np.isinf(depth) == (np.arange(64) + 0.5 <= horizon)).all()
    assert (np.diff(depth[np.isfinite(depth)]) < 0).all()
    nothing = Traced(np.zeros((64, 64), bool), np.zeros((64, 64, 3)), np.zeros((64, 64, 3)))
    assert (np.isnan(make_pass("depth", nothing, np.eye(4), lens)[:, 5]) == (depth > 8)).all()
