"""Making an entry of the leaderboard of an evaluated run, and taking its scores again from its weights."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from iebench.errors import IebenchError, UsageError
from iebench.evals.earlier import find_difference
from iebench.evals.eval_dataset import EvalDataset, open_eval_dataset
from iebench.evals.results import Results, find_results
from iebench.limits import MAX_JSON_BYTES
from iebench.models.candidates import hash_weights
from iebench.models.evaluation import evaluate
from iebench.models.runs import find_run, load, read_config_values, read_tensors
from iebench.models.shared_weights import hash_tensors
from iebench.plugins import Trust
from iebench.sharing.boards import Board, find_board, get_board, read_boards
from iebench.sharing.entry import Entry, make_entry, read_entry
from iebench.sharing.entry_checks import check_entry, check_means, is_commit_of_run
from iebench.untrusted import parse_json, read_bytes, refusals

Data = EvalDataset | str | Path


@dataclass(frozen=True)
class Again:
    """A score that was taken again.

    Attributes:
        key: of the score.
        told: what the entry says, the mean over its seeds.
        value: what it is now.
        low, high: the entry's 95 % bootstrap interval.
    """

    key: str
    told: float
    value: float
    low: float
    high: float

    @property
    def is_equal(self) -> bool:
        """Whether it is the same number."""
        return self.told == self.value

    @property
    def is_inside(self) -> bool:
        """Whether it is the same number, or lies in the interval."""
        return self.is_equal or self.low <= self.value <= self.high


def submit(
    run: str | Path,
    folder: str | Path = "leaderboard",
    *,
    data: Data | None = None,
    at: str = "",
    trust: Trust = False,
    boards: Sequence[Board] | None = None,
    device: str = "auto",
) -> Path:
    """Check the results of a run and write its entry.

    Args:
        run: folder with `results.json` and the weights, as a training or `iebench push` leaves it.
        folder: of the leaderboard's entries.
        data: the board's dataset, on which the weights are evaluated again; needed where their hash is not that in the
            results, as after a change of the network's code.
        at: where others find the run, hf://ORG/NAME@COMMIT.
        trust: whether to run code of others that the run names, as for `iebench.load`.
        boards: those that there are; those of this iebench where absent.
        device: as for `iebench.evaluate`.

    Returns:
        The path of the entry.

    Raises:
        IebenchError: results, data, protocol or weights are not as a board asks, or do not fit each other; the first
            fault is named.
    """
    _check_address(at)
    found = find_run(run)
    path = find_results(found)
    results, digest = _read_results(path)
    board = find_board(results.data, results.protocol, read_boards() if boards is None else boards, str(path))
    _check_training(found, results.training, str(path))
    entry = make_entry(results, board, hash_tensors(read_tensors(found)), digest, "hash", at)
    check_entry(entry, board)
    if hash_weights(load(found, trust)) != entry.weights["network"]:
        entry = replace(entry, bound_by="rerun")
        _check_again(entry, board, found, data, trust, device)
    return entry.write(Path(folder))


def _check_address(at: str) -> None:
    """Where others find a run is a commit, or not told."""
    if not is_commit_of_run(at or None):
        raise UsageError(
            f"--at {at!r} names no commit of a run: give the hf://ORG/NAME@COMMIT that `iebench push` printed."
        )


def _read_results(path: Path) -> tuple[Results, str]:
    """Results on their own data alone, and the SHA-256 of their file."""
    with refusals(path, "run `iebench eval` again"):
        content = read_bytes(path, MAX_JSON_BYTES)
        raw = parse_json(content, finite=False)
    results = Results.read(path)
    check_means(raw["scores"], str(path))
    data = {name: value for name, value in results.data.items() if name != "ood"}
    return replace(results, data=data), hashlib.sha256(content).hexdigest()


def _check_training(run: Path, training: dict[str, Any], what: str) -> None:
    """Results tell of the training whose config lies beside the weights."""
    config = {name: value for name, value in read_config_values(run).items() if name in training}
    if difference := find_difference({name: training[name] for name in config}, config, "training"):
        raise IebenchError(f"{what} is of another training than {run} ({difference}): evaluate this run.")


def _check_again(entry: Entry, board: Board, run: Path, data: Data | None, trust: Trust, device: str) -> None:
    if data is None:
        raise UsageError(
            f"The weights in {run}, or the code of their network, are not those of its results.json: run `iebench eval` again, "
            "or give --data to have them evaluated once more."
        )
    outside = [score for score in _score_again(entry, board, run, data, trust, device) if not score.is_inside]
    if outside:
        raise IebenchError(f"The weights in {run} do not give the scores of its results.json: {describe(outside[0])}.")


def rerun(
    path: str | Path,
    data: Data,
    run: str | Path | None = None,
    *,
    trust: Trust = False,
    boards: Sequence[Board] | None = None,
    device: str = "auto",
) -> list[Again]:
    """Take the scores of an entry again from its weights, with its seeds, by the protocol of its board.

    Args:
        path: of the entry.
        data: the board's dataset.
        run: folder or address of the run; where the entry says it is, if absent.
        trust: whether to run code of others that the run names.
        boards: those that there are; those of this iebench where absent.
        device: as for `iebench.evaluate`.

    Raises:
        IebenchError: the entry cannot be true; or data, weights or training are not those of the entry.
    """
    entry = read_entry(Path(path))
    board = get_board(entry.board, read_boards() if boards is None else boards, str(path))
    check_entry(entry, board)
    where = run or entry.weights.get("at")
    if not where:
        raise UsageError(f"{path} does not say where its weights are: give --run, a folder or hf://ORG/NAME@COMMIT.")
    found = find_run(where)
    _check_training(found, entry.training, str(path))
    if hash_tensors(read_tensors(found)) != entry.weights["tensors"]:
        raise IebenchError(
            f"{where} has other weights than {path} tells of, by their SHA-256: give those of the entry."
        )
    return _score_again(entry, board, found, data, trust, device)


def _score_again(entry: Entry, board: Board, run: Path, data: Data, trust: Trust, device: str) -> list[Again]:
    dataset = _open_data(data, board)
    results = evaluate(
        run,
        dataset,
        tasks=list(dict.fromkeys(key.partition("/")[0] for key in entry.scores if not key.startswith("ood/"))),
        seeds=_count_seeds(entry),
        epochs=board.protocol["probes"]["epochs"],
        half=board.protocol["dtype"] == "float16",
        baselines="none",
        device=device,
        trust=trust,
    )
    told, found = entry.to_results(board).scores.scores, results.scores.scores
    keys = [key for key in entry.scores if not key.startswith("ood/")]
    if missing := [key for key in keys if key not in found]:
        raise IebenchError(f"The weights in {run} have no {missing[0]}, which the entry tells of: evaluate them again.")
    return [
        Again(key, told[key].mean, found[key].mean, entry.scores[key]["low"], entry.scores[key]["high"]) for key in keys
    ]


def _open_data(data: Data, board: Board) -> EvalDataset:
    size = board.data.get("evaluated_size")
    dataset = open_eval_dataset(data, None if size == board.data.get("image_size") else size)
    if dataset.identity != board.data["identity"]:
        raise IebenchError(
            f"{data} is not the dataset of {board.title}: its identity is {dataset.identity}, and not "
            f"{board.data['identity']}; give the board's."
        )
    return dataset


def _count_seeds(entry: Entry) -> int:
    if entry.seeds != list(range(len(entry.seeds))):
        raise IebenchError(
            f"The entry of {entry.name!r:.80} has the seeds {entry.seeds}, and `iebench eval` counts from 0."
        )
    return len(entry.seeds)


def describe(score: Again) -> str:
    """A score that was taken again, in words."""
    where = "the same number" if score.is_equal else "inside" if score.is_inside else "OUTSIDE"
    return (
        f"{score.key} {score.told:.4f}, again {score.value:.4f}, interval {score.low:.4f} to {score.high:.4f}: {where}"
    )
