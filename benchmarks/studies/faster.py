"""What brings rotation up at equal compute, of SIE and of the supervised reference: ways beside the recipe, with three seeds.

    python benchmarks/studies/faster.py [--work FOLDER] [--data FOLDER] [--results FOLDER] [--jobs 2] [--methods NAMES]
    python benchmarks/studies/faster.py --calibrate

All runs of a method train for the seconds that one core needs for as many steps of the recipe on `mini` as stand in STUDIES: a
way whose step costs more takes as many steps fewer (`cost`, measured by `--calibrate` in one process, in turn), and a tenth of
its steps warms up. Seeds 11 to 13, which the table does not use. What is done stays done: the same command goes on. Small files
of each run are kept under results/faster/METHOD-WAY-SEED, and the table beside it is made of these.
"""

import argparse
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from runs import ROOT, is_kept, read_options, render, side_by_side, train_and_evaluate

from iebench.evals.results import Results
from iebench.models.recipes import make_training

SEEDS, PROBE_EPOCHS, WARMUP, ROUNDS = (11, 12, 13), 50, 0.1, 15
KEYS = ("rotation/whole/r2_uniform", "classification/whole/top1")
WRITING = Lock()


@dataclass(frozen=True)
class Way:
    """What is changed beside the recipe, and what a step then costs."""

    given: dict[str, Any] = field(default_factory=dict)
    cost: float = 1.0


@dataclass(frozen=True)
class Study:
    """Ways to train a method, and how many steps of the recipe's way all cost as much as."""

    steps: int
    ways: dict[str, Way]

    def count_steps(self, way: str) -> int:
        """Steps of a way that take as long as those of the recipe's."""
        return round(self.steps / self.ways[way].cost)


AS_PUBLISHED: dict[str, Any] = {"weight_decay": 1e-6}  # of the supervised row, to which the recipe gives more
DECAYS = ("1e-4", "1e-3", "3e-3", "1e-2", "3e-2")
PAIRS: dict[str, dict[str, Any]] = {
    "all 12 pairs of 4 views": {"num_views": 4, "batch_size": 64},
    "all 56 pairs of 8 views": {"num_views": 8, "batch_size": 32},
}
# costs: seconds of the processor, medians of 15 rounds on one core of a busy AMD EPYC with avx512_bf16
STUDIES = {
    "sie": Study(
        800,
        {
            "the recipe": Way(),
            "all 12 pairs of 4 views": Way(PAIRS["all 12 pairs of 4 views"], 1.10),
            "all 56 pairs of 8 views": Way(PAIRS["all 56 pairs of 8 views"], 1.36),
            "rate 2e-3": Way({"learning_rate": 2e-3}),
            "rate 3e-3": Way({"learning_rate": 3e-3}),
            "small stem": Way({"backbone": "resnet18-narrow-small-stem"}, 2.32),
        },
    ),
    "supervised": Study(
        2000,
        {
            "as published": Way(AS_PUBLISHED),
            "all 12 pairs of 4 views": Way({**PAIRS["all 12 pairs of 4 views"], **AS_PUBLISHED}, 1.07),
            **{f"weight decay {decay}": Way({"weight_decay": float(decay)}) for decay in DECAYS},
        },
    ),
}


def main() -> None:
    """Make what is missing, or measure the costs."""
    data = str(ROOT / "data" / "table" / "data")
    options = read_options(__doc__, "faster", "faster", data=data, methods=",".join(STUDIES), calibrate=False)
    render(Path(options.data), options)
    if options.calibrate:
        for method in options.methods.split(","):
            calibrate(method, Path(options.data))
        return
    side_by_side(lambda run: make_run(*run, Path(options.data), options), list_runs(options.methods), options)


def list_runs(methods: str) -> list[tuple[str, str, int]]:
    """(method, way, seed) of all runs of some methods, named with commas between."""
    chosen = methods.split(",")
    unknown = sorted(set(chosen) - set(STUDIES))
    if unknown:
        raise SystemExit(f"--methods {unknown[0]}: there are {', '.join(STUDIES)}.")
    return [(method, way, seed) for seed in SEEDS for method in chosen for way in STUDIES[method].ways]


def name_run(method: str, way: str, seed: int) -> str:
    """Folder of a run."""
    return f"{method}-{way.replace(' ', '-')}-{seed}"


def make_run(method: str, way: str, seed: int, data: Path, options: argparse.Namespace) -> None:
    """Train and evaluate one way with one seed."""
    steps = STUDIES[method].count_steps(way)
    given = {"seed": seed, "steps": steps, "warmup_steps": round(WARMUP * steps), **STUDIES[method].ways[way].given}
    train = [word for field, value in given.items() for word in (f"--{field.replace('_', '-')}", str(value))]
    evaluate = ["--tasks", "classification,rotation", "--epochs", str(PROBE_EPOCHS)]
    train_and_evaluate(options, name_run(method, way, seed), data, [method, *train], evaluate)
    with WRITING:
        write_table(options)


def calibrate(method: str, data: Path) -> None:
    """Print what a step of each way costs, in seconds of one core and relative to the recipe's, measured in turn."""
    import torch

    from iebench.models.prefetch import to_device
    from iebench.models.session import set_up
    from iebench.models.training import take_step

    torch.set_num_threads(1)
    ways = STUDIES[method].ways
    sessions = {name: set_up(method, *make_training(method, "mini", way.given), data) for name, way in ways.items()}
    batches = {name: to_device(next(iter(one.loader)), one.fabric.device) for name, one in sessions.items()}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for step in range(ROUNDS + 1):  # the first warms up
        for name, session in sessions.items():
            start = time.process_time()
            take_step(session, batches[name], step)
            seconds[name].append(time.process_time() - start)
    medians = {name: statistics.median(times[1:]) for name, times in seconds.items()}
    for session in sessions.values():
        session.close()
    for name, median in medians.items():
        print(f"{method}, {name}: {median:.3f} s, {median / medians[next(iter(ways))]:.2f} of the recipe's step")


def write_table(options: argparse.Namespace) -> None:
    """Write the table: for each way its steps, and mean and deviation over seeds of rotation and class."""
    lines = ["| method | way | steps | seeds | rotation R², uniform | top-1 |", "|---|---|--:|--:|--:|--:|"]
    for method, study in STUDIES.items():
        for way in study.ways:
            kept = [name for name in (name_run(method, way, seed) for seed in SEEDS) if is_kept(options, name)]
            found = [Results.read(options.results / name).scores.scores for name in kept]
            scores = [show([one[key].mean for one in found]) for key in KEYS if found]
            if found:
                lines.append(f"| {method} | {way} | {study.count_steps(way)} | {len(found)} | {' | '.join(scores)} |")
    options.results.with_suffix(".md").write_text("\n".join(lines) + "\n")


def show(values: list[float]) -> str:
    """Mean, and standard deviation of several."""
    spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.3f}{spread}"


if __name__ == "__main__":
    main()
