"""Pose: the rotation of a single view, by an MLP."""

from jaxtyping import Float
from numpy import ndarray

from iebench.evals.evaluator import Needs
from iebench.evals.tasks.rotation import RotationRegression
from iebench.factors.rotations import euler_to_quaternion
from iebench.factors.space import ROTATION


class Pose(RotationRegression):
    """The rotation of one view in the world's frame, as a quaternion."""

    name, num_views = "pose", 1
    order = 30
    needs = Needs(factors=ROTATION)

    def relate(self, latents: Float[ndarray, "n 1 3"]) -> Float[ndarray, "n 4"]:
        """The rotation."""
        return euler_to_quaternion(latents[:, 0])
