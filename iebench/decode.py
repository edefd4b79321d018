"""Decoding views with libjpeg-turbo, straight into the memory of a batch."""

import numpy as np
import simplejpeg
from jaxtyping import Int, UInt8
from numpy import ndarray
from PIL import Image

from iebench.dataset import Dataset
from iebench.errors import UsageError


def check_size(dataset: Dataset, size: int | None) -> int:
    """The side of decoded images: that of the dataset where none is asked for.

    Raises:
        UsageError: larger than the images, or less than one pixel.
    """
    stored = dataset.card.image_size
    if size is not None and not 1 <= size <= stored:
        raise UsageError(f"size={size}: the images of {dataset.root} have {stored} pixels a side, give 1 to {stored}.")
    return size or stored


def decode_views(
    dataset: Dataset,
    objects: Int[ndarray, " n"],
    views: Int[ndarray, " n"],
    images: UInt8[ndarray, "n size size 3"],
) -> None:
    """Fill `images` with views of a dataset, as RGB.

    A reduced size is decoded at the smallest eighth of the full size that is not smaller, which also costs less, and brought
    to the exact size by Pillow's antialiased bilinear filter. Channels that the card calls "bgr" are put right by the decoder.

    Raises:
        IebenchError: an image that is missing, altered, or no JPEG of the card's size; shard, object and view are named.
    """
    stored, size = dataset.card.image_size, images.shape[1]
    colorspace = dataset.card.channels.upper()
    scaled = _scaled_side(stored, size)
    scratch = np.empty((scaled, scaled, 3), np.uint8)
    for place, jpeg in enumerate(dataset.read_jpegs(objects, views)):
        buffer = images[place] if scaled == size else scratch
        try:
            decoded = simplejpeg.decode_jpeg(jpeg, colorspace, min_height=size, min_width=size, buffer=buffer)
        except ValueError as error:
            raise dataset.damage(int(objects[place]), int(views[place]), f"it does not decode ({error})") from None
        if decoded.shape != buffer.shape:
            what = f"it decodes to {decoded.shape[1]} x {decoded.shape[0]} pixels and not to {scaled}"
            raise dataset.damage(int(objects[place]), int(views[place]), what)
        if buffer is scratch:
            images[place] = Image.fromarray(scratch).resize((size, size), Image.Resampling.BILINEAR)


def decode_view(
    dataset: Dataset, object_index: int, view: int, size: int | None = None
) -> UInt8[ndarray, "size size 3"]:
    """One view as an RGB image."""
    side = check_size(dataset, size)
    images = np.empty((1, side, side, 3), np.uint8)
    decode_views(dataset, np.array([object_index]), np.array([view]), images)
    return images[0]


def _scaled_side(stored: int, size: int) -> int:
    """The smallest side of at least `size` that libjpeg-turbo decodes to: eighths of the full side, rounded up."""
    return next(side for side in (-(-stored * eighths // 8) for eighths in range(1, 9)) if side >= size)
