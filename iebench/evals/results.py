"""`results.json`: every score with its seeds, its interval, and all that it depends on."""

import json
import re
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray
from torch import Tensor

from iebench.errors import IebenchError
from iebench.evals.columns import Column, Figure
from iebench.evals.evaluator import Score
from iebench.evals.results_checks import check_values
from iebench.evals.settings import GROUND_TRUTH, RANDOM_INIT
from iebench.files import write_whole
from iebench.untrusted import read_json, refusals

FORMAT = 2
_NAMES_OF_FORMAT_1 = {"oracle": GROUND_TRUTH, "random weights": RANDOM_INIT}
RESULTS = "results.json"


@dataclass
class SeedScores:
    """One score over the seeds of its probe.

    Attributes:
        values: one for each seed.
        low, high: 95 % bootstrap interval over the objects, for the first seed.
    """

    values: list[float] = field(default_factory=list)
    low: float | None = None
    high: float | None = None

    @property
    def mean(self) -> float:
        """Mean over the seeds."""
        return statistics.fmean(self.values)

    @property
    def std(self) -> float | None:
        """Sample standard deviation; None for a single value."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None


class ScoreBook:
    """Scores by key, such as "rotation/equivariant/r2_pooled"."""

    def __init__(self, scores: Mapping[str, SeedScores] | None = None) -> None:
        self.scores: dict[str, SeedScores] = dict(scores or {})

    def add(self, score: Score) -> None:
        """Note a score; one that is there already gets the value of one more seed."""
        found = self.scores.setdefault(score.key, SeedScores(low=score.low, high=score.high))
        found.values.append(float(score.value))

    def to_json(self) -> dict[str, Any]:
        """Plain values, in the order of the keys."""
        return {key: {"mean": s.mean, "std": s.std, **asdict(s)} for key, s in sorted(self.scores.items())}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "ScoreBook":
        """The inverse of `to_json`."""
        return cls({key: SeedScores(entry["values"], entry["low"], entry["high"]) for key, entry in value.items()})


@dataclass
class Results:
    """What `iebench eval` found out.

    Attributes:
        name: of what was evaluated, such as the run's.
        method: registry name, or "backbone" for a network of somebody else.
        training: settings of the training, as far as known.
        data: card of the dataset, under "ood" that of the out-of-distribution one.
        protocol: everything that could change a score.
        versions: of iebench, torch and numpy.
        parts: for each part of the representation its first and last column.
        scores: of the representation.
        baselines: name → scores.
        details: findings that are no single number.
        columns, figures: what the evaluators declared, so that a table or page needs no code but ours.
    """

    name: str
    method: str
    training: dict[str, Any]
    data: dict[str, Any]
    protocol: dict[str, Any]
    versions: dict[str, str]
    parts: dict[str, list[int]]
    scores: ScoreBook
    baselines: dict[str, ScoreBook]
    details: dict[str, Any]
    columns: tuple[Column, ...] = ()
    figures: tuple[Figure, ...] = ()

    @property
    def symmetric_classes(self) -> set[str]:
        """Names of the classes whose objects look the same after some turn, as far as the dataset states it."""
        classes = self.data.get("classes")
        entries = classes if isinstance(classes, list) else []
        return {entry["name"] for entry in entries if entry.get("turns") not in (None, 1)}

    def get(self, key: str) -> float | None:
        """The mean of a score, or None where it was not taken."""
        score = self.scores.scores.get(key)
        return None if score is None else score.mean

    def write(self, path: str | Path) -> None:
        """Write as JSON, by rename."""
        path = Path(path)
        value: dict[str, Any] = {"format": FORMAT, **vars(self)}
        value["scores"] = self.scores.to_json()
        value["baselines"] = {name: book.to_json() for name, book in self.baselines.items()}
        value["columns"] = [asdict(column) for column in self.columns]
        value["figures"] = [asdict(figure) for figure in self.figures]
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(_plain(value), indent=1) + "\n", lasting=True)

    @classmethod
    def read(cls, path: str | Path) -> "Results":
        """Read a `results.json`, or that of a run's folder.

        Raises:
            IebenchError: there is none, or it is damaged or of another format.
        """
        path = find_results(path)
        with refusals(path, "run `iebench eval` again"):
            value = read_json(path, finite=False)  # a score may be no number, as that of one object's spread
            form = value.pop("format")
            if form not in (1, FORMAT):
                raise IebenchError(f"{path} was written by another iebench: run `iebench eval` again.")
            value = _from_format_1(value) if form == 1 else value
            check_values(value)
            value["scores"] = ScoreBook.from_json(value["scores"])
            value["baselines"] = {name: ScoreBook.from_json(book) for name, book in value["baselines"].items()}
            value["columns"] = tuple(Column(**column) for column in value.get("columns", ()))
            value["figures"] = tuple(
                Figure(**{**figure, "dashed": tuple(figure["dashed"])}) for figure in value.get("figures", ())
            )
            return cls(**value)


def result_files(paths: Iterable[str | Path]) -> list[Path]:
    """The results files of some runs or files, each once however often it is named.

    Raises:
        IebenchError: one has none.
    """
    return list({path.resolve(): path for path in map(find_results, paths)}.values())


def read_results(paths: Iterable[str | Path]) -> list[Results]:
    """The results of some runs or files, each file once.

    Raises:
        IebenchError: see `Results.read`.
    """
    return [Results.read(path) for path in result_files(paths)]


def find_results(path: str | Path) -> Path:
    """The results file that a path means: itself, or `results.json` in a run's folder.

    Raises:
        IebenchError: there is none.
    """
    path = Path(path)
    found = path / RESULTS if path.is_dir() else path
    if not found.is_file():
        raise IebenchError(f"{path} has no {RESULTS}: run `iebench eval {path}` first.")
    return found


def _plain(value: Any) -> Any:
    """A value with the numbers and arrays of numpy and torch in it as Python's."""
    if isinstance(value, Mapping):
        return {_plain(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return list(map(_plain, value))
    return value.tolist() if isinstance(value, np.generic | ndarray | Tensor) else value


def _from_format_1(value: dict[str, Any]) -> dict[str, Any]:
    """Results of format 1 under today's names."""

    def rename(book: Mapping[str, Any]) -> dict[str, Any]:
        return {re.sub(r"\bcolour/", "color/", key): entry for key, entry in book.items()}

    baselines = {_NAMES_OF_FORMAT_1.get(name, name): rename(book) for name, book in value["baselines"].items()}
    return {**value, "scores": rename(value["scores"]), "details": rename(value["details"]), "baselines": baselines}
