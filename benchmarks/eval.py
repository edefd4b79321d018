"""The evaluation against the plain way, which runs the backbone again in every epoch of every probe.

    python benchmarks/eval.py --part suite      # all tasks, some minutes
    python benchmarks/eval.py --part retrieval  # PRE over 100 000 embeddings of 1024 numbers
    python benchmarks/eval.py --part equivariance  # the fitted action on 2 000 objects x 8 views x 768 numbers
    python benchmarks/eval.py --part companions  # nearest neighbors, spectrum, DCI and linear probes on as many, beside an MLP

Prints a JSON line for each part. The representations are those of a ResNet-18 on 2 000 objects with 20 views of 64 px, drawn at
random: what is in the images changes no time. Both ways do the published 300 epochs; of ours, 2 and 6 epochs are measured and the
rest is their difference, continued; of the plain way, one epoch with one view and one with two, multiplied.
"""

import argparse
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from iebench.catalogue import CLASSES
from iebench.evals import Context, EvalSettings, Model, ProbeSettings, run_suite
from iebench.evals.action_scores import RANK, choose_pairs
from iebench.evals.evaluator import Detail, Evaluator, Score
from iebench.evals.linear_action import ActionFit, Basis, Family, transforms_of
from iebench.evals.probe_fitting import draw_samples, fit_probe
from iebench.evals.probe_task import ProbeTask
from iebench.evals.probes import Probe
from iebench.evals.registry import find_evaluators
from iebench.evals.representations import Representations
from iebench.evals.retrieval import Retrieval
from iebench.evals.tasks.equivariance import Equivariance
from iebench.factors.space import get_space
from iebench.factors.transforms import make_transform
from iebench.models.backbones import build_backbone

EPOCHS, SIZE, BATCH = 300, 64, 256
PARTS = {"invariant": slice(0, 256), "equivariant": slice(256, 512)}
COMPANIONS = ("knn", "spectrum", "dci", "rotation-linear", "pose-linear")
TASKS = ("classification", "rotation", "color", "pose", "retrieval", "predictor")


class RandomViews:
    """An `EvalDataset` of noise, with latents as the benchmark draws them."""

    identity = "noise"

    def __init__(self, num_objects: int, num_views: int):
        self.space = get_space("3diebench")
        self.card = {"name": "noise"}
        self.classes = CLASSES
        self.latents = np.stack([self.space.sample(0, "noise", str(index), num_views) for index in range(num_objects)])
        self.labels = np.arange(num_objects) % 55

    def split_indices(self, split: str) -> np.ndarray:
        """One fifth is for validation, as published."""
        rows = np.arange(len(self.labels))
        return {"train": rows[rows % 5 > 0], "val": rows[::5], "all": rows}[split]

    def images(self, split: str, start: int = 0) -> Iterator[Tensor]:
        """Noise, as many images as the split has views from `start` on."""
        left = len(self.split_indices(split)) * self.latents.shape[1] - start
        while left > 0:
            yield draw_images(min(BATCH, left))
            left -= BATCH


def draw_images(count: int) -> Tensor:
    """Noise, uint8 (count, 3, SIZE, SIZE)."""
    return torch.randint(0, 256, (count, 3, SIZE, SIZE), dtype=torch.uint8)


def compare_suites(num_objects: int, num_views: int) -> dict[str, float]:
    """Seconds of the whole suite, ours and plain."""
    backbone = build_backbone("resnet18").eval()

    def represent(images: Tensor) -> Tensor:
        return backbone((images.float() - 128) / 64)

    dataset = RandomViews(num_objects, num_views)
    turn = torch.randn(4, 256, 256) / 16
    model = Model(
        represent,
        embed=lambda x: x[:, 256:],
        predict=lambda e, t: torch.einsum("bk,kde,be->bd", t, turn, e),
        parts=PARTS,
        key="benchmark",
    )
    with tempfile.TemporaryDirectory() as folder:
        seconds = {epochs: time_suite(model, dataset, epochs, Path(folder)) for epochs in (0, 2, 6)}
    extraction, slope = seconds[0] - seconds[2] + 2 * _slope(seconds), _slope(seconds)
    ours = extraction + seconds[2] + (EPOCHS - 2) * slope
    rows = dataset.split_indices("train")
    blank = np.zeros((len(rows), num_views, 1), np.float32)
    train = Representations(dataset.space, dataset.classes, dataset.latents[rows], dataset.labels[rows], rows, blank)
    probes = [task for task in find_evaluators(TASKS) if isinstance(task, ProbeTask)]
    plain_epochs = {task.num_views: time_plain_epoch(represent, task, train) for task in probes}
    plain = EPOCHS * sum(plain_epochs[task.num_views] * (1 + len(PARTS)) for task in probes)
    return {
        "ours_s": ours,
        "of_which_backbone_s": extraction,
        "plain_s": plain,
        "ratio": plain / ours,
        "probes": len(probes) * (1 + len(PARTS)),
    }


def _slope(seconds: dict[int, float]) -> float:
    return (seconds[6] - seconds[2]) / 4


def time_suite(model: Model, dataset: RandomViews, epochs: int, cache: Path) -> float:
    """Seconds of the suite with that many epochs; the first call runs the backbone, with a single epoch."""
    settings = EvalSettings(probes=ProbeSettings(epochs=max(1, epochs)), cache=cache)
    start = time.perf_counter()
    run_suite(model, dataset, TASKS, settings, name="benchmark")
    return time.perf_counter() - start


def time_plain_epoch(represent, task: ProbeTask, representations: Representations) -> float:  # type: ignore[no-untyped-def]
    """Seconds of one epoch in which every view goes through the backbone again; decoding is left out."""
    probe = Probe(task.head(replace(representations, values=np.zeros((1, 1, 512), np.float32))), task.loss)
    start = time.perf_counter()
    samples = draw_samples(
        np.random.default_rng(0), representations.num_objects, representations.num_views, task.num_views
    )
    targets = torch.from_numpy(task.targets(representations, samples))
    for rows in torch.arange(len(targets)).split(BATCH):
        with torch.no_grad():
            views = [represent(draw_images(len(rows))) for _ in range(task.num_views)]
        probe.step(torch.cat(views, dim=1), targets[rows])
    return time.perf_counter() - start


def measure_retrieval(num_objects: int, num_views: int, width: int, num_queries: int) -> dict[str, float]:
    """Seconds and anonymous memory of PRE over memory-mapped embeddings, for the views of `num_queries` objects."""
    dataset = RandomViews(num_objects, num_views)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "embeddings.npy"
        rows = np.lib.format.open_memmap(path, "w+", "float32", (num_objects, num_views, width))
        for index in range(num_objects):
            rows[index] = np.random.default_rng(index).standard_normal((num_views, width), dtype=np.float32)
        rows.flush()
        values = np.load(path, mmap_mode="r")
        found = Representations(
            dataset.space, dataset.classes, dataset.latents, dataset.labels, np.arange(num_objects), values, values
        )
        queries = Representations(
            dataset.space,
            dataset.classes,
            dataset.latents[:num_queries],
            dataset.labels[:num_queries],
            np.arange(num_queries),
            values[:num_queries],
            values[:num_queries],
        )
        retrieval = Retrieval(lambda embedding, _: embedding.roll(1, 1))
        with PeakMemory() as memory:
            start = time.perf_counter()
            pre = retrieval.rotation_error(queries, [found]).value
            seconds = time.perf_counter() - start
    return {
        "queries": num_queries * num_views,
        "embeddings": num_objects * num_views,
        "width": width,
        "seconds": seconds,
        "extra_memory_mib": memory.extra / 2**20,
        "all_against_all_mib": (num_objects * num_views) ** 2 * 4 / 2**20,
        "pre": pre,
    }


def measure_equivariance(num_objects: int, num_views: int, width: int) -> dict[str, float]:
    """Seconds and memory of the whole evaluator, and of its first fit beside least squares on the whole design matrix."""
    context = draw_context(num_objects, num_views, width)
    train = context.train
    with PeakMemory() as memory:
        start = time.perf_counter()
        found = list(Equivariance().run(context))
        seconds = time.perf_counter() - start
    family, basis, samples = Family(make_transform("rotation", train.space)), Basis.of(train, RANK), choose_pairs(train)
    start = time.perf_counter()
    ActionFit(family, basis, train, samples).action(basis.rank)
    of_fit = time.perf_counter() - start
    with PeakMemory() as plain_memory:
        start = time.perf_counter()
        source, target = (
            (basis.centre(train.values[samples.objects, views]) @ basis.components).double().numpy()
            for views in samples.views.T
        )
        features = family(transforms_of(family.transform, train, samples))
        constant = np.full((len(source), 1), float(basis.constant))
        inputs = np.concatenate([constant, source], axis=1)
        np.linalg.lstsq((features[:, :, None] * inputs[:, None]).reshape(len(source), -1), target, rcond=None)
        plain = time.perf_counter() - start
    return {
        "objects": num_objects,
        "views": num_views,
        "width": width,
        "results": len(found),
        "seconds": seconds,
        "extra_memory_mib": memory.extra / 2**20,
        "fit_seconds": of_fit,
        "plain_fit_seconds": plain,
        "plain_fit_memory_mib": plain_memory.extra / 2**20,
    }


def draw_context(num_objects: int, num_views: int, width: int) -> Context:
    """Noise as the representations, four fifths of them for training; there is no network to be asked."""
    dataset = RandomViews(num_objects, num_views)
    values = np.random.default_rng(0).standard_normal((num_objects, num_views, width), dtype=np.float32)
    cut = num_objects * 4 // 5
    objects = np.arange(num_objects)
    train, val = (
        Representations(
            dataset.space, dataset.classes, dataset.latents[rows], dataset.labels[rows], objects[rows], values[rows]
        )
        for rows in (objects[:cut], objects[cut:])
    )
    return Context(train, {"": val}, Model(torch.flatten), EvalSettings())


def measure_companions(num_objects: int, num_views: int, width: int) -> dict[str, float]:
    """Seconds, CPU seconds and memory of each companion with its intervals, and of a single MLP probe of 300 epochs."""
    context, found = draw_context(num_objects, num_views, width), dict[str, float]()
    context = replace(context, train=correlate(context.train), tests={"": correlate(context.tests[""])})
    for evaluator in find_evaluators(COMPANIONS):
        with PeakMemory() as memory:
            found |= {f"{evaluator.name}_{k}": v for k, v in clock(partial(_score, evaluator, context)).items()}
        found[f"{evaluator.name}_mib"] = memory.extra / 2**20
    rotation, epochs = find_evaluators("rotation")[0], 3
    assert isinstance(rotation, ProbeTask)
    of_mlp = clock(lambda: fit_probe(rotation, context.train, ProbeSettings(epochs=epochs), seed=0))
    found |= {f"rotation_mlp_{name}": value * EPOCHS / epochs for name, value in of_mlp.items()}
    return {"objects": num_objects, "views": num_views, "width": width, **found}


def _score(evaluator: Evaluator, context: Context) -> list[Score | Detail]:
    return list(evaluator.run(context))


def correlate(noise: Representations) -> Representations:
    """Noise with a spectrum that falls, and with the latents in it: of noise as it is, a lasso has nothing to do."""
    width, num_factors = noise.values.shape[-1], noise.latents.shape[-1]
    rng = np.random.default_rng(1)
    mixing = rng.standard_normal((width, width)) / np.arange(1, width + 1)[:, None] ** 0.8
    values = noise.values.copy()
    values[..., :num_factors] += 3 * noise.latents
    return replace(noise, values=(values @ mixing).astype(np.float32))


def clock(work: Callable[[], object]) -> dict[str, float]:
    """Seconds and CPU seconds of some work; the second say more on a machine that does other work too."""
    start, cpu = time.perf_counter(), time.process_time()
    work()
    return {"s": time.perf_counter() - start, "cpu_s": time.process_time() - cpu}


class PeakMemory:
    """The most anonymous memory that the process takes within a `with`, beyond what it had; mapped files do not count."""

    def __enter__(self) -> "PeakMemory":
        self.start, self.extra, self._stop = _anonymous_bytes(), 0, threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.01):
            self.extra = max(self.extra, _anonymous_bytes() - self.start)


def _anonymous_bytes() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


def main() -> None:
    """Measure, and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=["suite", "retrieval", "equivariance", "companions"], help="all by default")
    parser.add_argument("--objects", type=int, default=2000)
    parser.add_argument("--queries", type=int, default=400, help="objects whose views are looked for in retrieval")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    parts = {
        "suite": lambda: compare_suites(arguments.objects, 20),
        "retrieval": lambda: measure_retrieval(arguments.objects, 50, 1024, arguments.queries),
        "equivariance": lambda: measure_equivariance(arguments.objects, 8, 768),
        "companions": lambda: measure_companions(arguments.objects, 8, 768),
    }
    for name in [arguments.part] if arguments.part else parts:
        result = {key: round(value, 4) for key, value in parts[name]().items()}
        print(json.dumps({"benchmark": f"eval-{name}", "cores": os.cpu_count(), **result}), flush=True)


if __name__ == "__main__":
    main()
