"""Recipes for what furnishes a house. The floor is at y = 0."""

from collections.abc import Iterator

import numpy as np

from iebench.render.dice import Dice
from iebench.render.materials import (
    cloth,
    fabric,
    glass,
    hard,
    lamp_glow,
    metal,
    paint,
    plastic,
    rubber,
    solid,
)
from iebench.render.recipe import Part, recipe
from iebench.render.recipe_parts import four_legs
from iebench.render.shapes import (
    ball,
    block,
    box,
    curve,
    cushion,
    cylinder,
    extrude,
    lathe,
    loft,
    plate,
    rounded_box,
    slab,
    superellipse,
    tube,
)


@recipe("bathtub")
def bathtub(d: Dice) -> Iterator[Part]:
    w, depth, h = 1.0, d(0.48, 0.6), d(0.3, 0.42)
    body, steel = d.choice([paint, plastic])(d), metal(d)
    lift = d(0.06, 0.12) if d.chance(0.6) else 0.0
    power, slope = d(2.6, 5.0), d(0.75, 0.92)
    wall = 0.04
    sizes = [
        (lift, slope - 0.06, 0),
        (lift + 0.05, slope, 0),
        (h + lift - 0.03, 1.0, 0),
        (h + lift, 1.0, 0.02),
        (h + lift, 1.0, -wall),
        (lift + 0.1, slope, -1.6 * wall),
        (lift + 0.06, slope - 0.15, -1.6 * wall),
    ]
    rings = []
    for y, k, grow in sizes:
        flat = superellipse(k * w + 2 * grow, k * depth + 2 * grow, power, 36)
        rings.append(np.column_stack([flat[:, 0], np.full(36, y), flat[:, 1]]))
    yield Part("tub", loft(rings), body)
    if lift:
        foot = ball(0.09, 2 * lift, 0.09).move(0.33 * w, lift, 0.3 * depth)
        yield Part("feet", foot.mirror("x").mirror("z"), steel)
    else:
        yield Part("plinth", rounded_box(0.85 * w, 0.6 * h, 0.85 * depth, 0.03).move(y=0.3 * h), body)
    top = h + lift
    spout = tube(
        curve(
            [[0.5 * w, top - 0.02, 0], [0.5 * w, top + 0.16, 0], [0.4 * w, top + 0.18, 0], [0.37 * w, top + 0.1, 0]], 5
        ),
        0.025,
    )
    yield Part("tap", spout + cylinder(0.03, 0.05).move(0.49 * w, top + 0.03, 0.1).mirror("z"), steel)
    if d.chance():
        yield Part(
            "water", slab(superellipse(0.86 * w, 0.8 * depth, power, 36), 0.02).move(y=lift + 0.65 * h), glass(d)
        )


@recipe("bed")
def bed(d: Dice) -> Iterator[Part]:
    w, long, high = d(0.6, 0.95), 1.05, d(0.18, 0.28)
    frame, sheet, cover = solid(d), fabric(d), fabric(d)
    head, foot = d(0.4, 0.6), d(0.2, 0.36) if d.chance() else high
    yield Part("frame", block((-w / 2, w / 2), (high - 0.1, high), (-long / 2, long / 2)), frame)
    yield Part("legs", four_legs(w, long, high, 0.07, d.chance()), frame)
    yield Part("mattress", rounded_box(0.96 * w, 0.14, 0.97 * long, 0.05).move(y=high + 0.06), sheet)
    yield Part(
        "blanket", rounded_box(0.99 * w, 0.15, d(0.5, 0.66) * long, 0.05).move(y=high + 0.07, z=-0.16 * long), cover
    )
    board = box(w, head - 0.1, 0.05).move(y=head / 2 + 0.1)
    if d.chance(0.4):
        board = extrude(
            curve([(-w / 2, 0.1), (w / 2, 0.1), (w / 2, 0.8 * head), (0, 1.15 * head), (-w / 2, 0.8 * head)], 5, True),
            0.05,
        )
    yield Part("headboard", board.move(z=long / 2 + 0.02), frame)
    yield Part("footboard", box(w, foot, 0.04).move(y=foot / 2, z=-long / 2 - 0.01), frame)
    count = 1 if w < 0.7 else 2
    pillow_ = cushion(0.75 * w / count, 0.11, 0.22, 3.5).turn("x", -15)
    yield Part("pillows", pillow_.row(count, x=0.46 * w).move(y=high + 0.18, z=0.34 * long), fabric(d))
    if d.chance(0.25):
        post = four_legs(w, long, 0.85, 0.05, True)
        bars = (
            box(w, 0.04, 0.04).move(y=0.85, z=0.48 * long).mirror("z")
            + box(0.04, 0.04, long).move(x=0.47 * w, y=0.85).mirror()
        )
        yield Part("canopy", post + bars, frame)


@recipe("bench")
def bench(d: Dice) -> Iterator[Part]:
    w, depth, seat, back = 1.2, d(0.3, 0.4), d(0.3, 0.36), d(0.28, 0.36)
    planks, frame = solid(d), d.choice([metal, solid])(d)
    count = d.integer(3, 5)
    step = depth / count
    yield Part("seat", box(w, 0.03, 0.75 * step).row(count, z=step).move(y=seat), planks)
    lean = d(8, 20)
    rails = d.integer(2, 3)
    upright = d.chance(0.35)
    rest = (
        box(0.04, back - 0.08, 0.02).row(d.integer(8, 11), x=0.1)
        if upright
        else box(w, 0.65 * back / rails, 0.025).row(rails, y=0.9 * back / rails)
    )
    top = box(w, 0.05, 0.03).move(y=back / 2)
    yield Part(
        "back",
        (rest + top if upright else rest).move(y=back / 2 + 0.05).turn("x", lean).move(y=seat, z=depth / 2),
        planks,
    )
    post = box(0.05, back, 0.03).move(y=back / 2).turn("x", lean).move(y=seat, z=depth / 2 + 0.01)
    kind = d.variant(["legs", "slab", "cross"])
    if kind == "legs":
        side = box(0.05, seat, 0.05).move(y=seat / 2, z=0.42 * depth).mirror("z")
    elif kind == "slab":
        side = plate([(-0.5 * depth, 0), (0.5 * depth, 0), (0.35 * depth, seat), (-0.35 * depth, seat)], 0.07)
    else:
        side = tube([[0, 0, -0.5 * depth], [0, seat, 0.4 * depth]], 0.025) + tube(
            [[0, 0, 0.5 * depth], [0, seat, -0.4 * depth]], 0.025
        )
    if d.chance(0.6):
        arm = [[0, seat, -0.42 * depth], [0, seat + 0.16, -0.46 * depth], [0, seat + 0.17, 0.5 * depth]]
        side += tube(curve(arm, 4), 0.022)
    yield Part("sides", (side + post).move(x=0.43 * w).mirror(), frame)


@recipe("chair")
def chair(d: Dice) -> Iterator[Part]:
    w, depth, seat, back = d(0.42, 0.52), d(0.42, 0.5), d(0.42, 0.5), d(0.42, 0.6)
    frame, soft = solid(d), d.choice([solid, cloth])(d)
    base = d.variant(["legs", "legs", "pedestal", "sled"])
    yield Part("seat", rounded_box(w, d(0.04, 0.08), depth, 0.03).move(y=seat), soft)
    if base == "legs":
        yield Part(
            "legs", four_legs(0.95 * w, 0.95 * depth, seat, d(0.03, 0.06), d.chance(), d(0.5, 1), d(0, 0.05)), frame
        )
    elif base == "pedestal":
        yield Part("column", cylinder(0.03, seat - 0.06).move(y=seat / 2 + 0.03), metal(d))
        yield Part("star", box(0.3, 0.03, 0.04).move(x=0.13, y=0.08).ring(5), frame)
        yield Part("castors", cylinder(0.03, 0.03, axis="z").move(x=0.27, y=0.04).ring(5), rubber(d))
    else:
        z = 0.45 * depth
        loop = tube([[0.46 * w, seat, -z], [0.46 * w, 0.02, -z], [0.46 * w, 0.02, z], [0.46 * w, seat, z]], 0.018)
        yield Part("runners", loop.mirror(), metal(d))
    lean = d(4, 14)
    style = d.choice(["panel", "slats", "bars"])
    post = tube([[0, 0, 0], [0, back, 0]], 0.02)
    if style == "panel":
        panel = (
            rounded_box(w, d(0.6, 0.8) * back, d(0.03, 0.06), 0.025).move(y=0.62 * back) + post.move(x=0.3 * w).mirror()
        )
    elif style == "slats":
        panel = box(w, 0.07, 0.02).row(d.integer(2, 4), y=0.14).move(y=0.65 * back) + post.move(x=0.46 * w).mirror()
    else:
        panel = box(0.025, back, 0.02).row(d.integer(4, 7), x=0.9 * w / 6).move(y=back / 2) + box(w, 0.07, 0.03).move(
            y=back
        )
    yield Part("back", panel.turn("x", lean).move(y=seat, z=0.46 * depth), soft if style == "panel" else frame)
    if d.chance(0.4):
        arm = tube(
            [[w / 2, seat, -0.3 * depth], [w / 2, seat + 0.2, -0.35 * depth], [w / 2, seat + 0.22, 0.5 * depth]], 0.02
        )
        yield Part("arms", arm.mirror(), frame)


@recipe("lamp")
def lamp(d: Dice) -> Iterator[Part]:
    shade, stem, base = fabric(d), hard(d), hard(d)
    kind = d.variant(["table", "floor", "desk"])
    if kind == "desk":
        yield Part("base", cylinder(0.2, 0.04).move(y=0.02), base)
        elbow, head = np.array([0, d(0.4, 0.5), 0.22]), np.array([0, d(0.7, 0.8), -0.18])
        yield Part("arms", tube([[0, 0.03, 0.05], elbow], 0.018) + tube([elbow, head], 0.016), stem)
        yield Part(
            "joints",
            cylinder(0.035, 0.06, axis="x").move(*elbow) + cylinder(0.03, 0.06, axis="x").move(*head),
            metal(d),
        )
        cone = lathe([(0.17, -0.2), (0.06, 0.02), (0.05, 0.06), (0.03, 0.06), (0.04, 0.0), (0.15, -0.2)], closed=True)
        tilt = d(15, 40)
        yield Part("shade", cone.turn("x", tilt).move(*head), stem)
        yield Part(
            "bulb", lathe([(0, -0.16), (0.05, -0.12), (0.04, -0.05), (0, 0)]).turn("x", tilt).move(*head), lamp_glow(d)
        )
        return
    height = d(0.35, 0.5) if kind == "table" else d(1.1, 1.4)
    r, top, tall = d(0.2, 0.28), d(0.1, 0.2), d(0.22, 0.32)
    foot = d(0.1, 0.16)
    if kind == "table" and d.chance(0.6):
        belly = d(0.09, 0.16)
        profile = curve(
            [
                (foot, 0),
                (foot, 0.03),
                (belly * 0.6, 0.08),
                (belly, height * 0.4),
                (0.04, height * 0.85),
                (0.03, height),
            ],
            4,
        )
        yield Part("stem", lathe(profile), stem)
    else:
        yield Part("base", lathe([(foot, 0), (foot, 0.03), (0.03, 0.06), (0, 0.06)]), base)
        yield Part("stem", cylinder(0.015, height).move(y=height / 2), stem)
    y = height - 0.05
    yield Part(
        "shade", lathe([(r, y), (top, y + tall), (top - 0.012, y + tall), (r - 0.012, y)], closed=True), shade, "around"
    )
    yield Part("bulb", lathe([(0, y + 0.04), (0.03, y + 0.05), (0.05, y + 0.14), (0, y + 0.2)]), lamp_glow(d))
    yield Part(
        "switch",
        box(0.03, 0.05, 0.03).move(y=0.06, z=-foot) + tube([[0, 0.04, 0.9 * foot], [0, 0.01, foot + 0.12]], 0.008),
        rubber(d),
    )


@recipe("sofa")
def sofa(d: Dice) -> Iterator[Part]:
    seats = d.integer(1, 3)
    cell, depth, seat = d(0.36, 0.42), d(0.5, 0.6), d(0.2, 0.26)
    back, arm = d(0.26, 0.36), d(0.1, 0.16)
    w = seats * cell + 2 * arm
    body = cloth(d)
    pads = body if d.chance() else cloth(d)
    foot = d(0.03, 0.1)
    yield Part("base", rounded_box(w, seat - 0.08, depth, 0.03).move(y=foot + (seat - 0.08) / 2), body)
    yield Part(
        "cushions",
        rounded_box(0.97 * cell, 0.12, 0.8 * depth, 0.04)
        .row(seats, x=cell)
        .move(y=foot + seat - 0.03, z=-0.12 * depth),
        pads,
    )
    yield Part(
        "back",
        rounded_box(w, seat + back, 0.14, 0.06).turn("x", 8).move(y=foot + (seat + back) / 2, z=0.5 * depth),
        body,
    )
    yield Part(
        "back cushions",
        rounded_box(0.95 * cell, 0.9 * back, 0.14, 0.06)
        .row(seats, x=cell)
        .turn("x", 14)
        .move(y=foot + seat + 0.45 * back, z=0.28 * depth),
        pads,
    )
    rise = seat + d(0.1, 0.18)
    side = rounded_box(arm, rise, depth, 0.05).move(y=foot + rise / 2)
    if d.chance(0.4):
        side += cylinder(0.6 * arm, 1.02 * depth, axis="z").move(y=foot + rise)
    yield Part("arms", side.move(x=(w - arm) / 2).mirror(), body)
    yield Part("feet", four_legs(0.94 * w, 0.9 * depth, foot + 0.02, 0.06, d.chance()), solid(d))
    if seats > 1 and d.chance(0.35):
        sign = d.choice([-1, 1])
        chaise = rounded_box(cell, seat - 0.02, 0.5, 0.05).move(
            sign * (seats - 1) / 2 * cell, foot + seat / 2, -0.5 * depth - 0.15
        )
        yield Part("chaise", chaise, pads)
    if d.chance(0.4):
        throw = cushion(0.26, 0.1, 0.26, 6.0).turn("x", -65).move(-0.4 * (w - 2 * arm), foot + seat + 0.16, 0.1 * depth)
        yield Part("throw pillow", throw, fabric(d))


@recipe("table")
def table(d: Dice) -> Iterator[Part]:
    kind = d.variant(["rectangle", "rectangle", "round", "oval"])
    height, thick = d(0.4, 0.75), d(0.025, 0.06)
    w, depth = d(0.9, 1.4), d(0.55, 0.8)
    top, frame = solid(d), solid(d)
    if kind == "rectangle":
        yield Part("top", box(w, thick, depth).move(y=height), top)
    else:
        depth = d(0.8, 1.0) if kind == "round" else depth
        disc = cylinder(depth / 2, thick, segments=40).scale(x=1 if kind == "round" else w / depth).move(y=height)
        w = depth if kind == "round" else w
        yield Part("top", disc, top)
    if kind == "round" or d.chance(0.2):
        foot = d(0.2, 0.3)
        yield Part(
            "column", lathe([(foot, 0), (foot, 0.03), (0.05, 0.08), (d(0.03, 0.08), height / 2), (0.08, height)]), frame
        )
    elif d.chance(0.2):
        yield Part("sides", box(0.05, height, 0.8 * depth).move(x=0.4 * w, y=height / 2).mirror(), frame)
        yield Part("beam", box(0.8 * w, 0.08, 0.04).move(y=0.4 * height), frame)
    else:
        inset = 0.95 if kind == "rectangle" else 0.68
        yield Part(
            "legs",
            four_legs(inset * w, inset * depth, height, d(0.05, 0.09), d.chance(), d(0.4, 1), d(0, 0.04)),
            frame,
        )
        if d.chance():
            yield Part("apron", box(0.9 * inset * w, 0.08, 0.9 * inset * depth).move(y=height - 0.05), frame)
        if d.chance(0.4):
            yield Part("shelf", box(0.9 * inset * w, 0.025, 0.9 * inset * depth).move(y=0.25 * height), frame)
