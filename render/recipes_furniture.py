"""Recipes for what furnishes a house. The floor is at y = 0."""

from collections.abc import Iterator

import numpy as np

from iebench.render.dice import Dice
from iebench.render.materials import cloth, fabric, hard, lamp_glow, metal, rubber, solid
from iebench.render.recipe import Part, recipe
from iebench.render.shapes import Shape, box, curve, cylinder, lathe, rounded_box, tube


def _four_legs(
    width: float, depth: float, height: float, thick: float, round_: bool, taper: float = 1.0, splay: float = 0.0
) -> Shape:
    """Legs at the corners of a rectangle, from the floor up to `height`."""
    x, z = width / 2 - thick / 2, depth / 2 - thick / 2
    foot = np.array([x + splay, 0, z + splay])
    leg = tube([foot, [x, height, z]], [thick / 2 * taper, thick / 2], segments=12 if round_ else 4)
    return leg.mirror("x").mirror("z")


@recipe("chair")
def chair(d: Dice) -> Iterator[Part]:
    w, depth, seat, back = d(0.42, 0.52), d(0.42, 0.5), d(0.42, 0.5), d(0.42, 0.6)
    frame, soft = solid(d), d.choice([solid, cloth])(d)
    base = d.choice(["legs", "legs", "pedestal", "sled"])
    yield Part("seat", rounded_box(w, d(0.04, 0.08), depth, 0.03).move(y=seat), soft)
    if base == "legs":
        yield Part(
            "legs", _four_legs(0.95 * w, 0.95 * depth, seat, d(0.03, 0.06), d.chance(), d(0.5, 1), d(0, 0.05)), frame
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


@recipe("table")
def table(d: Dice) -> Iterator[Part]:
    kind = d.choice(["rectangle", "rectangle", "round", "oval"])
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
            _four_legs(inset * w, inset * depth, height, d(0.05, 0.09), d.chance(), d(0.4, 1), d(0, 0.04)),
            frame,
        )
        if d.chance():
            yield Part("apron", box(0.9 * inset * w, 0.08, 0.9 * inset * depth).move(y=height - 0.05), frame)
        if d.chance(0.4):
            yield Part("shelf", box(0.9 * inset * w, 0.025, 0.9 * inset * depth).move(y=0.25 * height), frame)


@recipe("lamp")
def lamp(d: Dice) -> Iterator[Part]:
    shade, stem, base = fabric(d), hard(d), hard(d)
    kind = d.choice(["table", "floor", "desk"])
    if kind == "desk":
        yield Part("base", cylinder(0.2, 0.04).move(y=0.02), base)
        elbow, head = np.array([0, d(0.4, 0.5), 0.22]), np.array([0, d(0.7, 0.8), -0.18])
        yield Part("arms", tube([[0, 0.03, 0.05], elbow], 0.018) + tube([elbow, head], 0.016), stem)
        yield Part(
            "joints",
            cylinder(0.035, 0.06, axis="x").move(*elbow) + cylinder(0.03, 0.06, axis="x").move(*head),
            metal(d),
        )
        cone = lathe([(0.17, -0.2), (0.06, 0.02), (0.05, 0.06), (0.03, 0.06), (0.04, 0.0), (0.15, -0.2)])
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
    yield Part("shade", lathe([(r, y), (top, y + tall), (top - 0.012, y + tall), (r - 0.012, y)]), shade, "around")
    yield Part("bulb", lathe([(0, y + 0.04), (0.03, y + 0.05), (0.05, y + 0.14), (0, y + 0.2)]), lamp_glow(d))
    yield Part(
        "switch",
        box(0.03, 0.05, 0.03).move(y=0.06, z=-foot) + tube([[0, 0.04, 0.9 * foot], [0, 0.01, foot + 0.12]], 0.008),
        rubber(d),
    )
