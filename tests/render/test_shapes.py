import math
from collections.abc import Callable

import numpy as np
import pytest

from iebench.render import shapes
from iebench.render.shapes import Shape

SQUARE = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
SOLIDS: dict[str, Callable[[], Shape]] = {
    "box": lambda: shapes.box(1, 2, 3),
    "block": lambda: shapes.block((0, 1), (2, 3), (-1, 4)),
    "rounded box": lambda: shapes.rounded_box(1, 0.5, 2, 0.1),
    "rounded box, all corner": lambda: shapes.rounded_box(1, 1, 1, 9.0),
    "cylinder": lambda: shapes.cylinder(1, 2),
    "cone": lambda: shapes.cylinder(1, 2, top=0.0),
    "ball": lambda: shapes.ball(1, 2, 3),
    "torus": lambda: shapes.torus(1, 0.2, "x"),
    "tube": lambda: shapes.tube(shapes.curve([(0, 0, 0), (0, 1, 0), (1, 1, 1)]), 0.1),
    "hoop": lambda: shapes.tube([(0, 0, 0), (1, 0, 0), (1, 1, 0)], 0.1, closed=True),
    "vessel": lambda: shapes.lathe([(0.5, 0), (0.6, 1), (0.5, 1), (0.4, 0.1), (0, 0.1)]),
    "lampshade": lambda: shapes.lathe([(0.5, 0), (0.3, 1), (0.25, 1), (0.45, 0)], closed=True),
    "extrusion with a hole": lambda: shapes.extrude(shapes.circle(1, 12), 0.5, [shapes.circle(0.5, 8)]),
    "bent extrusion": lambda: shapes.extrude([(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)], 0.5),
    "comb": lambda: shapes.extrude([(0, 0), (5, 0), *((x, y) for x in range(4, 0, -1) for y in (1, 0.5)), (0, 1)], 0.5),
    "points on a line": lambda: shapes.extrude([(0, 0), (1, 0), (2, 0), (3, 0), (3, 1), (1.5, 1), (0, 1)], 0.5),
    "plate": lambda: shapes.plate([(0, 0), (2, 0), (1, 1)], 0.5),
    "slab": lambda: shapes.slab([(0, 0), (2, 0), (1, 1)], 0.5),
    "cushion": lambda: shapes.cushion(1, 0.3, 0.6),
    "stack": lambda: shapes.stack([(0, 1, -1, 1), (1, 0.5, -0.5, 0.2)]),
    "hull": lambda: shapes.hull([(-1, 0.5, 0.5, 0), (0, 1, 1, 0.1), (1, 0.2, 0.2, 0)]),
    "wing": lambda: shapes.wing((0, 0, 0), (1, 0.1, 0.3), (0.5, 0.2), 0.05),
    "mirrored": lambda: shapes.box(1, 1, 1).move(x=2).mirror(),
    "turned and flipped": lambda: shapes.cylinder(1, 2).turn("z", 30).scale(x=-1),
    "ring of bars": lambda: shapes.box(1, 0.1, 0.1).move(x=2).ring(5),
}


@pytest.mark.parametrize("make", SOLIDS.values(), ids=SOLIDS.keys())
def test_a_solid_is_closed_and_faces_outwards(make: Callable[[], Shape]) -> None:
    mesh = make().mesh()
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert all(body.volume > 0 for body in mesh.split(only_watertight=False, repair=False))
    assert mesh.area_faces.min() > 1e-9


@pytest.mark.parametrize(
    ("shape", "volume", "tolerance"),
    [
        (shapes.box(1, 2, 3), 6.0, 1e-9),
        (shapes.block((0, 1), (2, 4), (-1, 4)), 10.0, 1e-9),
        (shapes.cylinder(1, 2, segments=200), 2 * math.pi, 2e-3),
        (shapes.cylinder(1, 3, top=0.0, segments=200), math.pi, 2e-3),
        (shapes.ball(2, segments=200), 4 / 3 * math.pi, 5e-3),
        (shapes.torus(1, 0.4, segments=100, sides=60), 2 * math.pi * math.pi * 0.04, 5e-3),
        (shapes.extrude(SQUARE, 2, [0.5 * SQUARE]), 6.0, 1e-9),
        (shapes.lathe([(0.5, 0), (0.5, 1), (0.3, 1), (0.3, 0)], 200, closed=True), 0.16 * math.pi, 2e-3),
    ],
)  # fmt: skip
def test_volume_is_that_of_the_formula(shape: Shape, volume: float, tolerance: float) -> None:
    assert shape.mesh().volume == pytest.approx(volume, rel=tolerance)


def test_sizes_are_as_asked() -> None:
    assert shapes.rounded_box(1, 0.5, 2, 0.1).size() == pytest.approx([1, 0.5, 2])
    assert shapes.ball(1, 2, 3).size() == pytest.approx([1, 2, 3])
    assert shapes.block((0, 1), (2, 4), (-1, 4)).vertices.min(axis=0) == pytest.approx([0, 2, -1])
    assert shapes.box(1, 1, 1).row(3, x=2).size() == pytest.approx([5, 1, 1])


def test_a_turn_follows_the_right_hand_rule() -> None:
    assert shapes.box(1, 1, 1).move(x=5).turn("y", 90).vertices.mean(axis=0) == pytest.approx([0, 0, -5])
    assert shapes.box(1, 1, 1).move(y=5).turn("x", 90).vertices.mean(axis=0) == pytest.approx([0, 0, 5])


def test_a_side_view_has_its_front_at_minus_z() -> None:
    shape = shapes.plate([(-3, 0), (1, 0), (1, 2)], 0.5)
    assert shape.vertices[:, 2].min() == pytest.approx(-3)
    assert shape.vertices[:, 2].max() == pytest.approx(1)
    assert shape.vertices[:, 1].max() == pytest.approx(2)


def test_a_curve_passes_through_its_points() -> None:
    points = np.array([(0, 0, 0), (1, 2, 0), (3, 1, 1), (4, 0, 0)], dtype=float)
    line = shapes.curve(points, steps=5)
    assert line[::5] == pytest.approx(points)
    assert len(shapes.curve(points, steps=5, closed=True)) == 20


def test_a_row_is_centred_and_a_ring_keeps_its_radius() -> None:
    assert shapes.box(1, 1, 1).row(4, z=3).vertices.mean(axis=0) == pytest.approx([0, 0, 0])
    ring = shapes.ball(0.1).move(x=2).ring(7)
    assert np.hypot(ring.vertices[:, 0], ring.vertices[:, 2]).max() <= 2.051
