"""Built-in objects: endlessly many of each class, without a download."""

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import numpy as np
from trimesh import Trimesh

from iebench.errors import UsageError
from iebench.factors.symmetry import find_built_in
from iebench.render.dice import Dice
from iebench.render.obj_file import write_obj
from iebench.render.recipe import RECIPES, Part, Recipe
from iebench.render.shapes import Shape, join

CATALOGUE_VERSION = 1
_PREFIX = f"p{CATALOGUE_VERSION}-"


@dataclass(frozen=True)
class ProceduralObject:
    """One object: its parts stand in ShapeNet's frame, Y up, front towards -Z, centred, bounding box of diagonal 1."""

    synset: str
    object_id: str
    parts: tuple[Part, ...]

    def mesh(self) -> Trimesh:
        """All parts as one mesh."""
        return join(part.shape for part in self.parts).mesh()


def object_id(index: int) -> str:
    """The id of a class's object number `index`: "p1-000007" is number 7 of catalogue version 1."""
    return f"{_PREFIX}{index:06d}"


def index_of(object_id: str) -> int:
    """The number of an object from its id.

    Raises:
        UsageError: not an id of this version of the catalogue.
    """
    number = object_id.removeprefix(_PREFIX)
    if number == object_id or not number.isdecimal():
        raise UsageError(f"There is no built-in object {object_id!r}: ids look like {_PREFIX}000007.")
    return int(number)


def export_object(synset: str, index: int, root: Path) -> Path:
    """Write an object into a ShapeNetCore v2 tree, and return the path of its OBJ file.

    Raises:
        UsageError: there is no recipe for this synset.
    """
    thing = build(synset, index)
    return write_obj(thing.parts, root / synset / thing.object_id)


def build(synset: str, index: int) -> ProceduralObject:
    """Make one object: a pure function of (synset, index, CATALOGUE_VERSION).

    Raises:
        UsageError: there is no recipe for this synset.
    """
    parts = tuple(_find_recipe(synset)(Dice(CATALOGUE_VERSION, synset, index, turn=index)))
    return ProceduralObject(synset, object_id(index), _to_unit_diagonal(parts))


@cache
def _load_recipes() -> dict[str, Recipe]:
    """All recipes: every module whose name begins with `recipes_` registers its own."""
    for module in iter_modules([str(Path(__file__).parent)]):
        if module.name.startswith("recipes_"):
            import_module(f"iebench.render.{module.name}")
    return RECIPES


def _find_recipe(synset: str) -> Recipe:
    find_built_in(synset)
    return _load_recipes()[synset]


def _to_unit_diagonal(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    corners = np.array([(part.shape.vertices.min(axis=0), part.shape.vertices.max(axis=0)) for part in parts])
    low, high = corners[:, 0].min(axis=0), corners[:, 1].max(axis=0)
    scale, centre = 1 / float(np.linalg.norm(high - low)), (low + high) / 2
    return tuple(part._replace(shape=_normalise(part.shape, centre, scale)) for part in parts)


def _normalise(shape: Shape, centre: np.ndarray, scale: float) -> Shape:
    """Shift and scale, and round away the last bits, in which two machines' sines and cosines may differ."""
    return Shape(np.round((shape.vertices - centre) * scale, 6) + 0.0, shape.faces)
