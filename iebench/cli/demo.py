"""`iebench demo`: the whole path from objects to scores, on built-in objects, on a CPU, in minutes."""

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from iebench.child_process import python_command
from iebench.cli.terminal import echo
from iebench.dataset.card import CARD
from iebench.errors import IebenchError, UsageError
from iebench.files import write_whole
from iebench.progress import Progress
from iebench.render.request import RenderRequest

if TYPE_CHECKING:
    from iebench.evals.results import Results

METHODS = ("sie", "vicreg")


@dataclass(frozen=True)
class Scale:
    """How much of `mini` is rendered and for how long methods train.

    Attributes:
        options: of the render, beside the preset's.
        training: options of the trainings, beside the recipe's.
        probe_epochs: of the evaluation.
        turns: views of a held-out object that turns, among which the report shows steering.
        minutes: that all of it takes on 2 cores.
    """

    options: dict[str, Any]
    training: dict[str, int]
    probe_epochs: int
    turns: int
    minutes: int


EIGHT = (
    "airplane,car,chair,guitar,laptop,motorbike,mug,pistol"  # of the ten, those that look most unlike from their sides
)
FULL = Scale({"classes": EIGHT, "objects_per_class": 100}, {"steps": 600}, 50, 73, 6)
QUICK = Scale({"classes": "chair,mug", "objects_per_class": 20, "views": 4}, {"steps": 40, "batch_size": 16}, 5, 7, 1)


@click.command(short_help="The whole path on built-in objects, on a CPU, in minutes.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("demo"), show_default=True, help="Folder for all it makes."
)
@click.option("--quick", is_flag=True, help="A minute that shows that everything is installed, and nothing else.")
def demo(out: Path, quick: bool) -> None:
    """Render a part of iebench-mini, train SIE and VICReg on it, evaluate both, and show that SIE knows rotations.

    Six minutes on 2 cores. The same command again goes on, or shows what is there.
    """
    if (out / CARD).exists():
        raise UsageError(f"--out {out} is a dataset: name another folder.")
    scale, start = QUICK if quick else FULL, time.monotonic()
    data, sweep, sheet, page = out / "data", out / "sweep", out / "pairs.png", out / "report.html"
    runs = [out / method for method in METHODS]

    def tell(what: str) -> None:
        echo(f"[{time.monotonic() - start:4.0f} s] {what}")

    tell(f"rendering a part of iebench-mini; all of this takes about {scale.minutes} min on 2 cores")
    _render(data, RenderRequest.after("mini", scale.options))
    _render_sweep(data, sweep, scale)
    _draw_pairs(data, sheet)
    tell(f"training {' and '.join(METHODS)} side by side, {scale.training['steps']} steps each")
    _train(data, runs, scale)
    tell("evaluating both")
    results = _evaluate(data, sweep, runs, scale)
    tell("writing the report")
    _write_report(runs, page)
    _show(results, quick)
    echo("")
    for what, path in {
        "dataset": data,
        "sweep": sweep,
        "pairs": sheet,
        "report": page,
        **dict(zip(METHODS, runs, strict=True)),
    }.items():
        echo(f"  {what:8s} {path}")
    tell("done")


def _render(data: Path, request: RenderRequest) -> None:
    from iebench.render.farm import render_dataset
    from iebench.render.launch import choose_engine
    from iebench.render.plan import plan_job
    from iebench.render.worker_process import Limits

    job, limits = plan_job(request), Limits()
    # Images are so small that one worker leaves a second core idle.
    render_dataset(job, data, choose_engine(job, limits, workers=2))


def _render_sweep(data: Path, sweep: Path, scale: Scale) -> None:
    """A few held-out objects, upright, turned from the one side to the other."""
    from iebench.dataset.reader import Dataset

    dataset, names = Dataset(data), sweep.with_name("sweep.txt")
    held_out = dataset.split_indices("val")
    chosen = held_out[np.linspace(0, len(held_out) - 1, 6).astype(int)].tolist()
    write_whole(
        names, "".join(f"{dataset.synsets[index]}/{dataset.object_ids[index]}\n" for index in dict.fromkeys(chosen))
    )
    upright = {"factors": ("rotation_x=0", "rotation_y=0"), "sweep": f"rotation_z=-90:90deg:{scale.turns}"}
    _render(sweep, RenderRequest.after("mini", {**scale.options, "object_list": names, **upright}))


def _draw_pairs(data: Path, sheet: Path) -> None:
    from iebench.dataset.reader import Dataset
    from iebench.pictures import save_picture
    from iebench.report.show import draw_sheet, pick_pairs

    save_picture(draw_sheet(pick_pairs(Dataset(data), count=8, split="val"), side=128), sheet)


def _train(data: Path, runs: Sequence[Path], scale: Scale) -> None:
    """Train all methods at once, each with its share of the cores: done sooner than one after the other with all of them."""
    options = [word for name, value in scale.training.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    environment = {"OMP_NUM_THREADS": str(max((os.cpu_count() or 1) // len(runs), 1)), **os.environ}
    with _processes(data, runs, options, environment) as processes:
        _wait(processes, runs, scale.training["steps"])
    for process, run in zip(processes, runs, strict=True):
        if process.returncode:
            last = _log(run).read_text(errors="replace").strip().splitlines()[-1:]
            raise IebenchError(f"Training {run.name} failed: {''.join(last)} ({_log(run)} has the rest).")


@contextmanager
def _processes(
    data: Path, runs: Sequence[Path], options: Sequence[str], environment: dict[str, str]
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """A training of each run in a process of its own; those that still work at the end are stopped, after saving."""
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for run in runs:
            words = ["train", run.name, "--recipe", "mini", "--data", str(data), "--out", str(run), *options]
            command = python_command("iebench", *words)
            with _log(run).open("wb") as log:  # Ctrl-C is for this process, which lets them save
                processes.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log, process_group=0))
        yield processes
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def _wait(processes: Sequence[subprocess.Popen[bytes]], runs: Sequence[Path], steps: int) -> None:
    """Show the steps of all runs until their processes end."""
    with Progress("train", steps * len(runs), "step") as progress:
        progress.skip(sum(map(_last_step, runs)))
        while any(process.poll() is None for process in processes):
            progress.add(sum(map(_last_step, runs)) - progress.done)
            time.sleep(1)


def _last_step(run: Path) -> int:
    """The last step that a run has written metrics of."""
    metrics = run / "metrics.csv"
    lines = metrics.read_text().splitlines() if metrics.exists() else []
    return int(lines[-1].partition(",")[0]) if len(lines) > 1 else 0


def _log(run: Path) -> Path:
    return run.with_name(run.name + ".log")


def _evaluate(data: Path, sweep: Path, runs: Sequence[Path], scale: Scale) -> "list[Results]":
    from iebench.models.evaluation import evaluate

    options: dict[str, Any] = {"tasks": "classification,rotation,retrieval", "baselines": "constant", "num_workers": 0}
    return [evaluate(run, data, epochs=scale.probe_epochs, out=run, sweep=sweep, **options) for run in runs]


def _write_report(runs: Sequence[Path], page: Path) -> None:
    from iebench.report.page import write_report

    write_report(runs, page, title="iebench demo")


def _show(results: "Sequence[Results]", quick: bool) -> None:
    """The table, and what it says."""
    from iebench.evals.significance import compare_methods
    from iebench.evals.table import build_rows, format_table

    echo("")
    echo(format_table(build_rows(results)))
    if quick:
        echo("Everything works. Scores of so short a run say nothing: leave out --quick to see what SIE learns.")
        return
    echo("SIE above VICReg (negative: below it):")
    for found in compare_methods(results, "sie (rotation)", "vicreg"):
        echo(f"  {found.describe()}")
