"""Recipes for what is carried, worn or slept on."""

from collections.abc import Iterator

import numpy as np

from iebench.render.dice import Dice
from iebench.render.materials import (
    cloth,
    fabric,
    hard,
    label,
    metal,
    paint,
    rubber,
    window,
)
from iebench.render.recipe import Part, recipe
from iebench.render.shapes import (
    Shape,
    ball,
    box,
    curve,
    cushion,
    cylinder,
    hull,
    join,
    lathe,
    loft,
    rounded_box,
    stack,
    superellipse,
    sweep,
    torus,
    tube,
)


@recipe("bag")
def bag(d: Dice) -> Iterator[Part]:
    yield from d.variant([_handbag, _backpack, _shopping_bag, _briefcase])(d)


def _handbag(d: Dice) -> Iterator[Part]:
    body, trim = cloth(d), cloth(d)
    w, h, depth, slope = 0.9, d(0.5, 0.62), d(0.2, 0.32), d(0.6, 0.85)
    half, top = depth / 2, 0.25 * depth
    levels = [
        (0, 0.94 * w, -half, half),
        (0.06, w, -half, half),
        (0.75 * h, (1 + 2 * slope) / 3 * w, -0.7 * half, 0.7 * half),
        (h, slope * w, -top, top),
    ]
    yield Part("body", stack(levels, 0.06, corner=3), body)
    yield Part("handles", _carry_loop(d, h).move(z=0.2 * depth).mirror("z"), trim)
    flap = rounded_box(0.62 * slope * w, 0.45 * h, 0.03, 0.012).turn("x", 8)
    yield Part("flap", flap.move(y=0.72 * h, z=-0.42 * depth), trim)
    yield Part("buckle", box(0.09, 0.08, 0.05).move(y=0.52 * h, z=-0.48 * depth), metal(d))


def _shopping_bag(d: Dice) -> Iterator[Part]:
    w, h, depth, t = 0.9, d(0.85, 1.05), d(0.2, 0.32), 0.015
    half = depth / 2
    outside, inside = (
        [(0, w, -half, half), (h, w, -half, half)],
        [(y, w - 2 * t, t - half, half - t) for y in (h, 0.05)],
    )
    yield Part("body", stack([*outside, *inside], 0.01, corner=1), cloth(d))
    yield Part("handles", _carry_loop(d, h).move(z=half - 0.02).mirror("z"), cloth(d))
    yield Part("print", box(0.55 * w, 0.45 * h, 0.012).move(y=0.5 * h, z=-half), label(d), "front")


def _carry_loop(d: Dice, h: float) -> Shape:
    """An arch over a bag of height h."""
    rise, reach = d(0.2, 0.42), d(0.14, 0.24)
    path = [
        (-reach, h - 0.1, 0),
        (-0.9 * reach, h + 0.7 * rise, 0),
        (0.9 * reach, h + 0.7 * rise, 0),
        (reach, h - 0.1, 0),
    ]
    return tube(curve(path, 6), 0.018)


def _briefcase(d: Dice) -> Iterator[Part]:
    body, trim = cloth(d), cloth(d)
    w, h, depth = 0.9, d(0.55, 0.65), d(0.2, 0.32)
    front = -depth / 2
    yield Part("body", rounded_box(w, h, depth, 0.06).move(y=h / 2), body)
    yield Part("handle", tube([(-0.14, h, 0), (-0.13, h + 0.09, 0), (0.13, h + 0.09, 0), (0.14, h, 0)], 0.025), trim)
    yield Part("locks", box(0.09, 0.1, 0.03).move(0.28, 0.72 * h, front).mirror(), metal(d))
    yield Part("seam", rounded_box(1.01 * w, 0.03, 1.02 * depth, 0.012).move(y=0.63 * h), trim)
    yield Part("pocket", rounded_box(0.5 * w, 0.4 * h, 0.04, 0.015).move(y=0.3 * h, z=front), trim)


def _backpack(d: Dice) -> Iterator[Part]:
    body, trim = cloth(d), cloth(d)
    w, h, depth = d(0.5, 0.62), d(0.7, 0.85), d(0.26, 0.34)
    half = depth / 2
    levels = [
        (0, 0.85 * w, -0.8 * half, 0.9 * half),
        (0.1, w, -half, half),
        (0.7 * h, w, -half, half),
        (0.92 * h, 0.8 * w, -0.7 * half, 0.9 * half),
        (h, 0.4 * w, -0.2 * half, 0.7 * half),
    ]
    yield Part("body", stack(levels, 0.12, corner=4), body)
    yield Part("pocket", rounded_box(0.72 * w, 0.38 * h, 0.14, 0.05).move(y=0.26 * h, z=-half - 0.02), trim)
    side = rounded_box(0.1, 0.3 * h, 0.6 * depth, 0.04).move(0.5 * w, 0.2 * h, 0)
    yield Part("side pockets", side.mirror(), trim)
    corners = [(-0.36 * w, 0.55 * h), (-0.3 * w, 0.8 * h), (0.3 * w, 0.8 * h), (0.36 * w, 0.55 * h)]
    yield Part("zip", tube(curve([(x, y, -half) for x, y in corners], 4), 0.014), metal(d))
    down = [(0.95 * h, 0.8 * half), (0.85 * h, half + 0.16), (0.45 * h, half + 0.16), (0.1 * h, half - 0.02)]
    strap = curve([(0.22, y, z) for y, z in down], 5)
    yield Part("straps", sweep(strap, superellipse(0.09, 0.03, 4.0, 10)).mirror(), trim)
    yield Part("loop", torus(0.07, 0.03, "x").move(y=h, z=0.1 * depth), trim)


@recipe("cap")
def cap(d: Dice) -> Iterator[Part]:
    crown, visor, r, h = cloth(d), cloth(d), 0.36, d(0.24, 0.34)
    if d.chance(0.5):
        visor = crown
    t = np.radians(np.linspace(0, 90, 9))
    power = d(0.6, 1.0)
    outside = np.column_stack([r * np.cos(t) ** power, h * np.sin(t)])
    outside[-1, 0] = 0
    inside = 0.93 * outside
    dome = lathe([*outside[::-1], (r, -0.05), (0.93 * r, -0.05), *inside])
    yield Part("crown", dome.scale(z=1.12), crown, "around")
    long, wide, bend = d(0.28, 0.4), d(0.3, 0.36), d(0.02, 0.1)
    rings = []
    for s in np.linspace(-1, 1, 13):
        x, reach = wide * s, long * np.sqrt(max(1 - abs(s) ** 2.6, 0.01))
        back, drop = -1.12 * r * np.sqrt(1 - (wide / r * s * 0.95) ** 2) + 0.06, -0.04 - bend * s * s
        rings.append(
            [
                [x, drop + 0.012, back],
                [x, drop - 0.012, back],
                [x, drop - 0.032, back - reach - 0.05],
                [x, drop - 0.008, back - reach - 0.05],
            ]
        )
    yield Part("visor", loft(np.array(rings)), visor)
    yield Part("button", ball(0.06, 0.04, 0.06).move(y=h), visor)
    seam = np.column_stack([1.005 * outside[:, 0], outside[:, 1], 0 * t])
    yield Part("seams", tube(seam[:-1], 0.009, segments=5).ring(6).scale(z=1.12), visor)
    if d.chance(0.7):
        yield Part("badge", box(0.18, 0.13, 0.02).turn("x", 25).move(y=0.42 * h, z=-1.04 * r), label(d), "front")
    yield Part("strap", tube(curve([(-0.2, 0.0, 0.9 * r), (0, -0.02, 1.16 * r), (0.2, 0.0, 0.9 * r)], 6), 0.025), visor)


@recipe("helmet")
def helmet(d: Dice) -> Iterator[Part]:
    kind = d.variant(["full", "cycle", "football"])
    shell, trim, black = paint(d), hard(d), rubber(d)
    if kind == "cycle":
        wide, tall = d(0.88, 1.1), d(0.85, 1.15)
        for part in _cycle_helmet(d):
            yield part._replace(shape=part.shape.scale(wide, tall, 1.0))
        return
    wide = d(0.72, 0.8)
    levels = [(-0.42, 0.62), (-0.36, 0.76), (-0.15, 0.95), (0.08, 1.0), (0.25, 0.9), (0.38, 0.62), (0.44, 0.25)]
    rings = [
        np.column_stack([f[:, 0], np.full(32, y), f[:, 1]])
        for y, k in levels
        for f in [superellipse(wide * k, 0.94 * k, 2.2, 32)]
    ]
    yield Part("shell", loft(rings), shell)
    if kind == "full":
        band = np.radians(np.linspace(-72, 72, 15))
        path = np.column_stack([0.505 * wide * np.sin(band), 0 * band + 0.06, -0.485 * np.cos(band)])
        yield Part("visor", sweep(path, superellipse(0.03, d(0.24, 0.32), 4.0, 12)), window(d))
        yield Part("pivots", cylinder(0.07, 0.04, axis="x").move(0.49 * wide, 0.06, -0.1).mirror(), trim)
        yield Part("chin", rounded_box(0.5 * wide, 0.2, 0.14, 0.06).move(y=-0.27, z=-0.42), trim)
        yield Part("chin vents", box(0.06, 0.06, 0.02).row(3, x=0.1).move(y=-0.26, z=-0.49), black)
        if d.chance():
            yield Part("stripe", tube([[0, y, 0.47 * k + 0.0] for y, k in levels[1:]], 0.03).scale(x=2), trim)
    else:
        yield Part("opening", rounded_box(0.66 * wide, 0.46, 0.2, 0.08).move(y=-0.18, z=-0.4), black)
        for y, drop in ((0.02, 0.0), (-0.16, 0.04), (-0.32, 0.06)):
            bar = curve(
                [
                    (-0.48 * wide, y + 0.02, -0.15),
                    (-0.36 * wide, y - drop, -0.5),
                    (0, y - drop, -0.62),
                    (0.36 * wide, y - drop, -0.5),
                    (0.48 * wide, y + 0.02, -0.15),
                ],
                4,
            )
            yield Part("bar", tube(bar, 0.024, segments=8), trim)
        yield Part("post", tube([[0.05, 0.02, -0.615], [0.05, -0.38, -0.615]], 0.02).mirror(), trim)
        yield Part("ear holes", cylinder(0.06, 0.03, axis="x").move(0.485 * wide, -0.05, 0.02).mirror(), black)
        crest = tube(
            [[0, y + 0.01, -0.475 * k] for y, k in levels[3:]] + [[0, y + 0.01, 0.475 * k] for y, k in levels[:2:-1]],
            0.035,
        )
        yield Part("stripe", crest, hard(d))


def _cycle_helmet(d: Dice) -> Iterator[Part]:
    shell, trim, black = paint(d), hard(d), rubber(d)
    body = hull(
        [
            (-0.5, 0.24, 0.1, 0.05),
            (-0.42, 0.48, 0.26, 0.08),
            (-0.2, 0.66, 0.42, 0.1),
            (0.1, 0.7, 0.46, 0.1),
            (0.35, 0.56, 0.36, 0.08),
            (0.48, 0.26, 0.16, 0.04),
        ],
        2.4,
    )
    yield Part("shell", body, shell)
    count = d.choice([3, 5])
    ridge = hull(
        [
            (-0.46, 0.05, 0.06, 0.1),
            (-0.2, 0.09, 0.1, 0.29),
            (0.1, 0.09, 0.1, 0.32),
            (0.36, 0.08, 0.1, 0.24),
            (0.5, 0.03, 0.06, 0.1),
        ]
    )
    spread = join(ridge.move(y=-0.05).turn("z", 28 * (i - (count - 1) / 2)) for i in range(count))
    yield Part("ridges", spread.move(y=0.05), trim)
    yield Part(
        "vents",
        hull([(-0.4, 0.04, 0.03, 0.22), (-0.2, 0.07, 0.05, 0.315), (0.1, 0.07, 0.05, 0.335), (0.3, 0.05, 0.03, 0.27)])
        .turn("z", 17)
        .mirror(),
        black,
    )
    yield Part("lining", hull([(-0.4, 0.4, 0.1, -0.05), (0.1, 0.6, 0.14, -0.08), (0.38, 0.4, 0.1, -0.05)]), black)
    strap = curve(
        [(0.3, -0.05, -0.15), (0.2, -0.4, -0.02), (0, -0.46, 0), (-0.2, -0.4, -0.02), (-0.3, -0.05, -0.15)], 5
    )
    yield Part(
        "straps",
        tube(strap, 0.018, segments=6)
        + tube(curve([(0.3, -0.05, 0.2), (0.24, -0.28, 0.0)], 4), 0.018, segments=6).mirror(),
        black,
    )


@recipe("pillow")
def pillow(d: Dice) -> Iterator[Part]:
    kind = d.variant(["square", "long", "bolster", "round"])
    soft, trim = fabric(d), cloth(d)
    if kind == "bolster":
        r = d(0.13, 0.18)
        yield Part("roll", cushion(2 * r, 1.0, 2 * r, 2.0).turn("z", 90), soft)
        yield Part("cords", torus(0.99 * r, 0.035, "x").move(x=0.36).mirror(), trim)
        yield Part("buttons", ball(0.1).move(x=0.49).mirror(), trim)
        return
    w, depth, thick = (1.0, d(0.55, 0.7), d(0.2, 0.28)) if kind == "long" else (0.8, 0.8, d(0.22, 0.34))
    power, pinch = (2.0, 0.0) if kind == "round" else (14.0, d(0.1, 0.2))
    rim = superellipse(w, depth, power, 48)
    rim = rim * (1 - pinch * (1 - np.abs(2 * rim[:, ::-1] / [depth, w]) ** 2))
    angle = np.radians(np.linspace(-84, 84, 13))
    rings = [
        np.column_stack(
            [rim[:, 0] * np.cos(a) ** 0.6, np.full(48, np.sin(a) * thick / 2), rim[:, 1] * np.cos(a) ** 0.6]
        )
        for a in angle
    ]
    yield Part("pillow", loft(rings), soft, "top")
    yield Part(
        "piping", tube(np.column_stack([rim[:, 0], np.zeros(48), rim[:, 1]]), 0.018, closed=True, segments=6), trim
    )
    if d.chance(0.6):
        yield Part("buttons", ball(0.08, 0.05, 0.08).move(y=thick / 2).mirror("y"), trim)
    if kind != "round" and d.chance():
        tassel = (
            lathe([(0, 0.03), (0.025, 0.0), (0.035, -0.1), (0, -0.1)])
            .turn("x", 90)
            .turn("y", 45)
            .move(rim[:, 0].max(), 0, -rim[:, 1].max())
        )
        yield Part("tassels", tassel.mirror("x").mirror("z"), trim)
