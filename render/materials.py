"""What objects are made of: named materials in random colours, some with a small picture that is drawn here.

Any class may be in any colour. Colours are scene-linear RGB in [0, 1], as Blender reads `Kd`; pictures are float arrays
(rows, columns, 3) in the same colours, whose first row is the top.
"""

from collections.abc import Callable
from colorsys import hsv_to_rgb
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from iebench.render.dice import Dice

Color = tuple[float, float, float]
Picture = Float[np.ndarray, "rows columns 3"]
_SIDE = 64


@dataclass(frozen=True, eq=False)
class Material:
    """How a part looks.

    Attributes:
        name: wood, metal, ...; a word for people, not unique in an object.
        color: diffuse colour, scene-linear RGB; white where a picture carries the colours.
        gloss: weight of the mirror-like part in [0, 1].
        polish: how sharp that part is, 0 (dull) to 1 (a mirror).
        opacity: 1 is solid; glass is lower.
        picture: drawn on the part instead of the plain colour.
    """

    name: str
    color: Color
    gloss: float = 0.3
    polish: float = 0.4
    opacity: float = 1.0
    picture: Picture | None = None


def any_color(d: Dice) -> Color:
    """Any hue; greys, pales and darks among them."""
    return hsv_to_rgb(d(), d.choice([0.05, 0.3, 0.6, 0.85]) * d(0.7, 1.0), d(0.1, 0.8))


def dark_color(d: Dice) -> Color:
    """Nearly black, of any hue."""
    return hsv_to_rgb(d(), d(0.0, 0.5), d(0.01, 0.05))


def pale_color(d: Dice) -> Color:
    """Nearly white, of any hue."""
    return hsv_to_rgb(d(), d(0.0, 0.15), d(0.7, 0.9))


def contrast(d: Dice, other: Material) -> Color:
    """A colour that stands out from another material: light on dark, dark on light."""
    return dark_color(d) if _brightness(other) > 0.25 else pale_color(d)


def plastic(d: Dice, color: Color | None = None) -> Material:
    """Smooth, a little shiny."""
    return Material("plastic", color or any_color(d), gloss=0.4, polish=d(0.4, 0.8))


def paint(d: Dice, color: Color | None = None) -> Material:
    """Shiny lacquer."""
    return Material("paint", color or any_color(d), gloss=0.5, polish=d(0.6, 0.9))


def metal(d: Dice, color: Color | None = None) -> Material:
    """Grey or tinted, with a broad bright glint. It is mostly diffuse: the scene has no reflections."""
    return Material("metal", color or hsv_to_rgb(d(), d(0.0, 0.25), d(0.25, 0.7)), gloss=1.0, polish=d(0.5, 0.75))


def rubber(d: Dice) -> Material:
    """Dark and dull."""
    return Material("rubber", dark_color(d), gloss=0.1, polish=0.1)


def glass(d: Dice) -> Material:
    """See-through, tinted."""
    return Material("glass", hsv_to_rgb(d(), d(0.05, 0.6), d(0.3, 0.9)), gloss=1.0, polish=0.9, opacity=d(0.35, 0.55))


def window(d: Dice) -> Material:
    """Dark, glossy panes, as they look from outside."""
    return Material("window", hsv_to_rgb(d(0.5, 0.7), d(0.2, 0.6), d(0.02, 0.08)), gloss=1.0, polish=0.9)


def lamp_glow(d: Dice) -> Material:
    """Headlights and diffusers: nearly white."""
    return Material("light", pale_color(d), gloss=0.8, polish=0.8)


def fabric(d: Dice, color: Color | None = None) -> Material:
    """Woven, plain, striped or checked."""
    base = np.array(color or any_color(d))
    weave = 0.85 + 0.15 * d.noise(_SIDE, _SIDE, 1)
    return Material("fabric", (1.0, 1.0, 1.0), 0.05, 0.1, picture=weave * _pattern(d, base))


def leather(d: Dice) -> Material:
    """Plain and a little shiny."""
    return Material("leather", any_color(d), gloss=0.3, polish=0.5)


def wood(d: Dice) -> Material:
    """Boards with grain along the picture's rows, natural or stained."""
    tone = d(0.15, 0.7)
    base = np.array(hsv_to_rgb(d(0.04, 0.1), d(0.45, 0.75), tone) if d.chance(0.6) else any_color(d))
    rows = np.arange(_SIDE)[:, None] / _SIDE
    waves = d(0.01, 0.04) * np.sin(2 * np.pi * (np.arange(_SIDE)[None, :] / _SIDE + d()))
    grain = 0.5 + 0.5 * np.sin(2 * np.pi * (d.integer(4, 9) * (rows + waves) + d()))
    shade = 0.78 + 0.12 * grain + 0.1 * d.noise(_SIDE, 1)
    return Material("wood", (1.0, 1.0, 1.0), 0.2, 0.4, picture=shade[..., None] * base)


def stone(d: Dice) -> Material:
    """Courses of blocks, each of its own shade, with pale joints."""
    base, joint = np.array(any_color(d)), np.array(pale_color(d)) * 0.7
    picture = np.repeat(np.repeat(0.6 + 0.4 * d.noise(8, 8, 1), 8, axis=0), 8, axis=1) * base
    picture[::8] = joint
    for course in range(8):
        picture[8 * course : 8 * course + 8, 4 * (course % 2) :: 16] = joint
    return Material("stone", (1.0, 1.0, 1.0), 0.05, 0.1, picture=picture)


def wicker(d: Dice) -> Material:
    """Strands that go over and under each other."""
    base = np.array(any_color(d))
    i, j = np.indices((_SIDE, _SIDE)) // 8
    over = (i + j) % 2
    y, x = np.indices((_SIDE, _SIDE)) % 8
    round_strand = 1 - (np.where(over == 1, y, x) - 3.5) ** 2 / 16
    return Material("wicker", (1.0, 1.0, 1.0), 0.1, 0.2, picture=(0.3 + 0.7 * round_strand)[..., None] * base)


def dots(d: Dice) -> Material:
    """A perforated sheet: the front of a loudspeaker, the head of a microphone."""
    base = np.array(any_color(d))
    y, x = np.indices((_SIDE, _SIDE)) % 8
    hole = (x - 3.5) ** 2 + (y - 3.5) ** 2 < 7
    return Material("grille", (1.0, 1.0, 1.0), 0.4, 0.5, picture=np.where(hole[..., None], 0.15, 1.0) * base)


def label(d: Dice) -> Material:
    """A printed label: a coloured field, a badge above, lines of text below."""
    ground, ink = np.array(any_color(d)), np.array(any_color(d))
    ink = 0.15 * ink if ground.mean() > 0.25 else 0.4 + 0.6 * ink
    picture = np.tile(ground, (_SIDE, _SIDE, 1))
    _badge(d, picture[4:34, 14:50], ink)
    _text(d, picture[38:60, 8:56], ink)
    return Material("label", (1.0, 1.0, 1.0), 0.3, 0.5, picture=picture)


def screen(d: Dice) -> Material:
    """A display that shows a bar, a window with text and a picture."""
    picture = np.tile(np.array(any_color(d)) * 0.6, (_SIDE, _SIDE, 1))
    picture[:6] = pale_color(d)
    picture[12:52, 6:36] = pale_color(d)
    _text(d, picture[16:50, 9:33], np.array(dark_color(d)))
    _badge(d, picture[16:46, 38:60], np.array(any_color(d)))
    return Material("screen", (1.0, 1.0, 1.0), 0.6, 0.9, picture=picture)


def readout(d: Dice) -> Material:
    """A small dark display with bright digits."""
    picture = np.tile(np.array(dark_color(d)), (_SIDE, _SIDE, 1))
    ink = hsv_to_rgb(d(), 0.7, 0.9)
    for start in (6, 20, 36, 50):
        picture[16:48, start : start + 8] = ink
        picture[20:30, start + 2 : start + 6] = picture[34:44, start + 2 : start + 6] = picture[0, 0]
    return Material("readout", (1.0, 1.0, 1.0), 0.6, 0.9, picture=picture)


def dial(d: Dice) -> Material:
    """A clock's face, twelve marks with a double one at the top; the hands are parts of their own."""
    ground = np.array(pale_color(d) if d.chance(0.7) else dark_color(d))
    ink = 0.02 if ground.mean() > 0.3 else 0.8
    picture = np.tile(ground, (_SIDE, _SIDE, 1))
    centre = (_SIDE - 1) / 2
    for hour in range(12):
        angle, size = 2 * np.pi * hour / 12, 3 if hour % 3 == 0 else 2
        row, column = round(centre - 25 * np.cos(angle)), round(centre + 25 * np.sin(angle))
        picture[row - size : row + size, column - size // 2 : column + size // 2 + 1] = ink
    picture[14:18, 29:36] = ink
    return Material("dial", (1.0, 1.0, 1.0), 0.3, 0.6, picture=picture)


def keys(d: Dice, rows: int = 4, columns: int = 3) -> Material:
    """A pad of keys with a sign on each."""
    ground, key, ink = np.array(any_color(d)), np.array(pale_color(d)), np.array(dark_color(d))
    if d.chance():
        key, ink = ink, key
    picture = np.tile(ground * 0.5, (_SIDE, _SIDE, 1))
    high, wide = _SIDE // rows, _SIDE // columns
    for row in range(rows):
        for column in range(columns):
            top, left = row * high, column * wide
            picture[top + 2 : top + high - 1, left + 2 : left + wide - 1] = key
            picture[top + high // 2 - 1 : top + high // 2 + 2, left + wide // 2 - 2 : left + wide // 2 + 2] = ink
    return Material("keys", (1.0, 1.0, 1.0), 0.3, 0.5, picture=picture)


def solid(d: Dice) -> Material:
    """What furniture and boxes are made of: wood, paint, plastic or metal."""
    maker: Callable[[Dice], Material] = d.choice([wood, wood, paint, plastic, metal])
    return maker(d)


def cloth(d: Dice) -> Material:
    """What is soft: fabric or leather."""
    return fabric(d) if d.chance(0.6) else leather(d)


def hard(d: Dice) -> Material:
    """What appliances and tools are made of: plastic, paint or metal."""
    maker: Callable[[Dice], Material] = d.choice([plastic, paint, metal])
    return maker(d)


def _pattern(d: Dice, base: Float[np.ndarray, "3"]) -> Picture:
    kind = d.choice(["plain", "plain", "stripes", "checks"])
    second = np.array(any_color(d))
    rows, columns = np.indices((_SIDE, _SIDE)) // d.choice([4, 8])
    mark = {"plain": 0 * rows, "stripes": columns % 2, "checks": (rows + columns) % 2}[kind]
    return np.where(mark[..., None] == 1, second, base)


def _badge(d: Dice, area: Picture, ink: Float[np.ndarray, "3"]) -> None:
    """Draw a disc, a diamond or a block that fills the area."""
    y, x = (np.abs(np.linspace(-1, 1, n)) for n in area.shape[:2])
    power = d.choice([1.0, 2.0, 8.0])
    area[y[:, None] ** power + x[None, :] ** power < 0.9] = ink


def _text(d: Dice, area: Picture, ink: Float[np.ndarray, "3"]) -> None:
    """Draw ragged lines of text over the area."""
    for row in range(0, area.shape[0] - 2, 5):
        area[row : row + 2, : d.integer(area.shape[1] // 2, area.shape[1])] = ink


def _brightness(material: Material) -> float:
    return float(np.mean(material.color if material.picture is None else material.picture))
