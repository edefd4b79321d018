"""What brings SIE's rotation score up at equal compute: each way beside the published one, with three seeds.

    python benchmarks/studies/faster.py [--work FOLDER] [--data FOLDER] [--results FOLDER] [--jobs 2] [--ways NAMES]
    python benchmarks/studies/faster.py --calibrate

All runs train for the seconds that one core needs for 800 steps of the published way on `mini`: a way whose step costs more
takes as many steps fewer (`cost`, measured by `--calibrate` in one process, in turn), and a tenth of its steps warms up. Seeds
11 to 13, which the table does not use. What is done stays done: the same command goes on. Small files of each run are kept
under results/study-faster, and the table beside it is made of these.
"""

import argparse
import json
import statistics
import time
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from runs import ROOT, is_kept, read_options, render, side_by_side, train_and_evaluate

from iebench.evals.results import Results
from iebench.models.recipes import make_training

SEEDS, METHOD, PROBE_EPOCHS = (11, 12, 13), "sie", 50
STEPS, WARMUP, ROUNDS = 800, 0.1, 15
KEYS = ("rotation/whole/r2_uniform", "classification/whole/top1")
WRITING = Lock()
Settings = dict[str, Any]


class Way(NamedTuple):
    """What is changed beside the recipe, and what a step then costs."""

    given: Settings
    cost: float

    @property
    def steps(self) -> int:
        """Steps that take as long as those of the published way."""
        return round(STEPS / self.cost)


WAYS = {  # costs: seconds of the processor, medians of 15 rounds on one core of a busy AMD EPYC with avx512_bf16
    "published": Way({}, 1.0),
    "all 12 pairs of 4 views": Way({"num_views": 4, "batch_size": 64}, 1.10),
    "all 56 pairs of 8 views": Way({"num_views": 8, "batch_size": 32}, 1.36),
    "rate 2e-3": Way({"learning_rate": 2e-3}, 1.0),
    "rate 3e-3": Way({"learning_rate": 3e-3}, 1.0),
    "small stem": Way({"backbone": "resnet18-narrow-small-stem"}, 2.32),
}


def main() -> None:
    """Make what is missing, or measure the costs."""
    more: dict[str, str | bool] = {"ways": ",".join(WAYS), "calibrate": False}
    options = read_options(__doc__, "study-faster", "study-faster", data=str(ROOT / "data" / "table" / "data"), **more)
    data, chosen = Path(options.data), choose_ways(options.ways)
    render(data, options)
    if options.calibrate:
        calibrate(data)
        return
    rows = [(name, seed) for seed in SEEDS for name in chosen]
    side_by_side(lambda row: make_run(row[0], row[1], data, options), rows, options)


def choose_ways(names: str) -> list[str]:
    """The ways by their names, with commas between."""
    chosen = names.split(",")
    unknown = sorted(set(chosen) - set(WAYS))
    if unknown:
        raise SystemExit(f"--ways {unknown[0]}: there are {', '.join(WAYS)}.")
    return chosen


def name_run(name: str, seed: int) -> str:
    """Folder of a run."""
    return f"{name.replace(' ', '-')}-{seed}"


def make_run(name: str, seed: int, data: Path, options: argparse.Namespace) -> None:
    """Train and evaluate one way with one seed."""
    steps = WAYS[name].steps
    given = {"seed": seed, "steps": steps, "warmup_steps": round(WARMUP * steps), **WAYS[name].given}
    train = [word for field, value in given.items() for word in (f"--{field.replace('_', '-')}", str(value))]
    evaluate = ["--tasks", "classification,rotation", "--epochs", str(PROBE_EPOCHS)]
    train_and_evaluate(options, name_run(name, seed), data, [METHOD, *train], evaluate)
    with WRITING:
        write_table(options)


def calibrate(data: Path) -> None:
    """Print what a step of each way costs, in seconds of one core and relative to the first way, measured in turn."""
    import torch

    from iebench.models.prefetch import to_device
    from iebench.models.session import set_up
    from iebench.models.training import take_step

    torch.set_num_threads(1)
    sessions = {name: set_up(METHOD, *make_training(METHOD, "mini", way.given), data) for name, way in WAYS.items()}
    batches = {name: to_device(next(iter(one.loader)), one.fabric.device) for name, one in sessions.items()}
    seconds: dict[str, list[float]] = {name: [] for name in WAYS}
    for step in range(ROUNDS + 1):  # the first warms up
        for name, session in sessions.items():
            start = time.process_time()
            take_step(session, batches[name], step)
            seconds[name].append(time.process_time() - start)
    medians = {name: statistics.median(times[1:]) for name, times in seconds.items()}
    for session in sessions.values():
        session.close()
    for name, median in medians.items():
        print(f"{name}: {median:.3f} s, {median / medians[next(iter(WAYS))]:.2f} of the published step")


def write_table(options: argparse.Namespace) -> None:
    """Write the table: for each way its steps, mean and deviation over seeds of rotation and class, and seconds of one core."""
    lines = ["| way | steps | rotation R², uniform | top-1 | training, s of one core |", "|---|--:|--:|--:|--:|"]
    for name, way in WAYS.items():
        runs = [options.results / name_run(name, seed) for seed in SEEDS]
        if all(is_kept(options, run.name) for run in runs):
            found = [Results.read(run) for run in runs]
            costs = [json.loads((run / "cost.json").read_text())["train"] for run in runs]
            # of the steps that were timed: a kill loses those of its sitting
            seconds = [way.steps * cost["cpu_seconds"] / cost["steps"] for cost in costs]
            scores = [show([result.scores.scores[key].mean for result in found]) for key in KEYS]
            lines.append(f"| {name} | {way.steps} | {' | '.join(scores)} | {statistics.fmean(seconds):.0f} |")
    options.results.with_suffix(".md").write_text("\n".join(lines) + "\n")


def show(values: list[float]) -> str:
    """Mean and standard deviation."""
    return f"{statistics.fmean(values):.3f} ± {statistics.stdev(values):.3f}"


if __name__ == "__main__":
    main()
