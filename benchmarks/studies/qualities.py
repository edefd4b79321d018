"""What learning sees of cheaper pictures: probes trained on views of one quality and tested on those of another.

    python benchmarks/studies/qualities.py [--work FOLDER] [--results FOLDER] [--runs FOLDER] [--network supervised-0]

Renders the same views in the published quality and in `trained`, freezes a network that `table.py` trained (on pictures of
quality `preview`), trains probes of class and rotation on the training objects of one dataset, and scores them on the held-out
objects of both. What is done stays done. results.json is kept under results/qualities/QUALITY, of which results/qualities.md is
made.
"""

import argparse
import shutil
from pathlib import Path

from runs import ROOT, iebench, is_kept, read_options, render, tell, threads

from iebench.dataset.reader import Dataset
from iebench.evals.results import Results

QUALITIES = ("reference", "trained")
OBJECTS, EPOCHS = 30, 100  # of each class; of the probes
SCORES = {"classification/whole/top1": "top-1", "rotation/whole/r2_uniform": "rotation R², uniform"}


def main() -> None:
    """Make what is missing, then the table."""
    runs = str(ROOT / "data" / "table" / "runs")
    options = read_options(__doc__, "qualities", "qualities", runs=runs, network="supervised-0")
    for quality in QUALITIES:
        render(options.work / quality, options, "--objects-per-class", str(OBJECTS), "--quality", quality)
        words = ("--object-list", str(list_held_out(options.work)), "--quality", quality)
        render(options.work / f"{quality}-held-out", options, *words)
    for quality, other in zip(QUALITIES, reversed(QUALITIES), strict=True):
        score(quality, other, options)
    write_table(options)


def list_held_out(work: Path) -> Path:
    """A list of the objects on which probes do not train."""
    dataset, path = Dataset(work / QUALITIES[0]), work / "held-out.txt"
    names = [f"{dataset.synsets[index]}/{dataset.object_ids[index]}" for index in dataset.split_indices("val")]
    path.write_text("\n".join(names) + "\n")
    return path


def score(quality: str, other: str, options: argparse.Namespace) -> None:
    """Train probes on one quality, and score them on both."""
    if is_kept(options, quality):
        return
    tell(f"{quality}: evaluating")
    out, kept = options.work / f"scores-{quality}", options.results / quality
    words = ["eval", str(Path(options.runs) / options.network), "--data", str(options.work / quality)]
    more = [
        "--ood",
        str(options.work / f"{other}-held-out"),
        "--tasks",
        "classification,rotation",
        "--epochs",
        str(EPOCHS),
    ]
    iebench(*words, *more, "--baselines", "constant", "--out", str(out), cost=None, **threads(options))
    kept.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(out / "results.json", kept / "results.json")


def write_table(options: argparse.Namespace) -> None:
    """A line for each score and quality of training, with 95 % intervals over objects."""
    lines = [
        f"| score | trained on | {' | '.join(f'tested on {quality}' for quality in QUALITIES)} |",
        "|---|---|--:|--:|",
    ]
    for key, name in SCORES.items():
        for quality in QUALITIES:
            scores = Results.read(options.results / quality).scores.scores
            cells = [scores[key if tested == quality else f"ood/{key}"] for tested in QUALITIES]
            told = [f"{cell.mean:.3f} [{cell.low:.3f}, {cell.high:.3f}]" for cell in cells]
            lines.append(f"| {name} | {quality} | {' | '.join(told)} |")
    options.results.with_suffix(".md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
