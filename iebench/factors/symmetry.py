"""Symmetry: the turns about the up axis that map an object to itself, and the built-in classes, which state theirs.

A symmetric object looks the same from several rotations, so its rotation can only be known up to them.
"""

from functools import cache

import numpy as np
from jaxtyping import Float

from iebench.catalogue import ObjectClass
from iebench.errors import UsageError
from iebench.files import read_table

_TABLE = "symmetry.csv"


def rotations_of_turns(turns: int, steps: int = 72) -> Float[np.ndarray, "turns 4"]:
    """Turns about Blender's up axis, z, as quaternions (x, y, z, w).

    An object with rotation R looks the same with R @ S for each of these S.

    Args:
        turns: as in `ObjectClass.turns`: 1, 2, 4, …, or 0 for any turn at all.
        steps: how many quaternions stand for any turn at all.
    """
    count = turns or steps
    half = np.pi * np.arange(count) / count
    nothing = np.zeros(count)
    return np.stack([nothing, nothing, np.sin(half), np.cos(half)], axis=1)


@cache
def built_in_classes() -> tuple[ObjectClass, ...]:
    """The classes of built-in objects with their turns: the benchmark's 55, then those added to `data/symmetry.csv`."""
    rows = enumerate(read_table(_TABLE))
    return tuple(ObjectClass(label, row["synset"], row["name"], int(row["turns"])) for label, row in rows)


def find_built_in(synset: str) -> ObjectClass:
    """The class of built-in objects with this synset.

    Raises:
        UsageError: there are no built-in objects of this synset.
    """
    for entry in built_in_classes():
        if entry.synset == synset:
            return entry
    raise UsageError(f"There are no built-in objects of synset {synset!r}: `iebench objects list` names them all.")


def read_fronts() -> dict[str, str]:
    """For each synset of built-in objects, what shows on the side that faces -Z in the OBJ file."""
    return {row["synset"]: row["front"] for row in read_table(_TABLE)}
