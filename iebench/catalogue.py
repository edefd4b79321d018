"""The 55 classes of 3DIEBench."""

import csv
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from iebench.errors import UsageError


@dataclass(frozen=True, order=True)
class ObjectClass:
    """One class of objects.

    Attributes:
        label: class index 0..54, the rank of the synset in sorted order, as in the published release.
        synset: WordNet offset, an 8-digit string.
        name: short English name, such as "trash bin".
    """

    label: int
    synset: str
    name: str


@cache
def _read_classes() -> tuple[ObjectClass, ...]:
    lines = files("iebench").joinpath("data/classes.csv").read_text(encoding="utf-8").splitlines()
    return tuple(ObjectClass(int(row["label"]), row["synset"], row["name"]) for row in csv.DictReader(lines))


CLASSES = _read_classes()
_BY_WORD = {word: entry for entry in CLASSES for word in (entry.synset, entry.name)}


def find_class(word: str) -> ObjectClass:
    """The class of a name ("chair") or a synset ("03001627").

    Raises:
        UsageError: there is no such class; the nearest name is suggested.
    """
    word = word.strip()
    found = _BY_WORD.get(word) or _BY_WORD.get(word.lower().replace("_", " ").replace("-", " "))
    if found is None:
        near = get_close_matches(word.lower(), _BY_WORD, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "`iebench classes` lists the 55 names."
        raise UsageError(f"There is no class {word!r}: {hint}")
    return found


def select_classes(text: str) -> tuple[ObjectClass, ...]:
    """The classes that `--classes` asks for, in label order.

    Args:
        text: a number n (the first n classes by label; 55 is all of them), or names and synsets with commas between.

    Raises:
        UsageError: a number outside 1..55, an unknown class, or nothing at all.
    """
    text = text.strip()
    if text.isdigit() and len(text) < 8:
        if not 1 <= int(text) <= len(CLASSES):
            raise UsageError(f"--classes {text}: give a number from 1 to {len(CLASSES)}, or names with commas between.")
        return CLASSES[: int(text)]
    words = [word for word in text.split(",") if word.strip()]
    if not words:
        raise UsageError("--classes is empty: give a number from 1 to 55, or names with commas between.")
    return tuple(sorted({find_class(word) for word in words}))
