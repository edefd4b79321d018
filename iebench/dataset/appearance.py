"""What objects have lost of their appearance, `appearance.csv`: textures and materials that were named and not to be had.

While a dataset is made, the losses of an object are noted beside its sample, so that whoever goes on knows them.
"""

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from iebench.dataset.splits import ObjectName
from iebench.files import write_whole
from iebench.untrusted import read_json_list, read_rows, refusals

APPEARANCE = "appearance.csv"


class Lost(NamedTuple):
    """Something of an object's appearance that does not show.

    Attributes:
        what: "texture", "material", "material library" or "vertex colors".
        name: as the object's files give it.
    """

    what: str
    name: str


@dataclass(frozen=True)
class LostRow:
    """One row of `appearance.csv`: what one object, which is in the dataset, has lost."""

    synset: str
    object_id: str
    what: str
    name: str

    @property
    def object_name(self) -> ObjectName:
        """Of the object."""
        return self.synset, self.object_id


def join_lost(named: Sequence[Lost], unread: Sequence[Lost]) -> list[Lost]:
    """What an object has lost, each once.

    Args:
        named: by the object's files, perhaps with a path before the name.
        unread: by the program that opened them, which knows the name alone.
    """
    known = {(entry.what, re.split(r"[/\\]", entry.name)[-1]) for entry in named}
    return list(dict.fromkeys([*named, *(entry for entry in unread if entry not in known)]))


def write_lost(path: Path, rows: Sequence[LostRow]) -> None:
    """Write `appearance.csv`, in the order of the objects."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(LostRow.__annotations__), lineterminator="\n")
        table.writeheader()
        table.writerows(asdict(row) for row in rows)


def read_lost(path: Path) -> list[LostRow]:
    """The inverse of `write_lost`.

    Raises:
        IebenchError: the table is damaged.
    """
    columns = list(LostRow.__annotations__)
    with refusals(path, "restore it"):
        return [LostRow(*(row[name] for name in columns)) for row in read_rows(path, columns)]


def write_note(sample: Path, lost: Sequence[Lost]) -> None:
    """Note beside a sample, which is written after this, what its object has lost; no note where that is nothing."""
    note = sample.with_suffix(".lost")
    note.unlink(missing_ok=True)
    if lost:
        write_whole(note, json.dumps(lost))


def write_sample(path: Path, sample: bytes, lost: Sequence[Lost]) -> None:
    """Write a sample, and before it the note of what its object has lost."""
    write_note(path, lost)
    write_whole(path, sample)


def read_note(sample: Path) -> list[Lost]:
    """What the note beside a sample says."""
    note = sample.with_suffix(".lost")
    if not note.exists():
        return []
    with refusals(note, "remove it and the sample beside it"):
        return [Lost(*map(str, entry)) for entry in read_json_list(note)]


def tell_lost(objects: int) -> str:
    """One sentence on how many objects have lost something."""
    return (
        f"{objects} object{'s' if objects > 1 else ''} lost a texture or a material: {APPEARANCE} says which and what."
    )
