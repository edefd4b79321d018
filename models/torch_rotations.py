"""Rotations as tensors, on any device and with gradients: what `iebench.factors.rotations` does with arrays."""

import torch
from jaxtyping import Float
from torch import Tensor


def euler_to_quaternion(angles: Float[Tensor, "batch 3"]) -> Float[Tensor, "batch 4"]:
    """Unit quaternions (x, y, z, w) of Tait-Bryan angles, extrinsic x-y-z, with the sign that scipy gives."""
    (sx, sy, sz), (cx, cy, cz) = (angles / 2).sin().unbind(1), (angles / 2).cos().unbind(1)
    return torch.stack(
        [
            sx * cy * cz - cx * sy * sz,
            cx * sy * cz + sx * cy * sz,
            cx * cy * sz - sx * sy * cz,
            cx * cy * cz + sx * sy * sz,
        ],
        dim=1,
    )


def quaternion_to_matrix(quaternions: Float[Tensor, "batch 4"]) -> Float[Tensor, "batch 3 3"]:
    """Rotation matrices of unit quaternions (x, y, z, w): 1 + 2 w [v]ₓ + 2 [v]ₓ²."""
    vector, w = quaternions[:, :3], quaternions[:, 3, None, None]
    zero, (x, y, z) = torch.zeros_like(vector[:, 0]), vector.unbind(1)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=1).unflatten(1, (3, 3))  # [v]ₓ
    return torch.eye(3, dtype=w.dtype, device=w.device) + 2 * (w * cross + cross @ cross)
