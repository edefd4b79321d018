"""Recipes for kitchen, laundry and office machines, taps and clocks. They stand on y = 0."""

from collections.abc import Iterator

import numpy as np

from iebench.render.dice import Dice
from iebench.render.materials import (
    Material,
    contrast,
    dial,
    glass,
    hard,
    keys,
    lamp_glow,
    metal,
    paint,
    pale_color,
    plastic,
    readout,
    rubber,
    solid,
    window,
)
from iebench.render.recipe import Part, recipe
from iebench.render.shapes import (
    ball,
    block,
    box,
    curve,
    cylinder,
    extrude,
    lathe,
    rounded_box,
    stack,
    torus,
    tube,
)


@recipe("clock")
def clock(d: Dice) -> Iterator[Part]:
    kind = d.variant(["wall", "alarm", "mantel", "tall"])
    case, trim, face = solid(d), metal(d), dial(d)
    r = {"wall": 0.45, "alarm": 0.4, "mantel": 0.3, "tall": 0.17}[kind]
    y = {"wall": 0.5, "alarm": 0.5, "mantel": 0.36, "tall": 0.95}[kind]
    front = {"wall": -0.05, "alarm": -0.16, "mantel": -0.13, "tall": -0.13}[kind]
    if kind in ("wall", "alarm"):
        deep = -2 * front
        frame = (
            cylinder(r, deep, axis="z", segments=d.choice([6, 8, 36]) if kind == "wall" else 32)
            .turn("z", 22.5)
            .move(y=y)
        )
        yield Part("case", frame, case)
    if kind == "alarm":
        yield Part(
            "bells", lathe([(0.16, 0), (0.12, 0.08), (0, 0.12)]).turn("z", -35).move(0.24, y + 0.42, 0).mirror(), trim
        )
        yield Part("hammer", box(0.03, 0.2, 0.03).move(y=y + 0.45) + ball(0.07).move(y=y + 0.56), trim)
        yield Part("feet", cylinder(0.035, 0.3).turn("z", 35).move(0.24, y - 0.42, 0).mirror(), trim)
    elif kind == "mantel":
        arch = (
            curve([(-0.4, 0.05), (-0.4, y), (0, y + r + d(0.08, 0.2)), (0.4, y), (0.4, 0.05)], 5)
            if d.chance()
            else [(-0.4, 0.05), (-0.34, y + r), (0, y + r + 0.2), (0.34, y + r), (0.4, 0.05)]
        )
        yield Part("case", extrude(arch[::-1], 0.26), case)
        yield Part("plinth", box(0.95, 0.07, 0.34).move(y=0.02), case)
    elif kind == "tall":
        yield Part(
            "hood",
            box(0.42, 0.44, 0.26).move(y=y) + stack([(y + 0.2, 0.48, -0.16, 0.16), (y + 0.3, 0.25, -0.1, 0.1)], 0.01),
            case,
        )
        yield Part("trunk", box(0.3, 0.5, 0.2).move(y=0.5) + box(0.42, 0.26, 0.26).move(y=0.13), case)
        yield Part("pane", box(0.2, 0.4, 0.02).move(y=0.5, z=-0.1), window(d))
        yield Part(
            "pendulum",
            box(0.015, 0.3, 0.01).move(y=0.55, z=-0.115) + cylinder(0.05, 0.02, axis="z").move(y=0.4, z=-0.115),
            trim,
        )
    yield Part("rim", torus(0.97 * r, 0.05 if kind == "tall" else 0.08, "z", segments=36).move(y=y, z=front), trim)
    yield Part("dial", cylinder(0.93 * r, 0.03, axis="z", segments=36).move(y=y, z=front - 0.005), face, "front")
    hour, minute = d(0, 360), d(0, 360)
    hand = box(0.09 * r, 0.5 * r, 0.01).move(y=0.2 * r).turn("z", hour) + box(0.05 * r, 0.8 * r, 0.01).move(
        y=0.33 * r
    ).turn("z", minute)
    yield Part(
        "hands", (hand + cylinder(0.07 * r, 0.03, axis="z")).move(y=y, z=front - 0.03), plastic(d, contrast(d, face))
    )


@recipe("dishwasher")
def dishwasher(d: Dice) -> Iterator[Part]:
    w, h, depth = 0.62, d(0.8, 0.9), d(0.58, 0.64)
    body, door, steel, front = hard(d), hard(d), metal(d), -depth / 2
    t, panel = 0.04, 0.1
    shell = (
        box(t, h, depth).move(x=(w - t) / 2, y=h / 2).mirror()
        + box(w, t, depth).move(y=h - t / 2)
        + box(w, 0.1, depth).move(y=0.05)
    )
    yield Part("shell", shell + box(w, h, t).move(y=h / 2, z=(depth - t) / 2), body)
    yield Part("panel", box(w, panel, 0.05).move(y=h - panel / 2, z=front), door)
    yield Part("display", box(0.14, 0.045, 0.01).move(-0.12, h - panel / 2, front - 0.03), readout(d), "front")
    yield Part(
        "buttons",
        cylinder(0.014, 0.02, axis="z").row(d.integer(3, 5), x=0.05).move(0.14, h - panel / 2, front - 0.03),
        rubber(d),
    )
    yield Part("feet", cylinder(0.03, 0.12).move(0.42 * w, -0.04, 0.42 * depth).mirror("x").mirror("z"), steel)
    hoses = curve(
        [(0.15, 0.12, -front), (0.17, 0.1, -front + 0.1), (0.2, 0.5, -front + 0.12), (0.1, 0.85 * h, -front + 0.06)], 5
    )
    yield Part(
        "hoses", tube(hoses, 0.022, segments=8) + tube(hoses * np.array([-1, 1, 1]), 0.022, segments=8), rubber(d)
    )
    high = h - panel - 0.11
    leaf, bar = (
        box(w, high, 0.05).move(y=high / 2),
        tube([[-0.22, 0, 0], [-0.22, 0, -0.05], [0.22, 0, -0.05], [0.22, 0, 0]], 0.016),
    )
    opening = d.choice([0, 60, 85, 85])
    swing = leaf.turn("x", -opening).move(y=0.1, z=front)
    yield Part("door", swing, door)
    yield Part("handle", bar.move(y=high - 0.07, z=-0.02).turn("x", -opening).move(y=0.1, z=front), steel)
    if opening == 0:
        yield Part("vent", box(0.1, 0.06, 0.012).move(0.18, 0.25, front - 0.03), rubber(d))
        return
    slide = -d(0.25, 0.4) if opening == 85 else -0.05
    for y, out in ((0.22, slide), (0.5, 0.5 * slide)):
        wires = box(0.012, 0.012, 0.5).row(6, x=0.1) + box(0.52, 0.012, 0.012).row(4, z=0.15)
        rim = (
            box(0.54, 0.012, 0.012).move(y=0.1, z=0.25).mirror("z") + box(0.012, 0.1, 0.5).move(x=0.26, y=0.05).mirror()
        )
        yield Part("rack", (wires + rim).move(y=y, z=out), steel)
        yield Part(
            "dishes",
            cylinder(0.11, 0.015, axis="x")
            .turn("z", 12)
            .row(d.integer(4, 6), x=0.07)
            .move(0, y + 0.11, out + d(-0.1, 0.1)),
            paint(d, pale_color(d)),
        )


@recipe("faucet")
def faucet(d: Dice) -> Iterator[Part]:
    steel, trim = d.choice([metal, metal, paint])(d), metal(d)
    kind = d.variant(["gooseneck", "basin", "bridge"])
    rise, reach, r = (
        (d(0.7, 0.9), d(0.35, 0.5), d(0.05, 0.07))
        if kind == "gooseneck"
        else (d(0.25, 0.45), d(0.45, 0.6), d(0.07, 0.09))
    )
    if kind == "gooseneck" or d.chance(0.4):
        path = curve(
            [
                (0, 0.05, 0),
                (0, 0.7 * rise, 0),
                (0, rise, -0.35 * reach),
                (0, 0.92 * rise, -0.85 * reach),
                (0, d(0.5, 0.7) * rise, -reach),
            ],
            6,
        )
    else:
        path = np.array(
            [(0, 0.05, 0), (0, 0.95 * rise, 0.0), (0, rise, -0.06), (0, rise, -reach), (0, rise - 0.12, -reach - 0.02)]
        )
    yield Part("spout", tube(path, r, segments=16), steel)
    tip = path[-1]
    yield Part("aerator", cylinder(1.25 * r, 0.07).move(*tip), trim)
    yield Part("base", lathe([(0.14, 0), (0.14, 0.03), (1.3 * r, 0.09), (1.3 * r, 0.2), (0, 0.2)]), steel)
    if kind == "bridge" or d.chance(0.3):
        x = d(0.28, 0.36)
        yield Part("bridge", cylinder(0.06, 2 * x, axis="x").move(y=0.1), steel)
        yield Part(
            "valves", lathe([(0.1, 0), (0.1, 0.03), (0.06, 0.07), (0.06, 0.22), (0, 0.22)]).move(x=x).mirror(), steel
        )
        cross = (
            cylinder(0.022, 0.24, axis="x").ring(2, "y", 180)
            if d.chance()
            else cylinder(0.03, 0.26, 0.02, axis="z").move(z=-0.08)
        )
        yield Part("handles", (cross + ball(0.09)).move(x, 0.27, 0).mirror(), trim)
    elif d.chance():
        lever = cylinder(0.035, 0.3, 0.022, axis="x").move(x=0.15).turn("z", d(10, 50))
        yield Part("lever", ball(0.17).move(0.09, 0.16, 0) + lever.move(0.09, 0.16, 0), trim)
    else:
        lever = cylinder(0.035, 0.3, 0.022, axis="z").move(z=0.15).turn("x", -d(10, 50))
        yield Part("lever", (ball(0.17) + lever).move(0, 0.22, 0.06), trim)


@recipe("microwave")
def microwave(d: Dice) -> Iterator[Part]:
    w, h, depth = 1.0, d(0.5, 0.6), d(0.55, 0.7)
    body, front, split = hard(d), -depth / 2, d(0.2, 0.26)
    yield Part("body", rounded_box(w, h, depth, 0.03).move(y=h / 2 + 0.03), body)
    yield Part("feet", cylinder(0.04, 0.04).move(0.4, 0.02, 0.35 * depth).mirror("x").mirror("z"), rubber(d))
    middle, wide, y = split - 0.5 + (1 - split) / 2, 0.94 - split, h / 2 + 0.03
    turned = d(60, 100) if d.chance(0.3) else 0.0
    hinge = middle + wide / 2
    leaf = box(wide, 0.88 * h, 0.05).move(x=-wide / 2)
    pane = box(0.72 * wide, 0.6 * h, 0.02).move(x=-wide / 2, z=-0.02)
    bar = cylinder(0.02, 0.6 * h).move(x=-wide + 0.05, z=-0.06)
    for name, shape, material in (("door", leaf, hard(d)), ("pane", pane, window(d)), ("handle", bar, metal(d))):
        yield Part(name, shape.turn("y", -turned).move(hinge, y, front - 0.02), material)
    if turned:
        yield Part(
            "oven",
            block(
                (middle - 0.45 * wide, middle + 0.45 * wide), (y - 0.4 * h, y + 0.4 * h), (front - 0.004, front + 0.1)
            ),
            Material("oven", (0.04, 0.035, 0.03)),
        )
        yield Part("plate", cylinder(0.4 * wide, 0.02, axis="y").move(middle, y - 0.36 * h, front + 0.02), glass(d))
    left = split / 2 - 0.485
    yield Part(
        "readout", box(0.75 * split, 0.14 * h, 0.02).move(left, y + 0.33 * h, front - 0.005), readout(d), "front"
    )
    if d.chance(0.6):
        yield Part(
            "keys", box(0.75 * split, 0.5 * h, 0.02).move(left, y - 0.06 * h, front - 0.005), keys(d, 5, 3), "front"
        )
    else:
        yield Part(
            "knobs", cylinder(0.06, 0.06, axis="z").row(2, y=0.26 * h).move(left, y - 0.08 * h, front - 0.02), metal(d)
        )
    fins = box(0.36, 0.02, 0.03).row(6, y=0.06).move(0.15, y, -front)
    cord = curve(
        [(-0.3, y, -front), (-0.32, y - 0.05, -front + 0.12), (-0.2, 0.03, -front + 0.16), (0.1, 0.02, -front + 0.2)], 4
    )
    yield Part("back", fins + tube(cord, 0.018, segments=6), rubber(d))
    yield Part("vent", box(0.01, 0.012, 0.3 * depth).row(5, y=0.05).move(-w / 2, y + 0.1, 0.1), rubber(d))


@recipe("printer")
def printer(d: Dice) -> Iterator[Part]:
    w, h, depth = 1.0, d(0.34, 0.55), d(0.6, 0.75)
    body, dark, paper, front = plastic(d), hard(d), Material("paper", (0.85, 0.85, 0.82)), -depth / 2
    yield Part(
        "body",
        stack(
            [
                (0, 0.96 * w, front, -front),
                (0.04, w, front, -front),
                (0.75 * h, w, front, -front),
                (h, 0.93 * w, front + d(0.05, 0.25), -front),
            ],
            0.05,
        ),
        body,
    )
    yield Part("mouth", block((-0.36 * w, 0.36 * w), (0.28 * h, 0.55 * h), (front - 0.004, front + 0.1)), rubber(d))
    yield Part("tray", box(0.66 * w, 0.025, 0.32).turn("x", 6).move(y=0.24 * h, z=front - 0.12), dark)
    yield Part("printed page", box(0.52 * w, 0.012, 0.4).turn("x", 6).move(y=0.24 * h + 0.03, z=front - 0.07), paper)
    feed = d(0.3, 0.42)
    lean = d(18, 32)
    yield Part(
        "feeder", box(0.66 * w, feed, 0.025).move(y=feed / 2).turn("x", lean).move(y=0.85 * h, z=0.3 * depth), dark
    )
    yield Part(
        "paper",
        box(0.54 * w, feed + 0.1, 0.025)
        .move(y=feed / 2 + 0.05, z=-0.03)
        .turn("x", lean)
        .move(y=0.85 * h, z=0.3 * depth),
        paper,
    )
    yield Part(
        "panel", rounded_box(0.26, 0.03, 0.14, 0.01).turn("x", -12).move(-0.3 * w, h, -0.1 * depth), readout(d), "top"
    )
    yield Part("buttons", cylinder(0.022, 0.03).row(3, x=0.07).move(0.28 * w, h, -0.08 * depth), lamp_glow(d))
    if d.chance(0.35):
        yield Part("cassette", rounded_box(0.98 * w, 0.14, depth, 0.03).move(y=-0.07), dark)


@recipe("stove")
def stove(d: Dice) -> Iterator[Part]:
    w, h, depth = d(0.6, 0.75), d(0.72, 0.82), 0.6
    body, steel, black, front = hard(d), metal(d), rubber(d), -0.3
    yield Part("body", block((-w / 2, w / 2), (0.06, h), (front, depth / 2)), body)
    yield Part("legs", box(0.06, 0.07, 0.06).move(0.44 * w, 0.035, 0.24).mirror("x").mirror("z"), black)
    yield Part("hob", box(1.02 * w, 0.025, 0.62).move(y=h + 0.01), d.choice([steel, black]))
    gas = d.chance()
    for x, z, r in ((0.25, -0.14, 0.1), (-0.25, -0.14, 0.085), (0.25, 0.15, 0.085), (-0.25, 0.15, 0.1)):
        burner = torus(r, 0.02) + (
            box(2.3 * r, 0.018, 0.018).ring(3, "y", 180).move(y=0.02)
            if gas
            else torus(0.55 * r, 0.02) + cylinder(0.25 * r, 0.02)
        )
        yield Part("burner", burner.move(x * w, h + 0.03, z), d.choice([black, steel]))
    oven = 0.5 * h
    yield Part("oven door", rounded_box(0.92 * w, oven, 0.04, 0.015).move(y=0.14 + oven / 2, z=front - 0.01), hard(d))
    yield Part("oven pane", box(0.62 * w, 0.5 * oven, 0.02).move(y=0.12 + oven / 2, z=front - 0.028), window(d))
    y = 0.1 + oven
    yield Part(
        "handle",
        tube(
            [
                [-0.38 * w, y, front - 0.02],
                [-0.38 * w, y, front - 0.07],
                [0.38 * w, y, front - 0.07],
                [0.38 * w, y, front - 0.02],
            ],
            0.016,
        ),
        steel,
    )
    yield Part(
        "knobs",
        cylinder(0.035, 0.05, 0.028, axis="z").row(d.integer(4, 5), x=0.19 * w).move(y=0.9 * h, z=front - 0.02),
        black,
    )
    if d.chance(0.7):
        rise = d(0.14, 0.24)
        yield Part("splashback", box(w, rise, 0.06).move(y=h + rise / 2, z=0.27), body)
        yield Part("clock", box(0.2, 0.5 * rise, 0.02).move(y=h + 0.55 * rise, z=0.235), readout(d), "front")
    if d.chance(0.5):
        pot = lathe([(0, 0), (0.085, 0), (0.095, 0.11), (0.085, 0.11), (0.075, 0.02), (0, 0.02)]) + cylinder(
            0.012, 0.18, axis="z"
        ).move(y=0.09, z=-0.17)
        yield Part("pan", pot.turn("y", d(-40, 40)).move(0.25 * w, h + 0.05, -0.14), metal(d))


@recipe("washer")
def washer(d: Dice) -> Iterator[Part]:
    w, h, depth = 0.66, d(0.84, 0.95), d(0.55, 0.66)
    body, trim, front = hard(d), hard(d), -depth / 2
    if d.variant(["front", "front", "front", "top"]) == "front":
        yield Part("body", rounded_box(w, h, depth, 0.03).move(y=h / 2), body)
        r, y = d(0.19, 0.23), 0.45 * h
        swing = 70 if d.chance(0.3) else 0
        yield Part(
            "gasket",
            torus(0.95 * r, 0.05, "z").move(y=y, z=front)
            + cylinder(0.9 * r, 0.012, axis="z").move(y=y, z=front - 0.005),
            rubber(d),
        )
        yield Part("door", torus(r, 0.06, "z").move(x=-r).turn("y", -swing).move(r, y, front - 0.03), trim)
        yield Part(
            "porthole", ball(1.75 * r, 1.75 * r, 0.16).move(x=-r).turn("y", -swing).move(r, y, front - 0.03), window(d)
        )
        yield Part("panel", box(0.96 * w, 0.13, 0.03).move(y=h - 0.1, z=front), trim)
        yield Part("drawer", rounded_box(0.2, 0.09, 0.03, 0.01).move(0.2, h - 0.1, front - 0.015), body)
        yield Part("knob", cylinder(0.045, 0.06, axis="z").move(-0.05, h - 0.1, front - 0.03), metal(d))
        yield Part("readout", box(0.13, 0.06, 0.01).move(-0.21, h - 0.1, front - 0.018), readout(d), "front")
    else:
        lip = stack(
            [
                (0, w, front, -front),
                (h, w, front, -front),
                (h, 0.8 * w, front + 0.06, -front - 0.14),
                (0.55 * h, 0.75 * w, front + 0.08, -front - 0.16),
            ],
            0.03,
        )
        yield Part("body", lip, body)
        yield Part(
            "drum",
            lathe([(0.18, 0.5 * h), (0.24, h - 0.02), (0.2, h - 0.02), (0.16, 0.56 * h)], closed=True).move(z=-0.04),
            metal(d),
        )
        yield Part("agitator", lathe([(0.1, 0.5 * h), (0.04, 0.65 * h), (0.04, h), (0, h + 0.02)]).move(z=-0.04), trim)
        yield Part("lid", box(0.8 * w, 0.42, 0.025).move(y=0.21).turn("x", d(0, 20)).move(y=h, z=-front - 0.14), trim)
        yield Part("panel", stack([(h, w, -front - 0.13, -front), (h + 0.16, w, -front - 0.05, -front)], 0.01), body)
        yield Part("knobs", cylinder(0.035, 0.06, axis="z").row(3, x=0.16).move(y=h + 0.09, z=-front - 0.1), metal(d))
    yield Part("feet", cylinder(0.04, 0.05).move(0.4 * w, -0.01, 0.4 * depth).mirror("x").mirror("z"), rubber(d))
    yield Part("drum cover", cylinder(0.24, 0.03, 0.2, axis="z").turn("y", 180).move(y=0.45 * h, z=-front), trim)
    hose = curve(
        [
            (0.2, 0.75 * h, -front),
            (0.22, 0.8 * h, -front + 0.08),
            (0.1, 0.5 * h, -front + 0.08),
            (-0.2, 0.05, -front + 0.05),
        ],
        5,
    )
    yield Part("hose", tube(hose, 0.022, segments=8), rubber(d))
