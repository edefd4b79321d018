"""Recipes for what flies or floats. Lengths run along z, the nose towards -Z; a rocket stands."""

from collections.abc import Iterator

import numpy as np

from iebench.render.dice import Dice
from iebench.render.materials import (
    Material,
    fabric,
    metal,
    paint,
    rubber,
    solid,
    window,
    wood,
)
from iebench.render.recipe import Part, recipe
from iebench.render.shapes import (
    ball,
    box,
    curve,
    cylinder,
    extrude,
    hull,
    lathe,
    loft,
    plate,
    rounded_box,
    slab,
    stack,
    torus,
    tube,
    wing,
)


@recipe("airplane")
def airplane(d: Dice) -> Iterator[Part]:
    kind = d.variant(["airliner", "propeller", "jet"])
    body, trim, r = paint(d), paint(d), d(0.05, 0.07)
    nose = -0.42 if kind == "airliner" else -0.36
    yield Part("fuselage", hull([(-0.5, 0.3 * r, 0.3 * r, -0.2 * r), (-0.47, r, r, -0.1 * r), (nose, 1.7 * r, 1.7 * r, 0),
                                 (-0.3, 2 * r, 2 * r, 0), (0.15, 2 * r, 2 * r, 0), (0.35, 1.2 * r, 1.3 * r, 0.3 * r),
                                 (0.5, 0.3 * r, 0.5 * r, 0.6 * r)]), body)  # fmt: skip
    yield Part("cockpit", ball(1.3 * r, 1.1 * r, 3 * r).move(y=0.65 * r, z=nose + 0.03), window(d))
    span = {"airliner": d(0.45, 0.55), "propeller": d(0.5, 0.6), "jet": d(0.28, 0.36)}[kind]
    sweep = {"airliner": d(0.18, 0.28), "propeller": d(-0.02, 0.03), "jet": d(0.2, 0.3)}[kind]
    chord = {"airliner": d(0.18, 0.24), "propeller": d(0.14, 0.18), "jet": d(0.4, 0.5)}[kind]
    height = r if kind == "propeller" else -0.4 * r
    root, tip = (0, height, -0.05), (span, height + d(0, 0.05), sweep - 0.05)
    yield Part("wings", wing(root, tip, (chord, d(0.25, 0.5) * chord), 0.025).mirror(), d.choice([body, trim]))
    tail = wing((0, 0.3 * r, 0.42), (0.4 * span, 0.4 * r, 0.46), (0.14, 0.07), 0.015).mirror()
    fin = wing((0, 0, 0.4), (0, d(0.15, 0.22), 0.48), (0.18, 0.08), 0.015, flat="x")
    yield Part("tail", tail + (fin.turn("z", 20).move(x=0.05).mirror() if kind == "jet" else fin), trim)
    if kind == "airliner":
        yield Part(
            "windows", box(2.02 * r, 0.014, 0.012).row(d.integer(10, 16), z=0.03).move(y=0.3 * r, z=-0.07), window(d)
        )
        positions = [0.35, 0.6] if d.chance(0.4) else [0.38]
        pods = [
            cylinder(0.032, 0.12, top=0.026, axis="z").move(span * x, -1.0 * r, sweep * x - 0.1).mirror()
            for x in positions
        ]
        for pod in pods:
            yield Part("engines", pod, trim)
    elif kind == "propeller":
        yield Part("propeller", box(0.03, 0.3, 0.01).ring(2, "z", 180).turn("z", d(0, 90)).move(z=-0.5), rubber(d))
        yield Part("spinner", cylinder(0.03, 0.06, 0.0, axis="z").move(z=-0.52), trim)
        yield Part("gear", cylinder(0.03, 0.025, axis="x").move(0.1, -2 * r, -0.2).mirror(), rubber(d))
        yield Part("struts", box(0.012, 1.3 * r, 0.02).move(0.08, -1.4 * r, -0.2).mirror(), metal(d))
    else:
        yield Part("nozzle", cylinder(0.8 * r, 0.1, axis="z").move(0, 0.4 * r, 0.48), metal(d))
        yield Part("missiles", cylinder(0.012, 0.2, axis="z").move(span * 0.6, -1.0 * r, 0.12).mirror(), trim)


@recipe("rocket")
def rocket(d: Dice) -> Iterator[Part]:
    r, height, nose = d(0.07, 0.13), 1.0, d(0.68, 0.8)
    body, trim = paint(d), paint(d)
    bulge = d(0.95, 1.3)
    profile = curve(
        [(0.75 * r, 0.1), (bulge * r, 0.4), (r, nose), (0.6 * r, nose + 0.55 * (1 - nose)), (0.02, height)], 5
    )
    yield Part("body", lathe([*profile, (0, height + 0.005)]), body)
    yield Part("nose", lathe([*(profile[15:] + np.array([0.004, 0.0])), (0, height + 0.012)]), trim)
    yield Part("nozzle", lathe([(0.75 * r, 0), (0.35 * r, 0.1), (0, 0.1)]), metal(d))
    reach, sweep_down = d(0.13, 0.22), d(-0.04, 0.06)
    fin = extrude([(0.5 * r, 0.34), (r + reach, 0.1 - sweep_down), (r + reach, -0.06), (0.5 * r, 0.1)], 0.02)
    yield Part("fins", fin.ring(d.choice([3, 4])).turn("y", 90), trim)
    hatch = nose - d(0.05, 0.15)
    yield Part("hatch", torus(0.45 * r, 0.02, "z").move(y=hatch, z=-bulge * r), metal(d))
    yield Part("pane", cylinder(0.42 * r, 0.02, axis="z").move(y=hatch, z=-bulge * r), window(d))
    if d.chance(0.4):
        booster = lathe([(0.4 * r, 0.05), (0.4 * r, 0.45), (0, 0.58)]).move(x=1.4 * r)
        yield Part("boosters", booster.mirror(), metal(d))
    if d.chance():
        yield Part("bands", cylinder(bulge * r + 0.004, 0.03).row(2, y=d(0.1, 0.25)).move(y=0.4), trim)


@recipe("watercraft")
def watercraft(d: Dice) -> Iterator[Part]:
    kind = d.variant(["sail", "motor", "ship"])
    w = {"sail": d(0.24, 0.3), "motor": d(0.28, 0.34), "ship": d(0.15, 0.2)}[kind]
    h, stern, body = d(0.1, 0.14), d(0.6, 0.9), paint(d)
    half = curve([(0, -0.5), (0.32 * w, -0.3), (0.5 * w, 0), (0.5 * stern * w, 0.48)], 5)
    plan = np.concatenate([half, half[:0:-1] * np.array([-1, 1])])
    levels = [(0.0, 0.35, 0.88, 0.06), (0.35 * h, 0.8, 0.96, 0.02), (h, 1.0, 1.0, 0.0)]
    rings = [np.insert(plan * [x, z] + [0, back], 1, y, axis=1) for y, x, z, back in levels]
    yield Part("hull", loft(rings), body)
    yield Part("deck", slab(plan * np.array([0.86, 0.93]), 0.02).move(y=h), solid(d))
    rail = np.insert(plan * [0.97, 0.98], 1, h + 0.01, axis=1)
    yield Part("rail", tube(rail, 0.01, closed=True, segments=6), solid(d))
    yield from {"sail": _rigging, "motor": _cabin, "ship": _superstructure}[kind](d, w, h, body)


def _rigging(d: Dice, w: float, h: float, body: Material) -> Iterator[Part]:
    mast, at, turn, sail = d(0.75, 0.95), d(-0.1, 0.0), d(-25, 25), fabric(d)
    boom = cylinder(0.008, 0.42, axis="z").move(y=h + 0.09, z=at + 0.21)
    yield Part("mast", cylinder(0.01, mast).move(y=h + mast / 2, z=at) + boom, wood(d))
    main = plate([(0.01, 0.11), (0.42, 0.12), (0.2, 0.5 * mast), (0.01, 0.96 * mast)], 0.008)
    yield Part("mainsail", main.turn("y", turn).move(y=h, z=at), sail)
    jib = plate([(-0.47 - at, 0.03), (-0.02, 0.08), (-0.02, 0.8 * mast)], 0.008)
    yield Part("jib", jib.move(y=h, z=at), d.choice([sail, fabric(d)]))
    yield Part("cockpit", rounded_box(0.5 * w, 0.07, 0.2, 0.02).move(y=h + 0.02, z=at - 0.08), body)


def _cabin(d: Dice, w: float, h: float, body: Material) -> Iterator[Part]:
    yield Part("cabin", stack([(h, 0.7 * w, -0.25, 0.15), (h + 0.09, 0.62 * w, -0.12, 0.13)], 0.03), window(d))
    roof = stack([(h + 0.085, 0.66 * w, -0.14, 0.16), (h + 0.11, 0.6 * w, -0.11, 0.14)], 0.03)
    yield Part("cabin roof", roof, body)
    yield Part("seats", rounded_box(0.25 * w, 0.06, 0.08, 0.02).move(0.2 * w, h + 0.03, 0.27).mirror(), fabric(d))
    yield Part("outboard", rounded_box(0.08, 0.16, 0.08, 0.02).move(y=h, z=0.5), rubber(d))


def _superstructure(d: Dice, w: float, h: float, body: Material) -> Iterator[Part]:
    back, trim, panes = d(0.1, 0.2), paint(d), window(d)
    for storey in range(d.integer(2, 3)):
        y, wide, long = h + 0.07 * storey, (0.8 - 0.05 * storey) * w, 0.5 - 0.1 * storey
        yield Part("storey", rounded_box(wide, 0.07, long, 0.01).move(y=y + 0.035, z=back), trim)
        yield Part("portholes", box(wide + 0.006, 0.025, 0.02).row(8, z=0.05).move(y=y + 0.04, z=back), panes)
    funnel = cylinder(0.035, 0.16, 0.03).turn("x", 8)
    yield Part("funnels", funnel.row(d.integer(1, 3), z=0.12).move(y=h + 0.27, z=back), body)
    yard = box(0.1, 0.01, 0.01).move(y=h + 0.22, z=-0.23)
    yield Part("mast", tube([(0, h, -0.25), (0, h + 0.3, -0.22)], 0.008) + yard, metal(d))
