"""Rotation, linear: the relative rotation of a pair's two views, by a linear map of the two."""

from iebench.evals.columns import Column
from iebench.evals.linear_probe import FittedLinearly
from iebench.evals.tasks.rotation import Rotation


class LinearRotation(FittedLinearly, Rotation):
    """The relative rotation of a pair as a quaternion, by ridge regression."""

    name = "rotation-linear"
    order = 11
    columns = (Column("rotation R², uniform, linear", "rotation-linear/whole/r2_uniform"),)
