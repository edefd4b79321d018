"""Recipes for what holds something. They stand on y = 0."""

from collections.abc import Iterator

import numpy as np

from iebench.render.dice import Dice
from iebench.render.materials import Material, glass, hard, label, metal, paint, plastic
from iebench.render.recipe import Part, recipe
from iebench.render.shapes import Shape, curve, cylinder, lathe, superellipse, sweep, torus


def _sticker(radius: float, low: float, high: float, arc: float) -> Shape:
    """A thin label that lies on a cylinder's front over `arc` degrees."""
    angle = np.radians(np.linspace(-arc / 2, arc / 2, 13))
    path = np.stack([np.sin(angle), np.zeros(13), -np.cos(angle)], axis=1) * radius
    return sweep(
        path + np.array([0, (low + high) / 2, 0]),
        np.array([[-0.01, -1], [0.01, -1], [0.01, 1], [-0.01, 1]]) * [1, (high - low) / 2],
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
    yield Part("label", _sticker(r + 0.003, low, shoulder - d(0.03, 0.1), d(140, 200)), label(d), "front")
    if d.chance(0.3):
        yield Part("collar", torus(neck + 0.01, 0.025).move(y=throat + 0.02), metal(d))


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
        yield Part("print", _sticker(reach, 0.25 * height, 0.8 * height, d(90, 130)), label(d), "front")
    yield Part(
        "drink",
        cylinder(min(foot, middle, r) - wall, 0.02).move(y=d(0.6, 0.85) * height),
        Material("drink", (0.03, 0.012, 0.004)),
    )
