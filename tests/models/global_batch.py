"""Loss and gradients of every method on one fixed batch of 16, divided among the processes. Run by test_distributed.py."""

import os
import sys

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from iebench.loader.multiview import Views
from iebench.models.distributed import synchronise_batch_norm
from iebench.models.method import Sizes
from iebench.models.online_probes import ProbedMethod
from iebench.models.registry import METHODS


def make_batch() -> Views:
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (2, 16, 3, 8, 8), dtype=torch.uint8, generator=generator).transpose(0, 1)
    transforms = torch.randn(16, 1, 4, dtype=torch.float64, generator=generator)
    label = torch.randint(0, 55, (16,), generator=generator)
    latents, index = torch.zeros(16, 2, 7, dtype=torch.float64), torch.zeros(16, 2, dtype=torch.int64)
    return Views(images, latents, transforms, label, torch.arange(16), index)


def make_module(name: str) -> ProbedMethod:
    torch.manual_seed(0)
    backbone = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(72, 12))
    entry = METHODS[name]
    if entry.method.uses_map:
        backbone = nn.Sequential(nn.Conv2d(3, 12, 3, 3), nn.BatchNorm2d(12))
    options = {"supervised": {}, "equicaps": {"capsules": 4}}.get(name, {"projector": "12-10"})
    method = entry.method(entry.settings(**options), backbone, Sizes(12, 4, 55, 8))
    return ProbedMethod(method, 55, slice(0, 4)).double()


def main(out: str) -> None:
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    if size > 1:
        distributed.init_process_group("gloo")
    rows = slice(rank * 16 // size, (rank + 1) * 16 // size)
    views = Views(*[field[rows] for field in make_batch()])
    results = {}
    for name in METHODS:
        module = make_module(name)
        synchronise_batch_norm(module, torch.device("cpu"))
        wrapped = DistributedDataParallel(module) if size > 1 else module
        output, predictions = wrapped(views)
        (output.loss + module.probes.loss(predictions, views)).backward()
        gradients = {key: value.grad for key, value in module.named_parameters() if value.grad is not None}
        buffers = {key: value for key, value in module.named_buffers() if "running" in key}
        results[name] = {"loss": output.loss.detach(), **gradients, **buffers}
    if rank == 0:
        torch.save(results, out)


if __name__ == "__main__":
    main(sys.argv[1])
