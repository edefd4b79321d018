"""What brings SIE's rotation score up at equal compute: each way beside the published one, with three seeds.

    python benchmarks/studies/faster.py [--work FOLDER] [--data FOLDER] [--results FOLDER] [--jobs 2]

All runs encode as many images of `mini`: half of the recipe's steps, 256 images in a step. Seeds 11 to 13, which the table does
not use. What is done stays done; small files of each run are kept under results/study-faster, and results/study-faster.md is
made of these.
"""

import argparse
import json
import statistics
from pathlib import Path

from runs import ROOT, is_kept, read_options, render, side_by_side, train_and_evaluate

from iebench.evals.results import Results
from iebench.models.recipes import RECIPES

SEEDS, METHOD, PROBE_EPOCHS = (11, 12, 13), "sie", 50
STEPS = RECIPES["mini"].trainer["steps"] // 2
KEYS = ("rotation/whole/r2_uniform", "classification/whole/top1")
WAYS: dict[str, list[str]] = {
    "one pair of 128 objects": [],
    "all 12 pairs of 4 views of 64 objects": ["--num-views", "4", "--batch-size", "64"],
    "all 56 pairs of 8 views of 32 objects": ["--num-views", "8", "--batch-size", "32"],
    "rate 3e-3": ["--learning-rate", "3e-3"],
}


def main() -> None:
    """Make what is missing."""
    options = read_options(__doc__, "study-faster", "study-faster", data=str(ROOT / "data" / "table" / "data"))
    data = Path(options.data)
    render(data, options)
    rows = [(way, seed) for seed in SEEDS for way in WAYS]
    side_by_side(lambda row: make_run(row[0], row[1], data, options), rows, options)
    write_table(options)


def name_run(way: str, seed: int) -> str:
    """Folder of a run."""
    return f"{way.replace(' ', '-')}-{seed}"


def make_run(way: str, seed: int, data: Path, options: argparse.Namespace) -> None:
    """Train and evaluate one way with one seed."""
    train = [METHOD, "--seed", str(seed), "--steps", str(STEPS), *WAYS[way]]
    evaluate = ["--tasks", "classification,rotation", "--epochs", str(PROBE_EPOCHS)]
    train_and_evaluate(options, name_run(way, seed), data, train, evaluate)


def write_table(options: argparse.Namespace) -> None:
    """Write the table: for each way the mean and deviation over seeds of rotation and class, and seconds of one core."""
    lines = ["| way | rotation R², uniform | top-1 | training, s of one core |", "|---|--:|--:|--:|"]
    for way in WAYS:
        names = [name_run(way, seed) for seed in SEEDS]
        if all(is_kept(options, name) for name in names):
            runs = [options.results / name for name in names]
            found = [Results.read(run) for run in runs]
            seconds = [json.loads((run / "cost.json").read_text())["train"]["cpu_seconds"] for run in runs]
            scores = [show([result.scores.scores[key].mean for result in found]) for key in KEYS]
            lines.append(f"| {way} | {' | '.join(scores)} | {statistics.fmean(seconds):.0f} |")
    options.results.with_suffix(".md").write_text("\n".join(lines) + "\n")


def show(values: list[float]) -> str:
    """Mean and standard deviation."""
    return f"{statistics.fmean(values):.3f} ± {statistics.stdev(values):.3f}"


if __name__ == "__main__":
    main()
