"""From what rays meet in the world to the geometry passes of a view."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Shaped
from numpy import ndarray

from iebench.dataset.card import FOCAL_LENGTH
from iebench.dataset.passes import PASSES, encode_pass
from iebench.errors import IebenchError
from iebench.render.scene import FLOOR_HEIGHT, SENSOR_WIDTH, camera_matrix, world_to_camera


@dataclass(frozen=True)
class Traced:
    """What the rays through the middles of a view's pixels meet first.

    Attributes:
        is_object: whether it is the object.
        position: of the point, in the world.
        normal: there, in the world, of length one, towards the camera; as the object is shaded.
    """

    is_object: Bool[ndarray, "size size"]
    position: Float[ndarray, "size size 3"]
    normal: Float[ndarray, "size size 3"]


def encode_passes(
    names: Sequence[str], traced: Traced, object_matrix: Float[ndarray, "4 4"], focal_length: float = FOCAL_LENGTH
) -> dict[str, bytes]:
    """The PNGs of the passes of a view.

    Args:
        names: of the passes.
        traced: what is seen.
        object_matrix: from the object's frame to the world's: a rotation and a translation.
        focal_length: of the camera in millimetres.

    Raises:
        IebenchError: the object is larger than a pass can tell.
    """
    pngs = {}
    for name in names:
        try:
            pngs[name] = encode_pass(name, make_pass(name, traced, object_matrix, focal_length))
        except ValueError as error:
            raise IebenchError(f"the object is too large for the pass {name}, {error}") from None
    return pngs


def make_pass(
    name: str, traced: Traced, object_matrix: Float[ndarray, "4 4"], focal_length: float = FOCAL_LENGTH
) -> Shaped[ndarray, "size size *channels"]:
    """One pass as an image: see `encode_passes` and `iebench.dataset.passes`."""
    if name == "mask":
        return traced.is_object
    if name == "depth":
        return _find_depth(traced, focal_length)
    seen = traced.normal if name == "normal" else traced.position - object_matrix[:3, 3]
    turned = _turn(seen[traced.is_object], object_matrix[:3, :3].T)
    image = PASSES[name].empty(len(traced.is_object))
    image[traced.is_object] = _normalise(turned) if name == "normal" else turned
    return image


def _find_depth(traced: Traced, focal_length: float) -> Float[ndarray, "size size"]:
    """Along the camera's axis: of the object as it was met, of the floor as it is known, which rounding does not roughen."""
    size = len(traced.is_object)
    depth = np.repeat(floor_depth(size, focal_length)[:, None], size, axis=1)
    axis = world_to_camera()[2]
    depth[traced.is_object] = -_turn(traced.position[traced.is_object], axis[None, :3])[:, 0] - axis[3]
    depth[depth > PASSES["depth"].farthest] = np.nan
    return depth


def floor_depth(size: int, focal_length: float = FOCAL_LENGTH) -> Float[ndarray, " size"]:
    """The floor's distance from the camera along its axis, in each row of a view; infinite above the horizon."""
    up = (size / 2 - np.arange(size) - 0.5) * SENSOR_WIDTH / (focal_length * size)
    camera = camera_matrix()
    falls = camera[2, 2] - up * camera[2, 1]  # for each unit along the axis; the camera is not tilted sideways
    with np.errstate(divide="ignore"):
        return np.where(falls > 0, (camera[2, 3] - FLOOR_HEIGHT) / falls, np.inf)


def _turn(vectors: Float[ndarray, "n 3"], matrix: Float[ndarray, "m 3"]) -> Float[ndarray, "n m"]:
    return np.einsum("nj,ij->ni", vectors, matrix)  # not "@", whose threads compete with Cycles'


def _normalise(vectors: Float[ndarray, "n 3"]) -> Float[ndarray, "n 3"]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-30)
