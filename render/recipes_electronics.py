"""Recipes for electronics. They stand on y = 0."""

from collections.abc import Iterator

import numpy as np

from iebench.render.dice import Dice
from iebench.render.materials import hard, keys, lamp_glow, leather, metal, rubber, screen, window
from iebench.render.recipe import Part, recipe
from iebench.render.shapes import block, box, curve, cylinder, rounded_box, torus, tube


@recipe("laptop")
def laptop(d: Dice) -> Iterator[Part]:
    w, depth, tall = 1.0, d(0.62, 0.75), d(0.6, 0.72)
    body, thick = hard(d), d(0.025, 0.05)
    yield Part("base", rounded_box(w, thick, depth, 0.02).move(y=thick / 2), body)
    deck = 0.52 * depth
    yield Part(
        "keys", block((-0.44, 0.44), (thick, thick + 0.012), (-0.02, deck - 0.07)).move(z=-0.08), keys(d, 5, 13), "top"
    )
    yield Part("touchpad", box(d(0.22, 0.32), 0.006, 0.28 * depth).move(y=thick + 0.002, z=-0.31 * depth), metal(d))
    lean = d(5, 35)
    lid = rounded_box(w, tall, 0.03, 0.012).move(y=tall / 2)
    yield Part("lid", lid.turn("x", lean).move(y=thick, z=depth / 2 - 0.02), body)
    glassy = box(0.92 * w, 0.86 * tall, 0.01).move(y=0.52 * tall, z=-0.015)
    yield Part("screen", glassy.turn("x", lean).move(y=thick, z=depth / 2 - 0.02), screen(d), "front")
    badge = cylinder(0.06, 0.01, axis="z").move(y=0.5 * tall, z=0.016)
    yield Part("badge", badge.turn("x", lean).move(y=thick, z=depth / 2 - 0.02), lamp_glow(d))
    yield Part("hinge", cylinder(0.02, 0.7 * w, axis="x").move(y=thick, z=depth / 2 - 0.02), rubber(d))


@recipe("camera")
def camera(d: Dice) -> Iterator[Part]:
    kind = d.choice(["reflex", "compact", "rangefinder"])
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
