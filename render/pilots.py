"""Pilots: small images of an object before its views, whose noise tells how many samples its views need.

Two opposite corners of the object's box are rendered, so that all six sides are seen, each with two seeds of the noise. What the
denoiser cannot repair, be it print, many edges or speckles, it repairs differently each time; so images that differ much are far
from the truth too. docs/rendering.md says how well one tells the other.
"""

import math
from dataclasses import replace
from functools import cache

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from iebench.factors.space import get_space
from iebench.render.scene import CAMERA_AZIMUTH, ViewScene, camera_matrix, look_at_origin, view_scene

SEEDS = (0, 1)  # the first is that of the views
NOISE = 10**-4.6  # for which the least samples do
POWER = 1.25
SMALLEST = 32  # side in pixels
CORNERS = ((1.0, 1.0, 1.0), (-1.0, -1.0, -1.0))
LATENTS = {"floor_hue": 0.5, "light_theta": math.pi / 8, "light_phi": CAMERA_AZIMUTH}  # the others are 0


def pilot_size(image_size: int) -> int:
    """Side of the pilots in pixels: half of that of the views."""
    return min(max(image_size // 2, SMALLEST), image_size)


@cache
def pilot_scenes() -> tuple[ViewScene, ...]:
    """An object as its pilots see it."""
    space = get_space("3diebench")
    unturned = view_scene(space, np.array([LATENTS.get(name, 0.0) for name in space.names]))
    return tuple(replace(unturned, object_matrix=_show_corner(np.array(corner))) for corner in CORNERS)


def find_noise(one: UInt8[ndarray, "n h w 3"], other: UInt8[ndarray, "n h w 3"]) -> float:
    """Variance of the values (0 to 1) of images, of which there are two of each scene with independent noise."""
    return float(np.square((one.astype(np.float64) - other) / 255).mean() / 2)


def count_samples(noise: float, least: int, most: int) -> int:
    """Samples per pixel that keep the error of objects' views about even, from the noise of their pilots with the least.

    Squared errors fall as `samples ** -0.54` and rise as the noise. That would be a power of 1.85; a smaller one does more for
    objects that their pilots flatter.
    """
    return min(max(math.ceil(least * (noise / NOISE) ** POWER), least), most)


def _show_corner(corner: ndarray) -> ndarray:
    """Object to world, so that a corner of the object's box points to the camera."""
    matrix = np.eye(4)
    matrix[:3, :3] = camera_matrix()[:3, :3] @ look_at_origin(corner)[:3, :3].T
    return matrix
