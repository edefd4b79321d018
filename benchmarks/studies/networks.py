"""One table over several networks: what is known of each without its predictor, beside raw pixels and an untrained network.

    python benchmarks/studies/networks.py [--work FOLDER] [--results FOLDER] [--networks NAMES] [--jobs 2]

Scores runs of `table.py`, which must lie in FOLDER/runs, on its dataset, with three seeds of every probe. What is done stays
done. Of each network results.json is kept under results/networks/NAME, of which results/networks.md is made.
"""

import argparse
import os
import shutil
from pathlib import Path

from jaxtyping import Float, UInt8
from runs import iebench, read_options, side_by_side, tell, threads
from table import WRITING, capture
from torch import Tensor, nn
from torch.nn import functional as F

HERE = Path(__file__).parent
TASKS = "classification,knn,rotation,rotation-linear,color,equivariance,spectrum,dci"
OPTIONS = ("--tasks", TASKS, "--seeds", "3", "--epochs", "100", "--baselines", "constant", "--workers", "0")
SIDE = 16  # of the image that stands for its pixels
NETWORKS = {  # name → what `iebench eval` is told; runs are those of table.py
    "pixels": ("--model", "networks:Pixels", "--normalise", "none"),
    "untrained": ("--model", "resnet18-narrow"),
    "supervised": ("supervised-0",),
    "vicreg": ("vicreg-0",),
    "simclr": ("simclr-0",),
    "sie": ("sie-0",),
    "seqjepa": ("seqjepa-0",),
    "sen": ("sen-0",),
    "equicaps": ("equicaps-0",),
}


class Pixels(nn.Module):
    """The image itself, brought to 16 x 16 pixels: 768 numbers."""

    def forward(self, images: UInt8[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch 768"]:
        """Means of the colors over areas, from 0 to 1."""
        return F.adaptive_avg_pool2d(images.float() / 255, SIDE).flatten(1)


def main() -> None:
    """Score what has not been scored yet."""
    options = read_options(__doc__, "table", "networks", networks=",".join(NETWORKS))
    names = options.networks.split(",")
    if unknown := [name for name in names if name not in NETWORKS]:
        raise SystemExit(f"--networks {unknown[0]}: there are {', '.join(NETWORKS)}.")
    side_by_side(lambda name: score(name, options), names, options)


def score(name: str, options: argparse.Namespace) -> None:
    """Score one network and keep its results."""
    kept, out = options.results / name / "results.json", options.work / "networks" / name
    if not kept.exists():
        tell(f"{name}: evaluating")
        first, *rest = NETWORKS[name]
        model = [first, *rest] if rest else [str(options.work / "runs" / first)]
        words = ["eval", *model, "--data", str(options.work / "data"), "--out", str(out), *OPTIONS]
        environment = {
            **threads(options),
            "PYTHONPATH": os.pathsep.join(filter(None, (str(HERE), os.environ.get("PYTHONPATH")))),
        }
        iebench(*words, cost=None, **environment)
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(out / "results.json", kept)
    with WRITING:
        write_table(options.results)


def write_table(results: Path) -> None:
    """The table of all networks that are done, in the order above."""
    found = [str(results / name) for name in NETWORKS if (results / name / "results.json").exists()]
    results.with_suffix(".md").write_text(capture("table", *found, "--format", "markdown"))


if __name__ == "__main__":
    main()
