"""How scores grow with compute, and what that would mean for the published setting.

    python benchmarks/studies/scaling.py [--work FOLDER] [--data FOLDER] [--results FOLDER] [--table FOLDER] [--jobs 2]

SIE, VICReg and SimCLR train on `mini` for fewer steps than in the table (seed 20, which that does not use); the table's runs
are the longest. A logistic curve of the score over the logarithm of compute is fitted to each; runs of another width, with
smaller images or with fewer objects, which are scored on all, are shown beside it and not fitted. Compute is that of the
backbone: three forward passes for each image. What is done stays done; small files are kept under results/scaling, of which
results/scaling.svg and scaling.md are made. A score that no interval tells from a constant's in the longest run, or that has
fallen by then, has no curve.
"""

import argparse
import math
import re
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy import ndarray
from runs import ROOT, is_kept, read_options, render, side_by_side, train_and_evaluate
from scipy.optimize import curve_fit
from torch.utils.flop_counter import FlopCounterMode

from iebench.evals.published import read_published
from iebench.evals.results import Results
from iebench.models.backbones import build_backbone
from iebench.render.presets import PRESETS

SEED, METHODS, PROBE_EPOCHS = 20, ("sie", "vicreg", "simclr"), 100
OBJECTS = PRESETS["mini"].settings["objects_per_class"]
LENGTHS = {f"{steps}-steps": ["--steps", str(steps)] for steps in (125, 250, 500, 1000)}
OTHERWISE = {  # shown, not fitted
    "twice-the-width": ["--steps", "500", "--backbone", "resnet18"],
    "32-px": ["--steps", "1000", "--size", "32"],
    "half-the-objects": ["--steps", "1000"],
    "quarter-of-the-objects": ["--steps", "1000"],
}
FEWER = {"half-the-objects": 2, "quarter-of-the-objects": 4}  # of which all are among those of `mini`
SCORES = {"rotation/whole/r2_uniform": "rotation R², uniform", "classification/whole/top1": "top-1"}
TRAIN_OBJECTS = 41_910  # 52 462 objects of the release but the 10 552 of its list of val images
PROTOCOL = re.compile(r"3DIEBench, ResNet-18, (\d+) px, (\d+) epochs")
DRAWS, GRID = 500, np.geomspace(1e12, 1e19, 141)


@dataclass(frozen=True)
class Point:
    """A score at an amount of compute.

    Attributes:
        compute: floating-point operations of the training.
        score: the value.
        error: its standard error over objects and seeds.
    """

    compute: float
    score: float
    error: float


def main() -> None:
    """Make what is missing, then draw."""
    data, table = ROOT / "data" / "table" / "data", ROOT / "results" / "mini"
    options = read_options(__doc__, "scaling", "scaling", data=str(data), table=str(table))
    data = Path(options.data)
    render(data, options)
    for size, times in FEWER.items():
        if not all(is_kept(options, name_run(size, method)) for method in METHODS):
            render(options.work / size, options, "--objects-per-class", str(OBJECTS // times))
    side_by_side(lambda run: make_run(*run, data, options), list_runs(), options)
    draw(options)


def list_runs() -> list[tuple[str, str]]:
    """(size, method) of all runs."""
    return [(size, method) for size in LENGTHS | OTHERWISE for method in METHODS]


def make_run(size: str, method: str, data: Path, options: argparse.Namespace) -> None:
    """Train and evaluate one method at one size."""
    train = [method, "--seed", str(SEED), *(LENGTHS | OTHERWISE)[size]]
    evaluate = ["--tasks", "classification,rotation", "--epochs", str(PROBE_EPOCHS)]
    seen = options.work / size if size in FEWER else data
    train_and_evaluate(options, name_run(size, method), seen, train, evaluate, data)


def name_run(size: str, method: str) -> str:
    """Folder of a run."""
    return f"{method}-{size}"


def find_runs(options: argparse.Namespace, method: str) -> tuple[list[Results], list[Results]]:
    """Runs that are fitted, the table's at the end, and those that are only shown."""
    table = sorted(Path(options.table).glob(f"{method}-[0-9]*/results.json"))
    fitted = [path for size in LENGTHS for path in options.results.glob(f"{name_run(size, method)}/results.json")]
    shown = [path for size in OTHERWISE for path in options.results.glob(f"{name_run(size, method)}/results.json")]
    return [Results.read(path) for path in [*fitted, *table]], [Results.read(path) for path in shown]


def find_points(options: argparse.Namespace, method: str, key: str) -> list[list[Point]]:
    """Points that are fitted and points that are only shown; how far seeds lie apart is known of the longest runs."""
    fitted, shown = find_runs(options, method)
    steps = max((run.training["trainer"]["steps"] for run in fitted), default=0)
    longest = [run.scores.scores[key].mean for run in fitted if run.training["trainer"]["steps"] == steps]
    over_seeds = statistics.stdev(longest) if len(longest) > 1 else 0.0
    return [[measure(run, key, over_seeds) for run in runs] for runs in (fitted, shown)]


def measure(results: Results, key: str, over_seeds: float) -> Point:
    """A run's score at its compute."""
    trainer, score = results.training["trainer"], results.scores.scores[key]
    side = trainer["size"] or results.data["image_size"]
    images = 2 * trainer["steps"] * trainer["batch_size"]
    operations = images * count_operations(results.training["method_settings"]["backbone"], side)
    assert score.low is not None and score.high is not None, "one seed of the probes, so there is an interval"
    return Point(operations, score.mean, math.hypot((score.high - score.low) / 3.92, over_seeds))


@cache
def count_operations(backbone: str, side: int) -> float:
    """Of a training step for one image: three times those of the forward pass."""
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        build_backbone(backbone).eval()(torch.zeros(1, 3, side, side))
    return 3.0 * counter.get_total_flops()


def logistic(decades: ndarray, rate: float, middle: float) -> ndarray:
    """A score between 0 and 1 that is a half at `middle`."""
    return 1 / (1 + np.exp(-rate * (decades - middle)))


def fit(points: list[Point]) -> ndarray | None:
    """The curve on GRID, and beside it the 95 % band of a parametric bootstrap; None where a growing one fits none."""
    if len(points) < 3 or points[-1].score - 1.96 * points[-1].error <= 0 or _falls(points):
        return None
    decades, scores, errors = (np.array(column) for column in zip(*map(as_decades, points), strict=True))
    noise = np.random.default_rng(0).standard_normal((DRAWS, len(points)))
    curves = np.array([fit_once(decades, scores + errors * draw, errors) for draw in (0 * noise[0], *noise)])
    return np.array([curves[0], *np.quantile(curves[1:], (0.025, 0.975), axis=0)])


def _falls(points: list[Point]) -> bool:
    """Whether a shorter run is above the longest by more than the intervals of both allow."""
    best, last = max(points, key=lambda point: point.score), points[-1]
    return best.score - last.score > 1.96 * math.hypot(best.error, last.error)


def as_decades(point: Point) -> tuple[float, float, float]:
    """Logarithm of compute, score and error."""
    return float(np.log10(point.compute)), point.score, point.error


def fit_once(decades: ndarray, scores: ndarray, errors: ndarray) -> ndarray:
    """The curve on GRID by weighted least squares."""
    bounds = ([0, 10], [10, 30])
    parameters, _ = curve_fit(logistic, decades, scores, (1.0, 16.0), errors, bounds=bounds)
    return logistic(np.log10(GRID), *parameters)


def published_points(method: str, key: str) -> Iterator[tuple[float, float]]:
    """What papers report of a method on 3DIEBench: compute and score; of R² only uniform ones."""
    is_class = key.startswith("class")
    for row in read_published():
        setting = PROTOCOL.search(row.protocol)
        value = row.get("top1" if is_class else "rotation_r2:uniform")
        if setting and value and row.method.lower() == method and row.transform in ("none", "rotation"):
            side, epochs = map(int, setting.groups())
            compute = 2 * epochs * TRAIN_OBJECTS * count_operations("resnet18", side)
            yield compute, float(value) / (100 if is_class else 1)


def draw(options: argparse.Namespace) -> None:
    """One panel for each score: runs, curves, and what papers report; and a table of what the curves say there."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, len(SCORES), figsize=(11, 4), layout="constrained")
    lines = ["| score | method | curve at the published compute | papers |", "|---|---|--:|--:|"]
    for panel, (key, title) in zip(panels, SCORES.items(), strict=True):
        for index, method in enumerate(METHODS):
            fitted, shown = find_points(options, method, key)
            curve, papers = fit(fitted), list(published_points(method, key))
            draw_method(panel, f"C{index}", method, fitted, shown, curve, papers)
            lines += describe(title, method, curve, papers)
        panel.set(xscale="log", xlabel="floating-point operations of the training", ylabel=title, ylim=(-0.05, 1.02))
        panel.grid(alpha=0.3)
    panels[0].legend(frameon=False, loc="upper left")
    figure.savefig(options.results.with_suffix(".svg"), metadata={"Date": None})
    options.results.with_suffix(".md").write_text("\n".join(lines) + "\n")


def draw_method(panel, color, method, fitted, shown, curve, papers) -> None:  # type: ignore[no-untyped-def]
    """Runs as dots (hollow where not fitted), papers as stars, the curve dotted beyond the runs, and its band."""
    style = {"color": color, "capsize": 2}
    for points, marker in ((fitted, {"fmt": "o", "label": method}), (shown, {"fmt": "o", "mfc": "none"})):
        if points:
            compute, score, error = zip(*((p.compute, p.score, 1.96 * p.error) for p in points), strict=True)
            panel.errorbar(compute, score, error, **style, **marker)
    if papers:
        panel.plot(*zip(*papers, strict=True), "*", color=color, markersize=11)
    if curve is not None:
        inside = np.searchsorted(GRID, 1.2 * max(point.compute for point in fitted))
        panel.plot(GRID[:inside], curve[0][:inside], color=color)
        panel.plot(GRID, curve[0], ":", color=color)
        panel.fill_between(GRID, curve[1], curve[2], color=color, alpha=0.12, linewidth=0)


def describe(title: str, method: str, curve: ndarray | None, papers: list[tuple[float, float]]) -> Iterator[str]:
    """A line for each compute at which papers report the method."""
    for compute in sorted({compute for compute, _ in papers}):
        told = ", ".join(f"{score:.3f}" for at, score in papers if at == compute)
        said = "no curve"
        if curve is not None:
            middle, low, high = (np.interp(np.log10(compute), np.log10(GRID), line) for line in curve)
            said = f"{middle:.2f} [{low:.2f}, {high:.2f}]"
        yield f"| {title} | {method}, {compute:.1e} operations | {said} | {told} |"


if __name__ == "__main__":
    main()
