"""All that a CUDA machine is asked for, in one resumable script: the step, `mini`'s table, and 55 classes at 64 and 128 px.

    python benchmarks/studies/cuda.py --mini DATASET --data DATASET64,DATASET128 [--minutes 9] [--jobs 4]

The datasets are rendered elsewhere and carried there, and nothing is fetched. First `benchmarks/train_step.py` at the size of
each dataset of --data; then rows of `mini`, through table.py; then each method on each dataset of --data, as published
(ResNet-18, Adam at a constant 1e-3, batches of 1024) for --steps steps, with a compiled backbone and images that stay on the
device. What is done stays done. When the minutes are over, trainings are told to save, and the same command goes on. Results
lie under --results, with the backbone's weights of the runs on --data; checkpoints stay under --work.
"""

import argparse
import sys
from pathlib import Path

import torch
from runs import ROOT, end_after, iebench, read_options, run_command, side_by_side, tell, train_and_evaluate
from table import make_row, order_rows

from iebench.dataset.card import DatasetCard
from iebench.files import whole_file

METHODS = ("sie", "vicreg", "supervised")
TASKS, PROBE_EPOCHS = "classification,rotation,retrieval,predictor", 100


def main() -> None:
    """Make what is missing, for as long as there is time."""
    names = {"mini": "", "data": "", "device": "cuda", "rows": ",".join(METHODS), "methods": ",".join(METHODS)}
    numbers = {"minutes": 60.0, "seeds": 3, "batch": 1024, "steps": 5000, "workers": 8}
    options = read_options(__doc__, "cuda", "cuda", **names, **numbers)
    if not (options.mini or options.data):
        raise SystemExit("Nothing to do: name datasets with --mini or --data.")
    if options.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("torch finds no CUDA device here: run this where there is one, or give --device cpu.")
    end_after(options.minutes)
    datasets = [Path(folder) for folder in options.data.split(",") if folder]
    for data in datasets:
        measure_step(data, options)
    if options.mini:
        make_mini(Path(options.mini), options)
    for data in datasets:
        for method in options.methods.split(","):  # one after the other, as each fills the device
            make_large(method, data, options)


def measure_step(data: Path, options: argparse.Namespace) -> None:
    """Keep what a step and trainings on a dataset do a second."""
    path = options.results / f"train_step-{data.name}.json"
    if path.exists():
        return
    tell(f"{data.name}: a training step")
    path.parent.mkdir(parents=True, exist_ok=True)
    steps = 25 if options.device == "cuda" else 1
    settings = {"size": DatasetCard.read(data).image_size, "steps": steps, "data": data}
    settings |= {name: getattr(options, name) for name in ("device", "batch", "workers")}
    words = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
    with whole_file(path) as partial, partial.open("w") as file:
        run_command([sys.executable, str(ROOT / "benchmarks" / "train_step.py"), *words], file)


def make_mini(data: Path, options: argparse.Namespace) -> None:
    """Rows of the table of `mini`, several side by side."""
    own, more = in_folder(options, "mini"), ("--resident", "--accelerator", options.device)
    rows = order_rows(options.rows, options.seeds)
    side_by_side(lambda row: make_row(row[0], row[1], data, own, *more), rows, own)


def make_large(method: str, data: Path, options: argparse.Namespace) -> None:
    """Train and evaluate a method on a larger dataset, and keep the weights of its backbone."""
    own = in_folder(options, data.name, jobs=1)
    train = [method, "--recipe", "published", "--steps", str(options.steps), "--batch-size", str(options.batch)]
    train += ["--resident", "--accelerator", options.device, *(["--compile"] if options.device == "cuda" else [])]
    train_and_evaluate(own, method, data, train, ["--tasks", TASKS, "--epochs", str(PROBE_EPOCHS)])
    weights = own.results / method / "backbone.pt"
    if not weights.exists():
        iebench("export-backbone", str(own.work / "runs" / method), str(weights))


def in_folder(options: argparse.Namespace, name: str, **more: int) -> argparse.Namespace:
    """The options with folders of their own for some runs, and others that are changed."""
    folders = {"work": options.work / name, "results": options.results / name}
    return argparse.Namespace(**{**vars(options), **folders, **more})


if __name__ == "__main__":
    main()
