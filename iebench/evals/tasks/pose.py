"""Pose: the rotation of a single view, by an MLP."""

from jaxtyping import Float
from numpy import ndarray

from iebench.evals.columns import Column
from iebench.evals.evaluator import Needs
from iebench.evals.tasks.rotation import RotationRegression
from iebench.factors.rotations import euler_to_quaternion
from iebench.factors.space import ROTATION


class Pose(RotationRegression):
    """The rotation of one view in the world's frame, as a quaternion."""

    name, num_views = "pose", 1
    order = 30
    needs = Needs(factors=ROTATION)
    columns: tuple[Column, ...] = (
        Column("pose R², pooled", "pose/whole/r2_pooled", "pose_r2:pooled"),
        Column("pose R², uniform", "pose/whole/r2_uniform", "pose_r2:uniform"),
        Column("pose R², uniform, out of distribution", "ood/pose/whole/r2_uniform", "pose_r2:uniform:ood"),
    )

    def relate(self, latents: Float[ndarray, "n 1 3"]) -> Float[ndarray, "n 4"]:
        """The rotation."""
        return euler_to_quaternion(latents[:, 0])
