"""The scene of 3DIEBench as data: what stands where in which colour. Blender only applies it.

World frame: right-handed, Z up, the object at the origin, lengths in units of the object's diagonal. Cameras and spots
look along their own -Z, with Y up in the image, as in Blender and OpenGL. Colours are linear RGB.
Source of every number: the published generator, as listed in docs/scene.md.
"""

import colorsys
import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from iebench.dataset.card import FOCAL_LENGTH
from iebench.factors.rotations import euler_to_matrix
from iebench.factors.space import ROTATION, TRANSLATION, FactorSpace

FLOOR_SIDE = 10_000.0
FLOOR_HEIGHT = -1.0
FLOOR_SATURATION_VALUE = (0.6, 0.6)
SUN_ENERGY, SUN_ANGLE = 1.5, math.pi / 2
SPOT_ENERGY, SPOT_CONE, SPOT_DISTANCE = 500.0, math.pi / 8, 4.0
SPOT_BLEND, SPOT_RADIUS = 0.15, 0.25  # the radius was found by meeting the published images: 0.0 loses 4 dB
SPOT_SATURATION_VALUE = (1.0, 0.8)
WORLD_GREY = 0.05
CAMERA_DISTANCE, CAMERA_POLAR, CAMERA_AZIMUTH = 2.5, math.pi / 4, math.pi / 2
SENSOR_WIDTH = 36.0  # millimetres
VANISHED = 0.01  # opacity under which nothing is seen


@dataclass(frozen=True)
class ViewScene:
    """What differs between two views.

    Attributes:
        object_matrix: object to world; the object's own frame is Blender's, after Y-up became Z-up, centred, unit diagonal.
        floor_color: linear RGB.
        spot_matrix: spot to world.
        spot_color: linear RGB.
    """

    object_matrix: Float[ndarray, "4 4"]
    floor_color: tuple[float, float, float]
    spot_matrix: Float[ndarray, "4 4"]
    spot_color: tuple[float, float, float]


def view_scene(space: FactorSpace, latents: Float[ndarray, " factors"]) -> ViewScene:
    """The scene that the latents of one view describe."""
    value = dict(zip(space.names, np.asarray(latents, dtype=np.float64).tolist(), strict=True))
    spot = spherical(SPOT_DISTANCE, value["light_theta"], value["light_phi"])
    return ViewScene(
        object_matrix=_object_matrix(value),
        floor_color=colorsys.hsv_to_rgb(value["floor_hue"], *FLOOR_SATURATION_VALUE),
        spot_matrix=look_at_origin(spot),
        spot_color=colorsys.hsv_to_rgb(value["light_hue"], *SPOT_SATURATION_VALUE),
    )


def camera_matrix() -> Float[ndarray, "4 4"]:
    """Camera to world."""
    return look_at_origin(spherical(CAMERA_DISTANCE, CAMERA_POLAR, CAMERA_AZIMUTH))


def world_to_camera() -> Float[ndarray, "4 4"]:
    """The inverse of the camera's matrix: x to the right, y up, and what is seen at negative z."""
    camera, matrix = camera_matrix(), np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = camera[:3, :3].T, -camera[:3, :3].T @ camera[:3, 3]
    return matrix


def project(
    points: Float[ndarray, "3 n"], image_size: int, focal_length: float = FOCAL_LENGTH
) -> Float[ndarray, "2 n"]:
    """Pixel coordinates (x to the right, y down, pixel centres at half numbers) of points before the camera, in its frame.

    `focal_length` in mm.
    """
    focal = focal_length / SENSOR_WIDTH * image_size
    return image_size / 2 + focal * points[:2] / (-points[2] * np.array([[1], [-1]], points.dtype))


def spherical(radius: float, polar: float, azimuth: float) -> Float[ndarray, "3"]:
    """A point by its distance, its angle from +Z and its angle from +X in the XY plane."""
    around = np.array([math.cos(azimuth), math.sin(azimuth)])
    return radius * np.array([*(math.sin(polar) * around), math.cos(polar)])


def look_at_origin(location: Float[ndarray, "3"]) -> Float[ndarray, "4 4"]:
    """Matrix of a camera or lamp at a point, its -Z towards the origin, its Y as near to the world's Z as can be."""
    backward = location / np.linalg.norm(location)
    right = np.cross([0.0, 0.0, 1.0], backward)
    if np.linalg.norm(right) < 1e-9:  # straight above: any direction will do
        right = np.array([1.0, 0.0, 0.0])
    right /= np.linalg.norm(right)
    matrix = np.eye(4)
    matrix[:3] = np.stack([right, np.cross(backward, right), backward, location], axis=-1)
    return matrix


def _object_matrix(value: dict[str, float]) -> Float[ndarray, "4 4"]:
    rotation = euler_to_matrix(np.array([value[name] for name in ROTATION]))
    translation = np.array([value.get(name, 0.0) for name in TRANSLATION])
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation, rotation @ translation
    return matrix
