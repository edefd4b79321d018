"""`results.json`: every score with its seeds, its interval, and all that it depends on."""

import json
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from iebench.errors import IebenchError
from iebench.evals.measure import Measure

FORMAT = 1
RESULTS = "results.json"


@dataclass
class Score:
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
        return statistics.fmean(self.values)

    @property
    def std(self) -> float | None:
        """Sample standard deviation; None for a single value."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None


class ScoreBook:
    """Scores by key, such as "rotation/equivariant/r2_pooled"."""

    def __init__(self, scores: Mapping[str, Score] | None = None):
        self.scores: dict[str, Score] = dict(scores or {})

    def add(self, prefix: str, measures: Iterator[Measure], draws: int = 0) -> None:
        """Note the value of each measure, and for the first seed its interval from `draws` bootstrap draws."""
        for measure in measures:
            score = self.scores.setdefault(f"{prefix}/{measure.name}", Score())
            if draws and not score.values:
                score.low, score.high = measure.interval(draws)
            score.values.append(measure.value)

    def to_json(self) -> dict[str, Any]:
        return {key: {"mean": s.mean, "std": s.std, **asdict(s)} for key, s in sorted(self.scores.items())}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "ScoreBook":
        return cls({key: Score(entry["values"], entry["low"], entry["high"]) for key, entry in value.items()})


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
        details: scores that are no single number.
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

    def get(self, key: str) -> float | None:
        """The mean of a score, or None where it was not taken."""
        score = self.scores.scores.get(key)
        return None if score is None else score.mean

    def write(self, path: Path) -> None:
        """Write as JSON, by rename."""
        value = dict(vars(self))
        value["scores"] = self.scores.to_json()
        value["baselines"] = {name: book.to_json() for name, book in self.baselines.items()}
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps({"format": FORMAT, **value}, indent=1) + "\n", encoding="utf-8")
        partial.rename(path)

    @classmethod
    def read(cls, path: Path) -> "Results":
        """Read a `results.json`, or that of a run's folder.

        Raises:
            IebenchError: there is none, or it is damaged or of another format.
        """
        path = find_results(path)
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
            if value.pop("format") != FORMAT:
                raise IebenchError(f"{path} was written by another iebench: run `iebench eval` again.")
            value["scores"] = ScoreBook.from_json(value["scores"])
            value["baselines"] = {name: ScoreBook.from_json(book) for name, book in value["baselines"].items()}
            return cls(**value)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise IebenchError(f"{path} is damaged ({error}): run `iebench eval` again.") from None


def find_results(path: Path) -> Path:
    """The results file that a path means: itself, or `results.json` in a run's folder.

    Raises:
        IebenchError: there is none.
    """
    found = path / RESULTS if path.is_dir() else path
    if not found.is_file():
        raise IebenchError(f"{path} has no {RESULTS}: run `iebench eval {path}` first.")
    return found
