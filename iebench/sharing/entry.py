"""An entry of the leaderboard: one small JSON file with what a row says, and by what it can be checked and taken again."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from iebench.evals.measure import ERRORS
from iebench.evals.results import Results, ScoreBook
from iebench.evals.results_checks import check_scores
from iebench.files import write_whole
from iebench.limits import MAX_PAGE_BYTES
from iebench.sharing.boards import Board, shared_protocol
from iebench.untrusted import of_type, read_json, refusals

FORMAT = 1
# Of each task the score that is 1 minus the mean of its objects' errors.
BOUND = {"classification": "top1", "rotation": "r2_uniform"}
_LIST = re.compile(r"\[\n([^\[\]{}]*?)\n *\]")  # of JSON with indents, in which no text has a line's end
_KINDS: dict[str, type] = {
    "board": str, "name": str, "method": str, "training": dict, "seeds": list, "protocol_hash": str, "versions": dict,
    "parts": dict, "scores": dict, "errors_by_object": dict, "weights": dict, "results_sha256": str, "bound_by": str,
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One row.

    Attributes:
        board: its name.
        name: of the run.
        method, training, versions, parts: as in its results.
        seeds: of its probes.
        protocol_hash: of the board's data and protocol.
        scores: those that the board asks for, by key: values, low, high.
        errors_by_object: for some scores an error for each validation object; their mean is 1 minus the score.
        weights: "network": hash of network and code at the evaluation; "tensors": SHA-256 of the weights by name; "at": where
            others find them, or empty.
        results_sha256: of the file of results.
        bound_by: how scores and weights were seen to belong together: "hash", or "rerun".
    """

    board: str
    name: str
    method: str
    training: dict[str, Any]
    seeds: list[int]
    protocol_hash: str
    versions: dict[str, str]
    parts: dict[str, list[int]]
    scores: dict[str, dict[str, Any]]
    errors_by_object: dict[str, list[float]]
    weights: dict[str, str]
    results_sha256: str
    bound_by: str

    @property
    def file_name(self) -> str:
        """Of the entry: another of other weights has another."""
        words = re.sub(r"[^a-z0-9-]+", "-", self.name.lower()).strip("-")[:60]
        return f"{self.board}--{words}--{self.weights['tensors'][:8]}.json"

    def to_json(self) -> dict[str, Any]:
        """Plain values, with their digest."""
        value = {"format": FORMAT, **asdict(self)}
        return {**value, "digest": digest_entry(value)}

    def write(self, folder: Path) -> Path:
        """Write the entry into the folder of a leaderboard; returns its path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / self.file_name
        text = json.dumps(self.to_json(), indent=1)
        write_whole(path, _LIST.sub(_on_one_line, text) + "\n")
        return path

    def to_results(self, board: Board) -> Results:
        """The row as results, as tables take them."""
        return Results(
            name=self.name,
            method=self.method,
            training=self.training,
            data=board.data,
            protocol={**board.protocol, "seeds": self.seeds},
            versions=self.versions,
            parts=self.parts,
            scores=ScoreBook.from_json(self.scores),
            baselines={},
            details={},
        )


def _on_one_line(found: re.Match[str]) -> str:
    return "[" + " ".join(line.strip() for line in found[1].split("\n")) + "]"


def digest_entry(value: Mapping[str, Any]) -> str:
    """SHA-256 of all that an entry says, whatever its white space; its own "digest" is left out."""
    content = {name: part for name, part in value.items() if name != "digest"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def read_entry(path: Path) -> Entry:
    """Read an entry. Whether what it says can be true is for `check_entry`.

    Raises:
        IebenchError: it is damaged, of another format, or was changed after it was written.
    """
    with refusals(path, "have `iebench submit` write it again"):
        value = read_json(path, MAX_PAGE_BYTES)
        if value.get("format") != FORMAT:
            raise ValueError(f"it is no entry of format {FORMAT}")
        if value.get("digest") != digest_entry(value):
            raise ValueError("it was changed after it was written, its digest is another")
        if wrong := set(value) ^ {*_KINDS, "format", "digest"}:
            raise ValueError(f"{min(wrong)!r:.40} is missing or unknown")
        for name, kind in _KINDS.items():
            of_type(value[name], kind, name)
        _check_parts(value)
        return Entry(**{name: value[name] for name in _KINDS})


def _check_parts(value: Mapping[str, Any]) -> None:
    """The types of what an entry holds, on which pages rely."""
    check_scores(value["scores"])
    texts, lists = ("versions", "weights"), ("errors_by_object", "parts")
    for names, kind in ((texts, str), (lists, list)):
        for name in names:
            for inner in value[name].values():
                of_type(inner, kind, name)
    for name in ("trainer", "method_settings", "dataset"):
        of_type(value["training"].get(name, {}), dict, name)


def make_entry(results: Results, board: Board, tensors: str, results_sha256: str, bound_by: str, at: str = "") -> Entry:
    """The entry of results.

    Args:
        results: whose scores it has.
        board: on which it stands.
        tensors: SHA-256 of the weights by name.
        results_sha256: of their file.
        bound_by: see `Entry`.
        at: where others find the weights.
    """
    keys = [key for key in board.keys if key in results.scores.scores]
    return Entry(
        board=board.name,
        name=results.name,
        method=results.method,
        training=results.training,
        seeds=results.protocol["seeds"],
        protocol_hash=Board(board.name, "", results.data, shared_protocol(results.protocol), ()).protocol_hash,
        versions=results.versions,
        parts=results.parts,
        scores={key: asdict(results.scores.scores[key]) for key in keys},
        errors_by_object=dict(_errors_of(results.details, keys)),
        weights={"network": results.protocol["weights"], "tensors": tensors, "at": at},
        results_sha256=results_sha256,
        bound_by=bound_by,
    )


def _errors_of(details: Mapping[str, Any], keys: Sequence[str]) -> list[tuple[str, list[float]]]:
    """The errors of each object behind scores that are bound by them, in the order of the objects."""
    places = {f"{task}/whole": f"{task}/whole/{score}" for task, score in BOUND.items()}
    return [
        (place, list(details[f"{place}/{ERRORS}"].values()))
        for place, key in places.items()
        if key in keys and f"{place}/{ERRORS}" in details
    ]
