"""Pairs as a picture: source, target, and in words what happened between them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from PIL import Image, ImageDraw

from iebench.dataset.reader import Dataset
from iebench.errors import UsageError
from iebench.factors.rotations import quaternion_to_rotation_vector, relative_rotation
from iebench.factors.space import ROTATION
from iebench.fonts import letter_text
from iebench.loader.decode import decode_view
from iebench.loader.order import Plan, choose_views, order_items

_GAP, _LINE, _PAPER, _INK = 8, 15, (255, 255, 255), (40, 40, 40)


class ShownPair(NamedTuple):
    """One pair for people: two RGB images, the angle of the relative rotation in degrees, and lines that tell the transform."""

    source: UInt8[ndarray, "size size 3"]
    target: UInt8[ndarray, "size size 3"]
    angle: float
    lines: tuple[str, ...]


def pick_pairs(dataset: Dataset, count: int = 8, split: str = "train", seed: int = 0) -> list[ShownPair]:
    """Random pairs of different objects, the same for the same seed; fewer where the split has fewer objects.

    Raises:
        UsageError: the split does not exist or is empty, or count is less than one.
    """
    objects = dataset.split_indices(split)
    if count < 1 or not len(objects):
        raise UsageError(
            f"{count} pairs of {len(objects)} objects cannot be shown: give 1 or more of a split that has some."
        )
    objects = objects[order_items(Plan(len(objects), 1, seed=seed), 0)[:count]]
    views = choose_views(seed, 0, objects, dataset.num_views)
    return [show_pair(dataset, int(index), *map(int, pair)) for index, pair in zip(objects, views, strict=True)]


def show_pair(dataset: Dataset, object_index: int, source: int, target: int) -> ShownPair:
    """The pair of two given views of one object."""
    latents = dataset.latents[object_index][[source, target]]
    angles = latents[:, dataset.space.columns(ROTATION)]
    turn = quaternion_to_rotation_vector(relative_rotation(angles[0], angles[1]))
    angle = float(np.degrees(np.linalg.norm(turn)))
    axis = turn / max(np.linalg.norm(turn), 1e-12)
    lines = (
        f"{dataset.class_of(dataset.labels[object_index]).name}, views {source} and {target}",
        f"turned by {angle:.0f}° about ({axis[0]:.2f}, {axis[1]:.2f}, {axis[2]:.2f})",
        *_describe_differences(dataset, latents[1] - latents[0]),
    )
    images = [decode_view(dataset, object_index, view) for view in (source, target)]
    return ShownPair(images[0], images[1], angle, lines)


def draw_sheet(pairs: Sequence[ShownPair], columns: int = 2, side: int = 192) -> Image.Image:
    """A sheet of pairs in so many columns, with images of `side` pixels and the lines of each pair under it."""
    columns = min(columns, len(pairs))
    width, height = 2 * side + 3 * _GAP, side + 2 * _GAP + _LINE * max(len(pair.lines) for pair in pairs)
    sheet = Image.new("RGB", (columns * width, -(-len(pairs) // columns) * height), _PAPER)
    for number, pair in enumerate(pairs):
        _draw_pair(sheet, pair, (number % columns * width + _GAP, number // columns * height + _GAP), side)
    return sheet


def _draw_pair(sheet: Image.Image, pair: ShownPair, corner: tuple[int, int], side: int) -> None:
    left, top = corner
    for number, image in enumerate((pair.source, pair.target)):
        scaled = Image.fromarray(image).resize((side, side), Image.Resampling.LANCZOS)
        sheet.paste(scaled, (left + number * (side + _GAP), top))
    draw = ImageDraw.Draw(sheet)
    for number, line in enumerate(pair.lines):
        text, font = letter_text(line, 12)
        draw.text((left, top + side + 2 + number * _LINE), text, _INK, font)


def _describe_differences(dataset: Dataset, difference: ndarray) -> list[str]:
    names = dataset.space.names
    groups = {"": dataset.space.group("color"), "moved by ": dataset.space.group("translation")}
    told = {
        start: ", ".join(f"{name.replace('_', ' ')} {difference[names.index(name)]:+.2f}" for name in group)
        for start, group in groups.items()
        if group
    }
    return [start + text for start, text in told.items()]
