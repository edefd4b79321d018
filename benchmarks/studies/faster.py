"""What brings SIE's rotation score up at equal compute: each way beside the published one, with three seeds.

    python benchmarks/studies/faster.py [--work FOLDER] [--data FOLDER] [--results FOLDER] [--jobs 2]

All runs encode as many images of `mini`: half of the recipe's steps, 256 images in a step. Seeds 11 to 13, which the table does
not use. What is done stays done; small files of each run are kept under results/study-faster, and table.md is made of these.
"""

import argparse
import json
import statistics
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from runs import iebench, train_and_evaluate

from iebench.evals.results import Results
from iebench.models.recipes import RECIPES

ROOT = Path(__file__).parents[2]
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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=ROOT / "data" / "study-faster", help="folder for whole runs")
    parser.add_argument(
        "--data", type=Path, default=ROOT / "data" / "table" / "data", help="iebench-mini; rendered if absent"
    )
    parser.add_argument(
        "--results", type=Path, default=ROOT / "results" / "study-faster", help="folder for what is kept"
    )
    parser.add_argument("--jobs", type=int, default=2, help="runs side by side")
    options = parser.parse_args()
    iebench("render", "--preset", "mini", "--workers", str(options.jobs), "--out", str(options.data))
    rows = [(way, seed) for seed in SEEDS for way in WAYS]
    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(lambda row: make_run(row[0], row[1], options), rows))
    write_table(options.results)


def name_run(way: str, seed: int) -> str:
    """Folder of a run."""
    return f"{way.replace(' ', '-')}-{seed}"


def make_run(way: str, seed: int, options: argparse.Namespace) -> None:
    """Train and evaluate one way with one seed."""
    train = [METHOD, "--recipe", "mini", "--data", str(options.data), "--seed", str(seed), "--steps", str(STEPS)]
    evaluate = ["--data", str(options.data), "--tasks", "classification,rotation", "--epochs", str(PROBE_EPOCHS)]
    evaluate += ["--workers", "0", "--baselines", "constant"]
    name = name_run(way, seed)
    train_and_evaluate(options.work / name, options.results / name, train + WAYS[way], evaluate, options.jobs)


def write_table(results: Path) -> None:
    """Write table.md: for each way the mean and deviation over seeds of rotation and class, and seconds of one core."""
    lines = ["| way | rotation R², uniform | top-1 | training, s of one core |", "|---|--:|--:|--:|"]
    for way in WAYS:
        runs = [results / name_run(way, seed) for seed in SEEDS]
        runs = [run for run in runs if (run / "results.json").exists()]
        if len(runs) == len(SEEDS):
            found = [Results.read(run) for run in runs]
            seconds = [json.loads((run / "cost.json").read_text())["train"]["cpu_seconds"] for run in runs]
            scores = [show([result.scores.scores[key].mean for result in found]) for key in KEYS]
            lines.append(f"| {way} | {' | '.join(scores)} | {statistics.fmean(seconds):.0f} |")
    (results / "table.md").write_text("\n".join(lines) + "\n")


def show(values: list[float]) -> str:
    """Mean and standard deviation."""
    return f"{statistics.fmean(values):.3f} ± {statistics.stdev(values):.3f}"


if __name__ == "__main__":
    main()
