"""Which turns leave the built-in objects of a class as they are, and what marks their front.

A symmetric object looks the same from several rotations, so its rotation can only be known up to them.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from jaxtyping import Float

from iebench.catalogue import CLASSES, ObjectClass, select_classes
from iebench.errors import UsageError


@dataclass(frozen=True)
class Symmetry:
    """One row of `data/symmetry.csv`: a class of built-in objects.

    Attributes:
        synset: WordNet offset, an 8-digit string.
        name: short English name, such as "trash bin".
        turns: how many turns about the up axis map every object of the class to itself: 1 (only the full turn),
            2 (a half turn), 4, or 0 for any turn at all.
        front: what shows on the side that faces -Z in the OBJ file.
    """

    synset: str
    name: str
    turns: int
    front: str

    def rotations(self, steps: int = 72) -> Float[np.ndarray, "turns 4"]:
        """The turns as quaternions (x, y, z, w) about Blender's up axis, z; `steps` of them where any turn will do.

        An object with rotation R looks the same with R @ S for each of these S.
        """
        count = self.turns or steps
        half = np.pi * np.arange(count) / count
        nothing = np.zeros(count)
        return np.stack([nothing, nothing, np.sin(half), np.cos(half)], axis=1)


@cache
def symmetries() -> dict[str, Symmetry]:
    """All classes of built-in objects, by synset."""
    lines = files("iebench").joinpath("data/symmetry.csv").read_text(encoding="utf-8").splitlines()
    rows = (Symmetry(row["synset"], row["name"], int(row["turns"]), row["front"]) for row in csv.DictReader(lines))
    return {row.synset: row for row in rows}


def known_turns(synset: str) -> int:
    """How many turns about z leave the built-in objects of a class as they are: 0 for any turn, 1 where none are known."""
    return symmetries()[synset].turns if synset in symmetries() else 1


def find_symmetry(synset: str) -> Symmetry:
    """The symmetry of a class of built-in objects.

    Raises:
        UsageError: there are no built-in objects of this synset.
    """
    if synset not in symmetries():
        raise UsageError(f"There are no built-in objects of synset {synset!r}: `iebench objects list` names them all.")
    return symmetries()[synset]


def built_in_classes() -> tuple[ObjectClass, ...]:
    """The classes of built-in objects: the benchmark's 55, then those added to `data/symmetry.csv`, in its order."""
    known = {entry.synset for entry in CLASSES}
    added = [row for row in symmetries().values() if row.synset not in known]
    return CLASSES + tuple(ObjectClass(len(CLASSES) + i, row.synset, row.name) for i, row in enumerate(added))


def select_built_in(text: str) -> tuple[ObjectClass, ...]:
    """The classes of built-in objects that `--classes` asks for: a number, or names and synsets with commas between.

    Raises:
        UsageError: an unknown class, or a number outside 1..55.
    """
    by_word = {word: entry for entry in built_in_classes() for word in (entry.name, entry.synset)}
    words = [word.strip() for word in text.split(",")]
    if all(word in by_word for word in words):
        return tuple(sorted({by_word[word] for word in words}))
    return select_classes(text)
