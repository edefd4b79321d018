"""Results that lie where new ones shall be written: kept beside them where both were taken alike, and never lost in silence."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from iebench.errors import IebenchError, UsageError
from iebench.evals.columns import Column, Figure
from iebench.evals.registry import TASKS
from iebench.evals.results import Results, ScoreBook
from iebench.untrusted import read_json

Keyed = TypeVar("Keyed", bound=Column | Figure)
Value = TypeVar("Value")
_PREFIXES = ("ood/", "layers/")  # of the scores of another dataset, and of curves over layers


def find_earlier(path: Path, basis: Mapping[str, Any], tasks: Iterable[str]) -> Results | None:
    """Results with scores of other tasks, taken as the new ones will be; None where there are none to keep.

    Args:
        path: the file of results.
        basis: what all scores in one file have in common: attributes of `Results` with their values.
        tasks: what will be scored.

    Raises:
        UsageError: there are scores of other tasks, and they were taken otherwise.
    """
    if not path.exists():
        return None
    try:
        earlier = Results.read(path)
    except IebenchError as error:
        if not _is_json(path):  # cut short: there is nothing to keep
            return None
        raise UsageError(f"{error} To write over it, remove it first; or give another --out.") from None
    done = _scored_by(tasks, "ood" in basis["data"])
    others = sorted(_tasks_of(earlier) - done)
    if not others:
        return None
    difference = find_difference({name: getattr(earlier, name) for name in basis}, json.loads(json.dumps(basis)))
    if not basis["protocol"]["weights"]:
        difference = "a function, which cannot be told from another"
    if difference:
        raise UsageError(
            f"{path} holds scores of {', '.join(others)} that would be lost, as they were taken otherwise ({difference}): "
            f"score them again too ({_by_which(others)}), or give another --out."
        )
    return earlier


def _by_which(tasks: Iterable[str]) -> str:
    """The options that name some tasks."""
    return " ".join(sorted({"--layers" if task.startswith("layers/") else "--tasks" for task in tasks}))


def _is_json(path: Path) -> bool:
    try:
        read_json(path, finite=False)
    except (ValueError, RecursionError):
        return False
    return True


def join_results(earlier: Results, new: Results, tasks: Iterable[str]) -> Results:
    """The new results, and of the earlier ones what is of other tasks; columns and figures in the order of the tasks."""
    done = _scored_by(tasks, "ood" in new.data)
    names = dict.fromkeys([*earlier.baselines, *new.baselines])
    empty = ScoreBook()
    return replace(
        new,
        scores=_join_books(earlier.scores, new.scores, done),
        baselines={
            name: _join_books(earlier.baselines.get(name, empty), new.baselines.get(name, empty), done)
            for name in names
        },
        details=_without(earlier.details, done) | new.details,
        columns=_join_keyed(earlier.columns, new.columns),
        figures=_join_keyed(earlier.figures, new.figures),
    )


def _join_books(earlier: ScoreBook, new: ScoreBook, done: set[str]) -> ScoreBook:
    return ScoreBook(_without(earlier.scores, done) | new.scores)


def _without(values: Mapping[str, Value], done: set[str]) -> dict[str, Value]:
    return {key: value for key, value in values.items() if _task_of(key) not in done}


def _join_keyed(earlier: Iterable[Keyed], new: Iterable[Keyed]) -> tuple[Keyed, ...]:
    """What evaluators declared, each entry once, in the order of the tasks."""
    order = {task: place for place, task in enumerate(TASKS)}
    entries = {entry.key: entry for entry in (*earlier, *new)}
    places = {key: order.get(_task_of(key).removeprefix("ood/"), len(order)) for key in entries}
    return tuple(sorted(entries.values(), key=lambda entry: places[entry.key]))


def _tasks_of(results: Results) -> set[str]:
    return {_task_of(key) for key in (*results.scores.scores, *results.details)}


def _scored_by(tasks: Iterable[str], with_ood: bool) -> set[str]:
    """What an evaluation of some tasks scores: those of another dataset only where there is one."""
    return {prefix + task for task in tasks for prefix in (("", "ood/") if with_ood else ("",))}


def _task_of(key: str) -> str:
    """The task with whose name a key begins, with the prefix of another dataset or of layers."""
    prefix = next((prefix for prefix in _PREFIXES if key.startswith(prefix)), "")
    return prefix + key.removeprefix(prefix).partition("/")[0]


def find_difference(earlier: Any, new: Any, name: str = "") -> str | None:
    """The first value in which two nests of dictionaries differ, by its names and with both values where they are short.

    Args:
        earlier, new: the nests.
        name: of what they are.
    """
    if isinstance(earlier, dict) and isinstance(new, dict):
        found = (find_difference(earlier.get(k), new.get(k), f"{name} {k}") for k in dict.fromkeys([*earlier, *new]))
        return next(filter(None, found), None)
    if earlier == new:
        return None
    values = [json.dumps(value) for value in (earlier, new)]
    return name.strip() + (f" {values[0]}, now {values[1]}" if max(map(len, values)) < 40 else "")
