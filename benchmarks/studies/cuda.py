"""All that a CUDA machine is asked for, in one resumable script: the step, studies on `mini`, and larger datasets.

    python benchmarks/studies/cuda.py --mini DATASET --data DATASET64,DATASET128 [--minutes 9] [--jobs 4]

The datasets are rendered elsewhere and carried there, and nothing is fetched. First `benchmarks/train_step.py` at the size of
each dataset of --data; then, side by side, rows of table.py and the runs of faster.py and scaling.py, on `mini`; then each
method on each dataset of --data, as published (ResNet-18, Adam at a constant 1e-3, batches of 1024) for --steps steps, with
images that stay on the device. What is done stays done. When the minutes are over, trainings are told to save, and the same
command goes on. Results lie under --results (mini, faster, scaling, and a folder for each dataset with the backbones' weights);
checkpoints stay under --work.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import faster
import scaling
import table
from runs import ROOT, iebench, read_options, run_command, side_by_side, tell, train_and_evaluate

from iebench.dataset.card import DatasetCard
from iebench.files import whole_file

METHODS = ("sie", "vicreg", "supervised")
TASKS, PROBE_EPOCHS = "classification,rotation,retrieval,predictor", 100


def main() -> None:
    """Make what is missing, for as long as there is time."""
    names = {"mini": "", "data": "", "rows": ",".join(METHODS), "methods": ",".join(METHODS)}
    numbers = {"seeds": 3, "again": 0, "batch": 1024, "steps": 5000, "workers": 8}
    options = read_options(__doc__, "cuda", "cuda", **names, **numbers)
    if not (options.mini or options.data):
        raise SystemExit("Nothing to do: name datasets with --mini or --data.")
    datasets = [Path(folder) for folder in options.data.split(",") if folder]
    for data in datasets:
        measure_step(data, options)
    if options.mini:
        side_by_side(lambda make: make(), list_mini(Path(options.mini), options), options)
        table.write_tables(options.results / "mini")
    large = [(method, data) for data in datasets for method in options.methods.split(",")]
    side_by_side(lambda run: make_large(*run, options), large, options)


def measure_step(data: Path, options: argparse.Namespace) -> None:
    """Keep what a step and trainings on a dataset do a second."""
    path = options.results / f"train_step-{data.name}.json"
    if path.exists():
        return
    tell(f"{data.name}: a training step")
    path.parent.mkdir(parents=True, exist_ok=True)
    on_cuda = options.accelerator == "cuda"
    settings: dict[str, object] = {"size": DatasetCard.read(data).image_size, "data": data}
    settings |= {"steps": 25 if on_cuda else 1, "batch": options.batch, "workers": options.workers}
    settings |= {"device": "cuda" if on_cuda else "cpu"}
    words = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
    with whole_file(path) as partial_file, partial_file.open("w") as file:
        run_command([sys.executable, str(ROOT / "benchmarks" / "train_step.py"), *words], file)


def list_mini(data: Path, options: argparse.Namespace) -> Iterator[Callable[[], None]]:
    """Runs on `mini`, those that decide the most first."""
    for name, seed in table.order_rows(options.rows, options.seeds):
        yield partial(table.make_row, name, seed, data, in_folder(options, "mini"))
    for run in faster.list_runs(",".join(faster.STUDIES)):
        yield partial(faster.make_run, *run, data, in_folder(options, "faster"))
    for size, method in scaling.list_runs():
        yield partial(scaling.make_run, size, method, data, in_folder(options, "scaling"))


def make_large(method: str, data: Path, options: argparse.Namespace) -> None:
    """Train and evaluate a method on a larger dataset, and keep the weights of its backbone."""
    own = in_folder(options, data.name)
    train = [method, "--recipe", "published", "--steps", str(options.steps), "--batch-size", str(options.batch)]
    train_and_evaluate(own, method, data, train, ["--tasks", TASKS, "--epochs", str(PROBE_EPOCHS)])
    weights = own.results / method / "backbone.pt"
    if not weights.exists():
        iebench("export-backbone", str(own.work / "runs" / method), str(weights))


def in_folder(options: argparse.Namespace, name: str) -> argparse.Namespace:
    """The options with folders of their own for some runs."""
    folders = {"work": options.work / name, "results": options.results / name}
    return argparse.Namespace(**{**vars(options), **folders})


if __name__ == "__main__":
    main()
