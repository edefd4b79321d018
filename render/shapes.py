"""A small vocabulary of solids for procedural objects: Y up, front towards -Z, arrays (vertices, 3) and (faces, 3).

Everything is one of two things: a skin stretched over rings of points (`loft`, and with it lathes, tubes, boxes, balls),
or a polygon pulled along Z (`extrude`). Both are closed and face outwards, and their vertices come in an order that
depends on nothing but the arguments, so that an object is the same bytes on every machine.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from shapely.geometry import Polygon
from trimesh import Trimesh
from trimesh.creation import triangulate_polygon

Axis = Literal["x", "y", "z"]
Points = Float[np.ndarray, "n 3"]
Outline = Float[np.ndarray, "n 2"]
Line = np.ndarray | Sequence[Sequence[float] | np.ndarray]  # points, one a row
Numbers = float | Sequence[float] | np.ndarray
_AXES = "xyz"


@dataclass(frozen=True)
class Shape:
    """One or several closed solids as a triangle mesh. Methods return a new shape."""

    vertices: Points
    faces: Int[np.ndarray, "m 3"]

    def move(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> "Shape":
        """The shape shifted by (x, y, z)."""
        return Shape(self.vertices + np.array([x, y, z]), self.faces)

    def scale(self, x: float = 1.0, y: float = 1.0, z: float = 1.0) -> "Shape":
        """The shape stretched about the origin; a negative factor mirrors it, and its faces still look outwards."""
        faces = self.faces[:, ::-1] if x * y * z < 0 else self.faces
        return Shape(self.vertices * np.array([x, y, z]), faces)

    def turn(self, axis: Axis, degrees: float) -> "Shape":
        """The shape turned about an axis through the origin, by the right-hand rule."""
        return Shape(self.vertices @ _rotation(axis, degrees).T, self.faces)

    def mirror(self, axis: Axis = "x") -> "Shape":
        """The shape together with its mirror image across the plane through the origin."""
        return self + self.scale(**{axis: -1.0})

    def row(self, count: int, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> "Shape":
        """`count` copies, each (x, y, z) further than the last, the row as a whole centred on the original."""
        steps = np.arange(count) - (count - 1) / 2
        return join(self.move(x * i, y * i, z * i) for i in steps)

    def ring(self, count: int, axis: Axis = "y", arc: float = 360.0) -> "Shape":
        """`count` copies turned about an axis in equal steps of `arc / count` degrees."""
        return join(self.turn(axis, arc * i / count) for i in range(count))

    def size(self) -> Float[np.ndarray, "3"]:
        """Extent of the bounding box along x, y and z."""
        return np.ptp(self.vertices, axis=0)

    def mesh(self) -> Trimesh:
        """The same as a trimesh, with every vertex kept as it is."""
        return Trimesh(self.vertices, self.faces, process=False)

    def __add__(self, other: "Shape") -> "Shape":
        return join((self, other))


def join(shapes: Iterable[Shape]) -> Shape:
    """Several shapes as one; they may overlap, each stays closed in itself."""
    shapes = list(shapes)
    starts = np.cumsum([0, *(len(shape.vertices) for shape in shapes)])
    faces = [shape.faces + start for shape, start in zip(shapes, starts[:-1], strict=True)]
    return Shape(np.concatenate([shape.vertices for shape in shapes]), np.concatenate(faces))


# ---- outlines: closed polygons (n, 2), counter-clockwise, not repeating the first point


def circle(radius: float = 1.0, segments: int = 24) -> Outline:
    """A regular polygon of `segments` points on a circle about the origin."""
    return superellipse(2 * radius, 2 * radius, 2.0, segments)


def superellipse(width: float, height: float, power: float = 2.0, segments: int = 24) -> Outline:
    """|2x/width|^power + |2y/height|^power = 1: a diamond at 1, an ellipse at 2, nearly a box at 8."""
    angle = 2 * np.pi * np.arange(segments) / segments
    # Twelve decimals: a cosine that is nearly zero is not the same on two machines, and its root is not small.
    unit = np.round(np.stack([np.cos(angle), np.sin(angle)], axis=1), 12)
    bent = np.sign(unit) * np.abs(unit) ** (2 / power)
    return bent * np.array([width, height]) / 2


def rounded_rectangle(width: float, height: float, radius: float, corner: int = 3) -> Outline:
    """A rectangle about the origin whose corners are quarter circles of `corner` edges."""
    radius = min(radius, 0.48 * width, 0.48 * height)
    angle = np.radians(np.linspace(0.0, 90.0, corner + 1))
    quarters = [
        np.stack([np.cos(angle + turn), np.sin(angle + turn)], axis=1) for turn in np.radians([0, 90, 180, 270])
    ]
    centres = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * (np.array([width, height]) / 2 - radius)
    return np.concatenate([radius * arc + centre for arc, centre in zip(quarters, centres, strict=True)])


def curve(points: Line, steps: int = 6, closed: bool = False) -> Float[np.ndarray, "n d"]:
    """A smooth (Catmull-Rom) line through control points, `steps` short edges between each two of them."""
    points = np.asarray(points, dtype=float)
    ends = (points[-1:], points[:2]) if closed else (2 * points[:1] - points[1:2], 2 * points[-1:] - points[-2:-1])
    padded = np.concatenate([ends[0], points, ends[1]])
    t = (np.arange(steps) / steps)[:, None]
    pieces = [_catmull_rom(padded[i : i + 4], t) for i in range(len(padded) - 3)]
    return np.concatenate(pieces if closed else [*pieces, points[-1:]])


# ---- the two makers


def loft(rings: np.ndarray | Sequence[np.ndarray], caps: bool = True, wrap: bool = False) -> Shape:
    """A skin over rings of equally many points, closed by fans at both ends, or by joining the last ring to the first.

    Args:
        rings: (rings, points, 3). An end must be star-shaped about its mean to be capped.
        caps: False leaves out the mean points, for rings whose ends `wrap`.
        wrap: join the last ring to the first, as in a torus.
    """
    grid = np.asarray(rings, dtype=float)
    poles = grid[[0, -1]].mean(axis=1) if caps and not wrap else None
    return _skin(grid, poles, wrap)


def extrude(outline: Line, depth: float, holes: Sequence[Line] = ()) -> Shape:
    """A polygon in the plane of x and y, with holes, pulled to z = ±depth / 2."""
    whole = Polygon(_round(outline), [_round(hole) for hole in holes])
    polygon = whole.simplify(1e-4)  # points on a straight line would make triangles without an area
    flat, faces = triangulate_polygon(polygon, engine="earcut")
    faces = _flip_slivers(flat, faces)
    front, back = (np.column_stack([flat, np.full(len(flat), z)]) for z in (-depth / 2, depth / 2))
    walls = _edges_of_one_face(faces)
    n = len(flat)
    sides = np.concatenate(
        [np.column_stack([walls, walls[:, 0] + n]), np.column_stack([walls[:, 1], walls + n])[:, [0, 2, 1]]]
    )
    return _outwards(np.concatenate([front, back]), np.concatenate([faces, faces[:, ::-1] + n, sides[:, ::-1]]))


def plate(outline: Line, thickness: float, holes: Sequence[Line] = ()) -> Shape:
    """A side view pulled along X: an outline of (z, y) points, the front to the left, to x = ±thickness / 2."""
    return extrude(outline, thickness, holes).turn("y", -90)


def slab(outline: Line, thickness: float) -> Shape:
    """A plan pulled along Y: an outline of (x, z) points, to y = ±thickness / 2."""
    return extrude(outline, thickness).turn("x", 90)


# ---- solids


def box(width: float, height: float, depth: float) -> Shape:
    """A box about the origin."""
    return block((-width / 2, width / 2), (-height / 2, height / 2), (-depth / 2, depth / 2))


def block(x: tuple[float, float], y: tuple[float, float], z: tuple[float, float]) -> Shape:
    """A box from its ranges along the three axes."""
    (x0, x1), (y0, y1), (z0, z1) = x, y, z
    low = [[x0, y0, z0], [x1, y0, z0], [x1, y0, z1], [x0, y0, z1]]
    faces = [[0, 1, 2], [0, 2, 3], [4, 6, 5], [4, 7, 6]]
    for i, j in pairwise([0, 1, 2, 3, 0]):
        faces += [[i, i + 4, j], [j, i + 4, j + 4]]
    return _outwards(np.array(low + [[px, y1, pz] for px, _, pz in low], dtype=float), np.array(faces))


def rounded_box(width: float, height: float, depth: float, radius: float, corner: int = 3) -> Shape:
    """A box about the origin with all its edges rounded."""
    radius = min(radius, 0.48 * min(width, height, depth))
    angle = np.radians(np.linspace(20.0, 90.0, corner + 1))  # from 0 the first corners would shrink to points
    inset, drop = radius * (1 - np.sin(angle)), radius * (np.cos(angle[0]) - np.cos(angle))
    half = [(i, height / 2 - d) for i, d in zip(inset, drop, strict=True)]
    rings = []
    for i, y in [*((i, -y) for i, y in half), *reversed(half)]:
        flat = rounded_rectangle(width - 2 * i, depth - 2 * i, radius - i, corner)
        rings.append(np.column_stack([flat[:, 0], np.full(len(flat), y), flat[:, 1]]))
    return loft(rings)


def lathe(profile: Line, segments: int = 32, closed: bool = False) -> Shape:
    """A profile of (radius, y) points turned about the y axis; ends off the axis are closed by flat discs.

    For a vessel let the profile climb outside, cross the rim and go down inside; for a lampshade, which has no bottom,
    let it be `closed`: its last point is joined to its first. Only a first or last point may lie on the axis.
    """
    radius, y = np.asarray(profile, dtype=float).T
    on_axis = radius < 1e-9
    unit = circle(1.0, segments)
    rings = [
        np.column_stack([unit[:, 0] * r, np.full(segments, h), unit[:, 1] * r])
        for r, h in zip(radius[~on_axis], y[~on_axis], strict=True)
    ]
    poles = None if closed else np.array([[0.0, y[0], 0.0], [0.0, y[-1], 0.0]])
    return _skin(np.array(rings), poles, closed)


def cylinder(radius: float, height: float, top: float | None = None, segments: int = 24, axis: Axis = "y") -> Shape:
    """A cylinder about the origin, or a cone frustum with another radius at its `top` (0: a cone)."""
    upright = lathe([(radius, -height / 2), (radius if top is None else top, height / 2)], segments)
    return _aim(upright, axis)


def ball(width: float, height: float | None = None, depth: float | None = None, segments: int = 24) -> Shape:
    """An ellipsoid about the origin, of the given extents (a sphere when only the width is given)."""
    angle = np.radians(np.linspace(-90.0, 90.0, segments // 2 + 1))
    radius = np.where(np.abs(angle) > 1.57, 0.0, np.cos(angle))
    return lathe(np.column_stack([radius, np.sin(angle)]) / 2, segments).scale(width, height or width, depth or width)


def tube(path: Line, radius: Numbers, closed: bool = False, segments: int = 10) -> Shape:
    """A round bar along a path of points (n, 3), of one radius or of one at each point; a closed path makes a loop."""
    return sweep(path, circle(1.0, segments), radius, closed)


def sweep(path: Line, outline: Outline, scale: Numbers = 1.0, closed: bool = False) -> Shape:
    """An outline carried along a path (n, 3) without twist, scaled by one factor or one at each point.

    At the start the outline's y points up, or to the back where the path itself goes up.
    """
    points = np.asarray(path, dtype=float)
    ahead = np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0)
    if not closed:
        ahead[0], ahead[-1] = points[1] - points[0], points[-1] - points[-2]
    factors = np.broadcast_to(np.asarray(scale, dtype=float), len(points))
    up = np.array([0.0, 0.0, 1.0]) if abs(ahead[0, 1]) > 0.9 * np.linalg.norm(ahead[0]) else np.array([0.0, 1.0, 0.0])
    rings = []
    for point, direction, factor in zip(points, ahead, factors, strict=True):
        direction = direction / np.linalg.norm(direction)
        up = up - direction * (up @ direction)
        up = up / np.linalg.norm(up)
        rings.append(point + factor * (outline[:, :1] * np.cross(up, direction) + outline[:, 1:] * up))
    return loft(rings, wrap=closed)


def torus(radius: float, thickness: float, axis: Axis = "y", segments: int = 28, sides: int = 10) -> Shape:
    """A ring about an axis: `radius` to the middle of a bar that is `thickness` across."""
    unit = circle(radius, segments)
    flat = tube(
        np.column_stack([unit[:, 0], np.zeros(segments), unit[:, 1]]), thickness / 2, closed=True, segments=sides
    )
    return _aim(flat, axis)


def cushion(width: float, height: float, depth: float, power: float = 5.0, segments: int = 32) -> Shape:
    """A soft box: superellipses in plan, bulging in the middle of its height."""
    angle = np.radians(np.linspace(-78.0, 78.0, 9))
    rings = []
    for grow, y in zip(np.cos(angle) ** 0.4, np.sin(angle) / np.sin(angle[-1]), strict=True):
        flat = superellipse(width * grow, depth * grow, power, segments)
        rings.append(np.column_stack([flat[:, 0], np.full(segments, y * height / 2), flat[:, 1]]))
    return loft(rings)


def stack(levels: Iterable[tuple[float, float, float, float]], radius: float = 0.02, corner: int = 2) -> Shape:
    """A body in levels of (y, width, front z, back z), from bottom to top: rounded rectangles with a skin over them."""
    rings = []
    for y, width, front, back in levels:
        flat = rounded_rectangle(width, back - front, radius, corner)
        rings.append(np.column_stack([flat[:, 0], np.full(len(flat), y), flat[:, 1] + (front + back) / 2]))
    return loft(rings)


def hull(stations: Iterable[tuple[float, float, float, float]], power: float = 2.0, segments: int = 24) -> Shape:
    """A body in stations of (z, width, height, middle y), from front to back: superellipses with a skin over them."""
    rings = []
    for z, width, height, y in stations:
        flat = superellipse(width, height, power, segments)
        rings.append(np.column_stack([flat[:, 0], flat[:, 1] + y, np.full(segments, z)]))
    return loft(rings)


def wing(
    root: Sequence[float], tip: Sequence[float], chords: tuple[float, float], thickness: float, flat: Axis = "y"
) -> Shape:
    """A tapered blade from root to tip (points of its middle), its chords along z, thin along the axis `flat`."""
    rings = []
    for point, chord in zip(np.asarray([root, tip], dtype=float), chords, strict=True):
        lens = superellipse(chord, thickness * chord / max(chords), 2.0, 12)
        ring = np.tile(point, (12, 1))
        ring[:, 2] += lens[:, 0]
        ring[:, _AXES.index(flat)] += lens[:, 1]
        rings.append(ring)
    return loft(rings)


# ---- inside


def _rotation(axis: Axis, degrees: float) -> Float[np.ndarray, "3 3"]:
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    i = _AXES.index(axis)
    j, k = (i + 1) % 3, (i + 2) % 3
    matrix = np.eye(3)
    matrix[j, j], matrix[j, k], matrix[k, j], matrix[k, k] = cos, -sin, sin, cos
    return matrix


def _aim(upright: Shape, axis: Axis) -> Shape:
    """Lay a shape that stands along y down along another axis, its top towards +x or the front (-z)."""
    if axis == "y":
        return upright
    return upright.turn("z", -90) if axis == "x" else upright.turn("x", -90)


def _round(outline: Line) -> Outline:
    """Nine decimals: the triangulation decides by comparing, and must not see how the last bit was rounded."""
    return np.round(np.asarray(outline, dtype=float), 9)


def _catmull_rom(four: Float[np.ndarray, "4 d"], t: Float[np.ndarray, "steps 1"]) -> Float[np.ndarray, "steps d"]:
    """The piece of curve between the middle two of four points, at the parameters t in [0, 1)."""
    before, start, end, after = four
    slope, bend = (end - before) / 2, 2 * before - 5 * start + 4 * end - after
    return start + slope * t + bend / 2 * t**2 + (3 * start - before - 3 * end + after) / 2 * t**3


def _skin(grid: Float[np.ndarray, "rings points 3"], poles: Float[np.ndarray, "2 3"] | None, wrap: bool) -> Shape:
    count, n, _ = grid.shape
    around = np.arange(n)
    following = (around + 1) % n
    starts = n * np.arange(count)
    faces = []
    for low, high in pairwise([*starts, starts[0]] if wrap else starts):
        faces += [np.column_stack([low + around, high + around, low + following])]
        faces += [np.column_stack([low + following, high + around, high + following])]
    vertices = grid.reshape(-1, 3)
    if poles is not None:
        first, last = count * n, count * n + 1
        faces.append(np.column_stack([around, following, np.full(n, first)]))
        faces.append(np.column_stack([starts[-1] + following, starts[-1] + around, np.full(n, last)]))
        vertices = np.concatenate([vertices, poles])
    return _outwards(vertices, np.concatenate(faces))


def _flip_slivers(points: Outline, faces: Int[np.ndarray, "m 3"]) -> Int[np.ndarray, "m 3"]:
    """The triangulation without triangles of three points on a line: their long edge is flipped with the neighbour's."""
    faces = faces.copy()
    edges = np.roll(points[faces], -1, axis=1) - points[faces]
    lengths = np.linalg.norm(edges, axis=2)
    area = np.abs(edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0])
    for sliver in np.flatnonzero(area < 1e-5 * lengths.max(axis=1) ** 2):
        c, a, b = np.roll(faces[sliver], -int(lengths[sliver].argmax()))
        shares = (faces == a).any(axis=1) & (faces == c).any(axis=1)
        shares[sliver] = False
        for other in np.flatnonzero(shares):
            (d,) = set(faces[other].tolist()) - {a, c}
            faces[sliver], faces[other] = (a, b, d), (b, c, d)
    return faces


def _edges_of_one_face(faces: Int[np.ndarray, "m 3"]) -> Int[np.ndarray, "e 2"]:
    """The directed edges of a flat triangulation that have no twin: its rim."""
    edges = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    twins = {(int(b), int(a)) for a, b in edges}
    return np.array([edge for edge in edges if tuple(edge) not in twins])


def _outwards(vertices: Points, faces: Int[np.ndarray, "m 3"]) -> Shape:
    """The closed mesh with its faces looking out: its signed volume is positive."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    volume = np.einsum("ij,ij->", a, np.cross(b, c))
    return Shape(vertices, faces if volume > 0 else faces[:, ::-1])
