"""Geometry passes of a view, which lie in its sample as PNGs: mask, depth, normal and position, each exact in its pixel.

A pass tells what the ray through the middle of a pixel meets first, so nothing is blended across edges. Lengths are in units of
the scene, which are the object's diagonal. The object's frame is that of the normalised mesh, Z up, before the view's rotation
and translation, so that one point of the object has the same position and normal in all views.

On disk a mask is 8-bit grey, 0 or 255. The others are 16-bit grey, the channels x, y, z one below the other, in steps of
1 / `STEPS`: depth is code / STEPS, what has a sign is (code - 32768) / STEPS, and 0 says that there is nothing to tell.
"""

import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Shaped
from numpy import ndarray
from PIL import Image

from iebench.errors import UsageError
from iebench.pictures import NO_PICTURE, open_picture

STEPS = 8192  # of a unit of length: a hundredth of a pixel at 256 pixels a side, and 0.007° of a normal
_ZERO = 32768  # code of the number 0 where there is a sign
_MOST = 65535
_HEADER = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


@dataclass(frozen=True)
class Pass:
    """One geometry pass.

    Attributes:
        channels: numbers in a pixel.
        bits: of each in the PNG.
        zero: the code of the number 0.
    """

    name: str
    channels: int
    bits: int
    zero: int = 0

    @property
    def farthest(self) -> float:
        """The greatest number that it can hold."""
        return (_MOST - self.zero) / STEPS

    def empty(self, side: int) -> Shaped[ndarray, "side side *channels"]:
        """An image of this pass that tells of nothing: False, or NaN."""
        shape = (side, side, self.channels)[: 2 + (self.channels > 1)]
        return np.full(shape, np.nan, np.float32) if self.bits == 16 else np.zeros(shape, bool)


PASSES = {
    entry.name: entry
    for entry in (
        Pass("mask", 1, 8),
        Pass("depth", 1, 16),
        Pass("normal", 3, 16, _ZERO),
        Pass("position", 3, 16, _ZERO),
    )
}


def order_passes(names: Sequence[str]) -> tuple[str, ...]:
    """The passes of some names, each once, in the order in which a dataset has them.

    Raises:
        UsageError: there is no such pass, or a single name in place of some.
    """
    if isinstance(names, str):
        raise UsageError(f"passes={names!r}: give a list of names, as [{names!r}].")
    for name in names:
        if name not in PASSES:
            raise UsageError(f"There is no pass {name!r}: choose some of {','.join(PASSES)}.")
    return tuple(name for name in PASSES if name in names)


def encode_pass(name: str, image: Shaped[ndarray, "side side *channels"]) -> bytes:
    """The PNG of a pass.

    Args:
        name: of the pass.
        image: bool for a mask, else floats, NaN where there is nothing to tell.

    Raises:
        ValueError: a number is too large for its codes.
    """
    kind = PASSES[name]
    codes = image.astype(np.uint8) * 255 if kind.bits == 8 else _to_codes(kind, image)
    planes = codes.reshape(*codes.shape[:2], kind.channels).transpose(2, 0, 1)
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(planes).reshape(-1, codes.shape[1])).save(buffer, "PNG")
    return buffer.getvalue()


def decode_pass(name: str, png: bytes, side: int) -> Shaped[ndarray, "side side *channels"]:
    """The image in the PNG of a pass: bool for a mask, else float32, NaN where there is nothing to tell.

    Raises:
        ValueError: it is not the PNG of such a pass of this size, or damaged.
    """
    kind = PASSES[name]
    check_header(kind, png, side)
    try:
        with open_picture(png, ["PNG"]) as picture:
            if picture.size != (side, kind.channels * side):
                raise ValueError("it has two headers")
            codes = np.asarray(picture)
    except NO_PICTURE as error:
        raise ValueError(f"its pixels cannot be read ({error})") from None
    planes = codes.reshape(kind.channels, side, side)
    image = planes.transpose(1, 2, 0) if kind.channels > 1 else planes[0]
    return image > 127 if kind.bits == 8 else _from_codes(kind, image)


def check_header(kind: Pass, png: bytes, side: int) -> None:
    """Compare a PNG's header with what it has to be, before memory is taken for its pixels.

    Raises:
        ValueError: it differs.
    """
    wanted = struct.pack(">IIBBBBB", side, kind.channels * side, kind.bits, 0, 0, 0, 0)
    if not png.startswith(_HEADER + wanted):
        raise ValueError(f"it is no grey PNG of {side} x {kind.channels * side} pixels of {kind.bits} bits")


def _to_codes(kind: Pass, image: Shaped[ndarray, "*shape"]) -> Shaped[ndarray, "*shape"]:
    codes = np.rint(np.nan_to_num(image, nan=-np.inf, posinf=np.inf) * STEPS) + kind.zero
    told = ~np.isnan(image)
    if (codes[told] < 1).any() or (codes[told] > _MOST).any():
        largest = np.abs(image[told]).max()
        raise ValueError(f"it has the number {largest:.4g}, and ends at {kind.farthest:.4g}")
    return np.where(told, codes, 0).astype(np.uint16)


def _from_codes(kind: Pass, codes: Shaped[ndarray, "*shape"]) -> Float32[ndarray, "*shape"]:
    numbers = (codes.astype(np.float32) - kind.zero) / STEPS
    numbers[codes == 0] = np.nan
    return numbers
