"""Evaluated runs: their results and metrics, each run under a name of its own."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from iebench.evals.columns import Figure
from iebench.evals.registry import EVALUATORS
from iebench.evals.results import Results, result_files
from iebench.evals.results_checks import check_figure
from iebench.evals.series import label_of, series_of
from iebench.untrusted import read_rows, refusals


@dataclass
class EvaluatedRun:
    """One evaluated run.

    Attributes:
        name: by which the page calls it, unlike all others.
        results: its scores.
        folder: that holds its results, and perhaps its metrics and gallery.
        series: name of the first of the runs that differ from it in their seed alone.
        style: number of the series, by which plots choose color and marker.
    """

    name: str
    results: Results
    folder: Path
    series: str
    style: int


def load_runs(paths: Sequence[Path]) -> list[EvaluatedRun]:
    """The runs with their results, each once and under a name of its own.

    Raises:
        IebenchError: a run has none, or damaged ones.
    """
    runs: list[EvaluatedRun] = []
    series: dict[str, str] = {}
    for path in result_files(paths):
        results = Results.read(path)
        with refusals(path, "run `iebench eval` again"):
            check_details(results)
        name = label_of(results)
        if any(run.name == name for run in runs):
            name = f"{name}, {results.name}"
        if any(run.name == name for run in runs):
            name = f"{name}, {len(runs) + 1}"
        key = json.dumps([series_of(results), results.data], sort_keys=True)
        first = series.setdefault(key, name)
        runs.append(EvaluatedRun(name, results, path.parent, first, list(series).index(key)))
    return runs


def figures_of(results: Sequence[Results]) -> list[Figure]:
    """Our evaluators' figures, as they are today, then those that results declare beyond them."""
    ours = [figure for evaluator in EVALUATORS for figure in evaluator.figures]
    keys = {figure.key for figure in ours}
    others = (figure for one in results for figure in one.figures if figure.key not in keys)
    return [*ours, *dict.fromkeys(others)]


def check_details(results: Results) -> None:
    """Check the details that figures show.

    Raises:
        ValueError, LookupError, TypeError, AttributeError: they have another shape.
    """
    for figure in figures_of([results]):
        if (detail := figure.find(results.details)) is not None:
            check_figure(figure.kind, detail, figure.key)


def read_metrics(folder: Path) -> dict[str, list[tuple[float, float]]]:
    """The columns of a run's `metrics.csv` as (step, value); cells that are empty or not finite are left out."""
    path = folder / "metrics.csv"
    if not path.is_file():
        return {}
    curves: dict[str, list[tuple[float, float]]] = {}
    with refusals(path, "remove it, or train again"):
        for row in read_rows(path, ["step"], skip_uneven=True):
            for name, cell in row.items():
                if name != "step" and cell and math.isfinite(float(cell)):
                    curves.setdefault(name, []).append((float(row["step"]), float(cell)))
    return curves
