"""Random draws behind latents: a counter-based stream for each factor of each object, and the laws of rotations."""

import hashlib

import numpy as np
from jaxtyping import Float
from numpy import ndarray

Uniform = Float[ndarray, " views"]


def draw_uniform(seed: int, synset: str, object_id: str, factor: str, count: int) -> Float[ndarray, " count"]:
    """`count` numbers in [0, 1) of the stream that belongs to one factor of one object.

    The raw 64-bit words are mapped here, as numpy promises their stream for ever but not what `Generator` makes of them.
    """
    text = f"iebench latents 1\n{seed}\n{synset}\n{object_id}\n{factor}"
    key = np.frombuffer(hashlib.blake2b(text.encode(), digest_size=16).digest(), dtype="<u8")
    return (np.random.Philox(key=key).random_raw(count) >> 11) * 2.0**-53


def haar_angles(x: Uniform, y: Uniform, z: Uniform) -> tuple[ndarray, ndarray, ndarray]:
    """Tait-Bryan angles, uniform on SO(3), from three uniform numbers."""
    return np.pi * (2 * x - 1), np.arcsin(2 * y - 1), np.pi * (2 * z - 1)


def ood_angles(x: Uniform, y: Uniform, z: Uniform) -> tuple[ndarray, ndarray, ndarray]:
    """Tait-Bryan angles, uniform on the rotations that 3DIEBench cannot make, from three uniform numbers.

    The square [-π/2, π/2]² of (x, z) is moved by half a turn in x, in z, or in both: the three quarters left out.
    """
    quarter = np.minimum((3 * x).astype(int), 2)
    inside_x, inside_z = np.pi * (3 * x - quarter - 0.5), np.pi * (z - 0.5)
    moved_x, moved_z = np.pi * (quarter != 1), np.pi * (quarter != 0)
    return _wrap(inside_x + moved_x), np.arcsin(2 * y - 1), _wrap(inside_z + moved_z)


def _wrap(angle: ndarray) -> ndarray:
    return np.where(angle > np.pi, angle - 2 * np.pi, angle)
