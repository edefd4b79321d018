"""Pictures as they are printed on packages: text, photograph-like noise, stripes, dots and bars, drawn at random."""

import string
from pathlib import Path

import matplotlib
import numpy as np
from numpy import ndarray
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

FONTS = sorted((Path(matplotlib.get_data_path()) / "fonts" / "ttf").glob("DejaVu*.ttf"))
LETTERS = string.ascii_letters + string.digits + "&%.,!-"
SIDES = (320, 1024)  # pixels, of which the object shows some hundred


def draw_print(dice: np.random.Generator) -> Image.Image:
    """A square picture."""
    side = round(log_uniform(dice, *SIDES))
    picture = Image.fromarray(draw_ground(dice, side))
    draw = ImageDraw.Draw(picture)
    for _ in range(dice.integers(4, 15)):
        draw_shape(draw, dice, side)
    for _ in range(dice.integers(8, 30)):
        draw_text(draw, dice, side)
    return picture


def log_uniform(dice: np.random.Generator, low: float, high: float) -> float:
    """A number of which the logarithm is uniform."""
    return float(np.exp(dice.uniform(np.log(low), np.log(high))))


def color(dice: np.random.Generator) -> tuple[int, ...]:
    """Red, green and blue; often black or white, as of print."""
    gray = dice.random()
    if gray < 0.3:
        return (10, 10, 10) if gray < 0.15 else (250, 250, 250)
    return tuple(int(value) for value in dice.integers(0, 256, 3))


def draw_ground(dice: np.random.Generator, side: int) -> ndarray:
    """One color, or noise of all scales around it, as of bread or wood."""
    ground = np.tile(np.array(color(dice), np.float64), (side, side, 1))
    if dice.random() < 0.5:
        tint = dice.uniform(-1, 1, 3)
        stretch = dice.choice([1, 1, 8])  # of wood
        for scale in (1, 2, 4, 8, 16, 32):
            noise = gaussian_filter(dice.standard_normal((side, side)), (scale, scale * stretch))
            ground += noise[..., None] / noise.std() * tint * dice.uniform(0, 25)
    return ground.clip(0, 255).astype(np.uint8)


def draw_shape(draw: ImageDraw.ImageDraw, dice: np.random.Generator, side: int) -> None:
    """A disk, a box, a star's outline, a wave, a screen of dots, or bars."""
    x, y, size = dice.uniform(0, side), dice.uniform(0, side), log_uniform(dice, side / 20, side / 1.5)
    kind, fill, width = dice.integers(6), color(dice), int(dice.integers(1, max(side // 60, 2)))
    if kind == 0:
        draw.ellipse((x, y, x + size, y + size * dice.uniform(0.3, 1)), fill=fill, outline=color(dice), width=width)
    elif kind == 1:
        draw.rectangle((x, y, x + size, y + size * dice.uniform(0.1, 1)), fill=fill, outline=color(dice), width=width)
    elif kind == 2:
        angles = np.arange(11) * np.pi / 5
        radii = size / 2 * np.where(np.arange(11) % 2, 0.45, 1)
        draw.line([(x + r * np.sin(a), y + r * np.cos(a)) for a, r in zip(angles, radii, strict=True)], fill, width)
    elif kind == 3:
        across = np.linspace(0, side, 60)
        draw.line([(a, y + size / 4 * np.sin(a / size * 4)) for a in across], fill, width * 3)
    elif kind == 4:
        step = log_uniform(dice, 4, side / 25)
        for a in np.arange(x, min(x + size, side), step):
            for b in np.arange(y, min(y + size / 2, side), step):
                radius = step * 0.45 * (a - x) / size
                draw.ellipse((a - radius, b - radius, a + radius, b + radius), fill=fill)
    else:
        for a in np.arange(x, x + size / 2, log_uniform(dice, 4, side / 40)):
            draw.line([(a, y), (a, y + size / 3)], fill, int(dice.integers(1, max(side // 120, 2))))


def draw_text(draw: ImageDraw.ImageDraw, dice: np.random.Generator, side: int) -> None:
    """Some lines in one of the fonts, large or small, some with an outline."""
    height = log_uniform(dice, max(side / 60, 6), side / 5)
    font = ImageFont.truetype(str(dice.choice([str(path) for path in FONTS])), height)
    long, lines = int(dice.integers(3, 14)), int(dice.integers(1, 6))
    text = "\n".join("".join(dice.choice(list(LETTERS), long)) for _ in range(lines if height < side / 15 else 1))
    place = (dice.uniform(-0.1, 0.8) * side, dice.uniform(0, 0.95) * side)
    outline = int(height / 12) if dice.random() < 0.3 else 0
    draw.multiline_text(place, text, color(dice), font, stroke_width=outline, stroke_fill=color(dice))
