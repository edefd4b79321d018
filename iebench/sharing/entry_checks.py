"""Whether what an entry says can be true, as far as its file tells.

What binds the scores: top-1 and the uniform R² of rotation are 1 minus the mean of the errors of every validation object, and the
interval of top-1 is the bootstrap over these, which is drawn anew here. Whoever invents errors, scores and intervals that
fit each other passes; only taking the scores again from the weights tells, which is what `rerun` does.
"""

import math
import re
import statistics
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from iebench.dataset.hub import HubAddress
from iebench.errors import IebenchError, UsageError
from iebench.evals.measure import mean_of
from iebench.sharing.boards import Board
from iebench.sharing.entry import BOUND, Entry

_HASH = re.compile(r"[0-9a-f]{64}")
_ROUNDED = 1e-4  # errors by object are written with four digits
_UNIT = (0.0, 1.0)
RANGES = {  # of the last part of a key
    "r2_pooled": (-math.inf, 1.0),
    "r2_uniform": (-math.inf, 1.0),
    "median_degrees": (0.0, 180.0),
    "mean_degrees": (0.0, 180.0),
}
_SHARES = re.compile(r"top\d+|hit_at_\d+|mrr|pre|accuracy\w*|mean_per_class|share_\w+")
VERSIONS = ("iebench", "torch", "numpy", "python")
_GROWING = re.compile(r"(.*/(?:top|hit_at_))(\d+)$")  # of a larger k it is not smaller


def check_entry(entry: Entry, board: Board) -> None:
    """Check an entry against its board and against itself.

    Raises:
        IebenchError: what it says cannot be; the first fault is named.
    """
    _check_basis(entry, board)
    _check_missing(entry, board)
    _check_numbers(entry)
    _check_order(entry)
    _check_errors(entry, board)


def is_commit_of_run(at: str | None) -> bool:
    """Whether an address is hf://ORG/NAME@COMMIT, or not given."""
    if at is None:
        return True
    try:
        address = HubAddress.parse(at)
    except UsageError:
        return False
    return address.kind == "model" and address.is_pinned and not address.path


def _refuse(entry: Entry, what: str) -> IebenchError:
    return IebenchError(f"The entry of {entry.name!r:.80} is refused: {what}.")


def _check_basis(entry: Entry, board: Board) -> None:
    """Board, data, protocol, versions, seeds and hashes."""
    if entry.board != board.name or entry.protocol_hash != board.protocol_hash:
        raise _refuse(entry, f"it was not taken on the data and by the protocol of {board.title}")
    for name in VERSIONS:
        if not re.match(r"\d+\.\d+", entry.versions.get(name, "")):
            raise _refuse(entry, f"the version of {name} is missing")
    seeds = entry.seeds
    if not seeds or any(type(seed) is not int for seed in seeds) or len(set(seeds)) < len(seeds):
        raise _refuse(entry, "its seeds are no distinct whole numbers")
    hashes = (entry.weights.get("network", ""), entry.weights.get("tensors", ""), entry.results_sha256)
    if not all(map(_HASH.fullmatch, hashes)):
        raise _refuse(entry, "a hash of its weights or of its results is missing")
    if set(entry.weights) != {"network", "tensors", "at"} or not is_commit_of_run(entry.weights["at"] or None):
        raise _refuse(entry, "where its weights are is no commit of a run on the hub, nor left empty")
    if entry.bound_by not in ("hash", "rerun"):
        raise _refuse(entry, f"nothing binds its scores to its weights ({entry.bound_by!r:.20})")


def _check_missing(entry: Entry, board: Board) -> None:
    """Scores that every row has, and those that stand together."""
    if missing := [key for key in board.required if key not in entry.scores]:
        raise _refuse(entry, f"{missing[0]} is missing")
    if strange := [key for key in entry.scores if key not in board.keys]:
        raise _refuse(entry, f"{strange[0]!r:.60} is no score of {board.title}")
    for group in board.together:
        missing = [key for key in group if key not in entry.scores]
        if 0 < len(missing) < len(group):
            raise _refuse(entry, f"{missing[0]} is missing, and others that belong to it are there")
    for name in ("method", "method_settings", "trainer", "dataset"):
        if name not in entry.training:
            raise _refuse(entry, f"its training does not say {name}")
    if entry.method != entry.training["method"]:
        raise _refuse(entry, f"it is called {entry.method!r:.60}, and trained by {entry.training['method']!r:.60}")


def _check_numbers(entry: Entry) -> None:
    """As many values as seeds, within the range of their kind, with an interval around the first."""
    for key, score in entry.scores.items():
        low, high = range_of(key)
        values, ends = score["values"], [score["low"], score["high"]]
        if len(values) != len(entry.seeds):
            raise _refuse(entry, f"{key} has {len(values)} values for {len(entry.seeds)} seeds")
        if None in ends:
            raise _refuse(entry, f"{key} has no interval")
        if not all(math.isfinite(number) and low <= number <= high for number in (*values, *ends)):
            raise _refuse(entry, f"{key} is not within {low:g} to {high:g}")
        if not _is_around(ends, values[0]):
            raise _refuse(entry, f"{key} is {values[0]:.4f}, and its interval {ends[0]:.4f} to {ends[1]:.4f}")


def _is_around(ends: list[float], value: float) -> bool:
    """Whether an interval lies around a value; a bootstrap may be off by a part of its width."""
    low, high = ends
    slack = (high - low) / 4 + 1e-9
    return low <= high and low - slack <= value <= high + slack


def range_of(key: str) -> tuple[float, float]:
    """What a score can be by its kind."""
    name = key.rpartition("/")[2]
    return RANGES.get(name, _UNIT if _SHARES.fullmatch(name) else (-math.inf, math.inf))


def _check_order(entry: Entry) -> None:
    """Hits among more candidates are not fewer."""
    growing: dict[str, list[tuple[int, list[float]]]] = {}
    for key, score in entry.scores.items():
        if found := _GROWING.fullmatch(key):
            growing.setdefault(found[1], []).append((int(found[2]), score["values"]))
    for name, scores in growing.items():
        for one, other in pairwise(values for _, values in sorted(scores)):
            if any(less > more for less, more in zip(one, other, strict=True)):
                raise _refuse(entry, f"{name}… falls where it can only grow")


def _check_errors(entry: Entry, board: Board) -> None:
    """The errors of the objects give the scores that they bind, and the interval of top-1."""
    for task, name in BOUND.items():
        place = f"{task}/whole"
        errors = _as_errors(entry, place, board.num_objects)
        score = entry.scores[f"{place}/{name}"]
        if abs(1 - errors.mean() - score["values"][0]) > _ROUNDED:
            raise _refuse(
                entry,
                f"{place}/{name} is {score['values'][0]:.4f}, and its objects' errors give {1 - errors.mean():.4f}",
            )
        if name == "top1":
            drawn = mean_of(name, 1 - errors).interval(board.protocol["bootstrap_draws"])
            if max(abs(a - b) for a, b in zip(drawn, (score["low"], score["high"]), strict=True)) > _ROUNDED:
                raise _refuse(entry, f"the interval of {place}/{name} is not that of its objects' errors")


def _as_errors(entry: Entry, place: str, count: int) -> np.ndarray:
    errors = entry.errors_by_object.get(place, [])
    if len(errors) != count:
        raise _refuse(entry, f"it has errors of {len(errors)} objects for {place}, and there are {count}")
    if any(type(error) not in (int, float) or not error >= 0 for error in errors):
        raise _refuse(entry, f"an error of {place} is no number from 0")
    return np.array(errors, np.float64)


def check_means(scores: Mapping[str, Mapping[str, Any]], what: str) -> None:
    """Check that the mean and spread beside the values of results are theirs.

    Args:
        scores: as `results.json` has them.
        what: whose they are.

    Raises:
        IebenchError: one was changed.
    """
    for key, score in scores.items():
        values = score["values"]
        told = {"mean": statistics.fmean(values), "std": statistics.stdev(values) if len(values) > 1 else None}
        if any(not _are_equal(score.get(name, value), value) for name, value in told.items()):
            raise IebenchError(f"{what} is refused: mean and spread of {key} are not those of its values.")


def _are_equal(one: Any, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return isinstance(one, int | float) and (math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12) or math.isnan(one))


def check_all(entries: Iterable[tuple[Entry, Board]]) -> None:
    """Check entries, and that none has the weights of another under another name.

    Raises:
        IebenchError: see `check_entry`; or two are of the same weights.
    """
    seen: dict[tuple[str, str], str] = {}
    for entry, board in entries:
        check_entry(entry, board)
        key = (entry.board, entry.weights["tensors"])
        if key in seen:
            raise _refuse(entry, f"its weights are those of {seen[key]!r:.80}")
        seen[key] = entry.name
