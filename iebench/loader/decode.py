"""Decoding views with libjpeg-turbo, straight into the memory of a batch."""

import numpy as np
import simplejpeg
from jaxtyping import Int, UInt8
from numpy import ndarray
from PIL import Image

from iebench.dataset.card import DatasetCard
from iebench.dataset.jpeg import check_scans
from iebench.dataset.reader import Dataset
from iebench.errors import UsageError, whole_number


class Decoder:
    """Decodes the JPEGs of one dataset to RGB images of one size.

    A reduced size is decoded at the smallest eighth of the full size that is not smaller, which also costs less, and brought
    to the exact size by Pillow's antialiased bilinear filter. Channels that the card calls "bgr" are put right by the decoder.

    Attributes:
        size: side of the images.
    """

    def __init__(self, card: DatasetCard, size: int | None = None) -> None:
        """Prepare for a size; None is that of the dataset.

        Raises:
            UsageError: larger than the dataset's images, or less than one pixel.
        """
        size = None if size is None else whole_number(size, "size")
        if size is not None and not 1 <= size <= card.image_size:
            raise UsageError(
                f"size={size} is not within the {card.image_size} pixels a side of {card.name}: give 1 to {card.image_size}, or "
                "leave the images as they are (--size 0 of a training, size=None in Python)."
            )
        self.size = size or card.image_size
        self._colorspace = card.channels.upper()
        self._scaled = _scaled_side(card.image_size, self.size)
        reduced = self._scaled < card.image_size  # to be told of a least size costs the decoder time
        self._least = {"min_height": self.size, "min_width": self.size} if reduced else {}

    def decode(self, jpeg: bytes, image: UInt8[ndarray, "size size 3"]) -> None:
        """Fill an image.

        Raises:
            ValueError: no whole JPEG of the dataset's size.
        """
        check_scans(jpeg)
        direct = self._scaled == self.size
        buffer = image if direct else np.empty((self._scaled, self._scaled, 3), np.uint8)
        decoded = simplejpeg.decode_jpeg(jpeg, self._colorspace, buffer=buffer, **self._least)
        if decoded.shape != buffer.shape:
            raise ValueError(f"it has {decoded.shape[1]} x {decoded.shape[0]} pixels and not {self._scaled}")
        if not direct:
            image[:] = Image.fromarray(buffer).resize((self.size, self.size), Image.Resampling.BILINEAR)

    def decode_views(
        self,
        dataset: Dataset,
        objects: Int[ndarray, " n"],
        views: Int[ndarray, " n"],
        images: UInt8[ndarray, "n size size 3"],
    ) -> None:
        """Fill images with views of the dataset.

        Raises:
            IebenchError: one that is missing, altered, or no JPEG of the card's size; shard, object and view are named.
        """
        for row, jpeg in enumerate(dataset.read_jpegs(objects, views)):
            try:
                self.decode(jpeg, images[row])
            except ValueError as error:
                raise dataset.damage(int(objects[row]), int(views[row]), str(error)) from None


def decode_view(
    dataset: Dataset, object_index: int, view: int, size: int | None = None
) -> UInt8[ndarray, "size size 3"]:
    """One view as an RGB image."""
    decoder = Decoder(dataset.card, size)
    images = np.empty((1, decoder.size, decoder.size, 3), np.uint8)
    decoder.decode_views(dataset, np.array([object_index]), np.array([view]), images)
    return images[0]


def _scaled_side(stored: int, size: int) -> int:
    """The smallest side of at least `size` that libjpeg-turbo decodes to: eighths of the full side, rounded up."""
    return next(side for side in (-(-stored * eighths // 8) for eighths in range(1, 9)) if side >= size)
