"""Recipes for things to wear, to play and to hold."""

from collections.abc import Iterator

import numpy as np

from iebench.render.dice import Dice
from iebench.render.materials import Material, cloth, hard, label, metal, paint, plastic, rubber, window, wood
from iebench.render.recipe import Part, recipe
from iebench.render.shapes import (
    ball,
    block,
    box,
    curve,
    cylinder,
    extrude,
    hull,
    join,
    lathe,
    loft,
    plate,
    rounded_box,
    slab,
    stack,
    superellipse,
    sweep,
    torus,
    tube,
)


@recipe("guitar")
def guitar(d: Dice) -> Iterator[Part]:
    electric = d.chance(0.4)
    body, neck, trim = d.choice([wood, paint])(d), wood(d), d.choice([plastic, paint, metal])(d)
    deep, lower, waist, upper = (
        (0.06, d(0.18, 0.2), d(0.11, 0.13), d(0.15, 0.17))
        if electric
        else (d(0.1, 0.13), d(0.2, 0.24), d(0.12, 0.16), d(0.15, 0.19))
    )
    right = [(0, -0.02), (0.7 * lower, 0.01), (lower, 0.14), (waist, 0.27), (upper, 0.37), (0.5 * upper, 0.43)]
    left = [(-x, y) for x, y in right[:0:-1]]
    if electric:
        horns = d.choice([0.06, 0.1])
        right[-2:] = [(upper, 0.36), (0.8 * upper, 0.4 + horns), (0.4 * upper, 0.38)]
        left[:2] = [(-0.4 * upper, 0.38), (-0.8 * upper, 0.42 + 1.3 * horns), (-upper, 0.37)]
    middle = [] if electric else [(0, 0.44)]
    outline = curve([*right, *middle, *left], 5, closed=True)
    yield Part("body", extrude(outline, deep), body)
    front = -deep / 2
    end = d(0.92, 1.0)
    yield Part("neck", box(0.05, end - 0.3, 0.03).move(y=(end + 0.3) / 2, z=front - 0.005), neck)
    yield Part(
        "frets",
        box(0.052, 0.004, 0.004).row(14, y=(end - 0.45) / 14).move(y=(end + 0.4) / 2, z=front - 0.021),
        metal(d),
    )
    yield Part(
        "head",
        extrude([(-0.03, 0), (0.03, 0), (0.045, 0.13), (-0.035, 0.15)], 0.025).turn("x", 8).move(y=end, z=front),
        body,
    )
    yield Part("pegs", box(0.14, 0.014, 0.014).row(3, y=0.04).move(y=end + 0.075, z=front + 0.008), metal(d))
    yield Part("bridge", box(0.12, 0.025, 0.02).move(y=0.1, z=front - 0.008), rubber(d))
    yield Part(
        "strings", box(0.003, end - 0.1, 0.003).row(6, x=0.007).move(y=(end + 0.1) / 2, z=front - 0.026), metal(d)
    )
    if electric:
        yield Part("pickups", box(0.1, 0.025, 0.02).row(2, y=0.08).move(y=0.22, z=front - 0.005), rubber(d))
        yield Part(
            "guard",
            extrude(curve([(0.02, 0.08), (0.8 * waist, 0.12), (0.8 * waist, 0.3), (0.02, 0.34)], 4, True), 0.012).move(
                z=front
            ),
            trim,
        )
        yield Part("knobs", cylinder(0.018, 0.03, axis="z").row(3, y=0.05).move(-0.1, 0.1, front), metal(d))
    else:
        yield Part(
            "hole", cylinder(0.055, 0.01, axis="z").move(y=0.27, z=front), Material("hole", (0.01, 0.008, 0.005))
        )
        yield Part("rosette", torus(0.06, 0.012, "z").move(y=0.27, z=front), trim)


@recipe("piano")
def piano(d: Dice) -> Iterator[Part]:
    body, trim = d.choice([wood, paint])(d), metal(d)
    grand = d.chance(0.45)
    if grand:
        right = [
            (0.5, -0.32),
            (0.5, 0.05),
            (0.42, 0.25),
            (0.1, 0.4),
            (-0.02, 0.62),
            (-0.2, 0.72),
            (-0.42, 0.66),
            (-0.5, 0.5),
        ]
        plan = np.concatenate([[(-0.5, -0.32)], right[:1], curve(right[1:], 4), [(-0.5, 0.2)]])
        y = 0.5
        yield Part("case", slab(plan, 0.16).move(y=y), body)
        yield Part(
            "strings", slab(plan * [0.92, 0.92] + [0, 0.03], 0.012).move(y=y + 0.08), d.choice([trim, plastic(d)])
        )
        if d.chance(0.75):
            lid = slab(plan + np.array([0.5, 0.0]), 0.02).turn("z", d(25, 45)).move(-0.5, y + 0.09, 0)
            yield Part("lid", lid, body)
            yield Part("prop", tube([[0.25, y + 0.08, 0.15], [0.18, y + 0.42, 0.15]], 0.01, segments=6), trim)
        leg = lathe([(0.03, 0), (0.03, 0.05), (d(0.035, 0.055), 0.2), (0.05, 0.44)], 16)
        yield Part("legs", leg.move(0.42, 0, -0.22).mirror() + leg.move(-0.25, 0, 0.55), body)
        yield Part("lyre", box(0.14, 0.34, 0.03).move(y=0.26, z=-0.05), body)
        front, bed, wide = -0.32, y + 0.02, 0.94
        yield Part("music desk", box(0.5, 0.18, 0.02).turn("x", 18).move(y=y + 0.17, z=-0.1), body)
    else:
        h, depth = d(0.75, 0.95), d(0.3, 0.4)
        front, bed, wide = -depth / 2, 0.42, 0.94
        yield Part("case", block((-0.5, 0.5), (0.0, h), (front, depth / 2)), body)
        yield Part("lid", box(1.04, 0.03, depth + 0.05).move(y=h), body)
        yield Part("key bed", block((-0.5, 0.5), (bed - 0.12, bed - 0.02), (front - 0.22, front)), body)
        yield Part("cheeks", block((0.47, 0.5), (bed - 0.1, bed + 0.05), (front - 0.23, front)).mirror(), body)
        yield Part("legs", box(0.05, bed - 0.1, 0.05).move(0.46, (bed - 0.1) / 2, front - 0.18).mirror(), body)
        yield Part("music desk", box(0.5, 0.2, 0.02).turn("x", 10).move(y=bed + 0.2, z=front - 0.03), body)
        front -= 0.22
    yield from _piano_keys(wide, bed, front)
    yield Part("pedals", box(0.035, 0.015, 0.1).row(3, x=0.07).move(y=0.06, z=-0.1 if grand else front + 0.16), trim)


def _piano_keys(wide: float, y: float, front: float) -> Iterator[Part]:
    """White and black keys along x, from the front edge inwards."""
    white, black = Material("ivory", (0.85, 0.83, 0.76), 0.5, 0.7), Material("ebony", (0.01, 0.01, 0.01), 0.5, 0.7)
    pitch = wide / 28
    yield Part("white keys", box(0.86 * pitch, 0.03, 0.15).row(28, x=pitch).move(y=y, z=front + 0.085), white)
    gaps = [i for i in range(27) if i % 7 not in (2, 6)]
    sharp = box(0.55 * pitch, 0.03, 0.09).move(y=y + 0.022, z=front + 0.115)
    yield Part("black keys", join(sharp.move(x=(i - 13) * pitch) for i in gaps), black)


@recipe("bag")
def bag(d: Dice) -> Iterator[Part]:
    kind = d.choice(["hand", "back", "shop", "case"])
    body, trim, steel = cloth(d), cloth(d), metal(d)
    if kind == "back":
        w, h, depth = d(0.5, 0.62), d(0.7, 0.85), d(0.26, 0.34)
        yield Part(
            "body",
            stack(
                [
                    (0, 0.85 * w, -0.4 * depth, 0.45 * depth),
                    (0.1, w, -depth / 2, depth / 2),
                    (0.7 * h, w, -depth / 2, depth / 2),
                    (0.92 * h, 0.8 * w, -0.35 * depth, 0.45 * depth),
                    (h, 0.4 * w, -0.1 * depth, 0.35 * depth),
                ],
                0.12,
                corner=4,
            ),
            body,
        )
        yield Part("pocket", rounded_box(0.72 * w, 0.38 * h, 0.14, 0.05).move(y=0.26 * h, z=-depth / 2 - 0.02), trim)
        yield Part(
            "side pockets", rounded_box(0.1, 0.3 * h, 0.6 * depth, 0.04).move(0.5 * w, 0.2 * h, 0).mirror(), trim
        )
        yield Part(
            "zip",
            tube(
                curve(
                    [
                        (-0.36 * w, 0.55 * h, -depth / 2 - 0.005),
                        (-0.3 * w, 0.8 * h, -0.47 * depth),
                        (0.3 * w, 0.8 * h, -0.47 * depth),
                        (0.36 * w, 0.55 * h, -depth / 2 - 0.005),
                    ],
                    4,
                ),
                0.012,
            ),
            steel,
        )
        strap = curve(
            [
                (0.2, 0.95 * h, 0.4 * depth),
                (0.24, 0.85 * h, depth / 2 + 0.16),
                (0.24, 0.45 * h, depth / 2 + 0.16),
                (0.26, 0.1 * h, depth / 2 - 0.02),
            ],
            5,
        )
        yield Part("straps", sweep(strap, superellipse(0.09, 0.03, 4.0, 10)).mirror(), trim)
        yield Part("loop", torus(0.07, 0.03, "x").move(y=h, z=0.1 * depth), trim)
        return
    w, h, depth = 0.9, {"hand": d(0.5, 0.62), "shop": d(0.85, 1.05), "case": d(0.55, 0.65)}[kind], d(0.2, 0.32)
    slope = {"hand": d(0.6, 0.85), "shop": 1.0, "case": 1.0}[kind]
    if kind == "shop":
        t = 0.015
        levels = [
            (0, w, -depth / 2, depth / 2),
            (h, w, -depth / 2, depth / 2),
            (h, w - 2 * t, t - depth / 2, depth / 2 - t),
            (0.05, w - 2 * t, t - depth / 2, depth / 2 - t),
        ]
        yield Part("body", stack(levels, 0.01, corner=1), body)
    else:
        top = 0.25 * depth if kind == "hand" else 0.5 * depth
        yield Part(
            "body",
            stack(
                [
                    (0, 0.94 * w, -0.46 * depth, 0.46 * depth),
                    (0.06, w, -depth / 2, depth / 2),
                    (0.75 * h, (1 + 2 * slope) / 3 * w, -(depth / 2 + top) / 2, (depth / 2 + top) / 2),
                    (h, slope * w, -top, top),
                ],
                0.06,
                corner=3,
            ),
            body,
        )
    rise, reach = d(0.2, 0.42), d(0.14, 0.24)
    arch = curve(
        [
            (-reach, h - 0.1, 0),
            (-0.9 * reach, h + 0.7 * rise, 0),
            (0.9 * reach, h + 0.7 * rise, 0),
            (reach, h - 0.1, 0),
        ],
        6,
    )
    if kind == "case":
        yield Part(
            "handle", tube([[-0.14, h, 0], [-0.13, h + 0.09, 0], [0.13, h + 0.09, 0], [0.14, h, 0]], 0.025), trim
        )
        yield Part("locks", box(0.09, 0.1, 0.03).move(0.28, 0.72 * h, -depth / 2).mirror(), steel)
        yield Part(
            "seam",
            stack(
                [(0.62 * h, 1.01 * w, -0.51 * depth, 0.51 * depth), (0.65 * h, 1.01 * w, -0.51 * depth, 0.51 * depth)],
                0.06,
            ),
            trim,
        )
        yield Part("pocket", rounded_box(0.5 * w, 0.4 * h, 0.04, 0.015).move(y=0.3 * h, z=-depth / 2), trim)
        return
    gap = depth / 2 - 0.02 if kind == "shop" else 0.2 * depth
    yield Part("handles", tube(arch, 0.018).move(z=gap).mirror("z"), trim)
    if kind == "hand":
        yield Part(
            "flap",
            rounded_box(0.62 * slope * w, 0.45 * h, 0.03, 0.012).turn("x", 8).move(y=0.72 * h, z=-0.42 * depth),
            trim,
        )
        yield Part("buckle", box(0.09, 0.08, 0.05).move(y=0.52 * h, z=-0.48 * depth), steel)
    else:
        yield Part("print", box(0.55 * w, 0.45 * h, 0.012).move(y=0.5 * h, z=-depth / 2), label(d), "front")


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
    kind = d.choice(["full", "cycle", "football"])
    shell, trim, black = paint(d), hard(d), rubber(d)
    if kind == "cycle":
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
            hull(
                [(-0.4, 0.04, 0.03, 0.22), (-0.2, 0.07, 0.05, 0.315), (0.1, 0.07, 0.05, 0.335), (0.3, 0.05, 0.03, 0.27)]
            )
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


@recipe("knife")
def knife(d: Dice) -> Iterator[Part]:
    kind = d.choice(["chef", "dagger", "cleaver", "folding"])
    handle, steel, trim = d.choice([wood, plastic, rubber])(d), metal(d), metal(d)
    long = {"chef": d(0.58, 0.66), "dagger": d(0.5, 0.6), "cleaver": d(0.45, 0.55), "folding": d(0.42, 0.5)}[kind]
    w = {"chef": d(0.1, 0.14), "dagger": d(0.07, 0.1), "cleaver": d(0.2, 0.26), "folding": d(0.07, 0.1)}[kind]
    edge = {
        "chef": [*curve([(-w / 2, 0), (-0.45 * w, 0.6 * long), (0.5 * w, long)], 6), (w / 2, 0.0)],
        "dagger": [(-w / 2, 0), (-w / 2, 0.75 * long), (0, long), (w / 2, 0.75 * long), (w / 2, 0)],
        "cleaver": [(-0.7 * w, 0.02), (-0.7 * w, long), (0.25 * w, long), (0.3 * w, 0.0)],
        "folding": [
            (-w / 2, 0),
            *curve([(-w / 2, 0.5 * long), (-0.2 * w, 0.85 * long), (0.4 * w, long)], 4),
            (0.1 * w, 0.7 * long),
            (w / 2, 0.5 * long),
            (w / 2, 0),
        ],
    }[kind]
    blade = extrude(edge[::-1], 0.014)
    grip, thick = 1.0 - long, d(0.07, 0.09)
    bow = d(-0.03, 0.03)
    path = curve([(0, 0.01, 0), (bow, -0.5 * grip, 0), (0, -grip, 0)], 5)
    yield Part("blade", blade.turn("z", d(-35, -10) if kind == "folding" else 0), steel)
    yield Part(
        "bevel",
        blade.scale(x=0.35, y=0.9, z=1.3).move(x=-0.28 * w)
        if kind == "chef"
        else box(0.12 * w, 0.6 * long, 0.02).move(y=0.4 * long),
        trim,
    )
    yield Part(
        "handle",
        sweep(path, superellipse(thick, 0.045, 3.5, 14), np.linspace(0.85, 1.1, len(path))),
        handle,
    )
    yield Part(
        "rivets", cylinder(0.013, 0.055 + 0.03, axis="z").row(3, y=0.28 * grip).move(0.6 * bow, -0.5 * grip, 0), trim
    )
    if kind == "dagger":
        yield Part("guard", tube(curve([(-0.16, d(-0.02, 0.03), 0), (0, 0, 0), (0.16, 0.02, 0)], 4), 0.025), trim)
        yield Part("pommel", ball(0.1).move(y=-grip), trim)
    else:
        yield Part("bolster", box(0.9 * thick, 0.05, 0.055), trim)


@recipe("pistol")
def pistol(d: Dice) -> Iterator[Part]:
    body, grip, steel = d.choice([metal, paint, plastic])(d), d.choice([wood, rubber, plastic])(d), metal(d)
    long, t = d(0.8, 1.0), d(0.09, 0.12)
    nose, slant = -0.62 * long, d(0.1, 0.24)
    stock = [(0.1 + slant, -0.5), (0.34 + slant, -0.5), (0.34, 0.02), (0.08, 0.02)]
    yield Part("grip", plate(curve(stock, 4, True), 1.1 * t), grip)
    guard = curve([(0.1, -0.02), (0.1, -0.2), (-0.1, -0.21), (-0.16, -0.02)], 5)
    yield Part("guard", tube([[0, y, z] for z, y in guard], 0.02, segments=8), body)
    yield Part("trigger", tube(curve([[0, 0, 0.0], [0, -0.08, -0.02], [0, -0.13, -0.05]], 3), 0.016, segments=8), steel)
    if d.chance(0.4):
        yield Part("frame", plate([(-0.2, 0.0), (0.35, 0.0), (0.36, 0.1), (0.26, 0.2), (-0.2, 0.2)], t), body)
        yield Part("barrel", cylinder(0.05, 0.62 * long - 0.1, axis="z").move(y=0.15, z=(nose - 0.1) / 2), body)
        yield Part("drum", cylinder(0.12, 0.22, axis="z", segments=18).move(y=0.1, z=-0.02), steel)
        yield Part("flutes", cylinder(0.03, 0.16, axis="z").move(y=0.105).ring(6, "z").move(y=0.1, z=-0.03), body)
        yield Part("hammer", box(0.03, 0.12, 0.05).turn("x", 30).move(y=0.22, z=0.34), steel)
        yield Part("rod", cylinder(0.025, 0.4 * long, axis="z").move(y=0.06, z=nose / 2), steel)
        sight = 0.21
    else:
        yield Part("frame", plate([(nose + 0.06, -0.01), (0.36, -0.01), (0.4, 0.06), (nose + 0.06, 0.07)], t), body)
        yield Part("slide", rounded_box(1.15 * t, 0.15, 1.0 * long, 0.02).move(y=0.13, z=nose + long / 2), steel)
        yield Part("serrations", box(1.25 * t, 0.11, 0.016).row(5, z=0.035).move(y=0.14, z=nose + long - 0.12), body)
        yield Part("hammer", box(0.03, 0.1, 0.05).turn("x", 30).move(y=0.15, z=nose + long + 0.01), body)
        yield Part("magazine", box(0.8 * t, 0.05, 0.2).move(y=-0.5, z=0.22 + slant), steel)
        sight = 0.215
    yield Part("muzzle", torus(0.035, 0.03, "z").move(y=0.14, z=nose), steel)
    yield Part("sights", box(0.025, 0.04, 0.05).move(y=sight, z=nose + 0.06), body)


@recipe("rifle")
def rifle(d: Dice) -> Iterator[Part]:
    bulk = d(1.3, 1.6)
    for part in _slim_rifle(d):
        yield part._replace(shape=part.shape.scale(bulk, bulk, 1.0))


def _slim_rifle(d: Dice) -> Iterator[Part]:
    kind = d.choice(["hunting", "assault", "sniper"])
    stock, body, steel = d.choice([wood, plastic])(d), d.choice([metal, paint])(d), metal(d)
    t, drop = d(0.035, 0.05), d(0.03, 0.08)
    if kind == "assault":
        butt = [(0.26, 0.0), (0.5, -drop - 0.05), (0.5, 0.045), (0.26, 0.035)]
        yield Part("grip", plate([(0.16, 0), (0.2, -0.14), (0.26, -0.14), (0.24, 0)], t), stock)
        mag = [(0.02, 0), (-0.04, -0.14), (-0.09, -d(0.18, 0.22)), (-0.14, -0.17), (-0.1, -0.1), (-0.07, 0)]
        yield Part("magazine", plate(mag[::-1], 0.8 * t), body)
        yield Part("fore-end", rounded_box(1.2 * t, 0.06, 0.22, 0.015).move(y=0.02, z=-0.22), stock)
    else:
        butt = [(0.1, -0.03), (0.2, -0.05), (0.26, -0.05), (0.5, -drop - 0.08), (0.5, 0.02), (0.26, 0.0), (0.1, 0.03)]
        fore = [(-0.25, -0.015), (0.12, -0.035), (0.12, 0.03), (-0.25, 0.025)]
        yield Part("fore-end", plate(fore, 1.2 * t), stock)
        yield Part(
            "bolt", cylinder(0.01, 0.09, axis="x").move(-0.05, 0.02, 0.16) + ball(0.03).move(-0.1, 0.015, 0.16), steel
        )
    yield Part("stock", plate(butt, t), stock)
    yield Part("butt plate", box(1.15 * t, drop + 0.1, 0.015).move(y=-drop / 2 - 0.015, z=0.505), rubber(d))
    yield Part("receiver", rounded_box(1.1 * t, 0.07, 0.36, 0.012).move(y=0.03, z=0.1), body)
    yield Part("barrel", cylinder(0.014, 0.5, axis="z").move(y=0.04, z=-0.27), steel)
    yield Part("muzzle", cylinder(0.022, 0.06, axis="z").move(y=0.04, z=-0.5), body)
    yield Part(
        "guard",
        tube(curve([(0, -0.01, 0.17), (0, -0.06, 0.15), (0, -0.06, 0.07), (0, -0.01, 0.05)], 4), 0.008, segments=6),
        body,
    )
    yield Part("trigger", box(0.012, 0.04, 0.012).move(y=-0.02, z=0.11), steel)
    if kind == "sniper" or d.chance(0.5):
        yield Part(
            "scope",
            cylinder(0.022, 0.24, axis="z").move(y=0.11, z=0.06)
            + cylinder(0.032, 0.07, axis="z").move(y=0.11, z=-0.07)
            + cylinder(0.028, 0.05, axis="z").move(y=0.11, z=0.18),
            rubber(d),
        )
        yield Part("mounts", box(0.025, 0.06, 0.025).row(2, z=0.14).move(y=0.08, z=0.06), steel)
    else:
        yield Part(
            "sights", box(0.012, 0.045, 0.02).move(y=0.07, z=-0.47) + box(0.02, 0.04, 0.03).move(y=0.08, z=0.2), steel
        )
    if kind == "sniper":
        yield Part("bipod", tube([[0, 0.02, -0.22], [0.09, -0.2, -0.27]], 0.01).mirror(), steel)
