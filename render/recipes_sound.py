"""Recipes for what makes sound. It stands on y = 0."""

from collections.abc import Iterator

import numpy as np

from iebench.render.dice import Dice
from iebench.render.materials import (
    Material,
    dots,
    hard,
    lamp_glow,
    metal,
    paint,
    plastic,
    rubber,
    solid,
    wood,
)
from iebench.render.recipe import Part, recipe
from iebench.render.shapes import (
    ball,
    block,
    box,
    circle,
    curve,
    cylinder,
    extrude,
    join,
    lathe,
    rounded_box,
    slab,
    sweep,
    torus,
    tube,
)


@recipe("earphone")
def earphone(d: Dice) -> Iterator[Part]:
    body, soft, trim = hard(d), rubber(d), metal(d)
    if d.variant(["over", "over", "over", "in"]) == "in":
        bud = (
            ball(0.16) + cylinder(0.06, 0.1, 0.045, axis="z").move(z=-0.1) + cylinder(0.035, 0.22, 0.025).move(y=-0.14)
        )
        yield Part("buds", bud.turn("y", 35).move(x=0.22, y=0.9).mirror(), body)
        yield Part("tips", ball(0.12, 0.12, 0.1).move(z=-0.16).turn("y", 35).move(x=0.22, y=0.9).mirror(), soft)
        cords = tube(curve([(0.22, 0.7, 0), (0.2, 0.5, 0.02), (0.02, 0.35, 0.0)], 6), 0.014, segments=6).mirror()
        tail = tube(curve([(0, 0.36, 0), (0.02, 0.2, 0), (-0.08, 0.1, 0), (0.1, 0.0, 0)], 6), 0.016, segments=6)
        yield Part("cable", cords + tail, soft)
        yield Part("splitter", rounded_box(0.06, 0.12, 0.05, 0.02).move(y=0.35), trim)
        yield Part("plug", cylinder(0.025, 0.12, axis="x").move(0.15, 0, 0), trim)
        return
    r, cup = 0.42, d(0.19, 0.26)
    angle = np.radians(np.linspace(-8, 188, 27))
    arc = np.column_stack([r * np.cos(angle), 0.4 + (r + d(0, 0.08)) * np.sin(angle), 0 * angle])
    wide = d(1.0, 2.2)
    yield Part("band", sweep(arc, circle(0.03, 10) * [wide, 0.8]), body)
    yield Part("pad", sweep(arc[8:19] * [0.94, 0.985, 1], circle(0.035, 10) * [1.2 * wide, 0.9]), soft)
    shell = lathe([(0, 0.12), (0.7 * cup, 0.11), (cup, 0.06), (cup, 0), (0, 0)], 28).scale(z=d(0.8, 1.0)).turn("z", -90)
    yield Part("shells", shell.move(x=r - 0.02, y=0.32).mirror(), body)
    yield Part("caps", cylinder(0.55 * cup, 0.02, axis="x").move(x=r + 0.1, y=0.32).mirror(), trim)
    yield Part("cushions", torus(0.75 * cup, 0.12, "x").move(x=r - 0.05, y=0.32).mirror(), soft)
    if d.chance(0.5):
        boom = curve([(r + 0.04, 0.24, -0.1), (r + 0.02, 0.1, -0.3), (0.22, 0.0, -0.42)], 6)
        yield Part("boom", tube(boom, 0.015, segments=8) + ball(0.08).move(*boom[-1]), soft)
    else:
        wire = curve([(r + 0.02, 0.12, -0.06), (r + 0.04, -0.05, -0.1), (r - 0.15, -0.15, -0.12)], 6)
        yield Part("cable", tube(wire, 0.014, segments=6), soft)


@recipe("guitar")
def guitar(d: Dice) -> Iterator[Part]:
    electric = d.variant([False, True])
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


@recipe("loudspeaker")
def loudspeaker(d: Dice) -> Iterator[Part]:
    drivers = d.integer(1, 4)
    w, depth = d(0.34, 0.44), d(0.32, 0.44)
    h = 0.22 + drivers * d(0.2, 0.26)
    body, front = d.choice([solid, wood, plastic])(d), -depth / 2
    yield Part("box", rounded_box(w, h, depth, d(0.005, 0.04)).move(y=h / 2), body)
    cone, frame, cap = rubber(d), metal(d), hard(d)
    r = min(0.42 * w, 0.4 * (h - 0.2) / drivers)
    for i in range(drivers):
        y = 0.06 + r + i * (h - 0.24) / drivers
        yield Part("surround", torus(r, 0.05, "z").move(y=y, z=front - 0.005), frame)
        yield Part("cone", cylinder(0.95 * r, 0.02, axis="z").move(y=y, z=front), cone)
        yield Part("dust cap", ball(0.75 * r, 0.75 * r, 0.09).move(y=y, z=front - 0.01), cap)
    y = h - 0.1
    yield Part(
        "tweeter",
        cylinder(0.085, 0.03, axis="z").move(y=y, z=front - 0.005) + ball(0.08).move(y=y, z=front - 0.015),
        frame,
    )
    yield Part("port", torus(0.035, 0.02, "z").move(0.34 * w, y - 0.03, front - 0.005), cap)
    yield Part(
        "terminals",
        box(0.14, 0.1, 0.02).move(y=0.2, z=-front)
        + cylinder(0.02, 0.07, axis="z").move(0.035, 0.2, -front + 0.02).mirror(),
        frame,
    )
    yield Part("bass port", torus(0.24 * w, 0.05, "z").move(y=0.65 * h, z=-front), frame)
    yield Part("bass tunnel", cylinder(0.24 * w, 0.02, axis="z").move(y=0.65 * h, z=-front), cone)
    if d.chance(0.6):
        yield Part(
            "spikes", cylinder(0.012, 0.08, 0.03).move(0.4 * w, -0.04, 0.4 * depth).mirror("x").mirror("z"), frame
        )
    elif d.chance(0.4):
        yield Part("stand", box(0.08, 0.3, 0.08).move(y=-0.15) + box(0.9 * w, 0.03, 0.9 * depth).move(y=-0.3), frame)


@recipe("microphone")
def microphone(d: Dice) -> Iterator[Part]:
    kind = d.variant(["hand", "table", "studio"])
    body, head, trim, black = hard(d), dots(d), metal(d), rubber(d)
    if kind == "studio":
        r = d(0.11, 0.14)
        yield Part("body", lathe([(0, 0.3), (0.7 * r, 0.3), (r, 0.36), (r, 0.62)]), body)
        yield Part(
            "head", lathe([(r, 0.62), (1.05 * r, 0.7), (1.0 * r, 0.86), (0.6 * r, 0.94), (0, 0.95)]), head, "around"
        )
        hoop = torus(0.24, 0.03).move(y=0.4) + torus(0.24, 0.03).move(y=0.58)
        yield Part("shock mount", hoop + cylinder(0.012, 0.2).move(x=0.24, y=0.49).ring(4).turn("y", 45), trim)
        yield Part("cords", box(0.2, 0.01, 0.01).move(x=0.13, y=0.49).ring(6), black)
        yield Part(
            "stand",
            tube([[0, 0.02, 0.26], [0, 0.5, 0.26], [0, 0.5, 0.23]], 0.02) + cylinder(0.22, 0.03).move(y=0.015, z=0.16),
            trim,
        )
        yield Part("badge", cylinder(0.04, 0.02, axis="z").move(y=0.5, z=-r), lamp_glow(d))
        return
    r, long = d(0.13, 0.17), d(0.6, 0.72)
    tilt = 35 if kind == "table" else 0
    at = (0, 0.42, 0.1) if kind == "table" else (0, 0, 0)
    shaft = lathe([(0.06, 0), (0.065, 0.05), (d(0.07, 0.1), long)])
    mesh = lathe(
        [
            (0.1, long),
            (0.6 * r, long + 0.02),
            (r, long + 0.08),
            (r, long + 0.14),
            (0.75 * r, long + 0.25),
            (0, long + 0.29),
        ]
    )
    button = box(0.04, 0.1, 0.03).move(y=0.75 * long, z=-0.085)
    for name, shape, material in (
        ("handle", shaft, body),
        ("head", mesh, head),
        ("collar", torus(r, 0.04).move(y=long + 0.1), trim),
        ("switch", button, lamp_glow(d)),
    ):
        yield Part(name, shape.turn("x", -tilt).move(*at), material, "around" if name == "head" else "grain")
    if kind == "table":
        yield Part("foot", lathe([(0.26, 0), (0.26, 0.03), (0.05, 0.07), (0.03, 0.45), (0, 0.45)]).move(z=0.08), trim)
        yield Part("clip", torus(0.075, 0.06).move(y=0.08).turn("x", -tilt).move(*at), black)
    else:
        wire = curve([(0, 0.02, 0), (0, -0.1, 0), (0.1, -0.16, 0), (0.24, -0.08, 0)], 6)
        yield Part("cable", tube(wire, 0.022, segments=8), black)


@recipe("piano")
def piano(d: Dice) -> Iterator[Part]:
    body, trim = d.choice([wood, paint])(d), metal(d)
    grand = d.variant([False, True])
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
        yield Part("back posts", box(0.07, 0.9 * h, 0.04).row(5, x=0.22).move(y=h / 2, z=depth / 2), wood(d))
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
