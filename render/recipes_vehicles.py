"""Recipes for what moves. Lengths run along z, the nose towards -Z, the ground is at y = 0."""

from collections.abc import Iterator

from iebench.render.dice import Dice
from iebench.render.materials import Material, lamp_glow, metal, paint, rubber, window
from iebench.render.recipe import Part, recipe
from iebench.render.shapes import Shape, ball, block, box, cylinder, hull, stack, wing


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


@recipe("airplane")
def airplane(d: Dice) -> Iterator[Part]:
    kind = d.choice(["airliner", "propeller", "jet"])
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
        places = [0.35, 0.6] if d.chance(0.4) else [0.38]
        pods = [
            cylinder(0.032, 0.12, top=0.026, axis="z").move(span * x, -1.0 * r, sweep * x - 0.1).mirror()
            for x in places
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


@recipe("car")
def car(d: Dice) -> Iterator[Part]:
    kind = d.choice(["saloon", "hatchback", "van", "pickup", "sports"])
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
