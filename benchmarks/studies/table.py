"""The table of docs/results.md, from nothing: renders `mini`, trains and evaluates every row, keeps what is small.

    python benchmarks/studies/table.py [--work FOLDER] [--results FOLDER] [--rows NAMES] [--seeds 3] [--jobs 2]

A row is a method with one seed, trained after `--recipe mini`. What is done stays done: the same command goes on, in as
many sittings as it takes, first with the rows that decide whether SIE is ahead of VICReg. Of each row, `results/mini/NAME-SEED`
keeps results.json, config.json, the curve of the online probes (metrics.csv) and cost.json; tables, plots and comparisons
are made of these files alone. Two runs side by side with a core each are done sooner than one after the other with both.
"""

import argparse
import csv
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

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
FIRST = 3  # rows of which all seeds come before any of the others
KEPT = ("results.json", "config.json", "cost.json")


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
    for group in (
        [name for name in chosen if name in list(ROWS)[:FIRST]],
        [name for name in chosen if name in list(ROWS)[FIRST:]],
    ):
        yield from ((name, seed) for seed in range(seeds) for name in group)


def make_row(name: str, seed: int, data: Path, options: argparse.Namespace) -> None:
    """Train and evaluate one run, unless that is done, and keep its small files."""
    run, kept = options.work / "runs" / f"{name}-{seed}", options.results / f"{name}-{seed}"
    if (kept / "results.json").exists():
        return
    method, *more = ROWS[name]
    env = {"OMP_NUM_THREADS": str(max((os.cpu_count() or 1) // options.jobs, 1))}
    tell(f"{name}, seed {seed}: training")
    train = ["train", method, "--recipe", "mini", "--data", str(data), "--out", str(run), "--seed", str(seed), *more]
    add_cost(run, "train", iebench(*train, **env))
    tell(f"{name}, seed {seed}: evaluating")
    baselines = "all" if f"{name}-{seed}" == "sie-0" else "constant"  # all rows have one backbone, so once is enough
    evaluate = [
        "eval",
        str(run),
        "--data",
        str(data),
        "--tasks",
        TASKS,
        "--epochs",
        str(PROBE_EPOCHS),
        "--workers",
        "0",
    ]
    add_cost(run, "evaluate", iebench(*evaluate, *(() if baselines == "all" else ("--baselines", baselines)), **env))
    keep(run, kept)


def iebench(*words: str, **env: str) -> dict[str, float]:
    """Run a command; its seconds on the clock and on the processors."""
    start = time.monotonic()
    command = [sys.executable, "-m", "iebench", *words]
    process = subprocess.Popen(command, env=os.environ | env, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command[2:])} ended with exit code {process.returncode}.")
    return {"seconds": time.monotonic() - start, "cpu_seconds": used.ru_utime + used.ru_stime}


def add_cost(run: Path, what: str, cost: dict[str, float]) -> None:
    """Add what a command took to what earlier ones took, which were perhaps cut off."""
    path = run / "cost.json"
    costs: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    before = costs.get(what, {})
    costs["machine"] = f"{processor()}, {os.cpu_count()} cores"
    costs[what] = {name: round(before.get(name, 0) + value, 1) for name, value in cost.items()}
    path.write_text(json.dumps(costs, indent=1) + "\n")


def processor() -> str:
    """Name of the processor."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def keep(run: Path, kept: Path) -> None:
    """Copy a run's small files, and of its metrics the rows with validation scores and their last training row."""
    kept.mkdir(parents=True, exist_ok=True)
    with (run / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    chosen = [row for row in rows if any(value for name, value in row.items() if name.startswith("val/"))]
    with (kept / "metrics.csv").open("w", newline="") as file:
        names = ["step", *(name for name in rows[0] if name.startswith("val/"))]
        writer = csv.DictWriter(file, names, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: shorten(value) for name, value in row.items()} for row in chosen)
    for name in KEPT[1:] + KEPT[:1]:  # results.json last: it says that all is there
        shutil.copyfile(run / name, kept / name)


def shorten(value: str) -> str:
    """A number with five digits."""
    return f"{float(value):.5g}" if value else value


def write_tables(results: Path) -> None:
    """Write table.md: scores, comparisons and costs of all rows that are there."""
    runs = sorted(path.parent for path in results.glob("*/results.json"))
    table = capture("table", *map(str, runs), "--format", "markdown")
    lines = [table, "| row | training, s | of one core, s | images/s |", "|---|--:|--:|--:|"]
    lines += [describe_cost(run) for run in runs]
    (results / "table.md").write_text("\n".join(lines) + "\n")


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


def tell(what: str) -> None:
    """Say what goes on, and when."""
    print(f"{time.strftime('%H:%M:%S')} {what}", flush=True)


if __name__ == "__main__":
    main()
