"""What the objects of the published layout have in common: how many views, factors and pixels, and which passes."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import simplejpeg

from iebench.dataset.passes import PASSES, decode_pass
from iebench.dataset.published_layout import LooseObject, parse_latents
from iebench.errors import IebenchError
from iebench.limits import MAX_IMAGE_SIDE

SPACE_OF_LENGTH = {7: "3diebench", 10: "3diebench-t"}  # by the number of latents


@dataclass(frozen=True)
class Shape:
    """The shape of an object.

    Attributes:
        num_views: images and vectors of latents.
        num_factors: numbers of such a vector.
        image_size: side in pixels.
        passes: geometry that every view has beside its image.
    """

    num_views: int
    num_factors: int
    image_size: int
    passes: tuple[str, ...] = ()


def measure_shape(path: Path, sample: list[LooseObject]) -> Shape:
    """What most of the first objects agree on.

    Raises:
        IebenchError: they are not in the published layout, or their images are too large.
    """
    if not sample:
        raise IebenchError(
            f"{path} is not in the published layout: it should hold SYNSET/OBJECT/image_0.jpg, and holds no object."
        )
    shape = Shape(
        num_views=_most(min(len(loose.images), len(loose.latents)) for loose in sample),
        num_factors=_most(_try(lambda file: len(parse_latents(file)), loose.latents.get(0)) for loose in sample),
        image_size=_most(
            _try(lambda file: simplejpeg.decode_jpeg_header(file)[0], loose.images.get(0)) for loose in sample
        ),
    )
    if shape.image_size > MAX_IMAGE_SIDE:
        raise IebenchError(
            f"{path} has images of {shape.image_size} pixels a side, and {MAX_IMAGE_SIDE} are the most: make them smaller."
        )
    if not (shape.num_views and shape.image_size and shape.num_factors in SPACE_OF_LENGTH):
        raise IebenchError(
            f"{path} is not in the published layout: it should hold SYNSET/OBJECT/image_0.jpg and latent_0.npy "
            f"with 7 or 10 numbers, and its first {len(sample)} objects do not."
        )
    return replace(shape, passes=tuple(name for name in PASSES if _most_have(sample, name, shape.image_size)))


def _most_have(sample: list[LooseObject], name: str, side: int) -> bool:
    """Whether most objects have a pass as we write it; other pictures of such names are left alone."""
    having = [_try(lambda png: decode_pass(name, png, side) is not None, one.files[name].get(0)) for one in sample]
    return 2 * sum(having) > len(sample)


def _most(values: Iterable[int]) -> int:
    """The most frequent number that is not 0, the larger of two; 0 where there is none."""
    counts = Counter(value for value in values if value)
    return max(counts, key=lambda value: (counts[value], value), default=0)


def _try(measure: Callable[[bytes], int], content: bytes | None) -> int:
    try:
        return measure(content or b"")
    except Exception:  # damaged: it has no say, and is named when its object is checked
        return 0
