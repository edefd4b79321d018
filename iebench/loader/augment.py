"""Augmentations: changes in image space, for whole batches on the device where they lie.

SIE and its kin are trained without any; methods that need them apply one to `pair.source` and `pair.target` before
normalising. A mirrored image is no view of the same rotation, so `flip` is 0 unless asked for.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Generator, Tensor
from torch.nn import functional

from iebench.errors import UsageError

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Pillow's "L"


@dataclass(frozen=True)
class Augmentation:
    """A random change of every image of a batch, each drawn for itself.

    Attributes:
        crop: least part of the area that is kept and scaled back to the full size; 1 keeps all.
        aspect: the crop's width by height lies between 1/aspect and aspect.
        flip: chance to mirror left and right.
        brightness, contrast, saturation: each is multiplied by a number between 1 - x and 1 + x.
        grey: chance to lose all colour.
    """

    crop: float = 1.0
    aspect: float = 1.0
    flip: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    grey: float = 0.0

    def __post_init__(self) -> None:
        for name in ("flip", "brightness", "contrast", "saturation", "grey"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"{name}={getattr(self, name)}: give a number from 0 to 1.")
        if not 0 < self.crop <= 1 or self.aspect < 1:
            raise UsageError(f"crop={self.crop} must be above 0 and at most 1, and aspect={self.aspect} at least 1.")

    def __call__(
        self, images: UInt8[Tensor, "batch 3 height width"], generator: Generator | None = None
    ) -> UInt8[Tensor, "batch 3 height width"]:
        """The changed images, on the same device.

        Args:
            images: RGB.
            generator: of the random numbers, on the device of the images; None takes torch's own.
        """
        changed = self._change_colours(self._move(images.float() / 255, generator), generator)
        return (changed * 255).round().clamp(0, 255).to(torch.uint8)

    def _move(self, images: Float[Tensor, "b 3 h w"], generator: Generator | None) -> Float[Tensor, "b 3 h w"]:
        if self.crop == 1 and self.flip == 0 and self.aspect == 1:
            return images
        area, ratio, across, along, mirror = _draw(5, images, generator)
        side = (self.crop + (1 - self.crop) * area).sqrt()
        stretch = self.aspect ** (ratio - 0.5)
        width, height = (side * stretch).clamp(max=1), (side / stretch).clamp(max=1)
        theta = torch.zeros(len(images), 2, 3, device=images.device)
        theta[:, 0, 0] = torch.where(mirror < self.flip, -width, width)
        theta[:, 1, 1] = height
        theta[:, 0, 2] = (2 * across - 1) * (1 - width)
        theta[:, 1, 2] = (2 * along - 1) * (1 - height)
        grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
        return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)

    def _change_colours(
        self, images: Float[Tensor, "b 3 h w"], generator: Generator | None
    ) -> Float[Tensor, "b 3 h w"]:
        brightness, contrast, saturation, grey = (x[:, None, None, None] for x in _draw(4, images, generator))
        images = images * (1 + self.brightness * (2 * brightness - 1))
        middle = _luma(images).mean(dim=(2, 3), keepdim=True)
        images = middle + (images - middle) * (1 + self.contrast * (2 * contrast - 1))
        strength = torch.where(grey < self.grey, torch.zeros_like(grey), 1 + self.saturation * (2 * saturation - 1))
        colourless = _luma(images)
        return colourless + (images - colourless) * strength


def _draw(count: int, images: Tensor, generator: Generator | None) -> Tensor:
    return torch.rand(count, len(images), device=images.device, generator=generator)


def _luma(images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 1 h w"]:
    weights = torch.tensor(_LUMA, device=images.device).view(1, 3, 1, 1)
    return (images * weights).sum(dim=1, keepdim=True)
