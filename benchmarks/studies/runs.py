"""What studies share: commands that go on where they were stopped, what they cost, and the small files that are kept of a run."""

import csv
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

Cost = dict[str, float]  # seconds by the clock and of the processors
KEPT = ("config.json", "results.json")  # the last says that all is there


def train_and_evaluate(run: Path, kept: Path, train: Sequence[str], evaluate: Sequence[str], jobs: int) -> None:
    """Train and evaluate one run, unless that is done, and keep its small files.

    Args:
        run: folder of the run.
        kept: folder of what is kept.
        train: words after `iebench train`, without --out.
        evaluate: words after `iebench eval RUN`.
        jobs: runs side by side, which share the cores.
    """
    if (kept / KEPT[-1]).exists():
        return
    env = {"OMP_NUM_THREADS": str(max((os.cpu_count() or 1) // jobs, 1))}
    tell(f"{run.name}: training")
    run.parent.mkdir(parents=True, exist_ok=True)
    iebench("train", *train, "--out", str(run), cost=partial(add_cost, run, "train"), **env)
    tell(f"{run.name}: evaluating")
    iebench("eval", str(run), *evaluate, cost=partial(add_cost, run, "evaluate"), **env)
    keep(run, kept)


def iebench(*words: str, cost: Callable[[Cost], None] | None = None, **env: str) -> None:
    """Run a command, and tell its seconds on the clock and on the processors, also where it fails or is cut off."""
    start = time.monotonic()
    command = [sys.executable, "-m", "iebench", *words]
    process = subprocess.Popen(command, env=os.environ | env, stdout=subprocess.DEVNULL, process_group=0)
    try:
        _, status, used = os.wait4(process.pid, 0)
    except BaseException:
        process.terminate()  # a training saves
        _, status, used = os.wait4(process.pid, 0)
        raise
    finally:
        process.returncode = os.waitstatus_to_exitcode(status)
        if cost is not None:
            cost({"seconds": time.monotonic() - start, "cpu_seconds": used.ru_utime + used.ru_stime})
    if process.returncode:
        raise SystemExit(f"{' '.join(command[2:])} ended with exit code {process.returncode}.")


def add_cost(run: Path, what: str, cost: Cost) -> None:
    """Add what a command took to what earlier ones took, which were perhaps cut off."""
    path = run.with_name(run.name + ".cost.json")  # beside the run, whose folder a training wants empty
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
