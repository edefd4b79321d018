"""Pictures read from files of others, in known formats and of bounded size, and written to our own."""

import io
import struct
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any

from PIL import Image as pillow
from PIL.Image import Image

from iebench.errors import UsageError
from iebench.files import whole_file
from iebench.limits import MAX_PICTURE_PIXELS

# By Pillow's names. Not among them is what starts another program (EPS: Ghostscript) or reads other files.
FORMATS = frozenset({"AVIF", "BMP", "DDS", "GIF", "JPEG", "JPEG2000", "MPO", "PCX", "PNG", "PPM", "PSD", "SGI", "TGA", "TIFF",
                     "WEBP"})  # fmt: skip
# What Pillow raises for damaged files.
NO_PICTURE = (OSError, ValueError, SyntaxError, ArithmeticError, LookupError, TypeError, MemoryError, struct.error,
              pillow.DecompressionBombError)  # fmt: skip


def open_picture(source: Path | bytes, formats: Collection[str] = FORMATS) -> Image:
    """A picture whose pixels are not read yet, in one of some formats, and with no more pixels than a texture needs.

    Raises:
        OSError, ValueError, SyntaxError, …: see `NO_PICTURE`.
    """
    pillow.init()
    known = tuple(sorted(name for name in formats if name in pillow.OPEN))  # some are left out where Pillow is built
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pillow.DecompressionBombWarning)  # our own limit stands below
        picture = pillow.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=known)
    if picture.width * picture.height > MAX_PICTURE_PIXELS:
        picture.close()
        raise ValueError(f"{picture.width} x {picture.height} pixels")
    return picture


def save_picture(picture: Image, path: Path, **settings: Any) -> None:
    """Write a picture whole; the suffix says in which format.

    Args:
        picture: what is written.
        path: the file.
        settings: of the format, as Pillow knows them.

    Raises:
        UsageError: there is no such format, or the file cannot be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        form = pillow.registered_extensions().get(path.suffix.lower())
        if form is None:
            raise ValueError(f"unknown file extension: {path.suffix}")
        with whole_file(path) as partial:
            picture.save(partial, form, **{"quality": 85, **settings})
    except (ValueError, OSError) as error:
        reason = getattr(error, "strerror", None)  # the system's; Pillow gives none where a format is at fault
        mend = (
            "name a file where there is room and you may write" if reason else "name a file that ends in .jpg or .png"
        )
        raise UsageError(f"{path} cannot be written ({reason or error}): {mend}.") from None
