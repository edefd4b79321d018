"""Which order the colour channels of given images are in, measured by the floor."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

ENOUGH_VIEWS = 400
_DECISIVE = 0.05  # turns of the colour circle by which the two orders must differ for a view to vote
_CERTAIN = 0.9
_FAR = 0.1  # turns: a floor that is farther from either hue is no floor of this benchmark


@dataclass
class ChannelVote:
    """Compares the floor's hue near the upper corners of images with their floor_hue.

    With red and blue swapped, a hue h is seen as 2/3 - h. Each view votes for the nearer one, unless the two are too close
    to each other. On images of the published generator the nearer one is met within 0.02 turns.
    """

    errors: list[tuple[float, float]] = field(default_factory=list)

    @property
    def done(self) -> bool:
        """Enough views have voted."""
        return len(self.errors) >= ENOUGH_VIEWS

    def add(self, image: UInt8[ndarray, "size size 3"], floor_hue: float) -> None:
        """Let one view vote."""
        if _turn(floor_hue, 2 / 3 - floor_hue) > _DECISIVE:
            hue = corner_hue(image)
            self.errors.append((_turn(hue, floor_hue), _turn(hue, 2 / 3 - floor_hue)))

    def result(self) -> tuple[str, dict[str, Any]]:
        """The order, "rgb" or "bgr", and how it was found, for the card. Without certainty it is taken to be "rgb"."""
        if not self.errors:
            return "rgb", {"found": "unknown", "views": 0}
        errors = np.array(self.errors)
        swapped = float((errors[:, 1] < errors[:, 0]).mean())
        found, agree, error = ("bgr", swapped, errors[:, 1]) if swapped > 0.5 else ("rgb", 1 - swapped, errors[:, 0])
        median = float(np.median(error))
        known = agree >= _CERTAIN and median < _FAR
        measured = {"views": len(errors), "agree": round(agree, 4), "median_hue_error": round(median, 4)}
        return found if known else "rgb", {"found": found if known else "unknown", **measured}


def corner_hue(image: UInt8[ndarray, "size size 3"]) -> float:
    """Hue in turns of the mean colour of the two upper corners, a twentieth of the image each way."""
    side = max(image.shape[0] // 20, 1)
    corners = np.concatenate([image[:side, :side], image[:side, -side:]], axis=1)
    return _hue(corners.reshape(-1, 3).mean(axis=0))


def _hue(color: Float[ndarray, "3"]) -> float:
    """Hue as the angle in the plane across the grey axis, which is close to HSV's hue and has no branches."""
    red, green, blue = color
    return float(np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue) / (2 * np.pi) % 1)


def _turn(first: float, second: float) -> float:
    """Distance on the colour circle, 0 to 0.5."""
    return abs((first - second + 0.5) % 1 - 0.5)
