"""The surface of an object as its file was read: triangles, and points that cover them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

CHUNK = 1_000_000  # points that are held at a time


@dataclass(frozen=True)
class Surface:
    """Triangles in float64.

    Attributes:
        vertices: of all meshes of the file, those of no face too.
        triangles: three vertices each, by index.
        solid: whether a triangle stops every ray, as far as its material tells.
    """

    vertices: Float[ndarray, "n 3"]
    triangles: Int[ndarray, "m 3"]
    solid: Bool[ndarray, " m"]

    @property
    def diagonal(self) -> float:
        """Of the bounding box."""
        return float(np.linalg.norm(np.ptp(self.vertices, axis=0)))

    def placed(self, unit_diagonal: bool) -> "Surface":
        """The same with the centre of its bounding box at the origin, and scaled to a unit diagonal where that is wanted."""
        centre = (self.vertices.min(axis=0) + self.vertices.max(axis=0)) / 2
        return replace(self, vertices=(self.vertices - centre) * (1 / self.diagonal if unit_diagonal else 1.0))


def transform(matrix: Float[ndarray, "4 4"], points: Float[ndarray, "n 3"]) -> Float[ndarray, "n 3"]:
    """Points through a matrix."""
    return np.einsum("nj,ij->ni", points, matrix[:3, :3]) + matrix[:3, 3]  # not "@", whose threads compete with Cycles'


def cover(surface: Surface, spacing: float, most: int = 200_000) -> tuple[Float[ndarray, "n 3"], Bool[ndarray, " n"]]:
    """Points on a surface from which no place on it is farther than about `spacing`.

    Args:
        surface: of any number of triangles, each of which has a point unless another triangle has one beside it.
        spacing: in the surface's units; also the side of the cubes that hold one point each.
        most: points; of more, some are picked at random, always the same.

    Returns:
        The points, and whether each is solid.
    """
    parts = [_thin_out(points, solid, spacing) for points, solid in _grids(surface, spacing)]
    points, solid = parts[0]
    if len(parts) > 1:
        points, solid = _thin_out(np.concatenate([p for p, _ in parts]), np.concatenate([s for _, s in parts]), spacing)
    if len(points) > most:
        picked = np.random.default_rng(0).choice(len(points), most, replace=False)
        points, solid = points[picked], solid[picked]
    return points, solid


def _grids(surface: Surface, spacing: float) -> Iterator[tuple[ndarray, ndarray]]:
    """A grid of points for every triangle: rows along its longest side, the first on it, so that slivers have one row."""
    corners = surface.vertices[surface.triangles]
    lengths = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=-1)
    order = (lengths.argmax(axis=1)[:, None] + np.arange(3)) % 3
    ordered = np.take_along_axis(corners, order[..., None], axis=1)
    start, end, apex = ordered.transpose(1, 0, 2)
    along_axes = np.ascontiguousarray(
        ordered.transpose(1, 2, 0)
    )  # a loop over points takes a third of one over their 3 axes
    length = lengths.max(axis=1)
    height = np.linalg.norm(np.cross(end - start, apex - start), axis=-1) / np.maximum(length, 1e-300)
    columns, rows = (np.maximum(np.ceil(side / spacing), 1).astype(np.int64) for side in (length, height))
    ends = np.cumsum(columns * rows)
    cuts = np.unique([0, *np.searchsorted(ends, np.arange(CHUNK, ends[-1], CHUNK)), len(ends)])
    for low, high in pairwise(cuts):
        counts = (columns * rows)[low:high]
        which = np.repeat(np.arange(low, high), counts)
        number = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
        row, column = np.divmod(number, columns[which])
        along, up = (column + 0.5) / columns[which], row / rows[which]
        starts, ends, apexes = along_axes[:, :, which]
        points = ((1 - along) * starts + along * ends) * (1 - up) + up * apexes
        yield np.ascontiguousarray(points.T), surface.solid[which]


def _thin_out(points: ndarray, solid: ndarray, side: float) -> tuple[ndarray, ndarray]:
    """One point of those of a kind that lie in a cube."""
    cubes = np.floor(points / side).astype(np.int64) @ np.array([1, 1 << 20, 1 << 40])
    _, keep = np.unique(cubes * 2 + solid, return_index=True)
    return points[keep], solid[keep]
