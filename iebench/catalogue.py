"""Classes of objects, and how a user picks some: the 55 of 3DIEBench, or those of any dataset or object source."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any
from unicodedata import normalize

from iebench.errors import UsageError
from iebench.files import read_table


@dataclass(frozen=True, order=True)
class ObjectClass:
    """One class of objects.

    Attributes:
        label: class index; in 3DIEBench 0..54, the rank of the synset in sorted order, as in the published release.
        synset: WordNet offset, an 8-digit string; for classes of a user's own the name of their folder.
        name: short English name, such as "trash bin".
        turns: symmetry, as the number of turns about the up axis that map every object of the class to itself: 1 (only
            the full turn), 2 (a half turn), 4, or 0 for any turn at all. None where whoever made the objects has not stated
            it, as for ShapeNet's.
    """

    label: int
    synset: str
    name: str
    turns: int | None = field(default=None, compare=False)

    def to_json(self) -> dict[str, Any]:
        """Plain values for a dataset's card; turns that are not stated are left out."""
        value = {"label": self.label, "synset": self.synset, "name": self.name}
        return value if self.turns is None else {**value, "turns": self.turns}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "ObjectClass":
        """The inverse of `to_json`.

        Raises:
            ValueError: a label or a number of turns that no class has.
        """
        entry = cls(**value)
        numbers = [entry.label, 0 if entry.turns is None else entry.turns]
        if not all(isinstance(number, int) and number >= 0 for number in numbers):
            raise ValueError(f"class {value}")
        return entry


SYNSET = re.compile(r"\d{8}")  # of WordNet
CLASSES = tuple(ObjectClass(int(row["label"]), row["synset"], row["name"]) for row in read_table("classes.csv"))
BY_SYNSET = {entry.synset: entry for entry in CLASSES}


def find_class(word: str, classes: Sequence[ObjectClass] = CLASSES) -> ObjectClass:
    """The class of a name ("chair") or a synset ("03001627").

    Raises:
        UsageError: there is no such class; the nearest name is suggested.
    """
    word = word.strip()
    by_word = {known: entry for entry in classes for known in (entry.name, entry.synset)}
    by_plain_word = {_simplify(known): entry for known, entry in by_word.items()}
    found = by_word.get(word) or by_plain_word.get(_simplify(word))
    if found is None:
        raise UsageError(f"There is no class {word!r}: {_hint(word, classes)}")
    return found


def select(text: str, classes: Sequence[ObjectClass] = CLASSES) -> tuple[ObjectClass, ...]:
    """The classes that `--classes` asks for, in label order.

    Args:
        text: a number n (the first n classes by label), or names and synsets with commas between.
        classes: those to choose from.

    Raises:
        UsageError: a number outside 1..len(classes), an unknown class, or nothing at all.
    """
    text, ordered = text.strip(), tuple(sorted(classes))
    words = [word for word in text.split(",") if word.strip()]
    mend = f"give a number from 1 to {len(ordered)}, or names with commas between."
    if not words:
        raise UsageError(f"--classes is empty: {mend}")
    if any(text in (entry.name, entry.synset) for entry in ordered):  # a name that holds a comma
        return (find_class(text, ordered),)
    if _is_count(text, ordered):
        if not 1 <= int(text) <= len(ordered):
            raise UsageError(f"--classes {text}: {mend}")
        return ordered[: int(text)]
    return tuple(sorted({find_class(word, ordered) for word in words}))


def count_labels(classes: Iterable[ObjectClass]) -> int:
    """The number of logits of a classifier: 55 where all classes are the benchmark's, else the greatest label + 1."""
    classes = set(classes)
    benchmark = {(entry.label, entry.synset) for entry in CLASSES}
    if {(entry.label, entry.synset) for entry in classes} <= benchmark:
        return len(CLASSES)
    return 1 + max(entry.label for entry in classes)


def _is_count(text: str, classes: Sequence[ObjectClass]) -> bool:
    """Whether a text is a number of classes, and not a synset or the name of a class that is a number."""
    return text.isdecimal() and len(text) < 8 and not any(text in (entry.name, entry.synset) for entry in classes)


def _simplify(word: str) -> str:
    return normalize("NFC", word).lower().replace("_", " ").replace("-", " ").strip()


def _hint(word: str, classes: Sequence[ObjectClass]) -> str:
    names = {_simplify(entry.name): entry.name for entry in classes}
    near = get_close_matches(_simplify(word), names, n=1)
    if near:
        return f"did you mean {names[near[0]]!r}?"
    return (
        "`iebench classes` lists the 55 names."
        if tuple(classes) == CLASSES
        else f"there are {', '.join(names.values())}."
    )
