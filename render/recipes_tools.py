"""Recipes for what is held in the hand; muzzles point to -Z."""

from collections.abc import Iterator

import numpy as np

from iebench.render.dice import Dice
from iebench.render.materials import (
    metal,
    paint,
    plastic,
    rubber,
    wood,
)
from iebench.render.recipe import Part, recipe
from iebench.render.shapes import (
    ball,
    box,
    curve,
    cylinder,
    extrude,
    plate,
    rounded_box,
    superellipse,
    sweep,
    torus,
    tube,
)


@recipe("knife")
def knife(d: Dice) -> Iterator[Part]:
    kind = d.variant(["chef", "dagger", "cleaver", "folding"])
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
    if kind in ("dagger", "cleaver"):
        yield Part("groove", box(0.12 * w, 0.6 * long, 0.02).move(y=0.4 * long), trim)
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
    kind = d.variant(["hunting", "assault", "sniper"])
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
