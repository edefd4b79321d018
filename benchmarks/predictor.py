"""The hypernetwork predictor, factorised, against building the weights and torch.bmm: time and memory of a step.

    python benchmarks/predictor.py

Claim: at d = 1024, B = 128, forward and backward, at least 10 times faster in at most a tenth of the memory, equal to 1e-5
in float32. Each way runs in a process of its own, so that its peak memory is its own.
"""

import argparse
import json
import resource
import time
from collections.abc import Callable
from multiprocessing import get_context

import torch
from torch import Tensor, nn

from iebench.models.predictors import HypernetworkPredictor

TRANSFORM_SIZE = 4
Predict = Callable[[Tensor, Tensor], Tensor]


def build_weights_and_multiply(predictor: HypernetworkPredictor) -> Predict:
    """The plain way with the same parameters: a linear layer to (batch, d·d), then a batched product."""
    num_matrices, size, _ = predictor.matrices.shape
    layer = nn.Linear(num_matrices, size * size, bias=False)
    layer.weight = nn.Parameter(predictor.matrices.data.reshape(num_matrices, -1).T.contiguous())

    def predict(embedding: Tensor, transform: Tensor) -> Tensor:
        return torch.bmm(layer(transform).view(-1, size, size), embedding.unsqueeze(2)).squeeze(2)

    return predict


def make(way: str, size: int, batch: int) -> tuple[Predict, Tensor, Tensor]:
    """A way to predict, the same weights for both, with embeddings and transforms."""
    torch.manual_seed(0)
    predictor = HypernetworkPredictor(size, TRANSFORM_SIZE)
    embedding = torch.randn(batch, size, requires_grad=True)
    transform = nn.functional.normalize(torch.randn(batch, TRANSFORM_SIZE), dim=1)
    return (predictor if way == "factorised" else build_weights_and_multiply(predictor)), embedding, transform


def measure(way: str, size: int, batch: int, repeats: int) -> dict[str, float]:
    """Fastest seconds of a forward and backward pass, and what it added to the process's peak memory in MiB."""
    predict, embedding, transform = make(way, size, batch)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        predict(embedding, transform).square().mean().backward()
        seconds.append(time.perf_counter() - start)
    added = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"seconds": min(seconds), "mib": added / 1024}


def largest_difference(size: int, batch: int) -> float:
    """Between the two ways' predictions, relative to the largest prediction."""
    ours, embedding, transform = make("factorised", size, batch)
    plain = build_weights_and_multiply(ours)  # type: ignore[arg-type]
    expected = plain(embedding, transform)
    return ((ours(embedding, transform) - expected).abs().max() / expected.abs().max()).item()


def main() -> None:
    """Measure, and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1024, help="coordinates of an embedding")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    arguments = (options.size, options.batch, options.repeats)
    with get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        ours, plain = (pool.apply(measure, (way, *arguments)) for way in ("factorised", "built"))
        difference = pool.apply(largest_difference, arguments[:2])
    result = {
        "benchmark": "predictor",
        "size": options.size,
        "batch": options.batch,
        "threads": torch.get_num_threads(),
        "factorised": ours,
        "built": plain,
        "times_faster": plain["seconds"] / ours["seconds"],
        "memory_ratio": ours["mib"] / plain["mib"],
        "largest_relative_difference": difference,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
