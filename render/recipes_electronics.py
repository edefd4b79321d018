"""Recipes for electronics. They stand on y = 0."""

from collections.abc import Iterator

import numpy as np

from iebench.render.dice import Dice
from iebench.render.materials import (
    hard,
    keys,
    lamp_glow,
    leather,
    metal,
    plastic,
    readout,
    rubber,
    screen,
    window,
)
from iebench.render.recipe import Part, recipe
from iebench.render.shapes import (
    box,
    curve,
    cylinder,
    hull,
    join,
    plate,
    rounded_box,
    stack,
    superellipse,
    sweep,
    torus,
    tube,
)


@recipe("camera")
def camera(d: Dice) -> Iterator[Part]:
    kind = d.variant(["reflex", "compact", "rangefinder"])
    w, h, depth = 1.0, d(0.55, 0.7), d(0.28, 0.4)
    body, trim, long = hard(d), metal(d), d(0.3, 0.6) if kind == "reflex" else d(0.12, 0.25)
    yield Part("body", rounded_box(w, h, depth, 0.09).move(y=h / 2), body)
    if kind != "compact":
        yield Part("leather", rounded_box(1.01 * w, 0.6 * h, 1.02 * depth, 0.05).move(y=0.42 * h), leather(d))
    r, x = d(0.2, 0.26), 0.0 if kind == "reflex" else d(-0.08, 0.12)
    front = -depth / 2
    yield Part("barrel", cylinder(r, long, axis="z").move(x, 0.45 * h, front - long / 2), rubber(d))
    ring = torus(r, 0.05, "z").move(x, 0.45 * h, front - long) + torus(1.01 * r, 0.04, "z").move(
        x, 0.45 * h, front - 0.35 * long
    )
    yield Part("rings", ring, trim)
    yield Part("lens", cylinder(0.8 * r, 0.02, 0.5 * r, axis="z").move(x, 0.45 * h, front - long - 0.01), window(d))
    yield Part("release", cylinder(0.05, 0.06).move(0.36 * w, h + 0.02, 0), trim)
    if kind == "reflex":
        hump = rounded_box(0.34, 0.24, depth, 0.07).move(0, h + 0.06, 0)
        yield Part("prism", hump, body)
        yield Part("grip", rounded_box(0.2, 0.9 * h, 0.2, 0.09).move(0.4 * w, 0.46 * h, front - 0.05), rubber(d))
    else:
        yield Part("flash", box(0.2, 0.11, 0.02).move(-0.3 * w, 0.85 * h, front), lamp_glow(d))
        yield Part("finder", box(0.13, 0.09, 0.03).move(0.12 * w, 0.86 * h, front), window(d))
        yield Part("dial", cylinder(0.09, 0.05).move(-0.32 * w, h + 0.01, 0), trim)
    yield Part("screen", box(0.5 * w, 0.55 * h, 0.02).move(-0.08 * w, 0.45 * h, 0.52 * depth), screen(d), "back")
    if d.chance(0.4):
        loop = curve(
            [
                (0.5, 0.8 * h, 0),
                (0.62, 0.3 * h, 0.2),
                (0.2, 0.03, 0.55),
                (-0.3, 0.03, 0.55),
                (-0.62, 0.3 * h, 0.2),
                (-0.5, 0.8 * h, 0),
            ],
            5,
        )
        yield Part("strap", tube(np.array(loop), 0.02, segments=6), rubber(d))


@recipe("cellphone")
def cellphone(d: Dice) -> Iterator[Part]:
    kind = d.variant(["smart", "smart", "flip", "bar"])
    body, black, trim = hard(d), rubber(d), metal(d)
    if kind == "flip":
        w, h, deep = d(0.46, 0.56), 0.56, 0.1
        yield Part("lower", rounded_box(w, h, deep, 0.045).move(y=h / 2), body)
        yield Part("keys", box(0.84 * w, 0.62 * h, 0.02).move(y=0.42 * h, z=-deep / 2), keys(d, 4, 3), "front")
        yield Part("pad", cylinder(0.09, 0.03, axis="z").move(y=0.86 * h, z=-deep / 2), trim)
        fold = d(-45, -10)
        for part in (
            Part("upper", rounded_box(w, h, 0.7 * deep, 0.03).move(y=h / 2), body),
            Part("screen", box(0.8 * w, 0.62 * h, 0.02).move(y=0.5 * h, z=-0.35 * deep), screen(d), "front"),
            Part("outer screen", box(0.4 * w, 0.2 * h, 0.02).move(y=0.62 * h, z=0.35 * deep), window(d), "back"),
        ):
            yield part._replace(shape=part.shape.turn("x", fold).move(y=h + 0.03))
        yield Part("hinge", cylinder(0.05, 0.9 * w, axis="x").move(y=h + 0.02), trim)
        return
    w, h, deep = (
        d(0.46, 0.54) if kind == "smart" else d(0.4, 0.46),
        1.0,
        d(0.06, 0.09) if kind == "smart" else d(0.12, 0.18),
    )
    yield Part("body", rounded_box(w, h, deep, d(0.03, 0.09)).move(y=h / 2), body)
    front, back = -deep / 2, deep / 2
    if kind == "smart":
        yield Part("glass", box(0.92 * w, 0.94 * h, 0.012).move(y=h / 2, z=front), black)
        yield Part("screen", box(0.86 * w, 0.76 * h, 0.02).move(y=0.51 * h, z=front), screen(d), "front")
        yield Part("home", cylinder(0.04, 0.024, axis="z").move(y=0.07 * h, z=front), trim)
        yield Part("earpiece", box(0.14, 0.015, 0.024).move(y=0.94 * h, z=front), trim)
    else:
        yield Part("screen", box(0.76 * w, 0.3 * h, 0.02).move(y=0.74 * h, z=front), screen(d), "front")
        yield Part("keys", box(0.8 * w, 0.42 * h, 0.03).move(y=0.29 * h, z=front), keys(d, 4, 3), "front")
        yield Part("pad", cylinder(0.07, 0.04, axis="z").move(y=0.55 * h, z=front), trim)
        yield Part("antenna", cylinder(0.035, d(0.1, 0.3), 0.025).move(0.36 * w, h + 0.05, 0), black)
    count = d.integer(1, 3)
    yield Part("bump", rounded_box(0.16, 0.1 * count + 0.08, 0.03, 0.012).move(0.26 * w, 0.82 * h, back), trim)
    yield Part(
        "lenses", cylinder(0.042, 0.03, axis="z").row(count, y=0.1).move(0.26 * w, 0.82 * h, back + 0.015), black
    )
    yield Part("buttons", box(0.02, 0.1, 0.03).row(2, y=0.14).move(-w / 2, 0.7 * h, 0), trim)


@recipe("display")
def display(d: Dice) -> Iterator[Part]:
    kind = d.variant(["monitor", "television", "tube"])
    body, black, show = hard(d), rubber(d), screen(d)
    w = 1.0
    h = w * (d(0.74, 0.82) if kind == "tube" else d(0.54, 0.68))
    y = h / 2 + {"monitor": d(0.18, 0.28), "television": d(0.06, 0.1), "tube": 0.08}[kind]
    deep = 0.1 if kind == "tube" else d(0.04, 0.08)
    frame = d(0.02, 0.06)
    yield Part("frame", rounded_box(w, h, deep, 0.02).move(y=y), body)
    yield Part("screen", box(w - 2 * frame, h - 2.6 * frame, 0.02).move(y=y + 0.3 * frame, z=-deep / 2), show, "front")
    yield Part("lamp", box(0.04, 0.012, 0.02).move(-0.4 * w, y - h / 2 + 0.02, -deep / 2), lamp_glow(d))
    if kind == "tube":
        yield Part(
            "tube",
            stack(
                [
                    (0, 0.9 * w, -0.45 * h, 0.45 * h),
                    (0.2, 0.85 * w, -0.42 * h, 0.42 * h),
                    (0.45, 0.5 * w, -0.25 * h, 0.25 * h),
                ],
                0.05,
            )
            .turn("x", 90)
            .move(y=y, z=deep / 2 - 0.01),
            body,
        )
        yield Part("stand", stack([(0, 0.5 * w, -0.1, 0.35), (0.09, 0.3 * w, -0.02, 0.25)], 0.04), black)
        yield Part(
            "knobs", cylinder(0.025, 0.03, axis="z").row(2, x=0.08).move(0.36 * w, y - h / 2 + 0.03, -deep / 2), black
        )
        return
    yield Part("bulge", rounded_box(0.6 * w, 0.55 * h, 0.06, 0.025).move(y=y - 0.05, z=deep / 2 + 0.01), black)
    if kind == "monitor":
        foot = d.choice(["round", "square", "vee"])
        yield Part("post", box(d(0.08, 0.16), y - 0.02, 0.04).move(y=(y - 0.02) / 2, z=deep / 2 + 0.03), body)
        base = {"round": cylinder(0.2, 0.025).scale(x=1.2).move(z=0.04), "square": rounded_box(0.42, 0.025, 0.26, 0.01),
                "vee": box(0.05, 0.025, 0.3).move(z=-0.13).turn("y", 40).mirror()}[foot]  # fmt: skip
        yield Part("foot", base.move(y=0.012), body)
    else:
        leg = box(0.04, y - h / 2 + 0.04, 0.03).move(y=(y - h / 2) / 2) + box(0.04, 0.02, 0.26).move(y=0.01)
        yield Part("feet", leg.move(x=d(0.25, 0.42)).mirror(), body)
        if d.chance():
            yield Part("sound bar", rounded_box(0.6 * w, 0.05, 0.08, 0.02).move(y=0.03, z=-0.06), black)


@recipe("keyboard")
def keyboard(d: Dice) -> Iterator[Part]:
    full = d.variant([True, False])
    w, depth, rows = 1.0, d(0.32, 0.4), 5
    body, caps, accent = hard(d), plastic(d), plastic(d)
    main = 0.7 * w if full else 0.95 * w
    left = -0.475 * w
    count = d.integer(11, 13)
    pitch, deep = main / count, 0.86 * depth / rows
    tilt = d(3, 9)
    cap = stack(
        [(0, 0.88 * pitch, -0.43 * deep, 0.43 * deep), (0.035, 0.7 * pitch, -0.33 * deep, 0.33 * deep)], 0.004, corner=1
    )
    # The viewer at the front (-Z) has +X at his left hand.
    rank = cap.row(count, x=-pitch).move(x=-left - main / 2)
    letters = join(rank.move(z=(row - 2) * deep) for row in range(1, rows))
    space = stack(
        [(0, 0.5 * main, -0.43 * deep, 0.43 * deep), (0.035, 0.48 * main, -0.33 * deep, 0.33 * deep)], 0.004, corner=1
    )
    sides = cap.row(2, x=pitch).move(x=0.36 * main).mirror()
    bottom = (space + sides).move(x=-left - main / 2, z=-2 * deep)
    yield Part("base", rounded_box(w, 0.045, depth, 0.02).turn("x", -tilt), body)
    parts = [("letters", letters, caps), ("space bar", bottom, caps)]
    if full:
        grid = join(cap.row(4, x=-pitch).move(z=(row - 2) * deep) for row in range(rows))
        parts.append(("number pad", grid.move(x=-0.475 * w + 2 * pitch), accent))
    if d.chance():
        parts.append(("lamps", cylinder(0.01, 0.02).row(3, x=0.04).move(-0.3 * w, 0.01, 0.47 * depth), lamp_glow(d)))
    for name, shape, material in parts:
        yield Part(name, shape.move(y=0.022).turn("x", -tilt), material)
    wire = curve([(0.1, 0, depth / 2), (0.12, -0.02, depth / 2 + 0.12), (0.3, -0.02, depth / 2 + 0.16)], 5)
    yield Part("cable", tube(wire, 0.012, segments=6), rubber(d))


@recipe("laptop")
def laptop(d: Dice) -> Iterator[Part]:
    w, depth, tall = 1.0, d(0.62, 0.75), d(0.6, 0.72)
    body, thick = hard(d), d(0.025, 0.05)
    yield Part("base", rounded_box(w, thick, depth, 0.02).move(y=thick / 2), body)
    deck = 0.52 * depth
    yield Part("keys", box(0.88, 0.012, deck - 0.05).move(y=thick + 0.006, z=deck / 2 - 0.125), keys(d, 5, 13), "top")
    yield Part("touchpad", box(d(0.22, 0.32), 0.006, 0.28 * depth).move(y=thick + 0.002, z=-0.31 * depth), metal(d))
    lean = d(5, 35)
    lid = rounded_box(w, tall, 0.03, 0.012).move(y=tall / 2)
    yield Part("lid", lid.turn("x", lean).move(y=thick, z=depth / 2 - 0.02), body)
    glassy = box(0.92 * w, 0.86 * tall, 0.01).move(y=0.52 * tall, z=-0.015)
    yield Part("screen", glassy.turn("x", lean).move(y=thick, z=depth / 2 - 0.02), screen(d), "front")
    badge = cylinder(0.06, 0.01, axis="z").move(y=0.5 * tall, z=0.016)
    yield Part("badge", badge.turn("x", lean).move(y=thick, z=depth / 2 - 0.02), lamp_glow(d))
    yield Part("hinge", cylinder(0.02, 0.7 * w, axis="x").move(y=thick, z=depth / 2 - 0.02), rubber(d))


@recipe("remote control")
def remote_control(d: Dice) -> Iterator[Part]:
    w, h, long = d(0.2, 0.3), d(0.07, 0.12), 1.0
    body, front = plastic(d), -long / 2
    waist = d(0.75, 1.0)
    yield Part(
        "body",
        hull(
            [
                (front, 0.9 * w, 0.7 * h, 0),
                (front + 0.03, w, h, 0),
                (0, waist * w, h, 0),
                (0.35, w, 1.1 * h, 0),
                (0.48, 0.9 * w, h, 0),
                (0.5, 0.7 * w, 0.6 * h, 0),
            ],
            5.0,
        ),
        body,
    )
    yield Part("eye", box(0.5 * w, 0.6 * h, 0.03).move(z=front), window(d))
    keys_, accent, alarm = plastic(d), plastic(d), plastic(d)
    top = h / 2
    yield Part("power", cylinder(0.03, 0.04).move(-0.3 * w, top, front + 0.08), alarm)
    button = cylinder(0.026, 0.04) if d.chance() else rounded_box(0.055, 0.04, 0.035, 0.01)
    rows = d.integer(4, 5)
    pad = join(button.row(3, x=0.27 * w).move(z=0.065 * (row - (rows - 1) / 2)) for row in range(rows))
    yield Part("digits", pad.move(y=top, z=-0.18), keys_)
    yield Part("ring", torus(0.3 * w, 0.035).move(y=top, z=0.12), accent)
    yield Part("ok", cylinder(0.13 * w, 0.05).move(y=top, z=0.12), keys_)
    yield Part("rockers", rounded_box(0.05, 0.04, 0.11, 0.015).move(0.28 * w, top, 0.3).mirror(), accent)
    if d.chance():
        yield Part("colours", box(0.04, 0.04, 0.02).row(4, x=0.21 * w).move(y=top, z=0.4), alarm)
    if d.chance(0.3):
        yield Part("readout", box(0.7 * w, 0.03, 0.08).move(y=top, z=front + 0.17), readout(d), "top")


@recipe("telephone")
def telephone(d: Dice) -> Iterator[Part]:
    body, hand, trim = plastic(d), plastic(d), metal(d)
    if d.chance(0.5):
        body = hand
    rotary = d.variant([False, True])
    w, depth = (0.7, 0.6) if rotary else (d(0.72, 0.85), d(0.75, 0.85))
    front, rise = -depth / 2, d(0.3, 0.38) if rotary else d(0.2, 0.28)
    grip = curve([(-0.36, 0, 0), (-0.2, 0.08, 0), (0.2, 0.08, 0), (0.36, 0, 0)], 4)
    handset = sweep(grip, superellipse(0.1, 0.08, 3.0, 12)) + cylinder(0.1, 0.09, 0.07).move(0.34, -0.04, 0).mirror()
    if rotary:
        yield Part(
            "base",
            stack([(0, w, front, -front), (0.06, w, front, -front), (rise, 0.55 * w, 0.02, -front - 0.06)], 0.05),
            body,
        )
        slope = np.degrees(np.arctan2(rise - 0.06, depth / 2 + 0.02))
        yield Part("dial", cylinder(0.19, 0.03).turn("x", -slope).move(y=0.06 + 0.5 * (rise - 0.06), z=front / 2), trim)
        holes = cylinder(0.03, 0.04).move(x=0.135).ring(10) + cylinder(0.08, 0.04)
        yield Part("holes", holes.turn("x", -slope).move(y=0.065 + 0.5 * (rise - 0.06), z=front / 2), rubber(d))
        yield Part("cradle", box(0.05, 0.12, 0.14).move(0.14, rise + 0.02, 0.13).mirror(), body)
        yield Part("handset", handset.move(y=rise + 0.08, z=0.13), hand)
        start = (0.34, rise, 0.13)
    else:
        yield Part("base", plate([(front, 0), (-front, 0), (-front, rise), (front, 0.07)], w), body)
        slope = np.degrees(np.arctan2(rise - 0.07, depth))
        at = 0.07 + 0.5 * (rise - 0.07)
        pad = stack([(0, 0.42 * w, -0.22, 0.12), (0.03, 0.4 * w, -0.21, 0.11)], 0.01)
        yield Part("keys", pad.turn("x", -slope).move(-0.18 * w, at, 0), keys(d, 4, 3), "top")
        yield Part(
            "display",
            box(0.42 * w, 0.03, 0.14).move(z=0.26).turn("x", -slope).move(-0.18 * w, at + 0.01, 0),
            readout(d),
            "top",
        )
        lying = handset.turn("y", 90).move(y=0.09)
        yield Part("handset", lying.turn("x", -slope).move(0.3 * w, at, 0), hand)
        start = (0.3 * w, 0.1, front + 0.02)
    turns = np.linspace(0, 1, 90)
    coil = np.column_stack(
        [
            start[0] + 0.25 * np.sin(np.pi * turns) + 0.025 * np.sin(75 * turns),
            0.03 + start[1] * (1 - turns) ** 2 + 0.025 * np.cos(75 * turns),
            start[2] + turns * (0.1 - start[2]),
        ]
    )
    yield Part("cord", tube(coil, 0.012, segments=5), rubber(d))
