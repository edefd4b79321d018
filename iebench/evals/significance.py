"""Whether one method scores above another: a paired test in which both objects and runs are random.

The same objects validate all runs, so objects are paired; runs of different seeds are not. Means over objects alone would
take a lucky seed for a better method, and means over seeds alone would throw the objects away (Clark, "The
language-as-fixed-effect fallacy", 1973, on why both must be random).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy import stats

from iebench.errors import UsageError, suggest
from iebench.evals.measure import ERRORS
from iebench.evals.results import Results
from iebench.evals.series import find_by_name, label_of, series_of, weights_of


@dataclass(frozen=True)
class Comparison:
    """How much smaller the errors of one group of runs are than those of another.

    Errors are such that a score is 1 minus their mean: for a regression the squared error as a share of the variance
    (`r2_uniform`), for a classification the share of views that are named wrongly (`top1`).

    Attributes:
        score: which, such as "rotation/whole".
        difference: of the scores, first minus second.
        low, high: its 95 % interval.
        p_value: two-sided, that there is none.
        objects: that validate.
        runs: of the first and of the second.
    """

    score: str
    difference: float
    low: float
    high: float
    p_value: float
    objects: int
    runs: tuple[int, int]

    def describe(self) -> str:
        """One line."""
        interval = f"95 % interval {self.low:+.3f} to {self.high:+.3f}, p = {self.p_value:.2g}"
        caveat = "; a single run is taken to vary with its seed as the others do" if min(self.runs) == 1 else ""
        if max(self.runs) == 1:
            caveat = "; the seeds of single runs count as fixed"
        numbers = f"{self.objects} objects, {self.runs[0]} and {self.runs[1]} runs{caveat}"
        return f"{self.score}: {self.difference:+.3f}, {interval} ({numbers})"


def compare_errors(
    score: str,
    first: Float[ndarray, "runs objects"],
    second: Float[ndarray, "more_runs objects"],
    same_runs: bool = False,
) -> Comparison:
    """Compare the errors of two groups of runs on the same objects.

    The variance of the difference is the sum of a part from objects (of their mean differences, over their number) and one from
    runs: of each group's means over its number, or, of two parts of the same runs, of the runs' differences. The degrees of
    freedom are Welch and Satterthwaite's. A single run says nothing of seeds: it is taken to vary as those of the other group do,
    and where both groups have one, this is a paired t-test over objects.

    Args:
        score: for the result.
        first, second: errors.
        same_runs: whether row i of both is of one run.

    Raises:
        UsageError: there is one object, which tells nothing of others.
    """
    if first.shape[1] < 2:
        raise UsageError(f"{score} has errors of one object: compare runs that were evaluated on several.")
    gaps = second.mean(axis=0) - first.mean(axis=0)
    parts = [(gaps.var(ddof=1) / len(gaps), len(gaps) - 1)]
    groups = [second - first] if same_runs else [first, second]
    several = [group for group in groups if len(group) > 1]
    parts += [(group.mean(axis=1).var(ddof=1) / len(group), len(group) - 1) for group in several]
    if len(several) < len(groups) and several:
        parts[-1] = (
            parts[-1][0] * (1 + len(several[0])),
            parts[-1][1],
        )  # 1 / n of its variance, and all of it once more
    variance = sum(part for part, _ in parts)
    difference = float(gaps.mean())
    numbers = len(gaps), (len(first), len(second))
    if not variance:
        return Comparison(score, difference, difference, difference, float(difference == 0), *numbers)
    freedom = variance**2 / sum(part**2 / degrees for part, degrees in parts)
    reach = math.sqrt(variance) * float(stats.t.ppf(0.975, freedom))
    p_value = 2 * float(stats.t.sf(abs(difference) / math.sqrt(variance), freedom))
    return Comparison(score, difference, difference - reach, difference + reach, p_value, *numbers)


def compare_methods(results: Sequence[Results], first: str, second: str) -> list[Comparison]:
    """Compare two methods in every score that both have errors for.

    Args:
        results: of any runs.
        first, second: as the table calls them, perhaps with a part of the representation, such as "sie (rotation):equivariant".

    Raises:
        UsageError: there is no such method or part among the results, both are one, or runs differ in more than their seed.
    """
    (runs, part), (others, other_part) = (_find_runs(results, name) for name in (first, second))
    if runs == others and part == other_part:
        raise UsageError(
            f"{first} and {second} are the same: name two methods, or two parts such as {first}:equivariant."
        )
    _check_same_data([*runs, *others])
    suffix = f"/whole/{ERRORS}"
    found = []
    for task in (key.removesuffix(suffix) for key in runs[0].details if key.endswith(suffix)):
        errors, other_errors = _errors(runs, f"{task}/{part}"), _errors(others, f"{task}/{other_part}")
        if errors is not None and other_errors is not None:
            score = f"{task}/{part}" + (f" against {other_part}" if part != other_part else "")
            found.append(compare_errors(score, errors, other_errors, same_runs=runs == others))
    if not found:
        raise UsageError(
            f"{first} and {second} share no score with errors by object: run `iebench eval` again for both."
        )
    return found


def _find_runs(results: Sequence[Results], name: str) -> tuple[list[Results], str]:
    labels = sorted({label_of(result) for result in results})
    method, _, part = (name, "", "") if find_by_name(results, name) else name.rpartition(":")
    chosen = find_by_name(results, method)
    if not chosen:
        otherwise = f"there are {', '.join(labels)}."
        raise UsageError(f"There is no {name!r} among the results: {suggest(method or name, labels, otherwise)}")
    parts = ("whole", *chosen[0].parts)
    if part and part not in parts:
        raise UsageError(f"{method} has no part {part!r}: it has {', '.join(parts)}.")
    series = series_of(chosen[0])
    if any(series_of(result) != series for result in chosen):
        raise UsageError(f"The runs of {method} differ in more than their seed: name those of one training only.")
    # labels tell the transform only where retrieval was scored, and a series may have runs of both kinds
    runs = [result for result in results if series_of(result) == series]
    seeds = [result.training.get("trainer", {}).get("seed", weights_of(result)) for result in runs]
    known = [str(seed) for seed in seeds if seed != ""]
    if len(set(known)) < len(known):
        raise UsageError(
            f"Two results of {method} are of the same seed or weights, which is one run: name one of them."
        )
    return runs, part or "whole"


def _check_same_data(results: Sequence[Results]) -> None:
    first, *others = [(result.data, result.protocol["probes"]) for result in results]
    if any(other != first for other in others):
        raise UsageError("The results are of different datasets or probes: compare runs that were evaluated alike.")


def _errors(results: Sequence[Results], key: str) -> Float[ndarray, "runs objects"] | None:
    found = [result.details.get(f"{key}/{ERRORS}") for result in results]
    rows = [list(errors.values()) for errors in found if errors]
    return np.array(rows, dtype=np.float64) if len(rows) == len(results) else None
