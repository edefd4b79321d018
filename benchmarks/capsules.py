"""The capsule projector of EquiCaps, without building the votes, against building them: time and memory of a step.

    python benchmarks/capsules.py

Claim: on the map of 256 px, batch 32, 32 capsules with poses of 3 x 3, forward and backward, in half of the
memory and no slower, equal to 1e-4 in float32. Each way runs in a process of its own, so that its peak memory is its own.
"""

import argparse
import json
import resource
import time
from multiprocessing import get_context

import torch
from torch import Tensor, nn

from iebench.models.capsules import CapsuleProjector, SelfRouting

CHANNELS = 512  # of a ResNet-18's map


class VotingRouting(SelfRouting):
    """The plain way with the same parameters: the votes (n, inputs, outputs, D) are built and averaged."""

    def __init__(self, ours: SelfRouting) -> None:
        super(SelfRouting, self).__init__()
        self.in_pose, self.kernel, self.stride, self.padding = ours.in_pose, ours.kernel, ours.stride, ours.padding
        self.routing_weight, self.routing_bias = ours.routing_weight, ours.routing_bias
        assert ours.pose_weight is not None
        split = ours.pose_weight.data.unflatten(2, (self.in_pose, -1))
        self.voting = nn.Parameter(split.permute(3, 2, 0, 1).flatten(2).contiguous())  # (inputs, C, outputs * D)

    def route(self, activations: Tensor, poses: Tensor) -> tuple[Tensor, Tensor]:
        """Activations and poses of the output capsules."""
        logits = torch.bmm(poses.permute(2, 0, 1), self.routing_weight).permute(1, 0, 2) + self.routing_bias.T
        shares = logits.softmax(dim=2) * activations[:, :, None]
        totals = shares.sum(dim=1)
        votes = torch.bmm(poses.permute(2, 0, 1), self.voting).transpose(0, 1).unflatten(2, (totals.shape[1], -1))
        found = (votes * (shares / totals[:, None])[..., None]).sum(dim=1)
        return totals / activations.sum(dim=1, keepdim=True), found


def make(way: str, side: int, batch: int, capsules: int, m: int) -> tuple[CapsuleProjector, Tensor]:
    """A way to project, the same weights for both, with a map."""
    torch.manual_seed(0)
    projector = CapsuleProjector(CHANNELS, side, capsules, m)
    if way == "built":
        projector.routing = VotingRouting(projector.routing)
    return projector, torch.randn(batch, CHANNELS, side, side, requires_grad=True)


def take_step(project: CapsuleProjector, features: Tensor) -> None:
    """Forward and backward."""
    activations, poses = project(features)
    (activations.square().mean() + poses.square().mean()).backward()


def measure(way: str, sizes: tuple[int, int, int, int], repeats: int) -> dict[str, float]:
    """Fastest seconds of a step, by the clock and of all cores, and what it added to the process's peak memory in MiB."""
    take_step(*make(way, 1, 2, 2, 2))  # what torch loads and keeps by itself
    project, features = make(way, *sizes)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds, of_cores = [], []
    for _ in range(repeats):
        start, start_of_cores = time.perf_counter(), time.process_time()
        take_step(project, features)
        seconds.append(time.perf_counter() - start)
        of_cores.append(time.process_time() - start_of_cores)
        project.zero_grad()
    added = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"seconds": min(seconds), "core_seconds": min(of_cores), "mib": added / 1024}


def largest_difference(sizes: tuple[int, int, int, int]) -> float:
    """Between the two ways' poses and map's gradients, relative to the largest."""
    found = []
    for way in ("factorised", "built"):
        project, features = make(way, *sizes)
        take_step(project, features)
        found.append((project(features)[1].detach(), features.grad))
    pairs = zip(*found, strict=True)
    return max(((ours - plain).abs().max() / plain.abs().max()).item() for ours, plain in pairs)


def main() -> None:
    """Measure, and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=256, help="side of the images in pixels; the map's is a 32nd")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--capsules", type=int, default=32)
    parser.add_argument("--m", type=int, default=3, help="side of the poses")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    sizes = (options.size // 32, options.batch, options.capsules, options.m)
    with get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        ours, plain = (pool.apply(measure, (way, sizes, options.repeats)) for way in ("factorised", "built"))
        difference = pool.apply(largest_difference, (sizes,))
    result = {
        "benchmark": "capsules",
        **{name: getattr(options, name) for name in ("size", "batch", "capsules", "m")},
        "threads": torch.get_num_threads(),
        "factorised": ours,
        "built": plain,
        "times_faster": plain["seconds"] / ours["seconds"],
        "times_less_work": plain["core_seconds"] / ours["core_seconds"],
        "memory_ratio": ours["mib"] / plain["mib"],
        "largest_relative_difference": difference,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
