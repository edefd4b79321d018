"""Whether the object is in every picture where the latents of that picture put it.

The labels of a dataset are its latents, so an object that Blender shows elsewhere makes them false. Here the mesh that was
read is projected by the camera of `scene`, and compared with the mask that Blender gives beside each picture. Both are kept
coarse, as a mask holds one random ray for each pixel. Of 1500 views of built-in and ShapeNet objects none has a pixel where it
should not be, and at most an eighth of the inner pixels missing, where slats leave gaps.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from PIL import Image

from iebench.dataset.card import FOCAL_LENGTH
from iebench.errors import IebenchError
from iebench.render.scene import CAMERA_DISTANCE, FLOOR_HEIGHT, SENSOR_WIDTH, project, world_to_camera
from iebench.render.surface import Surface, cover

TO_CAMERA_AND_HEIGHT = np.concatenate([world_to_camera()[:3], [[0, 0, 1, 0]]])
GRID = 128  # cells along a side of the picture, in which expectation and mask are compared
JITTER = 0.75  # pixels by which the random ray of a pixel misses its middle: half of Cycles' filter
NEAREST = (
    1.0  # distance from the camera under which the points of a surface no longer cover it, but tell the box around it
)
STRAY, STRAY_CELLS = 0.005, 2.0  # part of the mask, and cells, that may lie outside the expectation
MISSING, MISSING_PIXELS = 0.25, 4.0  # part of the inner expectation, and pixels beside, that may be empty


class GuardError(IebenchError):
    """An object that does not stand where its latents say."""


@dataclass(frozen=True)
class _Box:
    """The part of the picture in which a near object lies.

    Attributes:
        low: first column and row, in cells.
        high: behind the last ones.
        slack: by how many cells it may be too small.
    """

    low: Float[ndarray, "2"]
    high: Float[ndarray, "2"]
    slack: float

    def holds(self) -> Bool[ndarray, "side side"]:
        """The cells that lie in it."""
        cells = np.arange(GRID)[:, None]
        columns, rows = ((cells + 1 > self.low - self.slack) & (cells < self.high + self.slack)).T
        return rows[:, None] & columns

    def has_left(self, other: "_Box") -> bool:
        """Whether it ends elsewhere than another one."""
        moved = max(np.abs(self.low - other.low).max(), np.abs(self.high - other.high).max())
        return bool(moved > self.slack + other.slack)


class Guard:
    """Compares the views of one object with what its latents say."""

    def __init__(self, surface: Surface, focal_length: float = FOCAL_LENGTH) -> None:
        """Cover the object with points, so close that none of its cells stays empty.

        Args:
            surface: in the object's own frame.
            focal_length: of the camera in millimetres.
        """
        self._surface, self._focal_length = surface, focal_length
        cell = (CAMERA_DISTANCE - 0.5) * SENSOR_WIDTH / focal_length / GRID  # at the front of a unit diagonal
        self._spacing = cell * max(surface.diagonal, 1.0)
        points, self._solid = cover(surface, self._spacing)
        self._points = points.astype(np.float32)  # half the time, and exact to a thousandth of a cell
        self._views, self._shown = 0, False
        self._last: tuple[ndarray, ndarray, _Box | None] | None = None

    def check(self, object_matrix: Float[ndarray, "4 4"], mask: Bool[ndarray, "size size"]) -> None:
        """Compare a view.

        Args:
            object_matrix: from the object's frame to the world's, as the latents say.
            mask: the pixels in which the object is seen.

        Raises:
            GuardError: it is elsewhere, or not there; the reason says which.
        """
        pixel = GRID / len(mask)  # cells along the side of a pixel
        margin = 1 + round(JITTER * pixel)
        found, (expected, solid, nearest) = _to_grid(mask), self._expect(object_matrix, margin)
        box = self._find_box(object_matrix, margin) if nearest < NEAREST else None
        last, self._last = self._last, (found, expected, box)
        view, self._views, self._shown = self._views, self._views + 1, self._shown or bool(found.any())
        if not found.any():
            if _inside(_shrink(solid, math.ceil(pixel / 2)), margin).any():
                raise GuardError(f"view {view}: the object is not in the picture")
            return
        part = _differing_part(found, expected, solid, margin, pixel) if box is None else _stray_part(found, box)
        if last is not None and np.array_equal(last[0], found):
            moves = bool(part) and not np.array_equal(last[1], expected)
            if moves or (box is not None and last[2] is not None and box.has_left(last[2])):
                raise GuardError(f"view {view}: the object stands still while its latents move")
        if part:
            raise GuardError(f"view {view}: the object is not where its latents put it ({part:.0%} differ)")

    def finish(self) -> None:
        """Look back at all views.

        Raises:
            GuardError: none of them shows the object.
        """
        if self._views and not self._shown:
            raise GuardError("none of its views shows it")

    @cached_property
    def _outline(self) -> Float[ndarray, "n 3"]:
        """Corners and points together, which near objects need and others do not."""
        return np.concatenate([self._surface.vertices[np.unique(self._surface.triangles)], self._points])

    def _find_box(self, matrix: Float[ndarray, "4 4"], margin: int) -> _Box:
        """The box around a near object, whose corners and points tell it; the whole picture where the camera is among them."""
        points, above = _see(matrix, self._outline)
        nearest = float(-points[2].max())
        if nearest <= 0 or not above.any():
            return _Box(np.zeros(2), np.full(2, float(GRID)), margin)
        gap = 0 if above.all() else self._spacing / nearest * self._focal_length / SENSOR_WIDTH * GRID
        cells = np.clip(project(points[:, above], GRID, self._focal_length), 0, GRID)
        return _Box(cells.min(axis=1), cells.max(axis=1), margin + gap)  # it ends at the floor between two points

    def _expect(self, matrix: Float[ndarray, "4 4"], margin: int) -> tuple[ndarray, ndarray, float]:
        """The cells in which the object is expected, those in which it is solid, and how near it comes to the camera."""
        points, above = _see(matrix, self._points)
        nearest, solid = float(-points[2].max()), self._solid
        if nearest <= 0 or not above.all():
            seen = above & (points[2] < 0)
            points, solid = points[:, seen], solid[seen]
        cells = np.floor(project(points, GRID, self._focal_length))
        expected = _fill(cells, margin)
        return expected, expected if solid.all() else _fill(cells[:, solid], margin), nearest


def _to_grid(mask: Bool[ndarray, "size size"]) -> Float[ndarray, "side side"]:
    """How much of each cell a mask covers."""
    picture = Image.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(picture.resize((GRID, GRID), Image.Resampling.BOX)) / 255


def _see(
    matrix: Float[ndarray, "4 4"], points: Float[ndarray, "n 3"]
) -> tuple[Float[ndarray, "3 n"], Bool[ndarray, " n"]]:
    """An object's points in the camera's frame, and whether they are above the floor, as the camera is."""
    rows = (TO_CAMERA_AND_HEIGHT @ matrix).astype(points.dtype)
    # not "@", whose threads compete with Cycles'
    seen = np.einsum("nj,ij->in", points, rows[:, :3]) + rows[:, 3:]
    return seen[:3], seen[3] > FLOOR_HEIGHT


def _stray_part(found: ndarray, box: _Box) -> float:
    """The part of a near object that is found outside the box in which it is expected; 0 where that may be chance."""
    stray = float((found * ~box.holds()).sum())
    return stray / float(found.sum()) if stray > max(STRAY * found.sum(), STRAY_CELLS) else 0.0


def _differing_part(found: ndarray, expected: ndarray, solid: ndarray, margin: int, pixel: float) -> float:
    """The part of the object that is found where it is not expected, or the other way round; 0 where that may be chance."""
    stray = float((found * ~_inside(_grow(expected, margin), margin)).sum())
    inner = _inside(_shrink(solid, margin), margin)
    missing = float(((1 - found) * inner).sum())
    few_stray = stray <= max(STRAY * found.sum(), STRAY_CELLS)
    few_missing = missing <= MISSING * inner.sum() + MISSING_PIXELS * max(pixel, 1.0) ** 2
    return 0.0 if few_stray and few_missing else max(stray / found.sum(), missing / max(inner.sum(), 1))


def _fill(cells: Float[ndarray, "2 n"], margin: int) -> Bool[ndarray, "side side"]:
    """The picture's cells, and those of a margin around it, that are in a list of columns and rows."""
    side = GRID + 2 * margin
    inside = (np.abs(cells - (GRID - 1) / 2) < side / 2).all(axis=0)
    columns, rows = (cells if inside.all() else cells[:, inside]).astype(np.intp) + margin
    filled = np.zeros(side * side, bool)
    filled[rows * side + columns] = True
    return filled.reshape(side, side)


def _inside(cells: Bool[ndarray, "side side"], margin: int) -> Bool[ndarray, "inner inner"]:
    return cells[margin:-margin, margin:-margin]


def _grow(cells: Bool[ndarray, "side side"], steps: int) -> Bool[ndarray, "side side"]:
    """The cells and their neighbours up to so many steps away, also across corners."""
    for axis in (0, 1):
        lines = np.swapaxes(cells, 0, axis)
        grown = lines.copy()
        for step in range(1, steps + 1):
            grown[step:] |= lines[:-step]
            grown[:-step] |= lines[step:]
        cells = np.swapaxes(grown, 0, axis)
    return cells


def _shrink(cells: Bool[ndarray, "side side"], steps: int) -> Bool[ndarray, "side side"]:
    return ~_grow(~cells, steps)
