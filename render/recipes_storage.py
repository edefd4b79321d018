"""Recipes for what things are kept in. The floor is at y = 0."""

from collections.abc import Iterator

import numpy as np

from iebench.render.dice import Dice
from iebench.render.materials import (
    Material,
    fabric,
    hard,
    label,
    lamp_glow,
    metal,
    paint,
    plastic,
    rubber,
    solid,
    wicker,
    window,
    wood,
)
from iebench.render.recipe import Part, recipe
from iebench.render.recipe_parts import four_legs, sticker
from iebench.render.shapes import (
    Shape,
    ball,
    block,
    box,
    curve,
    cylinder,
    join,
    lathe,
    loft,
    rounded_box,
    stack,
    superellipse,
    torus,
    tube,
)


@recipe("basket")
def basket(d: Dice) -> Iterator[Part]:
    w, depth, h = 1.0, d(0.6, 0.95), d(0.34, 0.5)
    weave, foot, power = wicker(d), d(0.65, 0.85), d(2.0, 6.0)
    sizes = [(0.0, foot - 0.04), (0.03, foot), (h, 1.0), (h, 0.92), (0.06, foot - 0.08)]
    rings = []
    for y, k in sizes:
        flat = superellipse(k * w, k * depth, power, 40)
        rings.append(np.column_stack([flat[:, 0], np.full(40, y), flat[:, 1]]))
    yield Part("basket", loft(rings), weave, "upright")
    edge = superellipse(0.97 * w, 0.97 * depth, power, 40)
    rope = np.column_stack([edge[:, 0], np.full(40, h), edge[:, 1]])
    yield Part("rim", tube(rope, 0.035, closed=True), wood(d) if d.chance() else weave)
    if d.chance(0.65):
        angle = np.radians(np.linspace(0, 180, 19))
        arch = np.column_stack([0.47 * w * np.cos(angle), h - 0.05 + d(0.35, 0.55) * np.sin(angle), 0 * angle])
        yield Part("handle", tube(arch, 0.035), wood(d))
    else:
        loop = curve(
            [
                (0.46 * w, h - 0.03, 0.16),
                (0.54 * w, h + 0.14, 0.1),
                (0.54 * w, h + 0.14, -0.1),
                (0.46 * w, h - 0.03, -0.16),
            ],
            5,
        )
        yield Part("handles", tube(loop, 0.03).mirror(), wood(d))
    if d.chance():
        for _ in range(d.integer(3, 5)):
            x, z, size = d(0.05, 0.25), d(-0.15, 0.15), d(0.2, 0.3)
            yield Part("fruit", ball(size).move(x, h - 0.08, z) + ball(size).move(-x, h - 0.08, -z), plastic(d))


@recipe("bookshelf")
def bookshelf(d: Dice) -> Iterator[Part]:
    shelves = d.integer(3, 5)
    w, depth, pitch, t = d(0.5, 0.95), d(0.22, 0.3), d(0.22, 0.28), 0.03
    h = shelves * pitch
    frame = solid(d)
    yield Part("sides", box(t, h + t, depth).move(x=w / 2, y=h / 2 + t / 2).mirror(), frame)
    yield Part("shelves", box(w, t, depth).row(shelves + 1, y=pitch).move(y=h / 2 + t / 2), frame)
    if d.chance(0.35):
        yield Part("back", box(w, h, 0.012).move(y=h / 2, z=depth / 2 - 0.02), solid(d))
    books: list[list[Shape]] = [[], [], [], []]
    for shelf in range(shelves):
        x = -w / 2 + t
        while x < w / 2 - 0.1:
            thick, tall = d(0.025, 0.055), d(0.55, 0.85) * pitch
            deep = d(0.6, 0.8) * depth
            if d.chance(0.85):
                book = box(thick, tall, deep).move(x + thick / 2, shelf * pitch + t + tall / 2, -0.4 * depth + deep / 2)
                d.choice(books).append(book)
            x += thick + 0.004
    for volumes in filter(None, books):
        yield Part("books", join(volumes), plastic(d))


@recipe("cabinet")
def cabinet(d: Dice) -> Iterator[Part]:
    tall = d.variant([False, False, True])
    w, h, depth = (d(0.6, 0.8), d(0.95, 1.2), d(0.35, 0.45)) if tall else (d(0.9, 1.2), d(0.5, 0.7), d(0.35, 0.45))
    body, doors, knob = solid(d), solid(d), metal(d)
    lift, front = d(0.12, 0.22), -depth / 2
    yield Part("body", block((-w / 2, w / 2), (lift, lift + h), (front, depth / 2)), body)
    yield Part("top", box(1.06 * w, 0.035, 1.08 * depth).move(y=lift + h + 0.015), body)
    yield Part("legs", four_legs(w, depth, lift, 0.07, d.chance(), d(0.5, 1.0)), body)
    cross = box(0.06, np.hypot(w, h) * 0.9, 0.02)
    slant = np.degrees(np.arctan2(w, h))
    yield Part("back braces", (cross.turn("z", slant) + cross.turn("z", -slant)).move(y=lift + h / 2, z=-front), doors)
    columns, drawer = 2 if tall else d.integer(2, 3), d(0.16, 0.24) * h if d.chance(0.6) else 0.0
    cell = w / columns
    leaf = rounded_box(0.92 * cell, h - drawer - 0.06, 0.03, 0.01).row(columns, x=cell)
    middle = lift + (h - drawer) / 2
    yield Part("doors", leaf.move(y=middle, z=front - 0.01), doors)
    panel = box(0.62 * cell, 0.7 * (h - drawer - 0.06), 0.02).row(columns, x=cell)
    yield Part("panels", panel.move(y=middle, z=front - 0.022), window(d) if d.chance(0.35) else body)
    if drawer:
        yield Part(
            "drawers",
            rounded_box(0.92 * cell, drawer - 0.03, 0.03, 0.01)
            .row(columns, x=cell)
            .move(y=lift + h - drawer / 2, z=front - 0.01),
            doors,
        )
        yield Part("drawer knobs", ball(0.04).row(columns, x=cell).move(y=lift + h - drawer / 2, z=front - 0.04), knob)
    handle = cylinder(0.014, 0.14) if d.chance() else ball(0.045)
    positions = [(i - (columns - 1) / 2) * cell + (0.38 if i % 2 == 0 else -0.38) * cell for i in range(columns)]
    yield Part("handles", join(handle.move(x, middle, front - 0.045) for x in positions), knob)


@recipe("file cabinet")
def file_cabinet(d: Dice) -> Iterator[Part]:
    drawers = d.integer(2, 4)
    w, depth, pitch = 0.42, d(0.45, 0.6), d(0.26, 0.3)
    h, front = drawers * pitch, -depth / 2
    body, steel, card = d.choice([metal, paint, plastic])(d), metal(d), lamp_glow(d)
    yield Part("body", block((-w / 2, w / 2), (0.0, h + 0.03), (front, depth / 2)), body)
    yield Part("castors", ball(0.08).move(0.42 * w, -0.03, 0.4 * depth).mirror("x").mirror("z"), rubber(d))
    yield Part("back ribs", box(0.05, 0.9 * h, 0.03).row(3, x=0.3 * w).move(y=h / 2, z=-front), steel)
    opened = d.integer(0, drawers - 1) if d.chance(0.6) else -1
    pull = d(0.5, 0.8) * depth
    fronts, handles, cards = [], [], []
    for i in range(drawers):
        y, z = (i + 0.5) * pitch + 0.015, front - (pull if i == opened else 0.0)
        fronts.append(rounded_box(0.93 * w, 0.9 * pitch, 0.03, 0.01).move(y=y, z=z - 0.01))
        handles.append(
            tube(
                [
                    [-0.07, y - 0.03, z - 0.02],
                    [-0.07, y - 0.03, z - 0.06],
                    [0.07, y - 0.03, z - 0.06],
                    [0.07, y - 0.03, z - 0.02],
                ],
                0.013,
            )
        )
        cards.append(box(0.12, 0.05, 0.012).move(y=y + 0.05, z=z - 0.025))
    yield Part("drawers", join(fronts), body if d.chance() else hard(d))
    yield Part("handles", join(handles), steel)
    yield Part("cards", join(cards), card)
    yield Part("lock", cylinder(0.018, 0.02, axis="z").move(0.38 * w, h - 0.01, front - 0.02), steel)
    if opened >= 0:
        y, z = (opened + 0.5) * pitch, front - pull / 2
        trough = box(0.02, 0.6 * pitch, pull).move(x=0.42 * w).mirror() + box(0.86 * w, 0.02, pull).move(y=-0.3 * pitch)
        yield Part("drawer", trough.move(y=y, z=z), steel)
        yield Part(
            "folders",
            box(0.78 * w, 0.72 * pitch, 0.012).turn("x", 8).row(d.integer(5, 8), z=pull / 9).move(y=y + 0.03, z=z),
            fabric(d),
        )


@recipe("trash bin")
def trash_bin(d: Dice) -> Iterator[Part]:
    yield from d.variant([_pedal_bin, _wheeled_bin, _wire_bin])(d)


def _pedal_bin(d: Dice) -> Iterator[Part]:
    r, h, tilt = d(0.25, 0.32), d(0.75, 0.9), d.choice([0.0, d(30, 70)])
    yield Part("body", cylinder(r, h, segments=32).move(y=h / 2), hard(d))
    lid = lathe([(r, 0), (r, 0.05), (0.7 * r, 0.15), (0, 0.19)]).move(z=-r).turn("x", tilt)
    yield Part("lid", lid.move(y=h, z=r), hard(d))
    yield Part("mouth", cylinder(0.9 * r, 0.02).move(y=h), rubber(d))
    yield Part("pedal", box(0.2, 0.03, 0.2).move(y=0.05, z=-r - 0.06), metal(d))
    yield Part("base", cylinder(1.06 * r, 0.06).move(y=0.03), rubber(d))
    yield Part("print", sticker(r + 0.004, 0.35 * h, 0.7 * h, 70), label(d), "front")


def _wheeled_bin(d: Dice) -> Iterator[Part]:
    w, depth, h, body = d(0.42, 0.5), d(0.46, 0.56), d(0.85, 1.0), hard(d)
    half, tilt = depth / 2, d.choice([0.0, 0.0, d(50, 95)])
    yield Part("body", stack([(0.04, 0.76 * w, -0.8 * half, 0.76 * half), (h, w, -half, half)], 0.04), body)
    edge = -depth - 0.04
    cover = stack([(0, 1.08 * w, edge, 0.02), (0.03, 1.08 * w, edge, 0.02), (0.09, 0.8 * w, 0.8 * edge, -0.05)], 0.04)
    yield Part("lid", cover.turn("x", tilt).move(y=h, z=half), hard(d))
    yield Part("mouth", box(0.86 * w, 0.02, 0.86 * depth).move(y=h - 0.005), rubber(d))
    yield Part("wheels", cylinder(0.1, 0.06, axis="x").move(0.42 * w, 0.1, 0.84 * half).mirror(), rubber(d))
    holders = box(0.03, 0.04, 0.1).move(0.35 * w, h - 0.04, half + 0.02).mirror()
    yield Part("bar", cylinder(0.022, 0.8 * w, axis="x").move(y=h - 0.04, z=half + 0.06) + holders, body)
    notice = box(0.5 * w, 0.3 * h, 0.02).turn("x", -4)
    yield Part("print", notice.move(y=0.62 * h, z=-0.93 * half), label(d), "front")


def _wire_bin(d: Dice) -> Iterator[Part]:
    r, foot, h, wire = d(0.36, 0.44), d(0.26, 0.32), d(0.7, 0.85), hard(d)
    post = tube([(foot, 0.02, 0), (r, h, 0)], 0.013, segments=5).ring(d.integer(16, 22))
    hoops = join(torus(foot + (r - foot) * t, 0.03).move(y=0.02 + (h - 0.02) * t) for t in (0.02, 0.35, 0.7, 1.0))
    yield Part("mesh", post + hoops, wire)
    yield Part("floor", cylinder(foot, 0.03).move(y=0.02), wire)
    outside = [(0.9 * foot, 0.05), (0.93 * r, h), (r + 0.02, h + 0.02), (r + 0.03, h - 0.08)]
    inside = [(r + 0.015, h - 0.08), (r + 0.005, h), (0.9 * r, h - 0.02), (0.85 * foot, 0.1)]
    yield Part("bag", lathe([(0, 0.04), *outside, *inside, (0, 0.09)]), hard(d))
    notice = box(0.2, 0.2, 0.02).turn("x", -8)
    yield Part("print", notice.move(y=0.55 * h, z=-0.55 * (foot + r) + 0.01), label(d), "front")
    scraps = [ball(d(0.12, 0.2)).move(d(-0.15, 0.15), h - 0.1, d(-0.15, 0.15)) for _ in range(4)]
    yield Part("scraps", join(scraps), Material("paper", (0.8, 0.8, 0.76)))
