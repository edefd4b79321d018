"""Pose, linear: the rotation of a single view, by a linear map."""

from iebench.evals.columns import Column
from iebench.evals.linear_probe import FittedLinearly
from iebench.evals.tasks.pose import Pose


class LinearPose(FittedLinearly, Pose):
    """The rotation of one view as a quaternion, by ridge regression."""

    name = "pose-linear"
    order = 31
    columns = (Column("pose R², uniform, linear", "pose-linear/whole/r2_uniform"),)
