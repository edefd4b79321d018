"""Which questions the explorer puts to the predictor of every run: held-out objects, source views and turns."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from iebench.explore.selection import Shown

DEGREES = tuple(range(-180, 181, 10))
_PAIRS, _MOST_OBJECTS, _LEAST_OBJECTS = 20_000, 200, 20
_SOURCES, _STEERED_SOURCES, _STEERED_OBJECTS = 8, 4, 100


@dataclass(frozen=True)
class Questions:
    """The same for all runs, so that their answers can be compared.

    Attributes:
        candidates: places of the objects among whose views neighbours are looked for: those held out.
        places: places of the objects that are asked about, some of the candidates.
        sources: views from which embeddings are predicted.
    """

    candidates: Int[ndarray, " candidates"]
    places: Int[ndarray, " objects"]
    sources: Int[ndarray, " sources"]

    @property
    def steered_places(self) -> Int[ndarray, " steered"]:
        """Places of the objects that are steered, spread over those asked about."""
        return _spread(self.places, _STEERED_OBJECTS)

    @property
    def steered_sources(self) -> Int[ndarray, " steered_sources"]:
        """Views from which is steered."""
        return self.sources[:_STEERED_SOURCES]

    def to_page(self) -> dict[str, Any]:
        """What the pages need of it."""
        return {
            "candidates": self.candidates.astype("<u4"),
            "places": self.places.astype("<u4"),
            "sources": self.sources.tolist(),
            "steeredPlaces": self.steered_places.astype("<u4"),
            "steeredSources": self.steered_sources.tolist(),
            "degrees": DEGREES,
        }


def choose_questions(shown: Shown) -> Questions:
    """Held-out objects spread over the classes: so many that all pairs of theirs are some 20 000."""
    candidates = shown.of_split("val")
    sources = _spread(np.arange(shown.num_views), _SOURCES)
    count = min(max(_PAIRS // (len(sources) * shown.num_views), _LEAST_OBJECTS), _MOST_OBJECTS)
    return Questions(candidates, _spread(candidates, count), sources)


def _spread(values: Int[ndarray, " n"], count: int) -> Int[ndarray, " m"]:
    """So many values at even distances."""
    return values[np.linspace(0, len(values) - 1, min(count, len(values))).round().astype(int)]
