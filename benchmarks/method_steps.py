"""A training step of every method against SIE's: the ratio of their times, each pair measured alternating.

    OMP_NUM_THREADS=1 python benchmarks/method_steps.py [METHOD…]

Claim: none; the cards of docs/methods.md have what came out as the cost of a step. Settings are those of `--recipe mini`:
128 objects, 48 px, resnet18-narrow, here on noise. A ratio is the median over rounds of a method's seconds to those of the
step of SIE just before it, so that what else a machine does in the meantime weighs on both.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import torch
from torch import nn

from iebench.factors.space import get_space
from iebench.factors.transforms import make_transform
from iebench.loader.multiview import Views
from iebench.models.method import Method
from iebench.models.online_probes import ProbedMethod
from iebench.models.precision import choose_precision, keep_memory
from iebench.models.recipes import make_training
from iebench.models.registry import build_method, list_methods
from iebench.models.session import keep_channels_last, make_optimizer

SPACE, SIZE, CLASSES, UNIT = get_space("3diebench"), 48, 10, "sie"


def make_views(method: Method, batch: int, size: int) -> Views:
    """A batch of noise, of as many views as the method wants."""
    images = torch.randint(0, 256, (method.num_views, batch, size, size, 3), dtype=torch.uint8).permute(1, 0, 4, 2, 3)
    transforms = nn.functional.normalize(torch.randn(batch, method.num_views - 1, method.sizes.transform), dim=2)
    label, index = torch.randint(0, CLASSES, (batch,)), torch.arange(batch)
    latents = torch.rand(batch, method.num_views, 7)
    return Views(images, latents, transforms, label, index, torch.zeros(batch, method.num_views))


def make_step(name: str) -> Callable[[], None]:
    """A step of a method as `iebench train` takes it: loss, gradients, the optimiser and what the method does after it."""
    settings, trainer = make_training(name, "mini")
    width = make_transform(settings.transform, SPACE).size
    method = build_method(name, settings, width, CLASSES, SIZE, SPACE)
    module = keep_channels_last(ProbedMethod(method, CLASSES, slice(0, 4))).train()
    optimizer, views = make_optimizer(module, trainer), make_views(method, trainer.batch_size, SIZE)
    is_bf16 = choose_precision("auto", "cpu") == "bf16"

    def step() -> None:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=is_bf16):
            output, predictions = module(views)
            loss = output.loss + module.probes.loss(predictions, views)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        method.after_step(0.5)

    return step


def seconds_of(step: Callable[[], None]) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def compare(name: str, unit: Callable[[], None], rounds: int) -> float:
    """The median ratio of a method's step to the unit's."""
    step = make_step(name)
    step()
    ratios = []
    for _ in range(rounds):
        before = seconds_of(unit)
        ratios.append(seconds_of(step) / before)
    return statistics.median(ratios)


def main() -> None:
    """Measure every method, and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="*", help="all when absent")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    keep_memory()
    torch.manual_seed(0)
    unit = make_step(UNIT)
    unit()
    ratios = {name: round(compare(name, unit, options.rounds), 2) for name in options.methods or list_methods()}
    threads, precision = torch.get_num_threads(), choose_precision("auto", "cpu")
    print(json.dumps({"benchmark": "method_steps", "threads": threads, "precision": precision, "times_sie": ratios}))


if __name__ == "__main__":
    main()
