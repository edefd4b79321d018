"""Reading `objects.csv`: which objects a dataset has."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy import ndarray

from iebench.dataset.card import MEND, DatasetCard
from iebench.limits import MAX_LABEL
from iebench.names import check_names
from iebench.untrusted import read_columns, refusals

COLUMNS = ("split", "synset", "label", "object_id", "shard")


def read_objects(path: Path, card: DatasetCard) -> dict[str, ndarray]:
    """The columns of `objects.csv`: names that can be names, each object once, splits and shards that the card knows.

    Raises:
        IebenchError: the table cannot be read, or holds what no dataset has.
    """
    with refusals(path, MEND):
        columns = read_columns(path, COLUMNS)
        _check(columns, card)
        labels = {text: _parse_label(text) for text in set(columns["label"])}
        found: dict[str, ndarray] = {name: np.array(column) for name, column in columns.items() if name != "label"}
        return {**found, "label": np.array([labels[text] for text in columns["label"]], np.int64)}


def _check(columns: Mapping[str, Sequence[str]], card: DatasetCard) -> None:
    check_names(columns["synset"])
    check_names(columns["object_id"])
    names = list(zip(columns["synset"], columns["object_id"], strict=True))
    if not names:
        raise ValueError("it has no objects")
    if len(set(names)) < len(names):
        raise ValueError(f"{'/'.join(Counter(names).most_common(1)[0][0])!r} stands twice")
    for name, known in (("shard", {shard.name for shard in card.shards}), ("split", set(card.splits))):
        if unknown := set(columns[name]) - known:
            raise ValueError(f"the card knows no {name} {min(unknown)!r}")


def _parse_label(text: str) -> int:
    label = int(text)
    if not 0 <= label <= MAX_LABEL:
        raise ValueError(f"the label {label} is none")
    return label
