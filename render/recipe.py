"""How a class of procedural objects is written down: a function of dice that yields named parts."""

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from iebench.factors.symmetry import built_in_classes
from iebench.render.dice import Dice
from iebench.render.materials import Material
from iebench.render.shapes import Shape

# How a material's picture is laid on a part:
#   grain    from the six sides, its rows along the part's longer extent, repeated
#   upright  from the six sides, its rows level, repeated
#   front    once over the part, as seen from the front;   back, top: likewise
#   around   once around the up axis, its middle at the front
Layout = Literal["grain", "upright", "front", "back", "top", "around"]


class Part(NamedTuple):
    """A named piece of an object, of one material."""

    name: str
    shape: Shape
    material: Material
    layout: Layout = "grain"


Recipe = Callable[[Dice], Iterator[Part]]
RECIPES: dict[str, Recipe] = {}


def recipe(name: str) -> Callable[[Recipe], Recipe]:
    """Register a recipe for the class of this name in `iebench/data/symmetry.csv`."""
    synset = {entry.name: entry.synset for entry in built_in_classes()}[name]

    def register(function: Recipe) -> Recipe:
        RECIPES[synset] = function
        return function

    return register
