"""Recipes for what holds something. They stand on y = 0."""

from collections.abc import Iterator

import numpy as np

from iebench.render.dice import Dice
from iebench.render.materials import (
    Material,
    glass,
    hard,
    label,
    metal,
    paint,
    plastic,
    solid,
    stone,
    wood,
)
from iebench.render.recipe import Part, recipe
from iebench.render.recipe_parts import sticker
from iebench.render.shapes import (
    ball,
    box,
    curve,
    cylinder,
    join,
    lathe,
    superellipse,
    sweep,
    torus,
    tube,
)


@recipe("bottle")
def bottle(d: Dice) -> Iterator[Part]:
    r, height, neck = d(0.12, 0.2), 1.0, d(0.035, 0.06)
    shoulder, throat = d(0.5, 0.68), d(0.75, 0.85)
    body = glass(d) if d.chance(0.5) else plastic(d)
    side = [(r, 0.03), (r, shoulder)] if d.chance(0.7) else [(r, 0.05), (0.85 * r, 0.3), (r, shoulder)]
    slope = curve([(r, shoulder), (0.8 * r, (shoulder + throat) / 2 + d(-0.03, 0.05)), (neck, throat)], 5)[1:]
    yield Part("body", lathe([(0, 0.02), (0.9 * r, 0), *side, *slope, (neck, height - 0.06), (0, height - 0.06)]), body)
    yield Part("cap", cylinder(neck + 0.012, d(0.05, 0.1)).move(y=height - 0.04), hard(d))
    low = d(0.1, 0.2)
    yield Part("label", sticker(r + 0.003, low, shoulder - d(0.03, 0.1), d(140, 200)), label(d), "front")
    if d.chance(0.3):
        yield Part("collar", torus(neck + 0.01, 0.025).move(y=throat + 0.02), metal(d))


@recipe("bowl")
def bowl(d: Dice) -> Iterator[Part]:
    r, h, foot = 0.5, d(0.24, 0.44), d(0.16, 0.26)
    body, wall, power = d.choice([paint, plastic, metal, glass])(d), 0.03, d(0.35, 0.8)
    t = np.linspace(0.0, 1.0, 9)
    outside = np.column_stack([foot + (r - foot) * t**power, 0.04 + h * t])
    outside[-1, 0] += d(0.0, 0.06)
    inside = (outside - [wall, 0])[::-1]
    inside[:, 1] += np.linspace(0, wall, 9)
    yield Part(
        "bowl",
        lathe([(0, 0.02), (foot - 0.02, 0), (foot, 0.04), *outside[1:], *inside[:-1], (0, 0.04 + wall)], 40),
        body,
    )
    if d.chance(0.6):
        at = 0.04 + h * d(0.5, 0.85)
        edge = np.interp(at, outside[:, 1], outside[:, 0])
        yield Part("band", torus(float(edge), 0.025, segments=40).move(y=at), hard(d))
    if d.chance():
        yield Part("rim", torus(outside[-1, 0] - wall / 2, 0.05, segments=40).move(y=h + 0.05), hard(d))


@recipe("can")
def can(d: Dice) -> Iterator[Part]:
    steel, print_, kind = metal(d), label(d), d.choice(["drink", "food", "tin"])
    r, h = {"drink": (d(0.26, 0.3), 0.95), "food": (d(0.36, 0.44), d(0.9, 1.05)), "tin": (d(0.5, 0.56), d(0.36, 0.5))}[
        kind
    ]
    if kind == "drink":
        yield Part(
            "body",
            lathe(
                [
                    (0, 0.04),
                    (0.75 * r, 0),
                    (r, 0.07),
                    (r, h - 0.12),
                    (0.8 * r, h),
                    (0.76 * r, h),
                    (0.74 * r, h - 0.03),
                    (0, h - 0.03),
                ]
            ),
            steel,
        )
        low, high = 0.09, h - 0.13
    else:
        yield Part("body", cylinder(r, h, segments=32).move(y=h / 2), steel)
        yield Part("rims", torus(r, 0.04, segments=32).move(y=h) + torus(r, 0.04, segments=32), steel)
        yield Part("lid", torus(0.7 * r, 0.02).move(y=h), steel)
        low, high = 0.06 * h, 0.94 * h
    yield Part("label", sticker(r + 0.004, low, high, d(150, 300)), print_, "around")
    yield Part(
        "stripes",
        cylinder(r + 0.006, 0.035, segments=32).row(2, y=0.84 * (high - low)).move(y=(low + high) / 2),
        hard(d),
    )
    top = h - 0.02 if kind == "drink" else h + 0.01
    yield Part(
        "tab", box(0.1, 0.02, 0.2).move(y=top, z=-0.02) + torus(0.06, 0.025).move(y=top + 0.01, z=-0.13), metal(d)
    )


@recipe("flowerpot")
def flowerpot(d: Dice) -> Iterator[Part]:
    r, foot, h = d(0.26, 0.34), d(0.16, 0.24), d(0.34, 0.46)
    body, green = d.choice([paint, plastic, stone, solid])(d), d.choice([plastic, paint])(d)
    yield Part(
        "pot", lathe([(0, 0), (foot, 0), (r, h), (0.86 * r, h), (0.84 * r, h - 0.06), (0, h - 0.06)]), body, "around"
    )
    yield Part(
        "rim", lathe([(r - 0.02, h - 0.1), (r + 0.03, h - 0.1), (r + 0.04, h), (r - 0.03, h)], closed=True), body
    )
    yield Part("soil", cylinder(0.86 * r, 0.03).move(y=h - 0.04), Material("soil", (0.03, 0.015, 0.008), 0.0, 0.0))
    yield Part("print", box(0.16, 0.13, 0.03).move(y=0.5 * h, z=-(foot + r) / 2), label(d), "front")
    plant = d.variant(["blades", "bush", "cactus", "flowers"])
    if plant == "blades":
        for i in range(d.integer(7, 11)):
            lean, tall = d(0.1, 0.35), d(0.4, 0.65)
            leaf = curve([(0, h - 0.06, 0), (0.3 * lean, h + 0.5 * tall, 0), (lean, h + tall, 0)], 4)
            flat = np.array([[0.045, 0], [0, 0.008], [-0.045, 0], [0, -0.008]])
            yield Part(
                "leaf",
                sweep(leaf, flat, [*np.linspace(0.6, 1.0, len(leaf) - 3), 0.8, 0.5, 0.1]).turn("y", 137.5 * i),
                green,
            )
    elif plant == "bush":
        yield Part("trunk", tube([[0, h - 0.05, 0], [d(-0.05, 0.05), h + 0.3, 0]], 0.03), wood(d))
        clumps = [ball(d(0.2, 0.32)).move(d(-0.17, 0.17), h + d(0.3, 0.55), d(-0.17, 0.17)) for _ in range(6)]
        yield Part("crown", join(clumps), green)
    elif plant == "cactus":
        tall, thick = d(0.4, 0.6), d(0.09, 0.12)
        ribs = sweep(
            [[0, h - 0.05, 0], [0, h + 0.8 * tall, 0], [0, h + 0.95 * tall, 0], [0, h + tall, 0]],
            _star(8) * thick,
            [1, 1, 0.8, 0.3],
        )
        arm = curve([(0, h + 0.3 * tall, 0), (0.2, h + 0.32 * tall, 0), (0.22, h + 0.7 * tall, 0)], 5)
        yield Part("cactus", ribs + tube(arm, 0.05) + tube(arm * [-1, 1, 1] + [0, 0.08, 0], 0.045), green)
        yield Part("bloom", ball(0.1).move(y=h + tall), plastic(d))
    else:
        petals, heart = plastic(d), plastic(d)
        for i in range(d.integer(3, 5)):
            lean, tall = d(0.1, 0.28), d(0.3, 0.55)
            stem = tube([[0.03, h - 0.05, 0], [lean, h + tall, 0]], 0.015, segments=6)
            blade = ball(0.2, 0.03, 0.09).turn("z", 35).move(0.6 * lean + 0.1, h + 0.4 * tall, 0)
            head = ball(0.13, 0.03, 0.08).move(x=0.08).ring(6).turn("z", -35).move(lean, h + tall, 0)
            yield Part("stem", (stem + blade).turn("y", 80 * i), green)
            yield Part("petals", head.turn("y", 80 * i), petals)
            yield Part("heart", ball(0.09).move(lean, h + tall + 0.01, 0).turn("y", 80 * i), heart)


@recipe("jar")
def jar(d: Dice) -> Iterator[Part]:
    if d.variant(["glass", "urn"]) == "glass":
        r, h = d(0.34, 0.42), d(0.75, 0.95)
        yield Part(
            "glass",
            lathe([(0, 0), (0.92 * r, 0), (r, 0.05), (r, 0.8 * h), (0.78 * r, 0.9 * h), (0.78 * r, h), (0, h)]),
            glass(d),
        )
        yield Part("contents", cylinder(0.9 * r, d(0.4, 0.7) * h).move(y=0.37 * h + 0.03), plastic(d))
        yield Part("lid", cylinder(0.86 * r, 0.13).move(y=h + 0.03), hard(d))
        yield Part("ring", torus(0.86 * r, 0.035).move(y=h - 0.02), metal(d))
        yield Part("label", sticker(r + 0.004, 0.2 * h, 0.68 * h, d(100, 160)), label(d), "front")
        return
    foot, belly, neck, mouth, h = d(0.16, 0.24), d(0.36, 0.46), d(0.16, 0.24), d(0.2, 0.3), 1.0
    body, trim, at = d.choice([paint, plastic, stone])(d), hard(d), d(0.42, 0.6)
    side = curve([(foot, 0.02), (0.8 * belly, 0.5 * at), (belly, at), (neck, 0.84), (mouth, h)], 5)
    yield Part(
        "body",
        lathe([(0, 0), (foot - 0.02, 0), *side, (mouth - 0.04, h), (neck - 0.04, 0.84), (0, 0.7)]),
        body,
        "around",
    )
    handle = curve(
        [(neck, 0.86, 0), (neck + 0.22, 0.84, 0), (0.9 * belly + 0.1, 0.7, 0), (0.86 * belly, at + 0.1, 0)], 6
    )
    yield Part("handles", tube(handle, 0.035).mirror(), trim)
    yield Part("label", sticker(belly + 0.006, at - 0.12, at + 0.1, d(50, 80)), label(d), "front")
    if d.chance():
        yield Part(
            "lid",
            lathe(
                [
                    (mouth + 0.02, h),
                    (mouth + 0.02, h + 0.03),
                    (0.06, h + 0.1),
                    (0.03, h + 0.12),
                    (0.06, h + 0.17),
                    (0, h + 0.2),
                ]
            ),
            trim,
        )


@recipe("mug")
def mug(d: Dice) -> Iterator[Part]:
    height, foot, r = d(0.75, 1.1), d(0.32, 0.46), d(0.38, 0.48)
    body, wall = d.choice([paint, plastic, metal])(d), 0.035
    middle = (foot + r) / 2 * d(0.92, 1.1)
    outside = curve([(foot, 0.03), (middle, height / 2), (r, height)], 4)
    inside = outside[::-1] - [wall, 0]
    yield Part("body", lathe([(0, 0), (foot - 0.03, 0), *outside, *inside[:-1], (0, 0.06)]), body)
    low, high, out = 0.2 * height, d(0.75, 0.9) * height, d(0.22, 0.32)
    if d.chance(0.6):
        path = curve(
            [(middle - 0.03, low), (middle + out, low + 0.08), (middle + out, high - 0.08), (middle - 0.03, high)], 6
        )
    else:
        path = np.array([(middle - 0.03, low), (middle + out, low), (middle + out, high), (middle - 0.03, high)])
    handle = np.column_stack([-path[:, 0], path[:, 1], np.zeros(len(path))])
    yield Part("handle", sweep(handle, superellipse(0.11, 0.07, 3.0, 12)), body if d.chance(0.7) else hard(d))
    if d.chance(0.8):
        reach = max(middle, foot, r) + 0.004
        yield Part("print", sticker(reach, 0.25 * height, 0.8 * height, d(90, 130)), label(d), "front")
    yield Part(
        "drink",
        cylinder(min(foot, middle, r) - wall, 0.02).move(y=d(0.6, 0.85) * height),
        Material("drink", (0.03, 0.012, 0.004)),
    )


def _star(points: int) -> np.ndarray:
    """The outline of a ribbed stem, of radius 1."""
    angle = np.pi * np.arange(2 * points) / points
    radius = np.where(np.arange(2 * points) % 2 == 0, 1.0, 0.78)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
