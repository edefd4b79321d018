"""What the transformer of ContextSSL reads: tokens of pairs with what an environment shows, and the pairs that stay."""

from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from iebench.loader.multiview import MultiViewDataset

Environment = Literal["rotation", "color"]
# Where a transform has what an environment shows: a relative quaternion (x, y, z, w), then differences of two hues.
SHOWN: dict[Environment, slice] = {"rotation": slice(0, 4), "color": slice(4, 6)}
TRANSFORM_SIZE = 6
SEED = 0  # of the pairs that stay, whatever the training's seed

Transforms = Float[Tensor, "batch 6"]
Vectors = Float[Tensor, "batch dim"]
Tokens = Float[Tensor, "tokens in"]


def show(transforms: Transforms, environment: Environment) -> Transforms:
    """The transforms, with zeros for what an environment does not show."""
    shown = torch.zeros_like(transforms)
    shown[:, SHOWN[environment]] = transforms[:, SHOWN[environment]]
    return shown


def make_tokens(vectors: Vectors, transforms: Transforms | None = None) -> Tokens:
    """A token of each vector with its transform, or with zeros."""
    if transforms is None:
        return torch.cat([vectors, vectors.new_zeros(len(vectors), TRANSFORM_SIZE)], dim=1)
    return torch.cat([vectors, transforms.to(vectors.dtype)], dim=1)


def pair_tokens(source: Vectors, target: Vectors, transforms: Transforms) -> Tokens:
    """Two tokens of each pair in turn: the source with its transform, and the target without one."""
    return torch.stack([make_tokens(source, transforms), make_tokens(target)], dim=1).flatten(0, 1)


class ContextPairs(nn.Module):
    """Training pairs that are kept with a method, so that a run says by itself what its representations depend on.

    Args:
        count: how many.
        side: of their images in pixels.

    Attributes:
        images: uint8 (pairs, 2, 3, side, side); black until `fill`.
        transforms: (pairs, 6).
    """

    images: Tensor
    transforms: Tensor

    def __init__(self, count: int, side: int) -> None:
        super().__init__()
        self.register_buffer("images", torch.zeros((count, 2, 3, side, side), dtype=torch.uint8))
        self.register_buffer("transforms", torch.zeros((count, TRANSFORM_SIZE)))

    def fill(self, data: MultiViewDataset) -> None:
        """Take pairs of the training objects in a fixed order, and in further epochs where the objects are too few."""
        fixed = MultiViewDataset(data.dataset, "train", data.transform, SEED, data.size)
        order = np.random.default_rng(SEED).permutation(len(fixed))
        for epoch, start in enumerate(range(0, len(self.images), len(order))):
            views = fixed.read_batch(order[: len(self.images) - start], epoch)
            rows = slice(start, start + len(views.images))
            self.images[rows], self.transforms[rows] = views.images, views.transforms[:, 0]
