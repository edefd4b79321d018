"""Rotations and the conversions between their forms, batched, in numpy.

Quaternions are unit, in the order (x, y, z, w). Euler angles are Tait-Bryan, extrinsic x-y-z, in radians: Blender's "XYZ"
and scipy's lowercase "xyz". Matrices act on column vectors. All functions take any leading batch axes.
"""

from typing import Literal

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.spatial.transform import Rotation

RotationFormat = Literal["quaternion", "matrix", "6d", "euler", "rotation-vector"]
IDENTITY: Float[ndarray, "4"] = np.array([0.0, 0.0, 0.0, 1.0])
IDENTITY.flags.writeable = False
ROTATION_SIZES: dict[str, int] = {"quaternion": 4, "matrix": 9, "6d": 6, "euler": 3, "rotation-vector": 3}


def euler_to_quaternion(euler: Float[ndarray, "*b 3"]) -> Float[ndarray, "*b 4"]:
    """Quaternions of Euler angles, with the sign that half-angle products give (as scipy's `from_euler`)."""
    half = np.asarray(euler, dtype=np.float64) / 2
    (sx, sy, sz), (cx, cy, cz) = np.moveaxis(np.sin(half), -1, 0), np.moveaxis(np.cos(half), -1, 0)
    return np.stack(
        [
            sx * cy * cz - cx * sy * sz,
            cx * sy * cz + sx * cy * sz,
            cx * cy * sz - sx * sy * cz,
            cx * cy * cz + sx * sy * sz,
        ],
        axis=-1,
    )


def compose(left: Float[ndarray, "*#b 4"], right: Float[ndarray, "*#b 4"]) -> Float[ndarray, "*c 4"]:
    """Hamilton product: the rotation `left · right`, which applies `right` first. The batch axes broadcast."""
    a, b = left[..., :3], right[..., :3]
    v, w = left[..., 3:], right[..., 3:]
    vector = v * b + w * a + np.cross(a, b)
    return np.concatenate([vector, v * w - np.sum(a * b, axis=-1, keepdims=True)], axis=-1)


def invert(quaternion: Float[ndarray, "*b 4"]) -> Float[ndarray, "*b 4"]:
    """The inverse rotation, by the conjugate."""
    return quaternion * np.array([-1.0, -1.0, -1.0, 1.0])


def canonicalise(quaternion: Float[ndarray, "*b 4"]) -> Float[ndarray, "*b 4"]:
    """The same rotations with w >= 0."""
    return np.where(quaternion[..., 3:] < 0, -quaternion, quaternion)


def relative_rotation(
    source_euler: Float[ndarray, "*b 3"], target_euler: Float[ndarray, "*b 3"]
) -> Float[ndarray, "*b 4"]:
    """The rotation r = R(source)⁻¹ R(target) in the object's frame, so that R(target) = R(source) r.

    Its sign is that in which scipy composes the two, which the published numbers used; about 4 % of 3DIEBench's pairs then have
    w < 0. `canonicalise` gives w >= 0.

    Args:
        source_euler: Euler angles of the source views, radians.
        target_euler: Euler angles of the target views, radians.
    """
    return compose(invert(euler_to_quaternion(source_euler)), euler_to_quaternion(target_euler))


def quaternion_to_matrix(quaternion: Float[ndarray, "*b 4"]) -> Float[ndarray, "*b 3 3"]:
    """Rotation matrices."""
    flat = Rotation.from_quat(np.reshape(quaternion, (-1, 4))).as_matrix()
    return flat.reshape(*np.shape(quaternion)[:-1], 3, 3)


def quaternion_to_euler(quaternion: Float[ndarray, "*b 4"]) -> Float[ndarray, "*b 3"]:
    """The canonical Euler triple: x and z in [-π, π], y in [-π/2, π/2]."""
    flat = Rotation.from_quat(np.reshape(quaternion, (-1, 4))).as_euler("xyz")
    return flat.reshape(*np.shape(quaternion)[:-1], 3)


def quaternion_to_rotation_vector(quaternion: Float[ndarray, "*b 4"]) -> Float[ndarray, "*b 3"]:
    """Axis times angle, the angle in [0, π]."""
    flat = Rotation.from_quat(np.reshape(quaternion, (-1, 4))).as_rotvec()
    return flat.reshape(*np.shape(quaternion)[:-1], 3)


def quaternion_to_6d(quaternion: Float[ndarray, "*b 4"]) -> Float[ndarray, "*b 6"]:
    """The first two columns of the matrix, one after the other (Zhou et al., CVPR 2019)."""
    matrix = quaternion_to_matrix(quaternion)
    return np.concatenate([matrix[..., :, 0], matrix[..., :, 1]], axis=-1)


def format_rotation(quaternion: Float[ndarray, "*b 4"], form: RotationFormat) -> Float[ndarray, "*b n"]:
    """The rotations in another form, flattened to `ROTATION_SIZES[form]` numbers (matrices row by row)."""
    if form == "quaternion":
        return quaternion
    if form == "matrix":
        return quaternion_to_matrix(quaternion).reshape(*np.shape(quaternion)[:-1], 9)
    convert = {
        "6d": quaternion_to_6d,
        "euler": quaternion_to_euler,
        "rotation-vector": quaternion_to_rotation_vector,
    }
    return convert[form](quaternion)


def parse_rotation(values: Float[ndarray, "*b n"], form: RotationFormat) -> Float[ndarray, "*b 4"]:
    """Quaternions of rotations in another form: the inverse of `format_rotation`, but for the sign.

    Matrices need not be quite orthonormal: of 6D values, the second column gives way (Gram-Schmidt, as Zhou et al.).
    """
    if form == "quaternion":
        return values
    if form == "euler":
        return euler_to_quaternion(values)
    if form == "rotation-vector":
        rotations = Rotation.from_rotvec(np.reshape(values, (-1, 3)))
    else:
        matrix = _complete_matrix(values) if form == "6d" else np.reshape(values, (*np.shape(values)[:-1], 3, 3))
        rotations = Rotation.from_matrix(matrix.reshape(-1, 3, 3))
    return rotations.as_quat().reshape(*np.shape(values)[:-1], 4)


def _complete_matrix(columns: Float[ndarray, "*b 6"]) -> Float[ndarray, "*b 3 3"]:
    first = columns[..., :3] / np.linalg.norm(columns[..., :3], axis=-1, keepdims=True)
    second = columns[..., 3:] - np.sum(first * columns[..., 3:], axis=-1, keepdims=True) * first
    second = second / np.linalg.norm(second, axis=-1, keepdims=True)
    return np.stack([first, second, np.cross(first, second)], axis=-1)


def euler_to_matrix(euler: Float[ndarray, "*b 3"]) -> Float[ndarray, "*b 3 3"]:
    """Rotation matrices of Euler angles."""
    return quaternion_to_matrix(euler_to_quaternion(euler))


def angle_between(first: Float[ndarray, "*#b 4"], second: Float[ndarray, "*#b 4"]) -> Float[ndarray, "*c"]:
    """Geodesic angle between two rotations, in radians, in [0, π], the same for q and -q."""
    difference = compose(invert(first), second)
    return np.asarray(2 * np.arctan2(np.linalg.norm(difference[..., :3], axis=-1), np.abs(difference[..., 3])))


def slerp(
    start: Float[ndarray, "*b 4"], end: Float[ndarray, "*b 4"], shares: Float[ndarray, " n"]
) -> Float[ndarray, "*b n 4"]:
    """Rotations on the shortest way between two, at shares of it: 0 is `start`, 1 is `end` (Shoemake, SIGGRAPH 1985)."""
    step = canonicalise(compose(invert(start), end))
    sine = np.linalg.norm(step[..., :3], axis=-1, keepdims=True)
    axis = step[..., :3] / np.maximum(sine, np.finfo(np.float64).tiny)
    halves = np.arctan2(sine, step[..., 3:])[..., None, :] * shares[:, None]
    return compose(start[..., None, :], np.concatenate([np.sin(halves) * axis[..., None, :], np.cos(halves)], axis=-1))
