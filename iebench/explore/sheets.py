"""Sheets of thumbnails: many views in one JPEG, so that a page loads a few files and not fifty thousand."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import simplejpeg
from jaxtyping import Int, UInt8
from numpy import ndarray

from iebench.explore.selection import Shown
from iebench.loader.decode import Decoder

COLUMNS, TILES, _QUALITY = 8, 64, 85
_PIXELS = 50_000 * 96**2  # some 60 MB
_BLOCK = 16  # pixels that a JPEG codes together: sides of whole blocks keep neighbours from showing through
Sheet = tuple[str, range]  # its file, and the numbers of its views
Track = Callable[[list[Sheet]], Iterable[Sheet]]


@dataclass(frozen=True)
class SheetPlan:
    """Which view lies in which sheet. An object's views lie together where a sheet has room for them.

    Attributes:
        side: of a thumbnail in pixels.
        tiles: views of a full sheet.
    """

    side: int
    tiles: int


def plan_sheets(shown: Shown, side: int | None = None) -> SheetPlan:
    """Sheets of about 64 thumbnails of at most `side` pixels, never larger than the views themselves.

    Without a side, one of 64 to 256 pixels with which all views together have no more pixels than 50 000 of side 96.
    """
    side = side or min(max(math.isqrt(_PIXELS // shown.num_shown), 64), 256)
    side = min(side, shown.dataset.card.image_size)
    side -= side % _BLOCK if side > _BLOCK else 0
    return SheetPlan(side, shown.num_views * max(1, TILES // shown.num_views) if shown.num_views <= TILES else TILES)


def write_sheets(shown: Shown, plan: SheetPlan, folder: Path, track: Track = iter) -> None:
    """Write `views/NUMBER.jpg`, and `covers/NUMBER.jpg` with the first view of every object.

    Args:
        shown: whose views.
        plan: where they lie.
        folder: of the site.
        track: wraps the iteration over sheets.

    Raises:
        IebenchError: a view cannot be read.
    """
    for kind in ("views", "covers"):
        (folder / kind).mkdir()
    for name, numbers in track(_list_sheets(shown, plan)):
        (folder / name).write_bytes(_draw_sheet(shown, plan.side, np.array(numbers)))


def _list_sheets(shown: Shown, plan: SheetPlan) -> list[Sheet]:
    every = range(shown.num_shown)
    kinds = {"views": (every, plan.tiles), "covers": (every[:: shown.num_views], TILES)}
    return [
        (f"{kind}/{start // tiles}.jpg", numbers[start : start + tiles])
        for kind, (numbers, tiles) in kinds.items()
        for start in range(0, len(numbers), tiles)
    ]


def _draw_sheet(shown: Shown, side: int, numbers: Int[ndarray, " n"]) -> bytes:
    rows = -(-len(numbers) // COLUMNS)
    tiles: UInt8[ndarray, "n side side 3"] = np.full((rows * COLUMNS, side, side, 3), 128, np.uint8)
    decoder = Decoder(shown.dataset.card, side)
    places, views = np.divmod(numbers, shown.num_views)
    decoder.decode_views(shown.dataset, shown.objects[places], views, tiles[: len(numbers)])
    sheet = tiles.reshape(rows, COLUMNS, side, side, 3).swapaxes(1, 2).reshape(rows * side, COLUMNS * side, 3)
    return simplejpeg.encode_jpeg(np.ascontiguousarray(sheet), quality=_QUALITY, colorsubsampling="420")
