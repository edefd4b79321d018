"""Whether the picture of a texture can be read, and making it such that Blender can."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from iebench.pictures import NO_PICTURE, open_picture
from iebench.render.scene import VANISHED

# What Blender 4.5 and 5 read themselves, by Pillow's names; anything else that Pillow reads is turned into PNG.
BLENDER_READS = frozenset({"BMP", "DDS", "JPEG", "JPEG2000", "MPO", "PNG", "SGI", "TGA", "TIFF", "WEBP"})
# How files begin that Blender reads and Pillow does not: OpenEXR, Radiance HDR, DPX, Cineon.
ONLY_BLENDER_READS = (b"v/1\x01", b"#?RADIANCE", b"#?RGBE", b"SDPX", b"XPDS", b"\x80\x2a\x5f\xd7")
Source = TypeVar("Source", bound=Path | bytes)


def is_picture(source: Path | bytes) -> bool:
    """Whether a file, or what is in it, begins as a picture that Blender can show, as it is or turned into PNG."""
    return _try(source, lambda picture: picture.format)


def is_whole(source: Path | bytes) -> bool:
    """Whether a picture can be read to its end; what Blender makes of one that was cut short depends on its format."""
    return _try(source, lambda picture: picture.load())


def _try(source: Path | bytes, read: Callable[[Image.Image], object]) -> bool:
    try:
        with open_picture(source) as picture:
            read(picture)
    except NO_PICTURE:
        return _only_blender_reads(source)
    except NotImplementedError:  # a rare kind of DDS or TIFF: Blender has the last word
        return True
    return True


def as_blender_reads(source: Source, scratch: Path) -> Source | Path:
    """A picture itself, or a PNG of it in `scratch` where Blender does not know its format."""
    try:
        with open_picture(source) as picture:
            return source if picture.format in BLENDER_READS else _write_png(picture, scratch)
    except (*NO_PICTURE, NotImplementedError):
        return source


def link_texture(picture: Path, scratch: Path) -> str:
    """The name under which a picture stands in `scratch`, where a link leads to it unless it lies there itself."""
    if picture.parent == scratch:
        return picture.name
    link = scratch / f"texture-{len(list(scratch.glob('texture-*')))}{picture.suffix.lower()}"
    link.symlink_to(picture.resolve())
    return link.name


def is_empty_mask(path: Path) -> bool:
    """Whether a mask would hide all that it covers, as one that is meant upside down does."""
    try:
        with open_picture(path) as picture:
            mask = picture.getchannel("A") if "A" in picture.getbands() else picture.convert("L")
            return float(np.asarray(mask).mean()) <= 255 * VANISHED
    except (*NO_PICTURE, NotImplementedError):
        return False


def _only_blender_reads(source: Path | bytes) -> bool:
    if isinstance(source, bytes):
        return source.startswith(ONLY_BLENDER_READS)
    with source.open("rb") as file:
        return file.read(16).startswith(ONLY_BLENDER_READS)


def _write_png(picture: Image.Image, scratch: Path) -> Path:
    mode = "RGBA" if "A" in picture.getbands() or "transparency" in picture.info else "RGB"
    path = scratch / f"converted-{len(list(scratch.glob('converted-*')))}.png"
    picture.convert(mode).save(path)
    return path
