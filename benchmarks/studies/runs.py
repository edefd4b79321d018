"""What studies share: commands that go on where they were stopped, what they cost, and the small files that are kept of a run."""

import argparse
import csv
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TextIO, TypeVar

Row = TypeVar("Row")
ROOT = Path(__file__).parents[2]
Cost = dict[str, float]  # seconds by the clock and of the processors, and the training's steps in that time
RUNNING: set[int] = set()  # process groups
TIME_IS_OVER, GOES_ON = threading.Event(), "The time is over; the same command goes on."
KEPT = ("config.json", "results.json")  # the last says that all is there


def read_options(doc: str | None, work: str, results: str, **more: str | float | bool) -> argparse.Namespace:
    """The command line of a study.

    Args:
        doc: of the script, for its help.
        work, results: its folders below data/ and results/.
        more: further options with their defaults: a number, names with commas between, or False for a flag.
    """
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=ROOT / "data" / work, help="folder for datasets and whole runs")
    parser.add_argument("--results", type=Path, default=ROOT / "results" / results, help="folder for what is kept")
    parser.add_argument("--jobs", type=int, default=2, help="runs side by side")
    parser.add_argument("--accelerator", choices=["auto", "cpu", "cuda"], default="auto", help="where to train")
    parser.add_argument("--minutes", type=float, default=0, help="end after these; the same command goes on; 0: never")
    for option, default in more.items():
        kind: dict[str, Any] = {"action": "store_true"} if default is False else {"type": type(default)}
        parser.add_argument(f"--{option.replace('_', '-')}", default=default, **kind)
    options = parser.parse_args()
    if options.accelerator == "cuda":
        check_cuda()
    if options.minutes:
        end_after(options.minutes)
    return options


def check_cuda() -> None:
    """Refuse to begin where torch, which takes seconds to import, finds no CUDA device."""
    import torch

    if not torch.cuda.is_available():
        raise SystemExit("torch finds no CUDA device here: run this where there is one, or leave --accelerator out.")


def render(data: Path, options: argparse.Namespace, *words: str) -> None:
    """Render `mini`, changed by further options, unless that is done."""
    iebench("render", "--preset", "mini", *words, "--workers", str(options.jobs), "--out", str(data))


def side_by_side(make: Callable[[Row], None], rows: Iterable[Row], options: argparse.Namespace) -> None:
    """Make all rows, as many at a time as there are jobs, until the time is over."""

    def make_in_time(row: Row) -> None:
        if TIME_IS_OVER.is_set():
            raise SystemExit(GOES_ON)
        make(row)

    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(make_in_time, rows))


def is_kept(options: argparse.Namespace, name: str) -> bool:
    """Whether a run is done."""
    return (Path(options.results) / name / KEPT[-1]).exists()


def train_and_evaluate(
    options: argparse.Namespace,
    name: str,
    data: Path,
    train: Sequence[str],
    evaluate: Sequence[str],
    judged_on: Path | None = None,
) -> None:
    """Train and evaluate one run after the recipe of `mini`, unless that is done, and keep its small files.

    Args:
        options: of the study.
        name: of the run.
        data: the dataset.
        train: the method and its further options.
        evaluate: options of the evaluation; the only baseline is the constant one unless they say otherwise.
        judged_on: the dataset of the evaluation; None for the same.
    """
    if is_kept(options, name):
        return
    run = options.work / "runs" / name
    method, *more = train
    tell(f"{name}: training")
    run.parent.mkdir(parents=True, exist_ok=True)
    words = ["train", method, "--recipe", "mini", "--data", str(data), "--out", str(run), *more]
    words += ["--accelerator", options.accelerator, *(["--resident"] if options.accelerator == "cuda" else [])]
    start = last_step(run)
    iebench(
        *words,
        cost=lambda cost: add_cost(run, "train", {**cost, "steps": last_step(run) - start}),
        **threads(options),
    )
    evaluate_and_keep(options, name, judged_on or data, evaluate)


def evaluate_and_keep(options: argparse.Namespace, name: str, data: Path, evaluate: Sequence[str]) -> None:
    """Evaluate a run, beside what it was evaluated on before, and keep its small files."""
    run = options.work / "runs" / name
    tell(f"{name}: evaluating")
    words = ["eval", str(run), "--data", str(data), "--workers", "0", "--baselines", "constant", *evaluate]
    iebench(*words, cost=partial(add_cost, run, "evaluate"), **threads(options))
    keep(run, options.results / name)


def threads(options: argparse.Namespace) -> dict[str, str]:
    """The environment in which each of the jobs has its share of the cores."""
    return {"OMP_NUM_THREADS": str(max((os.cpu_count() or 1) // options.jobs, 1))}


def iebench(*words: str, cost: Callable[[Cost], None] | None = None, **env: str) -> None:
    """Run a command of iebench; see `run_command`."""
    run_command([sys.executable, "-m", "iebench", *words], subprocess.DEVNULL, cost, **env)


def run_command(
    command: Sequence[str], output: int | TextIO, cost: Callable[[Cost], None] | None = None, **env: str
) -> None:
    """Run a command, and tell its seconds on the clock and on the processors, also where it fails or is cut off.

    Raises:
        SystemExit: it failed, or the time of `end_after` is over.
    """
    if TIME_IS_OVER.is_set():
        raise SystemExit(GOES_ON)
    start = time.monotonic()
    process = subprocess.Popen(command, env=os.environ | env, stdout=output, process_group=0)
    RUNNING.add(process.pid)
    if TIME_IS_OVER.is_set():  # by now
        process.terminate()
    try:
        _, status, used = os.wait4(process.pid, 0)
    except BaseException:
        process.terminate()  # a training saves
        _, status, used = os.wait4(process.pid, 0)
        raise
    finally:
        RUNNING.discard(process.pid)
        process.returncode = os.waitstatus_to_exitcode(status)
        if cost is not None:
            cost({"seconds": time.monotonic() - start, "cpu_seconds": used.ru_utime + used.ru_stime})
    if process.returncode and TIME_IS_OVER.is_set():
        raise SystemExit(GOES_ON)
    if process.returncode:
        raise SystemExit(f"{' '.join(command[1:])} ended with exit code {process.returncode}.")


def end_after(minutes: float) -> None:
    """Let all commands end after some minutes, and none begin any more; a training saves."""
    timer = threading.Timer(60 * minutes, _end_all)
    timer.daemon = True
    timer.start()


def _end_all() -> None:
    TIME_IS_OVER.set()
    for group in list(RUNNING):
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGTERM)  # with all that it began


def last_step(run: Path) -> int:
    """How far a training is, as its metrics say."""
    path = run / "metrics.csv"
    lines = path.read_text().splitlines() if path.exists() else []
    return int(lines[-1].partition(",")[0]) if len(lines) > 1 else 0


def add_cost(run: Path, what: str, cost: Cost) -> None:
    """Add what a command took to what earlier ones took, which were perhaps cut off."""
    path = run.with_name(run.name + ".cost.json")  # beside the run, whose folder a training wants empty
    costs: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    before = costs.get(what, {})
    costs["machine"] = f"{processor()}, {os.cpu_count()} cores"
    costs[what] = {
        name: round(before.get(name, 0) + value, 1) for name, value in cost.items()
    }  # a kill costs its sitting
    path.write_text(json.dumps(costs, indent=1) + "\n")


def processor() -> str:
    """Name of the processor."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def keep(run: Path, kept: Path) -> None:
    """Copy a run's small files, and of its metrics the scores on val."""
    kept.mkdir(parents=True, exist_ok=True)
    with (run / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    chosen = [row for row in rows if any(value for name, value in row.items() if name.startswith("val/"))]
    with (kept / "metrics.csv").open("w", newline="") as file:
        names = ["step", *(name for name in rows[0] if name.startswith("val/"))]
        writer = csv.DictWriter(file, names, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: shorten(value) for name, value in row.items()} for row in chosen)
    shutil.copyfile(run.with_name(run.name + ".cost.json"), kept / "cost.json")
    for name in KEPT:
        shutil.copyfile(run / name, kept / f"{name}.partial")
        (kept / f"{name}.partial").replace(kept / name)


def shorten(value: str) -> str:
    """A number with five digits."""
    return f"{float(value):.5g}" if value else value


def tell(what: str) -> None:
    """Say what goes on, and when."""
    print(f"{time.strftime('%H:%M:%S')} {what}", flush=True)
