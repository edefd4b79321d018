"""From uint8 images to what a network takes: by its own processor, or normalised by statistics of a name."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy import ndarray
from PIL import Image
from torch import Tensor, nn

from iebench.errors import find_named
from iebench.models.normalisation import IMAGE_MEAN, IMAGE_STD, Normalisation

Images = UInt8[Tensor, "batch 3 height width"]
Statistics = tuple[Sequence[float], Sequence[float]]
MODEL, NONE = "model", "none"
STATISTICS: dict[str, Statistics] = {
    "3diebench": (IMAGE_MEAN, IMAGE_STD),
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),  # torchvision's
    "unit": ((0.0,) * 3, (1.0,) * 3),
}


class Preprocessing(nn.Module):
    """uint8 images scaled to [0, 1], (x - mean) / std; left as they are without statistics.

    Attributes:
        statistics: mean and standard deviation of each channel in [0, 1].
        side: to which square images are resized first, bicubically; not resized where absent.
    """

    def __init__(self, statistics: Statistics | None, side: int | None = None) -> None:
        super().__init__()
        self.statistics, self.side = statistics, side
        self.normalisation: nn.Module = nn.Identity() if statistics is None else _normalisation(*statistics)

    def forward(self, images: Images) -> Tensor:
        """The images of a batch."""
        if self.side not in (None, images.shape[2]):
            images = _in_threads(self._resize, images).to(images.device)
        return self.normalisation(images)

    def extra_repr(self) -> str:
        """All that decides what comes out, so that keys of caches tell it apart."""
        return f"{self.statistics}, {self.side}"

    def _resize(self, images: list[ndarray]) -> UInt8[Tensor, "n 3 side side"]:
        assert self.side is not None
        size = (self.side, self.side)
        resized = [np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)) for image in images]
        return torch.from_numpy(np.stack(resized)).permute(0, 3, 1, 2)


class Processor(nn.Module):
    """A model's own processor: size, crop, interpolation and normalisation as its authors have them.

    Attributes:
        process: uint8 images (height, width, 3) → (n, 3, rows, columns).
        about: what it does, as text.
    """

    def __init__(self, process: Callable[[list[ndarray]], Tensor], about: str) -> None:
        super().__init__()
        self.process, self.about = process, about

    def forward(self, images: Images) -> Float[Tensor, "batch 3 rows columns"]:
        """The images of a batch."""
        return _in_threads(self.process, images).to(images.device)

    def extra_repr(self) -> str:
        """All that decides what comes out, so that keys of caches tell it apart."""
        return self.about


def named_preprocessing(name: str, side: int | None = None) -> Preprocessing:
    """Normalisation by statistics of a name, or none at all.

    Args:
        name: out of `STATISTICS`, or "none" for uint8 images as they are.
        side: to which images are resized first.

    Raises:
        UsageError: there is no such name.
    """
    return Preprocessing(None if name == NONE else find_named(name, STATISTICS, "normalisation"), side)


def _in_threads(process: Callable[[list[ndarray]], Tensor], images: Images) -> Tensor:
    """What is made of a batch by as many threads as torch has: Pillow and numpy work beside others."""
    rows = list(images.permute(0, 2, 3, 1).cpu().contiguous().numpy())
    count = -(-len(rows) // torch.get_num_threads())
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        return torch.cat(list(pool.map(process, (rows[i : i + count] for i in range(0, len(rows), count)))))


def _normalisation(mean: Sequence[float], std: Sequence[float]) -> Normalisation:
    normalisation = Normalisation()
    for values, buffer in ((mean, normalisation.mean), (std, normalisation.std)):
        buffer.copy_(255 * torch.tensor(values).view(3, 1, 1))
    return normalisation
