"""A training step of SIE as `iebench train` takes it, against the plain step: images a second and memory.

    python benchmarks/train_step.py [--data DATASET]
    python benchmarks/train_step.py --device cuda --size 256 --batch 1024 --steps 25 --workers 16 [--data DATASET]

Ours: the precision that this machine has instructions for, channels-last images and weights, the factorised predictor, on a
CPU memory that is kept, on CUDA a compiled backbone; the images lie on the device. Plain: contiguous float32 (on CUDA float16
autocast); once with our predictor, once with built weights. The limit is the rate of a step of as many FLOPs that are computed
as fast as a large matrix product. With a dataset, real trainings too: streamed by workers, and with images that stay decoded
(`--resident`). Claims: on a CPU with bf16 instructions at least 1.5 times the plain step with the same predictor, and with 2
workers at most 5 % of the time goes into waiting for data; on CUDA trainings reach 90 % of the step. Each way runs in a process
of its own.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from iebench.loader.multiview import Views
from iebench.models.method_sie import SieSettings
from iebench.models.normalisation import Normalisation
from iebench.models.online_probes import ProbedMethod
from iebench.models.precision import choose_precision, keep_memory
from iebench.models.predictors import HypernetworkPredictor
from iebench.models.prefetch import to_device
from iebench.models.registry import build_method
from iebench.models.run_log import MetricsFile, peak_memory_mib
from iebench.models.session import keep_channels_last
from iebench.models.settings import TrainerSettings
from iebench.models.training import train

Result = TypeVar("Result")
WAYS = ("ours", "plain", "built")
DTYPES = {"bf16": torch.bfloat16, "16": torch.float16}


class BuiltPredictor(nn.Module):
    """The plain hypernetwork predictor: it builds the (batch, d, d) weights."""

    def __init__(self, factorised: HypernetworkPredictor) -> None:
        super().__init__()
        num_matrices, self.size, _ = factorised.matrices.shape
        self.hypernetwork = nn.Linear(num_matrices, self.size**2, bias=False)

    def forward(self, embedding: Tensor, transform: Tensor) -> Tensor:
        """W(t)·x by torch.bmm."""
        weights = self.hypernetwork(transform).view(-1, self.size, self.size)
        return torch.bmm(weights, embedding.unsqueeze(2)).squeeze(2)


class ContiguousNormalisation(Normalisation):
    """The plain normalisation, whose images are contiguous."""

    def forward(self, images: Tensor) -> Tensor:
        """The normalised images."""
        return (images.contiguous() - self.mean) / self.std


def make_module(way: str, device: str) -> ProbedMethod:
    """SIE with its online probes, taken one of the ways."""
    torch.manual_seed(0)
    module = ProbedMethod(build_method("sie", SieSettings(), 4, 55), 55, slice(0, 4)).to(device)
    if way == "ours":
        if device == "cuda":
            module.method.backbone.compile()
        return keep_channels_last(module)
    if way == "built":
        module.method.predictor = BuiltPredictor(module.method.predictor).to(device)  # type: ignore[arg-type]
    module.method.normalisation = ContiguousNormalisation().to(device)
    return module


def make_views(batch: int, size: int, device: str) -> Views:
    """A batch of noise on the device."""
    images = torch.randint(0, 256, (2, batch, size, size, 3), dtype=torch.uint8).permute(1, 0, 4, 2, 3)
    transforms = nn.functional.normalize(torch.randn(batch, 4), dim=1)[:, None]
    label, index = torch.randint(0, 55, (batch,)), torch.arange(batch)
    views = Views(images, torch.zeros(batch, 2, 7), transforms, label, index, torch.zeros(batch, 2))
    return to_device(views, torch.device(device))


def autocast(way: str, device: str) -> AbstractContextManager[None]:
    """The precision in which a way computes."""
    precision = choose_precision("auto", device) if way == "ours" else "16" if device == "cuda" else "32"
    return torch.autocast(device, dtype=DTYPES.get(precision), enabled=precision in DTYPES)


def measure(way: str, device: str, batch: int, size: int, steps: int) -> dict[str, float]:
    """Images a second of the fastest step after the first, and peak memory."""
    if way == "ours" and device == "cpu":
        keep_memory()
    module, views = make_module(way, device), make_views(batch, size, device)
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3, fused=way == "ours")
    scaler = torch.amp.GradScaler(device, enabled=way != "ours" and device == "cuda")
    seconds = []
    for _ in range(steps + 1):
        start = time.perf_counter()
        with autocast(way, device):
            output, predictions = module(views)
            loss = output.loss + module.probes.loss(predictions, views)
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        output.loss.item()
        seconds.append(time.perf_counter() - start)
    return {"images_per_second": 2 * batch / min(seconds[1:]), "mib": peak_memory_mib(torch.device(device))}


def measure_product(device: str) -> float:
    """FLOP/s of a large square matrix product in the precision of ours, the best of ten."""
    dtype, side = DTYPES.get(choose_precision("auto", device), torch.float32), 8192 if device == "cuda" else 2048
    one, other = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    seconds = []
    for _ in range(11):
        start = time.perf_counter()
        (one @ other)[0, 0].item()
        seconds.append(time.perf_counter() - start)
    return 2 * side**3 / min(seconds[1:])


def count_flops(device: str, batch: int, size: int) -> float:
    """FLOPs of a step for each image: of convolutions and matrix products, forward and backward."""
    module, views = make_module("plain", device), make_views(batch, size, device)
    with FlopCounterMode(display=False) as counter:
        output, predictions = module(views)
        (output.loss + module.probes.loss(predictions, views)).backward()
    return counter.get_total_flops() / (2 * batch)


def measure_training(options: argparse.Namespace, resident: bool) -> dict[str, float]:
    """Images a second of a real training, and the part of the time that it waits for data, without its first half."""
    steps = 4 * options.steps
    trainer = TrainerSettings(
        steps=steps,
        batch_size=options.batch,
        size=options.size,
        accelerator=options.device,
        compile=options.device == "cuda",
        num_workers=options.workers,
        resident=resident,
        log_every=steps // 2,
        validate_every=10**6,
    )
    with tempfile.TemporaryDirectory() as out:
        train("sie", SieSettings(), trainer, options.data, Path(out))
        rows = MetricsFile(Path(out) / "metrics.csv", steps).read()
    last = [row for row in rows if row["waiting_for_data"]][-1]
    return {name: float(last[name]) for name in ("images_per_second", "waiting_for_data", "memory_mib")}


def apart(function: Callable[..., Result], *arguments: Any) -> Result:
    """What a function returns in a process of its own, which may have workers."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def main() -> None:
    """Measure all ways in turn, and print one JSON line."""
    options = read_options()
    arguments = (options.device, options.batch, options.size)
    results = {way: apart(measure, way, *arguments, options.steps) for way in WAYS}
    limit = apart(measure_product, options.device) / apart(count_flops, *arguments)
    for name in ("streamed", "resident") if options.data else ():
        results[name] = apart(measure_training, options, name == "resident")
    speed = {way: result["images_per_second"] for way, result in results.items()}
    told = {
        "benchmark": "train_step",
        **{key: getattr(options, key) for key in ("device", "size", "batch")},
        "accelerator": torch.cuda.get_device_name() if options.device == "cuda" else "",
        "precision": choose_precision("auto", options.device),
        **results,
        "times_plain": speed["ours"] / speed["plain"],
        "times_built": speed["ours"] / speed["built"],
        "images_per_second_at_the_products_rate": limit,
        "of_the_product": speed["ours"] / limit,
        **{f"{name}_of_the_step": speed[name] / speed["ours"] for name in ("streamed", "resident") if name in speed},
    }
    print(json.dumps(told))


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--size", type=int, default=64, help="side of the images in pixels")
    parser.add_argument("--batch", type=int, default=128, help="pairs in a step")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--data", type=Path, help="a dataset, to measure trainings on it too")
    parser.add_argument("--workers", type=int, default=2, help="processes that decode the streamed views")
    return parser.parse_args()


if __name__ == "__main__":
    main()
