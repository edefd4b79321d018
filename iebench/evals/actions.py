"""Transforms as group elements: a unit quaternion first, then differences of factors, which add up."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from iebench.errors import UsageError
from iebench.evals.tasks import HUES
from iebench.factors import ROTATION, FactorSpace
from iebench.rotations import compose, invert, relative_rotation

TRANSFORMS = ("rotation", "rotation+color", "all")


def relate(
    space: FactorSpace,
    source: Float[ndarray, "*b factors"],
    target: Float[ndarray, "*b factors"],
    transform: str = "rotation",
) -> Float[ndarray, "*b t"]:
    """The transform that takes the source's latents to the target's.

    Args:
        space: the factors of the latents.
        source: latents of the source views.
        target: latents of the target views.
        transform: "rotation" (4 numbers), "rotation+color" (then the differences of both hues), or "all" (of all others).

    Raises:
        UsageError: there is no such transform, or the space lacks its factors.
    """
    if transform not in TRANSFORMS:
        raise UsageError(f"There is no transform {transform!r}: choose one of {', '.join(TRANSFORMS)}.")
    angles = space.columns(ROTATION)
    others = {"rotation": (), "rotation+color": HUES, "all": tuple(n for n in space.names if n not in ROTATION)}
    columns = space.columns(others[transform])
    rotation = relative_rotation(source[..., angles], target[..., angles])
    return np.concatenate([rotation, target[..., columns] - source[..., columns]], axis=-1)


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
