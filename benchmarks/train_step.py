"""A training step of SIE as `iebench train` takes it, against the plain step: images a second and memory.

    python benchmarks/train_step.py [--data DATASET]
    python benchmarks/train_step.py --device cuda --size 256 --batch 1024

Ours: the precision that this machine has instructions for, channels-last images and weights, the factorised predictor, on a CPU
memory that is kept, on CUDA a compiled backbone. Plain: contiguous float32 (on CUDA float16 autocast); once with our predictor,
once with built weights. Claim: on a CPU with bf16 instructions at least 1.5 times the plain step with the same predictor; with
2 workers on a dataset at most 5 % of the time goes into waiting for data. Each way runs in a process of its own.
"""

import argparse
import json
import tempfile
import time
from contextlib import AbstractContextManager
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import torch
from torch import Tensor, nn

from iebench.loader.multiview import Pair
from iebench.models.metrics import MetricsFile, peak_memory_mib
from iebench.models.online import Watched
from iebench.models.precision import choose_precision, keep_memory
from iebench.models.predictors import HypernetworkPredictor
from iebench.models.registry import build_method
from iebench.models.settings import TrainerSettings
from iebench.models.sie import SieSettings
from iebench.models.training import train

WAYS = ("ours", "plain", "built")
DTYPES = {"bf16": torch.bfloat16, "16": torch.float16}


class BuiltPredictor(nn.Module):
    """The plain hypernetwork predictor: it builds the (batch, d, d) weights."""

    def __init__(self, factorised: HypernetworkPredictor) -> None:
        super().__init__()
        num_matrices, self.size, _ = factorised.matrices.shape
        self.hypernetwork = nn.Linear(num_matrices, self.size**2, bias=False)

    def forward(self, embedding: Tensor, transform: Tensor) -> Tensor:
        weights = self.hypernetwork(transform).view(-1, self.size, self.size)
        return torch.bmm(weights, embedding.unsqueeze(2)).squeeze(2)


def normalise_contiguous(watched: Watched, images: Tensor) -> Tensor:
    return (images.contiguous() - watched.method.mean) / watched.method.std


def make_watched(way: str, device: str) -> Watched:
    torch.manual_seed(0)
    watched = Watched(build_method("sie", SieSettings(), 4, 55), 55).to(device)
    if way == "ours":
        if device == "cuda":
            watched.method.backbone.compile()
        return watched.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
    if way == "built":
        watched.method.predictor = BuiltPredictor(watched.method.predictor).to(device)  # type: ignore[arg-type]
    watched.method.normalise = partial(normalise_contiguous, watched)  # type: ignore[method-assign]
    return watched


def make_pair(batch: int, size: int, device: str) -> Pair:
    images = torch.randint(0, 256, (2, batch, size, size, 3), dtype=torch.uint8).permute(0, 1, 4, 2, 3)
    transform = nn.functional.normalize(torch.randn(batch, 4), dim=1)
    label, index = torch.randint(0, 55, (batch,)), torch.arange(batch)
    return Pair(*[field.to(device) for field in (*images, transform, label, index, torch.zeros(batch, 2))])


def autocast(way: str, device: str) -> AbstractContextManager[None]:
    precision = choose_precision("auto", device) if way == "ours" else "16" if device == "cuda" else "32"
    return torch.autocast(device, dtype=DTYPES.get(precision), enabled=precision in DTYPES)


def measure(way: str, device: str, batch: int, size: int, steps: int) -> dict[str, float]:
    """Images a second of the fastest step after the first, and peak memory."""
    if way == "ours" and device == "cpu":
        keep_memory()
    watched, pair = make_watched(way, device), make_pair(batch, size, device)
    optimizer = torch.optim.Adam(watched.parameters(), lr=1e-3, fused=way == "ours")
    scaler = torch.amp.GradScaler(device, enabled=way != "ours" and device == "cuda")
    seconds = []
    for _ in range(steps + 1):
        start = time.perf_counter()
        with autocast(way, device):
            loss, terms, _ = watched(pair)
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        terms["loss"].item()
        seconds.append(time.perf_counter() - start)
    return {"images_per_second": 2 * batch / min(seconds[1:]), "mib": peak_memory_mib(torch.device(device))}


def measure_waiting(data: Path, batch: int, size: int, steps: int) -> float:
    """Part of the time that a real training of `steps` steps with 2 workers waits for data, without its first half."""
    trainer = TrainerSettings(
        steps=steps, batch_size=batch, size=size, num_workers=2, log_every=steps // 2, validate_every=10**6
    )
    with tempfile.TemporaryDirectory() as out:
        train("sie", SieSettings(), trainer, data, Path(out))
        rows = MetricsFile(Path(out) / "metrics.csv", steps).read()
        return float([row["waiting_for_data"] for row in rows if row["waiting_for_data"]][-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--size", type=int, default=64, help="side of the images in pixels")
    parser.add_argument("--batch", type=int, default=128, help="pairs in a step")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--data", type=Path, help="a dataset, to measure the wait for data too")
    options = parser.parse_args()
    arguments = (options.device, options.batch, options.size, options.steps)
    with get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        results = {way: pool.apply(measure, (way, *arguments)) for way in WAYS}
    waiting = measure_waiting(options.data, options.batch, options.size, 20) if options.data else None
    speed = {way: result["images_per_second"] for way, result in results.items()}
    print(
        json.dumps(
            {
                "benchmark": "train_step",
                **{key: getattr(options, key) for key in ("device", "size", "batch")},
                "precision": choose_precision("auto", options.device),
                **results,
                "times_plain": speed["ours"] / speed["plain"],
                "times_built": speed["ours"] / speed["built"],
                "waiting_for_data": waiting,
            }
        )
    )


if __name__ == "__main__":
    main()
