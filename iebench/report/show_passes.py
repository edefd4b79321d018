"""Views with their geometry passes as a picture: a row a view, a column a pass."""

import numpy as np
from jaxtyping import Shaped, UInt8
from numpy import ndarray
from PIL import Image, ImageDraw

from iebench.dataset.reader import Dataset
from iebench.errors import UsageError
from iebench.fonts import letter_text
from iebench.loader.decode import decode_view
from iebench.loader.order import Plan, choose_views, order_items

_GAP, _LINE, _PAPER, _INK, _NOTHING = 8, 18, (255, 255, 255), (40, 40, 40), 60


def draw_passes(dataset: Dataset, count: int, split: str = "train", seed: int = 0, side: int = 160) -> Image.Image:
    """Two views of so many random objects, each with its image and its passes, `side` pixels wide.

    Raises:
        UsageError: the dataset has no passes, the split does not exist or is empty, or count is less than one.
    """
    if not dataset.passes:
        dataset.check_pass("mask")
    objects = dataset.split_indices(split)
    if count < 1 or not len(objects):
        raise UsageError(f"{count} of {len(objects)} objects cannot be shown: give 1 or more of a split that has some.")
    objects = objects[order_items(Plan(len(objects), 1, seed=seed), 0)[:count]]
    views = choose_views(seed, 0, objects, dataset.num_views, min(2, dataset.num_views))
    rows = [(int(index), int(view)) for index, row in zip(objects, views, strict=True) for view in row]
    titles = ["image", *dataset.passes]
    sheet = Image.new("RGB", (len(titles) * (side + _GAP) + _GAP, len(rows) * (side + _GAP) + _GAP + _LINE), _PAPER)
    for column, title in enumerate(titles):
        text, font = letter_text(title, 12)
        ImageDraw.Draw(sheet).text((_GAP + column * (side + _GAP), 4), text, _INK, font)
    for number, (index, view) in enumerate(rows):
        for column, image in enumerate(_draw_row(dataset, index, view)):
            scaled = Image.fromarray(image).resize((side, side), Image.Resampling.NEAREST)
            sheet.paste(scaled, (_GAP + column * (side + _GAP), _LINE + _GAP + number * (side + _GAP)))
    return sheet


def _draw_row(dataset: Dataset, index: int, view: int) -> list[UInt8[ndarray, "size size 3"]]:
    passes = [color_pass(name, dataset.read_pass(name, index, view)) for name in dataset.passes]
    return [decode_view(dataset, index, view), *passes]


def color_pass(name: str, image: Shaped[ndarray, "size size *channels"]) -> UInt8[ndarray, "size size 3"]:
    """A pass for people: what is near is bright, x, y and z are red, green and blue, and nothing is dark grey."""
    if name == "depth":
        near = 1 / image
        shown = (near - np.nanmin(near)) / max(float(np.nanmax(near) - np.nanmin(near)), 1e-9)
    else:
        shown = {"mask": image, "normal": image / 2 + 0.5, "position": image + 0.5}[name]
    numbers = np.nan_to_num(np.clip(shown.astype(np.float32), 0, 1) * 255, nan=_NOTHING).astype(np.uint8)
    return numbers if numbers.ndim == 3 else np.repeat(numbers[..., None], 3, axis=2)
