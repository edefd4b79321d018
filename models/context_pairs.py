"""What the transformer of ContextSSL reads: tokens of pairs with what an environment shows, and the pairs that stay."""

from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from iebench.loader.multiview import MultiViewDataset

Environment = Literal["rotation", "color"]
# Where an action has what an environment shows: a relative quaternion (x, y, z, w), then differences of two hues.
SHOWN: dict[Environment, slice] = {"rotation": slice(0, 4), "color": slice(4, 6)}
ACTION_SIZE = 6
SEED = 0  # of the pairs that stay, whatever the training's seed

Actions = Float[Tensor, "batch 6"]
Vectors = Float[Tensor, "batch dim"]
Tokens = Float[Tensor, "tokens in"]


def show(actions: Actions, environment: Environment) -> Actions:
    """The actions, with zeros for what an environment does not show."""
    shown = torch.zeros_like(actions)
    shown[:, SHOWN[environment]] = actions[:, SHOWN[environment]]
    return shown


def make_tokens(vectors: Vectors, actions: Actions | None = None) -> Tokens:
    """A token of each vector with its action, or with zeros."""
    if actions is None:
        return torch.cat([vectors, vectors.new_zeros(len(vectors), ACTION_SIZE)], dim=1)
    return torch.cat([vectors, actions.to(vectors.dtype)], dim=1)


def pair_tokens(source: Vectors, target: Vectors, actions: Actions) -> Tokens:
    """Two tokens of each pair in turn: the source with its action, and the target without one."""
    return torch.stack([make_tokens(source, actions), make_tokens(target)], dim=1).flatten(0, 1)


def euler_to_quaternion(angles: Float[Tensor, "batch 3"]) -> Float[Tensor, "batch 4"]:
    """`iebench.factors.rotations.euler_to_quaternion` on any device, with the sign that scipy gives."""
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


class ContextPairs(nn.Module):
    """Training pairs that are kept with a method, so that a run says by itself what its representations depend on.

    Args:
        count: how many.
        side: of their images in pixels.

    Attributes:
        images: uint8 (pairs, 2, 3, side, side); black until `fill`.
        actions: (pairs, 6).
    """

    images: Tensor
    actions: Tensor

    def __init__(self, count: int, side: int) -> None:
        super().__init__()
        self.register_buffer("images", torch.zeros((count, 2, 3, side, side), dtype=torch.uint8))
        self.register_buffer("actions", torch.zeros((count, ACTION_SIZE)))

    def fill(self, data: MultiViewDataset) -> None:
        """Take pairs of the training objects in a fixed order, and in further epochs where the objects are too few."""
        fixed = MultiViewDataset(data.dataset, "train", data.transform, SEED, data.size)
        order = np.random.default_rng(SEED).permutation(len(fixed))
        for epoch, start in enumerate(range(0, len(self.images), len(order))):
            views = fixed.read_batch(order[: len(self.images) - start], epoch)
            rows = slice(start, start + len(views.images))
            self.images[rows], self.actions[rows] = views.images, views.transforms[:, 0]
