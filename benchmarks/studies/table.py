"""The table of docs/results.md, from nothing: renders `mini`, trains and evaluates every row, keeps what is small.

    python benchmarks/studies/table.py [--work FOLDER] [--results FOLDER] [--rows NAMES] [--seeds 3] [--jobs 2]

A row is a method with one seed, trained after `--recipe mini`. What is done stays done: the same command goes on, in as
many sittings as it takes, first with the rows that decide whether SIE is ahead of VICReg. Of each row, `results/mini/NAME-SEED`
keeps results.json, config.json, the curve of the online probes (metrics.csv) and cost.json; tables, plots and comparisons
are made of these files alone. Two runs side by side with a core each are done sooner than one after the other with both.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from runs import iebench, train_and_evaluate

from iebench.evals.results import Results
from iebench.evals.table import label_of

ROOT = Path(__file__).parents[2]
TASKS, PROBE_EPOCHS = "classification,rotation,color,retrieval,predictor", 100
ROWS = {  # name → method and options beside the recipe's
    "sie": ("sie",),
    "vicreg": ("vicreg",),
    "supervised": ("supervised",),
    "sie-color": ("sie", "--transform", "rotation+color"),
    "equivariant-only": ("equivariant-only",),
    "simclr": ("simclr",),
    "equimod": ("equimod",),
    "augself": ("augself",),
    "vicreg-partial": ("vicreg-partial",),
    "vicreg-equimod": ("vicreg-equimod",),
    "byol": ("byol",),
    "byol-conditioned": ("byol-conditioned",),
}
COMPARED = (("sie (rotation)", "vicreg"), ("sie (rotation):equivariant", "sie (rotation):invariant"))
FIRST = 3  # rows of which all seeds come before any of the others


def main() -> None:
    """Make what is missing of the table."""
    options = read_options()
    data = options.work / "data"
    iebench("render", "--preset", "mini", "--workers", str(options.jobs), "--out", str(data))
    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(lambda row: make_row(row[0], row[1], data, options), order_rows(options.rows, options.seeds)))
    write_tables(options.results)


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--work", type=Path, default=ROOT / "data" / "table", help="folder for the dataset and whole runs"
    )
    parser.add_argument("--results", type=Path, default=ROOT / "results" / "mini", help="folder for what is kept")
    parser.add_argument("--rows", default=",".join(ROWS), help="names with commas between")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2, help="runs side by side")
    return parser.parse_args()


def order_rows(names: str, seeds: int) -> Iterator[tuple[str, int]]:
    """Rows with their seeds, those that decide the most first."""
    chosen = names.split(",")
    unknown = sorted(set(chosen) - set(ROWS))
    if unknown:
        raise SystemExit(f"--rows {unknown[0]}: there are {', '.join(ROWS)}.")
    for group in (
        [name for name in chosen if name in list(ROWS)[:FIRST]],
        [name for name in chosen if name in list(ROWS)[FIRST:]],
    ):
        yield from ((name, seed) for seed in range(seeds) for name in group)


def make_row(name: str, seed: int, data: Path, options: argparse.Namespace) -> None:
    """Train and evaluate one run."""
    row, (method, *more) = f"{name}-{seed}", ROWS[name]
    baselines = () if row == "sie-0" else ("--baselines", "constant")  # all rows have one backbone, so once is enough
    train = [method, "--recipe", "mini", "--data", str(data), "--seed", str(seed), *more]
    evaluate = ["--data", str(data), "--tasks", TASKS, "--epochs", str(PROBE_EPOCHS), "--workers", "0", *baselines]
    train_and_evaluate(options.work / "runs" / row, options.results / row, train, evaluate, options.jobs)


def write_tables(results: Path) -> None:
    """Write table.md: scores, comparisons and costs of all rows that are there."""
    runs = sorted(path.parent for path in results.glob("*/results.json"))
    table = capture("table", *map(str, runs), "--format", "markdown")
    lines = [table, *(line for pair in COMPARED for line in compare(pair, runs)), ""]
    lines += ["| row | training, s | of one core, s | images for each of these |", "|---|--:|--:|--:|"]
    lines += [describe_cost(run) for run in runs]
    (results / "table.md").write_text("\n".join(lines) + "\n")


def compare(pair: tuple[str, str], runs: list[Path]) -> list[str]:
    """What `iebench compare` says of two methods, as a list in Markdown; nothing while one of them is missing."""
    methods = {part.partition(":")[0] for part in pair}
    present = {label_of(Results.read(run)) for run in runs}
    if not methods <= present:
        return []
    lines = capture("compare", *pair, *map(str, runs)).splitlines()
    return ["", f"`{pair[0]}` over `{pair[1]}`:", "", *(f"- {line}" for line in lines)]


def describe_cost(run: Path) -> str:
    """A line of the table of costs."""
    cost, config = json.loads((run / "cost.json").read_text()), json.loads((run / "config.json").read_text())
    images = 2 * config["trainer"]["steps"] * config["trainer"]["batch_size"]
    train = cost["train"]
    return f"| {run.name} | {train['seconds']:.0f} | {train['cpu_seconds']:.0f} | {images / train['cpu_seconds']:.0f} |"


def capture(*words: str) -> str:
    """What a command prints."""
    command = [sys.executable, "-m", "iebench", *words]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
