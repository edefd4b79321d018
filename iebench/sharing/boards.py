"""Boards: which data and which protocol rows of a leaderboard must have in common, `iebench/data/boards.json`."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from iebench.errors import IebenchError
from iebench.evals.earlier import find_difference
from iebench.untrusted import parse_json

_OWN = ("seeds", "weights")  # of each row's protocol


@dataclass(frozen=True)
class Board:
    """A table in which rows compare.

    Attributes:
        name: for files.
        title: for pages.
        data: the dataset as results state it, with the identity of its content.
        protocol: how scores are taken, as results state it, without seeds and weights.
        required: keys of scores that every row has.
        together: groups of keys; a row has all scores of a group, or none.
    """

    name: str
    title: str
    data: dict[str, Any]
    protocol: dict[str, Any]
    required: tuple[str, ...]
    together: tuple[tuple[str, ...], ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of all scores that rows may have."""
        return (*self.required, *(key for group in self.together for key in group))

    @property
    def protocol_hash(self) -> str:
        """SHA-256 of data and protocol: two rows with the same one compare."""
        content = json.dumps([self.data, self.protocol], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    @property
    def num_objects(self) -> int:
        """Objects that scores are taken on."""
        return self.data["splits"]["val"]["objects"]


def read_boards() -> list[Board]:
    """The boards that this iebench knows."""
    value = parse_json(files("iebench").joinpath("data", "boards.json").read_bytes())
    return [_parse_board(board) for board in value["boards"]]


def _parse_board(value: dict[str, Any]) -> Board:
    keys = {"required": tuple(value["required"]), "together": tuple(map(tuple, value["together"]))}
    return Board(**{**value, **keys})


def find_board(data: Mapping[str, Any], protocol: Mapping[str, Any], boards: Sequence[Board], what: str) -> Board:
    """The board of some results.

    Args:
        data, protocol: as results state them.
        boards: those that there are.
        what: whose they are, for the message.

    Raises:
        IebenchError: there is none; the first difference to the nearest is told.
    """
    same = [board for board in boards if board.data.get("identity") == data.get("identity")]
    if not same:
        known = ", ".join(f"{board.title} ({board.data['identity']})" for board in boards)
        raise IebenchError(
            f"{what} is of a dataset with the identity {data.get('identity')!r:.40}, which no board has: "
            f"evaluate on one of {known}."
        )
    if difference := find_difference(same[0].data, dict(data), "data"):
        raise IebenchError(f"{what} tells of its data otherwise than they are ({difference}): evaluate again.")
    own = shared_protocol(protocol)
    found = [board for board in same if board.protocol == own]
    if not found:
        difference = find_difference(same[0].protocol, own, "protocol")
        raise IebenchError(
            f"{what} was taken otherwise than {same[0].title} asks for ({difference}): evaluate again so."
        )
    return found[0]


def get_board(name: str, boards: Iterable[Board], what: str) -> Board:
    """The board of a name.

    Raises:
        IebenchError: there is none.
    """
    for board in boards:
        if board.name == name:
            return board
    raise IebenchError(f"{what} is of the board {name!r:.60}, which this iebench does not know: install the newest.")


def shared_protocol(protocol: Mapping[str, Any]) -> dict[str, Any]:
    """What rows of a board have in common in their protocol."""
    return {name: value for name, value in protocol.items() if name not in _OWN}
