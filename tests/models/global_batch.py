"""Loss, gradients and validation on one fixed batch of 16, divided among the processes. Run by test_distributed.py."""

import sys
from collections.abc import Iterator

import torch
from lightning.fabric import Fabric
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from iebench.factors.space import get_space
from iebench.loader.multiview import Views
from iebench.models.distributed import synchronise_batch_norm
from iebench.models.method import Sizes
from iebench.models.online_probes import ProbedMethod
from iebench.models.registry import METHODS
from iebench.models.validation import validate

SMALL, NORMALISED = {"projector": "12-10"}, {"projector": "12-10", "projector_norm": True, "transform_width": 4}
# What methods are told that are not just told a small projector; dropout would differ between processes.
OPTIONS = {
    "supervised": {},
    "seqjepa": {"transform_width": 4, "layers": 1, "predictor_hidden": 10, "dropout": 0.0},
    "contextssl": {"width": 16, "block_size": 8},
    "equicaps": {"capsules": 4},
}
CASES = {name: (name, OPTIONS.get(name, SMALL)) for name in METHODS} | {
    "SEN": ("simclr-equivariant", NORMALISED | {"predictor": "embedding"}),
    "Conditional BYOL": ("byol-conditioned", NORMALISED),
    "contextssl, a sequence of both processes": ("contextssl", {"width": 16, "block_size": 32}),
}


def transform_size(name: str) -> int:
    """Rotation and colors, but for the method that is told a motion."""
    return 4 if name == "equicaps" else 6


def make_batch(num_views: int, size: int) -> Views:
    generator = torch.Generator().manual_seed(1)
    shape = (num_views, 16, 3, 8, 8)
    images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator).transpose(0, 1)
    transforms = torch.randn(16, num_views - 1, size, dtype=torch.float64, generator=generator)
    label = torch.randint(0, 55, (16,), generator=generator)
    latents = torch.rand(16, num_views, 7, dtype=torch.float64, generator=generator)
    return Views(images, latents, transforms, label, torch.arange(16), torch.zeros(16, num_views, dtype=torch.int64))


def make_module(name: str, options: dict) -> ProbedMethod:
    torch.manual_seed(0)
    backbone = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(72, 12))
    entry = METHODS[name]
    if entry.method.uses_map:
        backbone = nn.Sequential(nn.Conv2d(3, 12, 3, 3), nn.BatchNorm2d(12))
    method = entry.method(
        entry.settings(**options), backbone, Sizes(12, transform_size(name), 55, 8, get_space("3diebench"))
    )
    return ProbedMethod(method, 55, slice(0, 4)).double()


class Rows:
    """What validation reads: some rows, and the first of them again to fill a batch."""

    def __init__(self, views: Views) -> None:
        self.views = views

    def set_epoch(self, epoch: int) -> None:
        pass

    def __iter__(self) -> Iterator[Views]:
        yield self.views
        yield Views(*[field[:1] for field in self.views])


def main(out: str, rank: int, size: int) -> None:
    """Write what processes compute, of which this is `rank` of `size`."""
    if size > 1:  # they meet at a file: a free port may be somebody else's by the time it is taken
        distributed.init_process_group("gloo", init_method=f"file://{out}.meet", rank=rank, world_size=size)
    rows = slice(rank * 16 // size, (rank + 1) * 16 // size)
    results = {}
    for case, (name, options) in CASES.items():
        module = make_module(name, options)
        synchronise_batch_norm(module, torch.device("cpu"))
        wrapped = DistributedDataParallel(module) if size > 1 else module
        views = Views(*[field[rows] for field in make_batch(module.method.num_views, transform_size(name))])
        output, predictions = wrapped(views)
        (output.loss + module.probes.loss(predictions, views)).backward()
        gradients = {key: value.grad for key, value in module.named_parameters() if value.grad is not None}
        buffers = {key: value for key, value in module.named_buffers() if "running" in key}
        results[case] = {"loss": output.loss.detach(), **gradients, **buffers}
    views = Views(*[field[rows] for field in make_batch(2, 6)])
    scores = validate(make_module("sie", SMALL), Rows(views), Fabric(accelerator="cpu", devices=1))
    results["validation"] = {name: torch.tensor(score) for name, score in scores.items()}
    if rank == 0:
        torch.save(results, out)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
