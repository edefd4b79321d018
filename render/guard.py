"""Whether the object is in the picture where its latents put it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray


@dataclass(frozen=True)
class Surface:
    """The surface of an object as its file was read.

    Attributes:
        vertices: of all its meshes, those of no face too.
        triangles: vertices of each, by their index.
        solid: whether a triangle stops every ray, as far as its material tells.
    """

    vertices: Float[ndarray, "n 3"]
    triangles: Int[ndarray, "m 3"]
    solid: Bool[ndarray, " m"]

    def placed(self, unit_diagonal: bool) -> "Surface":
        """The same with the centre of its bounding box at the origin, and scaled to a unit diagonal where that is wanted."""
        low, high = self.vertices.min(axis=0), self.vertices.max(axis=0)
        scale = 1 / float(np.linalg.norm(high - low)) if unit_diagonal else 1.0
        return replace(self, vertices=(self.vertices - (low + high) / 2) * scale)


def join_surfaces(parts: Sequence[Surface]) -> Surface:
    """Several as one."""
    starts = np.cumsum([0, *(len(part.vertices) for part in parts[:-1])])
    return Surface(
        vertices=np.concatenate([part.vertices for part in parts]),
        triangles=np.concatenate([part.triangles + start for part, start in zip(parts, starts, strict=True)]),
        solid=np.concatenate([part.solid for part in parts]),
    )


def cover(
    surface: Surface, spacing: float, most: int = 200_000
) -> tuple[Float[ndarray, "n 3"], Bool[ndarray, " n"]]:
    """Points of a surface of which each triangle has one at least and none is farther than `spacing` from the next.

    Returns:
        The points, not two in one cube of half that side, and whether each is solid.
    """
    corners = surface.vertices[surface.triangles]
    lengths = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=-1)
    first = (lengths.argmax(axis=1)[:, None] + np.arange(3)) % 3  # the longest side is the base
    base, other, apex = np.take_along_axis(corners, first[..., None], axis=1).transpose(1, 0, 2)
    length = lengths.max(axis=1)
    height = np.linalg.norm(np.cross(other - base, apex - base), axis=-1) / np.maximum(length, 1e-300)
    columns, rows = (np.maximum(np.ceil(side / spacing), 1).astype(np.int64) for side in (length, height))
    counts = columns * rows
    found, solid = [], []
    bounds = np.searchsorted(np.cumsum(counts), np.arange(0, counts.sum(), 1_000_000))
    for start, stop in zip(bounds, [*bounds[1:], len(counts)], strict=True):
        which = np.repeat(np.arange(start, stop), counts[start:stop])
        number = np.arange(len(which)) - np.repeat(np.cumsum(counts[start:stop]) - counts[start:stop], counts[start:stop])
        along = ((number % columns[which] + 0.5) / columns[which])[:, None]
        up = ((number // columns[which] + 0.5) / rows[which])[:, None]
        points = (base[which] * (1 - along) + other[which] * along) * (1 - up) + apex[which] * up
        cubes = np.floor(points * (2 / spacing)).astype(np.int64)
        _, keep = np.unique(cubes @ np.array([1, 1 << 21, 1 << 42]) * 2 + surface.solid[which], return_index=True)
        found.append(points[keep]); solid.append(surface.solid[which[keep]])
    points, flags = np.concatenate(found), np.concatenate(solid)
    if len(points) > most:
        keep = np.random.default_rng(0).choice(len(points), most, replace=False)
        points, flags = points[keep], flags[keep]
    return points, flags
