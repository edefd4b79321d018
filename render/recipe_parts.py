"""Parts that several recipes share."""

import numpy as np

from iebench.render.shapes import Shape, sweep, tube


def sticker(radius: float, low: float, high: float, arc: float) -> Shape:
    """A thin label that lies on a cylinder's front over `arc` degrees."""
    angle = np.radians(np.linspace(-arc / 2, arc / 2, 13))
    path = np.stack([np.sin(angle), np.zeros(13), -np.cos(angle)], axis=1) * radius
    return sweep(
        path + np.array([0, (low + high) / 2, 0]),
        np.array([[-0.01, -1], [0.01, -1], [0.01, 1], [-0.01, 1]]) * [1, (high - low) / 2],
    )


def four_legs(
    width: float, depth: float, height: float, thick: float, round_: bool, taper: float = 1.0, splay: float = 0.0
) -> Shape:
    """Legs at the corners of a rectangle, from the floor up to `height`."""
    x, z = width / 2 - thick / 2, depth / 2 - thick / 2
    foot = np.array([x + splay, 0, z + splay])
    leg = tube([foot, [x, height, z]], [thick / 2 * taper, thick / 2], segments=12 if round_ else 4)
    return leg.mirror("x").mirror("z")
