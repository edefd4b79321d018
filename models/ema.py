"""EMA (momentum) target networks: a copy whose parameters follow those of the online network."""

import math

import torch
from torch import nn


@torch.no_grad()
def update_ema(target: nn.Module, online: nn.Module, momentum: float) -> None:
    """Target ← momentum · target + (1 - momentum) · online, for parameters only; batch statistics stay the target's own."""
    for follower, leader in zip(target.parameters(), online.parameters(), strict=True):
        follower.lerp_(leader, 1 - momentum)


def cosine_momentum(start: float, progress: float) -> float:
    """The momentum after a part of the training, in [0, 1]: from `start` to 1 along a cosine (BYOL, appendix C.1)."""
    return 1 - (1 - start) * (math.cos(math.pi * progress) + 1) / 2
