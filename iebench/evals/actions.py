"""Transforms as group elements: a unit quaternion first, then differences of factors, which add up."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from iebench.factors.rotations import compose, invert


def chain(first: Float[ndarray, "*b t"], second: Float[ndarray, "*b t"]) -> Float[ndarray, "*b t"]:
    """The transform that does `first` and then `second`: rotations in the object's frame multiply from the right."""
    return np.concatenate([compose(first[..., :4], second[..., :4]), first[..., 4:] + second[..., 4:]], axis=-1)


def undo(transform: Float[ndarray, "*b t"]) -> Float[ndarray, "*b t"]:
    """The transform that takes back."""
    return np.concatenate([invert(transform[..., :4]), -transform[..., 4:]], axis=-1)


def stay(like: Float[ndarray, "*b t"]) -> Float[ndarray, "*b t"]:
    """Transforms of the same shape that change nothing."""
    still = np.zeros_like(like)
    still[..., 3] = 1.0
    return still


def rotate_about_z(angle: float, size: int) -> Float[ndarray, " t"]:
    """A transform of `size` numbers that only turns about the object's z axis, by radians."""
    transform = np.zeros(size)
    transform[2:4] = np.sin(angle / 2), np.cos(angle / 2)
    return transform
