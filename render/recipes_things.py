"""Recipes for things to wear, to play and to hold."""

from collections.abc import Iterator

from iebench.render.dice import Dice
from iebench.render.materials import Material, metal, paint, plastic, rubber, wood
from iebench.render.recipe import Part, recipe
from iebench.render.shapes import box, curve, cylinder, extrude, torus


@recipe("guitar")
def guitar(d: Dice) -> Iterator[Part]:
    electric = d.chance(0.4)
    body, neck, trim = d.choice([wood, paint])(d), wood(d), d.choice([plastic, paint, metal])(d)
    deep, lower, waist, upper = (
        (0.05, 0.17, 0.11, 0.14) if electric else (d(0.09, 0.12), d(0.18, 0.21), d(0.11, 0.14), d(0.13, 0.16))
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
