"""All views of some objects as a picture, laid out as the design of the dataset has them: a row for each of its clips."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from iebench.dataset.reader import Dataset
from iebench.errors import UsageError
from iebench.factors.designs import Axis, Crossed
from iebench.fonts import letter_text
from iebench.loader.decode import decode_view

_GAP, _LINE, _MARGIN, _TITLE, _PAPER, _INK = 4, 15, 130, 480, (255, 255, 255), (40, 40, 40)


def draw_grids(dataset: Dataset, count: int = 2, split: str = "train", side: int = 96) -> Image.Image:
    """The views of the first objects of a split, images of `side` pixels, one object below the other.

    Raises:
        UsageError: the split does not exist or is empty, or count is less than one.
    """
    objects = dataset.split_indices(split)[: max(count, 0)].tolist()
    if not objects:
        raise UsageError(f"{count} objects of {split} cannot be shown: give 1 or more of a split that has some.")
    grids = [_draw_object(dataset, index, side) for index in objects]
    sheet = Image.new("RGB", (grids[0].width, sum(grid.height for grid in grids)), _PAPER)
    for number, grid in enumerate(grids):
        sheet.paste(grid, (0, number * grid.height))
    return sheet


def _draw_object(dataset: Dataset, index: int, side: int) -> Image.Image:
    labels, cell = _tell_rows(dataset), side + _GAP
    length = dataset.num_views // len(labels)
    sheet = Image.new("RGB", (max(_MARGIN + length * cell, _TITLE), 2 * _LINE + len(labels) * cell + _GAP), _PAPER)
    draw = ImageDraw.Draw(sheet)
    name = f"{dataset.class_of(dataset.labels[index]).name} {dataset.object_ids[index]}"
    _write(draw, (_GAP, _GAP), [f"{name}: {dataset.card.design or 'independent draws'}"])
    for row, lines in enumerate(labels):
        top = 2 * _LINE + row * cell
        _write(draw, (_GAP, top), lines)
        for column in range(length):
            image = Image.fromarray(decode_view(dataset, index, row * length + column))
            sheet.paste(image.resize((side, side), Image.Resampling.LANCZOS), (_MARGIN + column * cell, top))
    return sheet


def _tell_rows(dataset: Dataset) -> list[list[str]]:
    """What is held in each row, in lines; rows of an ordinary dataset are the whole object."""
    design = dataset.card.design
    if design is None:
        return [["views in order"]]
    runs = range(dataset.num_views // design.run_length)
    if not isinstance(design, Crossed):
        return [[f"clip {run}"] for run in runs]
    places = np.stack(np.unravel_index(runs, design.shape[:-1]), axis=1).tolist()
    return [
        [line for a, place in zip(design.axes, at, strict=False) for line in _tell_level(a, place)] for at in places
    ]


def _tell_level(axis: Axis, place: int) -> list[str]:
    level = zip(axis.factors, axis.levels[place], strict=True)
    return [f"{factor.replace('_', ' ')} {value:.2f}" for factor, value in level]


def _write(draw: ImageDraw.ImageDraw, corner: tuple[int, int], lines: Sequence[str]) -> None:
    for number, line in enumerate(lines):
        text, font = letter_text(line, 12)
        draw.text((corner[0], corner[1] + number * _LINE), text, _INK, font)
