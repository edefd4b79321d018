"""Normalisation of images by the statistics of 3DIEBench, which stand here alone."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

# Of the benchmark's training images in [0, 1], as SIE's published code has them.
IMAGE_MEAN = (0.5016, 0.5037, 0.5060)
IMAGE_STD = (0.1030, 0.0999, 0.0969)


class Normalisation(nn.Module):
    """uint8 images to what networks take: on the module's device, in channels-last memory format, (x - mean) / std."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", 255 * torch.tensor(IMAGE_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", 255 * torch.tensor(IMAGE_STD).view(3, 1, 1), persistent=False)

    def forward(self, images: UInt8[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch 3 height width"]:
        """The images of a batch, normalised."""
        images = images.to(self.mean.device, non_blocking=True, memory_format=torch.channels_last)
        return (images - self.mean) / self.std
