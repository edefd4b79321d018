"""The table of docs/results.md, from nothing: renders `mini`, trains and evaluates every row, keeps what is small.

    python benchmarks/studies/table.py [--work FOLDER] [--results FOLDER] [--rows NAMES] [--seeds 3] [--again 1] [--jobs 2]

A row is a method with one seed, trained after `--recipe mini`. What is done stays done: the same command goes on, in as
many sittings as it takes, first with the rows that decide whether SIE is ahead of VICReg. Of each row, `results/mini/NAME-SEED`
keeps results.json, config.json, the curve of the online probes (metrics.csv) and cost.json; tables, plots and comparisons
are made of these files alone. `--again 1` evaluates rows that are done anew, on tasks that came later too. Two runs side by
side with a core each are done sooner than one after the other with both.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

from runs import evaluate_and_keep, is_kept, read_options, render, side_by_side, train_and_evaluate

from iebench.evals.results import Results
from iebench.evals.series import label_of

TASKS = "classification,classification-from-views,rotation,color,retrieval,equivariance,predictor"
PROBE_EPOCHS = 100
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
    "sen": ("simclr-equivariant",),
    "seqjepa": ("seqjepa",),
    "equicaps": ("equicaps",),
    "contextssl": ("contextssl",),
    "vicreg-traj": ("vicreg-traj",),
}
COMPARED = (("sie (rotation)", "vicreg"), ("sie (rotation):equivariant", "sie (rotation):invariant"))
WRITING = Lock()
FIRST = 3  # rows of which all seeds come before any of the others


def main() -> None:
    """Make what is missing of the table."""
    options = read_options(__doc__, "table", "mini", rows=",".join(ROWS), seeds=3, again=0)
    data = options.work / "data"
    render(data, options)
    rows = order_rows(options.rows, options.seeds)
    side_by_side(lambda row: make_and_tell(row[0], row[1], data, options), rows, options)
    write_tables(options.results)


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


def make_and_tell(name: str, seed: int, data: Path, options: argparse.Namespace) -> None:
    """Make a row that is missing, and the tables with it."""
    if options.again or not is_kept(options, f"{name}-{seed}"):
        make_row(name, seed, data, options)
        with WRITING:
            write_tables(options.results)


def make_row(name: str, seed: int, data: Path, options: argparse.Namespace) -> None:
    """Train and evaluate one run, or evaluate one that is there."""
    row = f"{name}-{seed}"
    baselines = ("--baselines", "all") if row == "sie-0" else ()  # all rows have one backbone, so once is enough
    evaluate = ["--tasks", TASKS, "--epochs", str(PROBE_EPOCHS), *baselines]
    if options.again and is_kept(options, row) and (options.work / "runs" / row).exists():
        evaluate_and_keep(options, row, data, evaluate)
    else:
        train_and_evaluate(options, row, data, [*ROWS[name], "--seed", str(seed)], evaluate)


def write_tables(results: Path) -> None:
    """Write the table: scores, comparisons and costs of all rows that are there."""
    runs = sorted(path.parent for path in results.glob("*/results.json"))
    table = capture("table", *map(str, runs), "--format", "markdown")
    lines = [table, *(line for pair in COMPARED for line in compare(pair, runs)), ""]
    lines += ["| row | steps timed | in seconds | of one core | images for each of these |", "|---|--:|--:|--:|--:|"]
    lines += [describe_cost(run) for run in runs]
    results.with_suffix(".md").write_text("\n".join(lines) + "\n")


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
    train = cost["train"]
    images = 2 * train["steps"] * config["trainer"]["batch_size"]
    numbers = (train["steps"], train["seconds"], train["cpu_seconds"], images / train["cpu_seconds"])
    return f"| {run.name} | {' | '.join(f'{number:.0f}' for number in numbers)} |"


def capture(*words: str) -> str:
    """What a command prints."""
    command = [sys.executable, "-m", "iebench", *words]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
