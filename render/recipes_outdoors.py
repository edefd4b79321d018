"""Recipes for what stands outside. The ground is at y = 0."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from iebench.render.dice import Dice
from iebench.render.materials import (
    Material,
    dial,
    glass,
    lamp_glow,
    metal,
    paint,
    plastic,
    solid,
    stone,
    window,
    wood,
)
from iebench.render.recipe import Part, recipe
from iebench.render.shapes import (
    Shape,
    ball,
    box,
    circle,
    cylinder,
    extrude,
    join,
    lathe,
    loft,
    stack,
    torus,
    tube,
)

_DARK = Material("opening", (0.012, 0.01, 0.008))


@recipe("birdhouse")
def birdhouse(d: Dice) -> Iterator[Part]:
    w, depth, h, gable = d(0.42, 0.55), d(0.4, 0.5), d(0.42, 0.6), d(0.14, 0.26)
    walls, roof, trim = solid(d), solid(d), wood(d)
    front = -depth / 2
    kind = d.variant(["gable", "gable", "round"])
    if kind == "gable":
        yield Part(
            "walls",
            extrude([(-w / 2, 0), (w / 2, 0), (w / 2, h), (0, h + gable), (-w / 2, h)], depth),
            walls,
            "upright",
        )
        slope = np.degrees(np.arctan2(gable, w / 2))
        side = np.hypot(gable, w / 2) + d(0.06, 0.12)
        board = box(side, 0.035, depth + 0.18).move(x=side / 2).turn("z", -slope).move(y=h + gable + 0.02)
        yield Part("roof", board.mirror(), roof)
    else:
        yield Part("walls", cylinder(w / 2, h).move(y=h / 2), walls, "around")
        yield Part("roof", lathe([(0.72 * w, h - 0.02), (0, h + 1.6 * gable)]), roof)
        front = -w / 2
    yield Part("floor", box(w + 0.12, 0.035, depth + 0.14).move(y=0.01), roof)
    r, y = d(0.07, 0.1), d(0.5, 0.66) * h
    yield Part("ring", torus(r, 0.035, "z").move(y=y, z=front), trim)
    yield Part("hole", cylinder(r, 0.03, axis="z").move(y=y, z=front), _DARK)
    yield Part("perch", cylinder(0.02, 0.16, axis="z").move(y=y - r - 0.07, z=front - 0.07), trim)
    stand = d.choice(["pole", "chain", "none"])
    if stand == "pole":
        yield Part("pole", box(0.06, 0.5, 0.06).move(y=-0.25) + box(0.25, 0.03, 0.25).move(y=-0.5), trim)
    elif stand == "chain":
        top = h + (gable if kind == "gable" else 1.6 * gable)
        yield Part(
            "hook", tube([[0, top, 0], [0, top + 0.16, 0]], 0.012) + torus(0.05, 0.022, "z").move(y=top + 0.2), metal(d)
        )


@recipe("mailbox")
def mailbox(d: Dice) -> Iterator[Part]:
    body, flag, steel, post = d.choice([paint, metal, plastic])(d), plastic(d), metal(d), solid(d)
    kind = d.variant(["rural", "rural", "pillar"])
    if kind == "pillar":
        w, h = 0.42, d(0.85, 1.0)
        yield Part("body", _pillar_box(w, h), body)
        yield Part("legs", box(0.06, 0.14, 0.06).move(0.16, 0.05, 0.16).mirror("x").mirror("z"), steel)
        yield Part("slot", box(0.3, 0.04, 0.02).move(y=0.82 * h, z=-0.215), _DARK)
        yield Part("hood", box(0.34, 0.03, 0.08).turn("x", -20).move(y=0.87 * h, z=-0.23), flag)
        yield Part("notice", box(0.24, 0.2, 0.015).move(y=0.58 * h, z=-0.212), lamp_glow(d))
        yield Part("lock", cylinder(0.03, 0.03, axis="z").move(0.12, 0.35 * h, -0.215), steel)
        return
    w, h, long, y = d(0.24, 0.32), d(0.26, 0.34), d(0.5, 0.62), d(0.5, 0.7)
    arch = np.radians(np.linspace(0, 180, 15))
    outline = [(-w / 2, 0), (w / 2, 0), *zip(w / 2 * np.cos(arch), h - w / 2 + w / 2 * np.sin(arch), strict=True)]
    yield Part("body", extrude(outline, long).move(y=y), body)
    opening = d(60, 100) if d.chance(0.35) else 0.0
    door = extrude(np.array(outline) * 1.04, 0.03).turn("x", -opening).move(y=y, z=-long / 2 - 0.01)
    yield Part("door", door, body if d.chance() else flag)
    yield Part("knob", ball(0.05).move(y=0.8 * h, z=-0.04).turn("x", -opening).move(y=y, z=-long / 2), steel)
    if opening:
        yield Part("inside", extrude(np.array(outline) * 0.9, 0.02).move(y=y + 0.01, z=-long / 2), _DARK)
    up = 90 if d.chance(0.6) else 0
    mast = box(0.02, 0.03, 0.24).move(z=0.1) + box(0.02, 0.09, 0.1).move(y=0.04, z=0.18)
    yield Part("flag", mast.turn("x", -up).move(-w / 2 - 0.015, y + 0.5 * h, -0.1), flag)
    yield Part("post", box(0.09, y, 0.09).move(y=y / 2), post)
    yield Part("shelf", box(0.9 * w, 0.03, 0.8 * long).move(y=y - 0.01), post)
    if d.chance():
        yield Part("brace", box(0.05, 0.05, 0.34).turn("x", 45).move(y=y - 0.13, z=-0.12), post)


def _pillar_box(w: float, h: float) -> Shape:
    """A box with a barrel-shaped top, as a street letter box has."""
    arch = np.radians(np.linspace(0, 180, 13))
    sides = [(-w / 2, 0.1), (w / 2, 0.1), *zip(w / 2 * np.cos(arch), h - w / 2 + w / 2 * np.sin(arch), strict=True)]
    return extrude(sides, w).turn("y", 90)


@recipe("tower")
def tower(d: Dice) -> Iterator[Part]:
    kind = d.variant(["castle", "lighthouse", "lattice", "pagoda"])
    maker = {"castle": _castle, "lighthouse": _lighthouse, "lattice": _lattice, "pagoda": _pagoda}[kind]
    yield from maker(d)


def _castle(d: Dice) -> Iterator[Part]:
    walls, roof, square = stone(d), paint(d), d.chance()
    r, h = d(0.13, 0.18), 1.0
    outline = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) if square else circle(1.0, 24)
    body = [(0, 1.15), (0.12, 1.0), (0.78, 0.95), (0.84, 1.2), (0.9, 1.2)]
    rings = [np.column_stack([outline[:, 0] * r * k, np.full(len(outline), y), outline[:, 1] * r * k]) for y, k in body]
    yield Part("walls", loft(rings), walls, "upright" if square else "around")
    if d.chance(0.5):
        yield Part("battlements", box(0.4 * r, 0.07, 0.3 * r).move(y=0.93, z=1.05 * r).ring(8), walls, "upright")
    else:
        yield Part("roof", lathe([(1.5 * r, 0.89), (0, h + 0.25)], 4 if square else 24).turn("y", 45), roof)
        yield Part("finial", ball(0.05).move(y=h + 0.26), metal(d))
    front = -1.0 * r
    yield Part("gate", box(0.6 * r, 0.17, 0.04).move(y=0.085, z=front * 1.1), wood(d))
    slits = join(box(0.2 * r, 0.08, 0.03).move(x, y, front) for x, y in ((0, 0.4), (0, 0.65)))
    yield Part("windows", slits, _DARK)


def _lighthouse(d: Dice) -> Iterator[Part]:
    walls, trim = paint(d), paint(d)
    foot, r = d(0.17, 0.21), d(0.1, 0.13)
    yield Part("walls", cylinder(foot, 0.78, r, segments=28).move(y=0.39), walls)
    bands = d.integer(2, 3)
    for i in range(bands):
        low, high = (i + 0.35) / bands * 0.75, (i + 0.75) / bands * 0.75
        at = [(foot + (r - foot) * y / 0.78 + 0.004, y) for y in (low, high)]
        yield Part("band", lathe(at, 28), trim)
    yield Part("gallery", cylinder(1.45 * r, 0.03).move(y=0.79), trim)
    yield Part(
        "railing", torus(1.4 * r, 0.014).move(y=0.86) + cylinder(0.006, 0.08).move(x=1.4 * r, y=0.82).ring(12), metal(d)
    )
    yield Part("lantern", cylinder(0.72 * r, 0.12).move(y=0.86), glass(d))
    yield Part("lamp", ball(0.07).move(y=0.86), lamp_glow(d))
    yield Part("roof", lathe([(0.9 * r, 0.92), (0, 0.92 + d(0.08, 0.13))]), trim)
    yield Part("door", box(0.09, 0.15, 0.05).move(y=0.075, z=-foot + 0.01), wood(d))
    yield Part(
        "windows",
        box(0.04, 0.06, 0.04).move(y=0.35, z=-0.6 * foot - 0.4 * r)
        + box(0.04, 0.06, 0.04).move(y=0.58, z=-0.3 * foot - 0.7 * r),
        window(d),
    )


def _lattice(d: Dice) -> Iterator[Part]:
    steel, foot, waist = d.choice([metal, paint])(d), d(0.2, 0.26), d(0.04, 0.07)
    levels = np.linspace(0, 0.9, d.integer(5, 7))
    half = waist + (foot - waist) * (1 - levels / 0.9) ** d(1.2, 2.0)
    leg = tube([[x, y, x] for x, y in zip(half, levels, strict=True)], 0.016, segments=6)
    yield Part("legs", leg.mirror("x").mirror("z"), steel)
    braces = []
    for (y0, y1), (a, b) in zip(pairwise(levels), pairwise(half), strict=True):
        cross = tube([[-a, y0, a], [b, y1, b]], 0.009, segments=5) + tube([[a, y0, a], [-b, y1, b]], 0.009, segments=5)
        bar = tube([[-b, y1, b], [b, y1, b]], 0.011, segments=5)
        braces.append((cross + bar).ring(4))
    yield Part("braces", join(braces), steel)
    deck = d.integer(1, 2)
    yield Part("decks", join(box(2.4 * half[i], 0.03, 2.4 * half[i]).move(y=levels[i]) for i in (deck, -1)), paint(d))
    yield Part("mast", cylinder(0.016, 0.2, 0.008).move(y=1.0) + ball(0.04).move(y=0.93), steel)
    if d.chance(0.6):
        dish = lathe([(0, 0), (0.09, 0.05), (0.08, 0.055), (0, 0.015)]).turn("x", -90)
        yield Part("dish", dish.move(y=0.8, z=-waist - 0.06), plastic(d))
    yield Part("hut", box(0.16, 0.12, 0.12).move(y=0.06, z=-foot + 0.02), solid(d))


def _pagoda(d: Dice) -> Iterator[Part]:
    walls, roof, floors = solid(d), paint(d), d.integer(3, 5)
    y, w, tall = 0.06, d(0.36, 0.44), 0.82 / floors
    yield Part("base", box(w + 0.12, 0.06, w + 0.12).move(y=0.03), stone(d), "upright")
    for i in range(floors):
        k = w * (1 - 0.13 * i)
        yield Part("floor", box(k, 0.65 * tall, k).move(y=y + 0.32 * tall), walls, "upright")
        yield Part("windows", box(0.5 * k, 0.3 * tall, k + 0.01).move(y=y + 0.34 * tall), window(d))
        eave = k / 2 + 0.07
        cover = stack(
            [
                (0.02, 2 * eave, -eave, eave),
                (0.0, 1.9 * eave, -0.95 * eave, 0.95 * eave),
                (0.4 * tall, 0.9 * k, -0.45 * k, 0.45 * k),
            ][1:],
            0.003,
            1,
        )
        yield Part("roof", cover.move(y=y + 0.6 * tall), roof)
        y += tall
    yield Part("spire", lathe([(0.05, y - 0.02), (0.03, y + 0.05), (0.008, y + 0.16), (0, y + 0.16)]), metal(d))
    if d.chance():
        yield Part(
            "clock", cylinder(0.3 * w, 0.02, axis="z").move(y=0.06 + 1.35 * tall, z=-0.45 * w - 0.02), dial(d), "front"
        )
    yield Part("gate", box(0.3 * w, 0.55 * tall, 0.04).move(y=0.06 + 0.28 * tall, z=-w / 2), _DARK)
