"""How the preset `mini` was chosen: variants of it, each changed in one thing, at equal cost.

    python benchmarks/studies/mini.py [--work FOLDER] [--results FOLDER] [--variants NAMES] [--jobs 2]

Each variant renders half of `mini`'s objects and trains SIE and VICReg for a third of the steps, on seed 10, which the table
does not use; a larger image trains for as many steps fewer as it has more pixels. What is done stays done. Small files of each
run are kept under results/study-mini/VARIANT-METHOD, of which results/study-mini.md is made. R² says how much of the rotations
that there are is known, so of narrower ones the degrees are to be compared, with those of a constant answer.
"""

import argparse
from pathlib import Path

from runs import is_kept, read_options, render, side_by_side, train_and_evaluate

from iebench.dataset.card import DatasetCard
from iebench.evals.columns import Cell
from iebench.evals.results import Results
from iebench.evals.table import build_rows
from iebench.models.recipes import RECIPES
from iebench.render.presets import PRESETS

SEED, METHODS, PROBE_EPOCHS = 10, ("sie", "vicreg"), 50
MINI = PRESETS["mini"].settings
OBJECTS, STEPS = MINI["objects_per_class"] // 2, RECIPES["mini"].trainer["steps"] // 3
NUISANCES = ("floor_hue=0.3", "light_theta=0.4", "light_phi=1", "light_hue=0.1")
MORE_CLASSES = f"{MINI['classes']},bathtub,bench,bus,camera,clock,lamp,piano,table,train,watercraft"
R2, DEGREES, TOP1 = "rotation R², uniform", "rotation error, median", "top-1"
HEADS = (
    "variant",
    "SIE, rotation R²",
    "VICReg, rotation R²",
    "SIE, error, °",
    "VICReg, error, °",
    "constant, error, °",
    "SIE, top-1",
    "VICReg, top-1",
    "motion of SIE's predictor",
)
VARIANTS: dict[str, list[str]] = {
    "as it is": [],
    "angles to 45 degrees": [word for axis in "xyz" for word in ("--factor", f"rotation_{axis}=-45:45deg")],
    "angles to 20 degrees": [word for axis in "xyz" for word in ("--factor", f"rotation_{axis}=-20:20deg")],
    "twice the views": ["--views", str(2 * MINI["views"]), "--objects-per-class", str(OBJECTS // 2)],
    "half the views": ["--views", str(MINI["views"] // 2), "--objects-per-class", str(2 * OBJECTS)],
    "twice the classes": ["--classes", MORE_CLASSES, "--objects-per-class", str(OBJECTS // 2)],
    "lens 50 mm": ["--focal-length", "50"],
    "32 px": ["--size", "32"],
    "64 px": ["--size", "64"],
    "floor and light fixed": [word for factor in NUISANCES for word in ("--factor", factor)],
}


def main() -> None:
    """Make what is missing of the study."""
    options = read_options(__doc__, "study-mini", "study-mini", variants=",".join(VARIANTS))
    for name in options.variants.split(","):
        make_variant(name, options)
        write_table(options)


def name_run(variant: str, method: str) -> str:
    """Folder of a run."""
    return f"{variant.replace(' ', '-')}-{method}"


def make_variant(name: str, options: argparse.Namespace) -> None:
    """Render a variant, train and evaluate both methods on it."""
    if all(is_kept(options, name_run(name, method)) for method in METHODS):
        return
    defaults = ["--seed", str(SEED), "--objects-per-class", str(OBJECTS)]
    data = options.work / name.replace(" ", "-")
    render(data, options, *defaults, *VARIANTS[name])
    side_by_side(lambda method: make_run(name, method, data, options), METHODS, options)


def make_run(variant: str, method: str, data: Path, options: argparse.Namespace) -> None:
    """Train and evaluate one method."""
    steps = round(STEPS * (MINI["size"] / DatasetCard.read(data).image_size) ** 2)
    train = [method, "--seed", str(SEED), "--steps", str(steps)]
    evaluate = ["--tasks", "classification,rotation,predictor", "--epochs", str(PROBE_EPOCHS)]
    train_and_evaluate(options, name_run(variant, method), data, train, evaluate)


def write_table(options: argparse.Namespace) -> None:
    """Write the table: a line for each variant, with 95 % intervals over objects."""
    lines = [f"| {' | '.join(HEADS)} |", "|---" + "|--:" * (len(HEADS) - 1) + "|"]
    for name in VARIANTS:
        runs = [name_run(name, method) for method in METHODS]
        if all(is_kept(options, run) for run in runs):
            found = [Results.read(options.results / run) for run in runs]
            lines.append(f"| {' | '.join([name, *describe(found)])} |")
    options.results.with_suffix(".md").write_text("\n".join(lines) + "\n")


def describe(found: list[Results]) -> list[str]:
    """The cells of a variant."""
    rows = [row.cells for results in found for row in build_rows([results])]  # a method, the constant, and again
    sie, constant, vicreg, _ = rows
    laws = found[0].details["predictor"]["group_laws"]
    return [
        *(show(row[R2]) for row in (sie, vicreg)),
        *(f"{row[DEGREES].value:.1f}" for row in (sie, vicreg, constant)),
        *(f"{row[TOP1].value:.1%}" for row in (sie, vicreg)),
        f"{laws['motion'] / laws['spread']:.2f}",
    ]


def show(cell: Cell) -> str:
    """A score with its interval."""
    return f"{cell.value:.3f} [{cell.low:.3f}, {cell.high:.3f}]"


if __name__ == "__main__":
    main()
