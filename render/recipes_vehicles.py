"""Recipes for what rolls. Lengths run along z, the nose towards -Z, the ground is at y = 0."""

from collections.abc import Iterator

import numpy as np

from iebench.render.dice import Dice
from iebench.render.materials import (
    Material,
    label,
    lamp_glow,
    metal,
    paint,
    plastic,
    rubber,
    window,
    wood,
)
from iebench.render.recipe import Part, recipe
from iebench.render.shapes import (
    Shape,
    ball,
    block,
    box,
    curve,
    cylinder,
    hull,
    join,
    plate,
    rounded_box,
    stack,
    torus,
    tube,
)


def _wheel(radius: float, width: float) -> Shape:
    return cylinder(radius, width, axis="x")


def _wheels(d: Dice, radius: float, track: float, stations: list[float]) -> Iterator[Part]:
    """Pairs of wheels at the given z, their outer sides `track` apart, with hubs that stand out a little."""
    width = 0.55 * radius
    for name, r, out, material in (("tyres", radius, 0.0, rubber(d)), ("hubs", 0.6 * radius, 0.02, metal(d))):
        pair = _wheel(r, width).move(x=track / 2 - width / 2 + out, y=radius).mirror()
        shape = pair.move(z=stations[0])
        for z in stations[1:]:
            shape += pair.move(z=z)
        yield Part(name, shape, material)


@recipe("bus")
def bus(d: Dice) -> Iterator[Part]:
    kind = d.variant(["city", "double", "school"])
    w, wheel = d(0.25, 0.29), 0.055
    top = 0.5 if kind == "double" else d(0.28, 0.34)
    nose = -0.36 if kind == "school" else -0.5
    body, trim, panes = paint(d), paint(d), window(d)
    yield Part(
        "body",
        stack([(0.04, w, nose, 0.5), (top - 0.03, w, nose, 0.5), (top, 0.88 * w, nose + 0.02, 0.48)], 0.03),
        body,
    )
    if kind == "school":
        yield Part("bonnet", rounded_box(0.85 * w, 0.13, 0.2, 0.03).move(y=0.12, z=-0.42), body)
    band = [0.18, 0.38] if kind == "double" else [top - 0.12]
    count = d.integer(5, 8)
    for y in band:
        pane = block((-w / 2 - 0.004, w / 2 + 0.004), (y, y + 0.085), (-0.36 / count, 0.36 / count))
        yield Part("windows", pane.row(count, z=0.86 / count).move(z=(nose + 0.54) / 2), panes)
        yield Part("windscreen", block((-0.43 * w, 0.43 * w), (y, y + 0.1), (nose - 0.006, nose + 0.01)), panes)
        yield Part("rear window", block((-0.35 * w, 0.35 * w), (y + 0.02, y + 0.08), (0.49, 0.504)), panes)
    yield Part("stripe", block((-w / 2 - 0.003, w / 2 + 0.003), (0.1, 0.13), (nose + 0.01, 0.495)), trim)
    doors = box(0.01, 0.19, 0.07).row(2, z=0.5 * (0.4 - nose)).move(-w / 2 - 0.004, 0.15, -0.05)
    yield Part("doors", doors, trim)
    yield from _wheels(d, wheel, w + 0.01, [-0.42 if kind == "school" else -0.3, 0.28])
    lights = cylinder(0.022, 0.02, axis="z").move(0.34 * w, 0.1, -0.52 if kind == "school" else nose).mirror()
    yield Part("headlights", lights, lamp_glow(d))
    yield Part("mirrors", box(0.03, 0.06, 0.015).move(w / 2 + 0.025, top - 0.08, nose - 0.02).mirror(), rubber(d))
    if d.chance():
        yield Part(
            "roof units", rounded_box(0.6 * w, 0.04, 0.16, 0.015).row(d.integer(1, 2), z=0.4).move(y=top + 0.015), trim
        )


@recipe("car")
def car(d: Dice) -> Iterator[Part]:
    kind = d.variant(["saloon", "hatchback", "van", "pickup", "sports"])
    w, wheel = d(0.40, 0.46), d(0.085, 0.105)
    body, sill = paint(d), wheel * 0.7
    waist = sill + {"sports": d(0.11, 0.13), "van": d(0.2, 0.24)}.get(kind, d(0.15, 0.18))
    roof = waist + {"sports": d(0.07, 0.1), "van": d(0.14, 0.18)}.get(kind, d(0.12, 0.15))
    yield Part("body", stack([(sill, 0.94 * w, -0.47, 0.47), (sill + 0.05, w, -0.5, 0.5), (waist - 0.05, w, -0.49, 0.5),
                              (waist, 0.92 * w, -0.44, 0.47)], radius=0.07, corner=3), body)  # fmt: skip
    front, back = {"saloon": (-0.22, 0.32), "hatchback": (-0.22, 0.47), "van": (-0.36, 0.47), "pickup": (-0.22, 0.1),
                   "sports": (-0.12, 0.34)}[kind]  # fmt: skip
    rake = 0.06 if kind in ("van", "pickup") else d(0.12, 0.17)
    drop = 0.03 if kind in ("van", "pickup", "hatchback") else d(0.1, 0.16)
    top = (front + rake, back - drop)
    yield Part("cabin", stack([(waist - 0.01, 0.88 * w, front, back), (roof, 0.7 * w, *top)], radius=0.03), window(d))
    yield Part(
        "roof",
        stack([(roof - 0.02, 0.75 * w, top[0] - 0.01, top[1] + 0.01), (roof + 0.012, 0.68 * w, *top)], 0.03),
        body,
    )
    pillar = stack([(waist - 0.01, 0.9 * w, -0.02, 0.02), (roof, 0.71 * w, -0.01, 0.01)], 0.005)
    yield Part("pillars", pillar.move(z=(front + back) / 2), body)
    if kind == "pickup":
        yield Part("bed", block((-0.4 * w, 0.4 * w), (waist - 0.02, waist + 0.006), (0.14, 0.45)), rubber(d))
        yield Part("bed walls", box(0.025, 0.07, 0.36).move(0.44 * w, waist + 0.02, 0.29).mirror(), body)
    if kind == "sports":
        yield Part(
            "spoiler",
            box(0.8 * w, 0.012, 0.07).move(y=waist + 0.06, z=0.44)
            + box(0.015, 0.07, 0.04).move(0.3 * w, waist + 0.02, 0.44).mirror(),
            body,
        )
    yield from _wheels(d, wheel, w + 0.02, [-0.31, 0.31])
    yield Part("headlights", ball(0.09, 0.05, 0.05).move(0.34 * w, waist - 0.07, -0.475).mirror(), lamp_glow(d))
    yield Part("grille", block((-0.2 * w, 0.2 * w), (sill + 0.05, waist - 0.05), (-0.51, -0.45)), metal(d))
    yield Part(
        "tail lights",
        box(0.08, 0.05, 0.03).move(0.36 * w, waist - 0.07, 0.49).mirror(),
        Material("light", (0.6, 0.01, 0.01)),
    )
    yield Part("mirrors", box(0.05, 0.035, 0.025).move(0.52 * w, waist + 0.02, front + 0.06).mirror(), body)


@recipe("motorbike")
def motorbike(d: Dice) -> Iterator[Part]:
    kind = d.variant(["cruiser", "racer", "scooter"])
    body, steel, black = paint(d), metal(d), rubber(d)
    r, front, back = 0.12 if kind == "scooter" else d(0.16, 0.19), -0.36, 0.32
    tyre = torus(r - 0.035, 0.075, "x").move(y=r)
    yield Part("tyres", tyre.move(z=front) + tyre.move(z=back), black)
    spokes = box(0.015, 2 * r - 0.08, 0.015).ring(d.integer(3, 6), "x", 180) + cylinder(0.04, 0.07, axis="x")
    yield Part("spokes", spokes.move(y=r, z=front) + spokes.move(y=r, z=back), steel)
    y, z = d(0.5, 0.6), -0.14 if kind == "cruiser" else -0.2
    wide, pull = d(0.16, 0.22), d(0.02, 0.12)
    end = np.array([wide, y + 0.06, z + pull])
    handle = tube(curve([end * [-1, 1, 1], (-0.06, y, z), (0.06, y, z), end], 4), 0.014)
    yield Part("fork", tube([(0.045, r, front), (0.045, y, z)], 0.015).mirror() + handle, steel)
    yield Part("grips", cylinder(0.02, 0.08, axis="x").move(*end).mirror(), black)
    yield Part("headlight", ball(0.1, 0.1, 0.07).move(y=y - 0.06, z=z - 0.08), lamp_glow(d))
    yield from _scooter(body, black) if kind == "scooter" else _motorcycle(d, body, steel, black, r, back)
    if kind == "racer":
        fairing = [(-0.42, 0.04, 0.05, 0.4), (-0.32, 0.2, 0.24, 0.42), (-0.15, 0.23, 0.34, 0.36)]
        yield Part("fairing", hull(fairing, 2.5), body)
    yield Part("exhaust", cylinder(0.03, 0.4, 0.02, axis="z").move(-0.1, 0.14, 0.22), steel)


def _scooter(body: Material, black: Material) -> Iterator[Part]:
    yield Part("shield", plate([(-0.2, 0.15), (-0.16, 0.15), (-0.14, 0.5), (-0.2, 0.5)], 0.26), body)
    yield Part("floor", box(0.24, 0.04, 0.3).move(y=0.13, z=-0.03), body)
    tail = [(0.1, 0.16, 0.26, 0.24), (0.2, 0.24, 0.26, 0.27), (0.4, 0.22, 0.18, 0.3), (0.46, 0.1, 0.1, 0.33)]
    yield Part("tail", hull(tail), body)
    yield Part("seat", rounded_box(0.18, 0.07, 0.34, 0.03).move(y=0.42, z=0.25), black)


def _motorcycle(d: Dice, body: Material, steel: Material, black: Material, r: float, back: float) -> Iterator[Part]:
    tank = [(-0.2, 0.06, 0.06, 0.45), (-0.12, 0.17, 0.15, 0.44), (0, 0.15, 0.13, 0.42), (0.08, 0.06, 0.06, 0.4)]
    yield Part("tank", hull(tank), body)
    rear = (0.34, 0.15, 0.07, 0.4 + d(0, 0.07))
    yield Part(
        "seat", hull([(0.05, 0.12, 0.05, 0.4), (0.15, 0.17, 0.07, 0.37), rear, (0.4, 0.06, 0.03, 0.45)], 3.0), black
    )
    engine = rounded_box(0.17, 0.17, 0.2, 0.03).move(y=0.22, z=-0.03) + cylinder(0.06, 0.22, axis="x").move(y=0.2)
    yield Part("engine", engine, steel)
    frame = tube([(0.05, 0.42, -0.15), (0.05, 0.12, -0.1), (0.05, 0.12, 0.1), (0.05, r, back)], 0.018)
    yield Part("frame", frame.mirror(), body)
    fender = curve([(0, r + 0.02, back + r + 0.01), (0, 2 * r, back + 0.08), (0, 2 * r + 0.02, back - 0.05)], 4)
    yield Part("fender", tube(fender, 0.045), body)


@recipe("skateboard")
def skateboard(d: Dice) -> Iterator[Part]:
    w, kick, tail = d(0.2, 0.26), d(0.07, 0.1), d(0.02, 0.05)
    power = d(2.5, 4.0)
    z = np.linspace(-0.5, 0.5, 21)
    width = w * np.clip(1 - np.abs(2 * z) ** (2 * power), 0.05, 1) ** (1 / power)
    y = 0.12 + kick * np.clip((-z - 0.3) / 0.2, 0, 1) ** 2 + tail * np.clip((z - 0.3) / 0.2, 0, 1) ** 2
    deck = [(a, b, 0.018, c) for a, b, c in zip(z, width, y, strict=True)]
    yield Part("deck", hull(deck, 6.0), d.choice([wood, paint])(d), "top")
    grip = [(a, 0.96 * b, 0.01, c + 0.012) for a, b, c in zip(z, width, y, strict=True)]
    yield Part("grip", hull(grip, 6.0), label(d), "top")
    span, r = d(0.28, 0.33), d(0.035, 0.05)
    axle = cylinder(0.012, 0.9 * w, axis="x").move(y=r) + stack(
        [(r, 0.05, -0.02, 0.02), (0.115, 0.1, -0.05, 0.05)], 0.01
    )
    yield Part("trucks", axle.move(z=-span) + axle.move(z=span + 0.05), metal(d))
    wheel = _wheel(r, 0.05).move(x=0.45 * w, y=r).mirror()
    yield Part("wheels", wheel.move(z=-span) + wheel.move(z=span + 0.05), plastic(d))


@recipe("train")
def train(d: Dice) -> Iterator[Part]:
    kind = d.variant(["steam", "express", "diesel"])
    body, trim, black, panes = paint(d), paint(d), rubber(d), window(d)
    w = d(0.17, 0.2)
    if kind == "steam":
        yield Part("boiler", cylinder(0.075, 0.34, axis="z").move(y=0.16, z=-0.3), body)
        yield Part("smokebox", cylinder(0.082, 0.06, axis="z").move(y=0.16, z=-0.46), black)
        yield Part("chimney", cylinder(0.022, 0.1, 0.034).move(y=0.28, z=-0.44), black)
        yield Part("domes", ball(0.06, 0.07, 0.06).row(2, z=0.12).move(y=0.235, z=-0.26), metal(d))
        yield Part("cab", box(w + 0.02, 0.2, 0.12).move(y=0.18, z=-0.09), trim)
        yield Part("cab roof", rounded_box(w + 0.05, 0.025, 0.17, 0.01).move(y=0.29, z=-0.09), black)
        yield Part("cab windows", box(w + 0.03, 0.07, 0.06).move(y=0.23, z=-0.09), panes)
        yield Part("cowcatcher", stack([(0.01, 1.1 * w, -0.56, -0.44), (0.09, 0.8 * w, -0.49, -0.44)], 0.005), metal(d))
    else:
        slope = d(0.12, 0.2) if kind == "express" else 0.03
        top = 0.27
        nose = stack(
            [
                (0.05, 0.8 * w, -0.52, -0.04),
                (0.1, w, -0.52, -0.03),
                (0.17, w, -0.52 + 0.3 * slope, -0.03),
                (top, 0.8 * w, -0.52 + slope, -0.04),
            ],
            0.03,
        )
        yield Part("engine", nose, body)
        pane = stack(
            [(0.18, 0.85 * w, -0.53 + 0.35 * slope, -0.4), (top - 0.03, 0.75 * w, -0.53 + 0.8 * slope, -0.35)], 0.01
        )
        yield Part("windscreen", pane, panes)
        yield Part("stripe", box(w + 0.006, 0.03, 0.3).move(y=0.12, z=-0.2), trim)
        if kind == "diesel":
            yield Part("fans", cylinder(0.04, 0.02).row(3, z=0.1).move(y=top, z=-0.2), black)
    for z in [0.13, 0.39]:
        open_ = kind != "express" and d.chance(0.4)
        tall = 0.12 if open_ else 0.22
        yield Part("wagon", rounded_box(w, tall, 0.235, 0.015).move(y=0.05 + tall / 2, z=z), d.choice([body, trim]))
        if open_:
            yield Part("load", ball(0.8 * w, 0.1, 0.2).move(y=0.17, z=z), black)
        else:
            yield Part("wagon windows", box(w + 0.008, 0.06, 0.035).row(4, z=0.05).move(y=0.19, z=z), panes)
            yield Part(
                "wagon roof", stack([(0.265, w, z - 0.12, z + 0.12), (0.29, 0.7 * w, z - 0.11, z + 0.11)], 0.02), trim
            )
    wheels = cylinder(0.04, 0.02, axis="x").move(x=0.45 * w, y=0.04).mirror()
    yield Part("wheels", join(wheels.move(z=z) for z in (-0.43, -0.33, -0.1, 0.06, 0.2, 0.32, 0.46)), metal(d))
    yield Part("chassis", box(0.6 * w, 0.03, 0.95).move(y=0.055, z=0.02), black)
    yield Part(
        "headlight", cylinder(0.018, 0.03, axis="z").move(y=0.1 if kind != "steam" else 0.24, z=-0.51), lamp_glow(d)
    )
