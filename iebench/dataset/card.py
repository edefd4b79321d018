"""The card of a dataset, `dataset.json`: what it is, how it was made, and the hash of every file."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from iebench.catalogue import ObjectClass
from iebench.dataset.card_parts import (
    FileEntry,
    PresetNote,
    ShardEntry,
    SplitCounts,
    check_classes,
    check_design,
    check_files,
    check_passes,
    check_space,
    check_splits,
)
from iebench.errors import IebenchError, UsageError
from iebench.factors.designs import Design, design_from_json
from iebench.factors.space import FactorSpace
from iebench.factors.symmetry import built_in_classes
from iebench.files import write_whole
from iebench.growing import partial_root
from iebench.limits import MAX_CARD_BYTES, MAX_IMAGE_SIDE, MAX_VIEWS
from iebench.untrusted import count, of_type, parse_json, read_bytes, refusals

FORMAT = 1
CARD = "dataset.json"
MEND = "restore it, or render the dataset again"
FOCAL_LENGTH = 50.0  # millimetres, of the published camera


@dataclass(frozen=True)
class DatasetCard:
    """Everything that is known of a dataset as a whole.

    Attributes:
        name: what people call it.
        space: the factor space its latents were drawn from.
        seed: of the latents; None where they were given.
        image_size: side of every image in pixels.
        num_views: views of each object.
        quality: name of the render quality, or "imported".
        focal_length: of the camera in millimetres, on a sensor 36 mm wide.
        preset: what it was rendered after; None if no preset was named.
        design: how the views of each object are laid out; None for independent draws.
        passes: geometry that every view has beside its JPEG, see `iebench.dataset.passes`.
        source: where the objects came from, as plain values.
        settings: of the render, by which a repeated command knows its own work.
        classes: those that occur, in label order, with the symmetry that the maker of the objects states; none for an import.
        channels: order of the JPEGs' colour channels, "rgb", or "bgr" for images written with red and blue swapped.
        splits: what each split holds.
        shards: in the order of the objects.
        files: all others, by name.
        made: what may differ between machines: versions and device.
        format: of the files on disk.
    """

    name: str
    space: FactorSpace
    seed: int | None
    image_size: int
    num_views: int
    quality: str
    source: dict[str, Any]
    settings: dict[str, Any] = field(default_factory=dict)
    classes: tuple[ObjectClass, ...] = ()
    channels: str = "rgb"
    focal_length: float = FOCAL_LENGTH
    preset: PresetNote | None = None
    design: Design | None = None
    passes: tuple[str, ...] = ()
    splits: dict[str, SplitCounts] = field(default_factory=dict)
    shards: tuple[ShardEntry, ...] = ()
    files: dict[str, FileEntry] = field(default_factory=dict)
    made: dict[str, Any] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def all_files(self) -> dict[str, FileEntry | ShardEntry]:
        """All files but the card, by name: tables, then shards."""
        return {**self.files, **{shard.name: shard for shard in self.shards}}

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        classes = [entry.to_json() for entry in self.classes]
        value = {**asdict(replace(self, design=None)), "space": self.space.to_json(), "classes": classes}
        if self.design is None:
            del value["design"]  # so that an ordinary card is what it was before there were designs, and passes
        else:
            value["design"] = self.design.to_json()
        if not self.passes:
            del value["passes"]
        return value

    def content(self) -> list[Any]:
        """Plain values that tell datasets apart by what their files hold: shards and tables with their hashes."""
        value = self.to_json()
        return [value["shards"], value["files"]]

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "DatasetCard":
        """The inverse of `to_json`, also of an earlier version's.

        Raises:
            TypeError, KeyError, AttributeError, ValueError: they are no card's.
        """
        classes = [ObjectClass.from_json(entry) for entry in value.get("classes", [])]
        tables = {
            "space": FactorSpace.from_json(value["space"]),
            "classes": _state_turns(classes, value["source"].get("kind")),
            "splits": {name: SplitCounts(**counts) for name, counts in value["splits"].items()},
            "shards": tuple(ShardEntry(**entry) for entry in value["shards"]),
            "files": {name: FileEntry(**entry) for name, entry in value["files"].items()},
            "preset": _read_preset(value.get("preset")),
            "design": design_from_json(value.get("design")),
            "passes": tuple(of_type(value.get("passes", []), list, "passes")),
        }
        card = cls(**{**value, **tables})
        _check_values(card)
        return card

    def write(self, root: Path) -> None:
        """Write `dataset.json`, by rename."""
        value = self.to_json()
        value["digest"] = digest_card(value)
        write_whole(root / CARD, json.dumps(value, indent=2) + "\n", lasting=True)

    @classmethod
    def read(cls, root: Path) -> "DatasetCard":
        """Read `dataset.json`.

        Raises:
            UsageError: there is none.
            IebenchError: it is damaged, or of another format.
        """
        path = root / CARD
        if not path.exists():
            raise UsageError(_why_no_card(root))
        with refusals(path, MEND):
            content = read_bytes(path, MAX_CARD_BYTES)
        return cls.parse(content, str(path))

    @classmethod
    def parse(cls, content: bytes, path: str) -> "DatasetCard":
        """The card from its file's content; `path` is for messages.

        Raises:
            IebenchError: it is damaged, or of another format.
        """
        with refusals(path, MEND):
            value = parse_json(content)
            if value.get("format") != FORMAT:
                raise IebenchError(
                    f"{path} has format {value.get('format')!r}, and this iebench reads format {FORMAT}: "
                    "render or import the dataset again, or install the iebench that wrote it."
                )
            value.pop("digest", None)  # compared by `iebench verify` alone, so that people may edit a card
            return cls.from_json(value)


def _read_preset(value: dict[str, Any] | None) -> PresetNote | None:
    return None if value is None else PresetNote(value["name"], tuple(value["changed"]))


def _state_turns(classes: Sequence[ObjectClass], kind: str) -> tuple[ObjectClass, ...]:
    """The classes of a card, with the built-in objects' turns where an earlier version left them out."""
    if kind != "procedural" or any(entry.turns is not None for entry in classes):
        return tuple(classes)
    turns = {entry.synset: entry.turns for entry in built_in_classes()}
    return tuple(replace(entry, turns=turns.get(entry.synset)) for entry in classes)


def digest_card(value: dict[str, Any]) -> str:
    """SHA-256 of all that a card says, whatever its white space; its own "digest" is left out."""
    content = {name: entry for name, entry in value.items() if name != "digest"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _check_values(card: DatasetCard) -> None:
    """A card may come from anywhere, so what readers rely on is checked.

    Raises:
        ValueError: a number or a name that no dataset has.
    """
    count(card.image_size, 1, MAX_IMAGE_SIDE, "image_size")
    count(card.num_views, 1, MAX_VIEWS, "num_views")
    for name, kind in (("name", str), ("quality", str), ("source", dict), ("settings", dict), ("made", dict)):
        of_type(getattr(card, name), kind, name)
    if card.seed is not None:
        of_type(card.seed, int, "seed")
    if card.channels not in ("rgb", "bgr") or not 0 < of_type(card.focal_length, (int, float), "focal_length") < 1e6:
        raise ValueError(f"channels {card.channels!r}, focal_length {card.focal_length}")
    if len(card.all_files) < len(card.files) + len(card.shards) or CARD in card.all_files:
        raise ValueError("a file stands twice")
    check_files(card.all_files)
    check_splits(card.splits, card.shards)
    check_classes(card.classes)
    check_space(card.space)
    if card.design is not None:
        check_design(card.design, card.space, card.num_views)
    check_passes(card.passes)


def _why_no_card(root: Path) -> str:
    if not root.exists():
        if partial_root(root).exists():
            return f"{root} is not finished: repeat the command that began it to go on from {partial_root(root)}."
        return f"There is no dataset at {root}: give the folder that `iebench render --out` or `iebench import` wrote."
    return f"{root} holds no {CARD}, so it is no dataset: give the folder that `iebench render --out` or `iebench import` wrote."


def describe_file(path: Path) -> FileEntry:
    """Size and hash of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileEntry(path.stat().st_size, digest)
