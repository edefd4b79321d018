"""Views as they are stored: JPEGs of one size, decoded within bounded memory and time."""

import simplejpeg
from jaxtyping import UInt8
from numpy import ndarray

from iebench.limits import MAX_SCANS

_START_OF_SCAN = b"\xff\xda"  # which compressed data cannot hold


def check_scans(jpeg: bytes) -> None:
    """Refuse a progressive JPEG of very many scans, each of which goes over the whole image for a few bytes.

    Raises:
        ValueError: more than `MAX_SCANS`.
    """
    if (scans := jpeg.count(_START_OF_SCAN)) > MAX_SCANS:
        raise ValueError(f"{scans} scans, and {MAX_SCANS} are allowed")


def decode_jpeg(jpeg: bytes, side: int) -> UInt8[ndarray, "side side 3"]:
    """The image of a JPEG that has this size.

    Raises:
        ValueError: another size, or damaged.
    """
    check_scans(jpeg)
    height, width = simplejpeg.decode_jpeg_header(jpeg)[:2]
    if not height == width == side:  # before memory is taken for them
        raise ValueError(f"it has {width} x {height} pixels and not {side}")
    return simplejpeg.decode_jpeg(jpeg)
