"""How scores grow with compute: from what a laptop can train to the published setting.

    python benchmarks/studies/scaling.py [--work FOLDER] [--data FOLDER] [--results FOLDER] [--runs NAMES] [--jobs 2]

SIE, VICReg and SimCLR are trained on `mini` with the recipe's settings, changed in the number of steps, the width of the
backbone or the pixels. Compute is counted in floating-point operations: three times those of a forward pass, for each image.
What is done stays done; small files of each run are kept under results/scaling, and `scaling.svg` is drawn of these alone.
"""

import argparse
import csv
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from numpy import ndarray
from runs import iebench, train_and_evaluate
from torch.utils.flop_counter import FlopCounterMode

from iebench.evals.results import Results
from iebench.models.backbones import build_backbone

ROOT = Path(__file__).parents[2]
SEED, METHODS, PROBE_EPOCHS = 20, ("sie", "vicreg", "simclr"), 50
SIZES: dict[str, list[str]] = {  # name → options beside the recipe's
    "steps-125": ["--steps", "125"],
    "steps-250": ["--steps", "250"],
    "steps-500": ["--steps", "500"],
    "steps-1000": ["--steps", "1000"],
    "steps-2000": ["--steps", "2000"],
    "steps-4000": ["--steps", "4000"],
    "wide-1000": ["--steps", "1000", "--backbone", "resnet18"],
    "small-1000": ["--steps", "1000", "--size", "32"],
}
TRAIN_OBJECTS = 41_910  # 52 462 objects of the release but the 10 552 of its list of val images
PROTOCOL = re.compile(r"ResNet-18, (\d+) px, (\d+) epochs")
SCORES = {"rotation/whole/r2_uniform": "rotation R², uniform", "classification/whole/top1": "top-1"}


def main() -> None:
    """Make what is missing, then draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=ROOT / "data" / "scaling", help="folder for whole runs")
    parser.add_argument(
        "--data", type=Path, default=ROOT / "data" / "table" / "data", help="iebench-mini; rendered if absent"
    )
    parser.add_argument("--results", type=Path, default=ROOT / "results" / "scaling", help="folder for what is kept")
    parser.add_argument("--runs", default=",".join(SIZES), help="names with commas between")
    parser.add_argument("--jobs", type=int, default=2, help="runs side by side")
    options = parser.parse_args()
    iebench("render", "--preset", "mini", "--workers", str(options.jobs), "--out", str(options.data))
    rows = [(name, method) for name in options.runs.split(",") for method in METHODS]
    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(lambda row: make_run(row[0], row[1], options), rows))
    draw(options.results)


def make_run(name: str, method: str, options: argparse.Namespace) -> None:
    """Train and evaluate one method at one size."""
    row = f"{method}-{name}"
    train = [method, "--recipe", "mini", "--data", str(options.data), "--seed", str(SEED), *SIZES[name]]
    evaluate = ["--data", str(options.data), "--tasks", "classification,rotation", "--epochs", str(PROBE_EPOCHS)]
    evaluate += ["--workers", "0", "--baselines", "constant"]
    train_and_evaluate(options.work / row, options.results / row, train, evaluate, options.jobs)


def count_operations(results: Results) -> float:
    """Floating-point operations of a training's backbone."""
    trainer = results.training["trainer"]
    side = trainer["size"] or results.data["image_size"]
    images = 2 * trainer["steps"] * trainer["batch_size"]
    return images * operations_of(results.training["method_settings"]["backbone"], side)


def operations_of(backbone: str, side: int) -> float:
    """Of a training step for one image: three times those of the forward pass."""
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        build_backbone(backbone).eval()(torch.zeros(1, 3, side, side))
    return 3.0 * counter.get_total_flops()


def fit(operations: ndarray, scores: ndarray) -> ndarray:
    """Slope and offset of the score's log-odds against the logarithm of compute, by least squares."""
    clipped = np.clip(scores, 1e-3, 1 - 1e-3)
    return np.polyfit(np.log10(operations), np.log(clipped / (1 - clipped)), 1)


def draw(results: Path) -> None:
    """One panel for each score: runs, the fit of each method, and what papers report at the published compute."""
    import matplotlib.pyplot as plt

    runs = [Results.read(path) for path in sorted(results.glob("*/results.json"))]
    figure, panels = plt.subplots(1, len(SCORES), figsize=(11, 4), layout="constrained")
    for panel, (key, title) in zip(panels, SCORES.items(), strict=True):
        for color, method in zip(("C0", "C1", "C2"), METHODS, strict=True):
            chosen = [run for run in runs if run.method == method and run.get(key) is not None]
            if not chosen:
                continue
            x, y = np.array([count_operations(run) for run in chosen]), np.array([run.get(key) for run in chosen])
            panel.plot(x, y, "o", color=color, label=method)
            if len(chosen) > 2:
                grid = np.geomspace(x.min(), 1e19, 100)
                panel.plot(grid, 1 / (1 + np.exp(-np.polyval(fit(x, y), np.log10(grid)))), ":", color=color)
        for method, operations, value in published_scores(key):
            panel.plot(operations, value, "*", color=f"C{METHODS.index(method)}", markersize=11)
        panel.set(xscale="log", xlabel="floating-point operations of the training", ylabel=title, ylim=(-0.05, 1))
        panel.grid(alpha=0.3)
    panels[0].legend(frameon=False)
    figure.savefig(results / "scaling.svg")


def published_scores(key: str) -> list[tuple[str, float, float]]:
    """What papers report of our methods on 3DIEBench with a uniform R²: method, operations of the training, score."""
    column = "top1" if key.startswith("class") else "rotation_r2"
    with (ROOT / "iebench" / "data" / "published_results.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["r2_kind"] == "uniform" and row["transform"] != "color"]
    found = []
    for row in rows:
        setting, method = PROTOCOL.match(row["protocol"]), row["method"].lower()
        if setting and method in METHODS and row[column]:
            side, epochs = map(int, setting.groups())
            operations = 2 * epochs * TRAIN_OBJECTS * operations_of("resnet18", side)
            found.append((method, operations, float(row[column]) / (100 if column == "top1" else 1)))
    return found


if __name__ == "__main__":
    main()
