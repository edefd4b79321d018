"""From uint8 images to what a network takes: resized and cropped as its authors did, then normalised."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy import ndarray
from PIL import Image
from torch import Tensor, nn

from iebench.errors import find_named
from iebench.models.normalisation import IMAGE_MEAN, IMAGE_STD, Normalisation

Images = UInt8[Tensor, "batch 3 height width"]
Pixels = Float[Tensor, "batch 3 rows columns"]
IMAGENET_MEAN, IMAGENET_STD = (
    (0.485, 0.456, 0.406),
    (0.229, 0.224, 0.225),
)  # torchvision's, for networks trained on ImageNet
MODEL, NONE = "model", "none"
STATISTICS = {
    "3diebench": (IMAGE_MEAN, IMAGE_STD),
    "imagenet": (IMAGENET_MEAN, IMAGENET_STD),
    "unit": ((0.0,) * 3, (1.0,) * 3),
}
_CHECKED_SIDES = (40, 300)  # one below and one above what most networks take


@dataclass(frozen=True)
class Resizing:
    """Pillow's resizing, and the middle of what comes out.

    Attributes:
        size: (rows, columns) of the resized image; as it is where absent.
        crop: (rows, columns) of its middle; all of it where absent.
        resample: Pillow's number of the interpolation.
    """

    size: tuple[int, int] | None = None
    crop: tuple[int, int] | None = None
    resample: int = Image.Resampling.BICUBIC

    def resize(self, image: UInt8[ndarray, "height width 3"]) -> UInt8[ndarray, "rows columns 3"]:
        """One image."""
        if self.size not in (None, image.shape[:2]):
            rows, columns = self.size
            image = np.asarray(Image.fromarray(image).resize((columns, rows), Image.Resampling(self.resample)))
        rows, columns = self.crop or image.shape[:2]
        top, left = (image.shape[0] - rows) // 2, (image.shape[1] - columns) // 2
        return image[top : top + rows, left : left + columns]


class Preprocessing(nn.Module):
    """uint8 images as a network takes them: resized, scaled to [0, 1], (x - mean) / std; left alone without statistics."""

    def __init__(
        self,
        statistics: tuple[Sequence[float], Sequence[float]] | None,
        resizing: Resizing | None = None,
    ) -> None:
        """Take mean and standard deviation of each channel in [0, 1]."""
        super().__init__()
        self.statistics, self.resizing = statistics, resizing or Resizing()
        self.normalisation: nn.Module = nn.Identity() if statistics is None else _normalisation(*statistics)

    def forward(self, images: Images) -> Tensor:
        """The images of a batch."""
        if self.resizing != Resizing():
            images = resize_all(images, self.resizing.resize)
        return self.normalisation(images)

    def extra_repr(self) -> str:
        """All that decides what comes out, so that keys of caches tell it apart."""
        return f"{self.statistics}, {self.resizing}"


class Processor(nn.Module):
    """A model's own processor as it is, image by image: for what `Preprocessing` does not do exactly.

    Attributes:
        process: uint8 images (height, width, 3) → (n, 3, rows, columns).
        about: what it does, as text.
    """

    def __init__(self, process: Callable[[list[ndarray]], Tensor], about: str) -> None:
        super().__init__()
        self.process, self.about = process, about

    def forward(self, images: Images) -> Pixels:
        """The images of a batch."""
        return self.process(list(_rows_first(images))).to(images.device)

    def extra_repr(self) -> str:
        """What it does."""
        return self.about


def named_preprocessing(name: str, side: int | None = None) -> Preprocessing:
    """Normalisation by statistics of a name, or none at all.

    Args:
        name: out of `STATISTICS`, or "none" for uint8 images as they are.
        side: to which images are resized first.

    Raises:
        UsageError: there is no such name.
    """
    statistics = None if name == NONE else find_named(name, STATISTICS, "normalisation")
    return Preprocessing(statistics, Resizing((side, side)) if side else None)


def agree(preprocessing: nn.Module, processor: nn.Module, tolerance: float = 1e-5) -> bool:
    """Whether two ways to prepare images give the same pixels, tried on noise of several sizes."""
    rng = np.random.default_rng(0)
    for side in _CHECKED_SIDES:
        images = torch.from_numpy(rng.integers(0, 256, (1, 3, side, side), dtype=np.uint8))
        ours, theirs = preprocessing(images), processor(images)
        if ours.shape != theirs.shape or not torch.allclose(ours, theirs, rtol=0, atol=tolerance):
            return False
    return True


def resize_all(images: Images, resize: Callable[[ndarray], ndarray]) -> UInt8[Tensor, "batch 3 rows columns"]:
    """All images of a batch, by as many threads as torch has: Pillow works beside others."""
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        resized = np.stack(list(pool.map(resize, _rows_first(images))))
    return torch.from_numpy(resized).permute(0, 3, 1, 2).to(images.device)


def _rows_first(images: Images) -> UInt8[ndarray, "batch height width 3"]:
    return images.permute(0, 2, 3, 1).cpu().contiguous().numpy()


def _normalisation(mean: Sequence[float], std: Sequence[float]) -> Normalisation:
    normalisation = Normalisation()
    for values, buffer in ((mean, normalisation.mean), (std, normalisation.std)):
        buffer.copy_(255 * torch.tensor(values).view(3, 1, 1))
    return normalisation
