"""Rotations as tensors are those of arrays."""

import numpy as np
import torch

from iebench.factors import rotations
from iebench.models import torch_rotations


def test_tensors_are_turned_as_arrays_are() -> None:
    angles = np.random.default_rng(0).uniform(-4, 4, (50, 3))
    quaternions = torch_rotations.euler_to_quaternion(torch.from_numpy(angles))
    np.testing.assert_allclose(quaternions, rotations.euler_to_quaternion(angles), atol=1e-14)
    matrices = torch_rotations.quaternion_to_matrix(quaternions)
    np.testing.assert_allclose(matrices, rotations.euler_to_matrix(angles), atol=1e-14)
