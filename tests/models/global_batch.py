"""Loss and gradients of every method on one fixed batch of 16, divided among the processes. Run by test_distributed.py."""

import os
import sys

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from iebench.loader.multiview import Pair
from iebench.models.distributed import synchronise_batch_norm
from iebench.models.method import Sizes
from iebench.models.online import Watched
from iebench.models.registry import METHODS


def make_batch() -> Pair:
    generator = torch.Generator().manual_seed(1)
    source, target = torch.randint(0, 256, (2, 16, 3, 8, 8), dtype=torch.uint8, generator=generator)
    transform = torch.randn(16, 4, dtype=torch.float64, generator=generator)
    label = torch.randint(0, 55, (16,), generator=generator)
    return Pair(source, target, transform, label, torch.arange(16), torch.zeros(16, 2, dtype=torch.int64))


def make_module(name: str) -> Watched:
    torch.manual_seed(0)
    backbone = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(72, 12))
    entry = METHODS[name]
    options = {} if name == "supervised" else {"projector": "12-10"}
    method = entry.method(entry.settings(**options), backbone, Sizes(12, 4, 55))
    return Watched(method, 55).double()


def main(out: str) -> None:
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    if size > 1:
        distributed.init_process_group("gloo")
    rows = slice(rank * 16 // size, (rank + 1) * 16 // size)
    pair = Pair(*[field[rows] for field in make_batch()])
    results = {}
    for name in METHODS:
        module = make_module(name)
        synchronise_batch_norm(module, torch.device("cpu"))
        wrapped = DistributedDataParallel(module) if size > 1 else module
        total, terms, _ = wrapped(pair)
        total.backward()
        gradients = {key: value.grad for key, value in module.named_parameters() if value.grad is not None}
        buffers = {key: value for key, value in module.named_buffers() if "running" in key}
        results[name] = {"loss": terms["loss"].detach(), **gradients, **buffers}
    if rank == 0:
        torch.save(results, out)


if __name__ == "__main__":
    main(sys.argv[1])
