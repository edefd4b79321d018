"""Reading pairs: our loader against the plain way, the decoder alone, and three shard libraries, alternating in one run.

Prints one JSON line: pairs/s of every way on one core with a warm cache (medians over the rounds), the median over rounds of
our speed divided by that of each other way, two workers against one, the bytes that an epoch reads against those of its
JPEGs, and what an index of 2.6 million views costs to open and to hold in a worker. On one core the seconds are those of
processor time, of the user and the kernel, as nothing waits and other programs may share the machine; with workers they are
those of the clock, which need two free cores; an epoch has to have many batches, or one worker waits for the other at its end.

    python benchmarks/loader.py [--objects 4096] [--views 4] [--rounds 5] [--folder DIR]

The plain way is that of the published scripts: an item opens two JPEGs with Pillow and two latents with numpy. All other
ways decode with libjpeg-turbo through simplejpeg. litdata and mosaicml-streaming read single views at random from their own
formats; where one is not installed, it is skipped.
"""

import importlib.util
import json
import math
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import simplejpeg
import torch
from numpy import ndarray
from PIL import Image
from scipy.spatial.transform import Rotation
from torch.utils.data import DataLoader

from iebench.catalogue import CLASSES
from iebench.dataset.card import DatasetCard
from iebench.dataset.exporter import export_layout
from iebench.dataset.reader import Dataset
from iebench.dataset.shards import locate_views, pack_sample, shard_name, write_shard
from iebench.dataset.writer import ObjectRow, ShardTables, finish_dataset, place_samples
from iebench.factors.space import get_space
from iebench.loader.pairs import PairDataset

SIZE, BATCH, IMAGES = 256, 256, 64
Way = Callable[[], int]  # reads pairs and says how many


def draw_image(chance: np.random.Generator) -> bytes:
    """A JPEG with about the bytes of a rendered view: a smooth floor, a shaded body with edges, and a little grain."""
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE - 0.5
    image = chance.random(3) * 120 + 60 + 40 * (y[..., None] + chance.random(3) * x[..., None])
    for _ in range(2):
        centre, radii, color = chance.random(2) * 0.5 - 0.25, chance.random(2) * 0.2 + 0.05, chance.random(3) * 255
        inside = ((np.stack([x, y], -1) - centre) ** 2 / radii**2).sum(-1) < 1
        image[inside] = (color * (0.6 + y[..., None] - centre[1]))[inside]
    image += chance.normal(0, 0.3, (SIZE, SIZE, 1))
    return simplejpeg.encode_jpeg(np.clip(image, 0, 255).astype(np.uint8), quality=95, colorsubsampling="420")


def write_data(
    root: Path, num_objects: int, num_views: int, jpegs: list[bytes], objects_per_shard: int = 256, held_out: float = 0
) -> Dataset:
    """A dataset whose views are taken from a few images in turn, a share of its last objects held out."""
    root.mkdir(parents=True)
    space, parts = get_space("3diebench"), list[ShardTables]()
    for start in range(0, num_objects, objects_per_shard):
        split = "val" if start >= (1 - held_out) * num_objects else "train"
        shard, rows, samples, latents = shard_name(split, len(parts)), [], [], []
        for index in range(start, min(start + objects_per_shard, num_objects)):
            entry, name = CLASSES[index % len(CLASSES)], f"{index:06d}"
            latents.append(space.sample(0, entry.synset, name, num_views))
            views = [jpegs[(index * num_views + view) % len(jpegs)] for view in range(num_views)]
            samples.append(pack_sample(entry.synset, name, entry.label, views, latents[-1]))
            rows.append(ObjectRow(split, entry.synset, entry.label, name, shard))
        write_shard(root / shard, samples)
        offsets = place_samples([len(s) for s in samples], [locate_views(s, num_views) for s in samples])
        parts.append(ShardTables(rows, np.stack(latents), offsets))
    finish_dataset(root, DatasetCard(root.name, space, 0, SIZE, num_views, "drawn", {}), parts, [])
    return Dataset(root)


class PlainPairs(torch.utils.data.Dataset):
    """The plain way: loose files, opened one by one."""

    def __init__(self, root: Path, num_views: int) -> None:
        self.folders = sorted(root.glob("*/*/"))
        self.num_views = num_views

    def __len__(self) -> int:
        return len(self.folders)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, ...]:
        views = np.random.choice(self.num_views, 2, replace=False)
        images, angles = [], []
        for view in views:
            with (self.folders[index] / f"image_{view}.jpg").open("rb") as file:
                images.append(torch.from_numpy(np.array(Image.open(file).convert("RGB"))).permute(2, 0, 1))
            angles.append(np.load(self.folders[index] / f"latent_{view}.npy")[:3].astype(np.float32))
        first, second = (Rotation.from_euler("xyz", angle) for angle in angles)
        return *images, torch.from_numpy((first.inv() * second).as_quat().astype(np.float32))


def plain_way(folder: Path, dataset: Dataset) -> Way:
    """Loose files read with Pillow and numpy."""
    export_layout(dataset, folder / "loose")
    loader = DataLoader(PlainPairs(folder / "loose", dataset.num_views), BATCH, shuffle=True, drop_last=True)
    return lambda: sum(len(batch[0]) for batch in loader)


def our_way(dataset: Dataset, num_workers: int = 0) -> Way:
    """`PairDataset.loader`."""
    loader = PairDataset(dataset.root).loader(BATCH, num_workers, last="drop")
    return lambda: sum(len(batch.label) for batch in loader)


def decoder_alone(dataset: Dataset) -> Way:
    """libjpeg-turbo on the same bytes, already in memory, into one image that stays in the processor's cache."""
    chosen = np.random.default_rng(0).integers(0, dataset.num_views, (dataset.num_objects // BATCH * BATCH, 2))
    jpegs = [dataset.read_jpeg(index, int(view)) for index, views in enumerate(chosen) for view in views]
    image = np.empty((SIZE, SIZE, 3), np.uint8)

    def decode() -> int:
        for jpeg in jpegs:
            simplejpeg.decode_jpeg(jpeg, buffer=image)
        return len(jpegs) // 2

    return decode


def webdataset_way(dataset: Dataset) -> Way:
    """Webdataset reads whole objects in sequence; two views of each are decoded."""
    import webdataset

    urls = [str(dataset.root / shard.name) for shard in dataset.card.shards]

    def decode(sample: dict) -> tuple[ndarray, ndarray, ndarray]:
        first, second = np.random.choice(dataset.num_views, 2, replace=False)
        images = (simplejpeg.decode_jpeg(sample[f"{view:02d}.jpg"]) for view in (first, second))
        return *images, np.frombuffer(sample["latents.npy"][-8:]).copy()

    stream = webdataset.WebDataset(urls, shardshuffle=False).map(decode)
    loader = DataLoader(stream, BATCH, drop_last=True)
    return lambda: sum(len(batch[0]) for batch in loader)


def random_views_way(read: Callable[[int], tuple[bytes, ndarray]], dataset: Dataset) -> Way:
    """A library that reads single views at random, decoded straight into a batch."""

    def epoch() -> int:
        order = np.random.permutation(dataset.num_objects)[: dataset.num_objects // BATCH * BATCH]
        for batch in order.reshape(-1, BATCH):
            images, latents = np.empty((2, BATCH, SIZE, SIZE, 3), np.uint8), []
            for row, index in enumerate(batch.tolist()):
                for side, view in enumerate(np.random.choice(dataset.num_views, 2, replace=False).tolist()):
                    jpeg, numbers = read(index * dataset.num_views + view)
                    simplejpeg.decode_jpeg(jpeg, buffer=images[side, row])
                    latents.append(numbers)
            torch.from_numpy(images), torch.from_numpy(np.stack(latents))
        return len(order)

    return epoch


def list_views(dataset: Dataset) -> Iterator[tuple[bytes, ndarray]]:
    """Every view with its latents."""
    for index in range(dataset.num_objects):
        for view in range(dataset.num_views):
            yield dataset.read_jpeg(index, view), np.array(dataset.latents[index, view])


def litdata_way(folder: Path, dataset: Dataset) -> Way:
    """litdata, from chunks of 64 MB."""
    from litdata import StreamingDataset
    from litdata.streaming.writer import BinaryWriter

    (folder / "litdata").mkdir()
    writer = BinaryWriter(str(folder / "litdata"), chunk_bytes=64 * 2**20)
    for number, (jpeg, latents) in enumerate(list_views(dataset)):
        writer[number] = {"jpeg": jpeg, "latents": latents}
    writer.done()
    writer.merge(1)
    views = StreamingDataset(str(folder / "litdata"))
    return random_views_way(lambda number: (views[number]["jpeg"], views[number]["latents"]), dataset)


def mosaic_way(folder: Path, dataset: Dataset) -> Way:
    """mosaicml-streaming, from its MDS shards."""
    from streaming import MDSWriter, StreamingDataset

    with MDSWriter(out=str(folder / "mosaic"), columns={"jpeg": "bytes", "latents": "ndarray:float64:7"}) as writer:
        for jpeg, latents in list_views(dataset):
            writer.write({"jpeg": jpeg, "latents": latents})
    views = StreamingDataset(local=str(folder / "mosaic"), batch_size=1)

    def read(number: int) -> tuple[bytes, ndarray]:
        sample = views[number]
        return sample["jpeg"], sample["latents"]

    return random_views_way(read, dataset)


def time_ways(ways: dict[str, Way], rounds: int, clock: Callable[[], float]) -> dict[str, list[float]]:
    """Pairs/s of every way in every round, the ways taking turns."""
    speeds: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way(), way()  # warm caches, and touch all memory
    for number in range(rounds):
        for name in list(ways) if number % 2 else reversed(ways):
            start = clock()
            count = ways[name]()
            speeds[name].append(count / (clock() - start))
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    return speeds


@contextmanager
def one_core() -> Iterator[None]:
    """Hold this process to one core."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    yield
    os.sched_setaffinity(0, cores)


def count_bytes(dataset: Dataset) -> float:
    """Bytes that the process reads in an epoch, as the kernel counts them, against the bytes of the JPEGs it uses."""
    pairs = PairDataset(dataset.root)
    loader, used = pairs.loader(BATCH, 0), 0
    before = read_kernel("/proc/self/io", "rchar")
    for batch in loader:
        used += int(dataset.offsets[batch.object_index[:, None], batch.views, 1].sum())
    return (read_kernel("/proc/self/io", "rchar") - before) / used


def read_kernel(path: str, name: str) -> int:
    """A number that the kernel tells in lines of `name: number`."""
    lines = Path(path).read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name + ":"))


def write_index(root: Path, dataset: Dataset, num_objects: int, num_views: int) -> None:
    """An index of any size, all of whose views lie in one small shard."""
    root.mkdir()
    shard = dataset.shards[0]
    shutil.copy(dataset.root / shard, root / shard)
    count = int((dataset.shards == shard).sum())
    rows, views = np.arange(num_objects) % count, np.arange(num_views) % dataset.num_views
    part = ShardTables(
        [
            ObjectRow("train", dataset.synsets[r], int(dataset.labels[r]), f"{i:032d}", shard)
            for i, r in enumerate(rows.tolist())
        ],
        np.asarray(dataset.latents[rows[:, None], views]),
        np.asarray(dataset.offsets[rows[:, None], views]),
    )
    finish_dataset(root, replace(dataset.card, num_views=num_views), [part], [])
    os.sync()  # pages that still wait to be written would be taken for the memory of whoever maps them


def own_memory(pairs: PairDataset) -> float:
    """MB that are a worker's own after 100 batches: not the mapped tables, which all processes share and the kernel can drop."""
    loader = pairs.loader(64, 1, pin_memory=False)
    batches = iter(loader)
    for _ in range(100):
        next(batches)
    worker = loader._iterator._workers[0].pid  # type: ignore[union-attr]
    return read_kernel(f"/proc/{worker}/smaps_rollup", "Private_Dirty") / 1024


def measure_index(folder: Path, dataset: Dataset) -> dict[str, float]:
    """What an index of 2.6 million views costs, and of 2600."""
    told: dict[str, float] = {}
    for name, num_objects in (("small", 6500), ("large", 52_000)):
        write_index(folder / name, dataset, num_objects, 50)
        start = time.perf_counter()
        pairs = PairDataset(folder / name, size=8)
        told[f"{name}_open_seconds"] = round(time.perf_counter() - start, 3)
        told[f"{name}_views"] = num_objects * 50
        told[f"{name}_worker_own_mb"] = round(own_memory(pairs), 1)
    return told


def find_ways(folder: Path, dataset: Dataset) -> dict[str, Way]:
    """All ways that can be measured here."""
    ways = {
        "ours": our_way(dataset),
        "decoder": decoder_alone(dataset),
        "plain": plain_way(folder, dataset),
        "webdataset": webdataset_way(dataset),
    }
    for name, module, make in (("litdata", "litdata", litdata_way), ("mosaicml-streaming", "streaming", mosaic_way)):
        if importlib.util.find_spec(module) is None:
            print(f"{name} is not installed and is skipped.", file=sys.stderr)
        else:
            ways[name] = make(folder, dataset)
    return ways


@click.command()
@click.option("--objects", default=4096, show_default=True, help="Objects of the dataset.")
@click.option("--views", default=4, show_default=True, help="Views of each object.")
@click.option("--rounds", default=5, show_default=True, help="How often every way is timed.")
@click.option(
    "--folder", type=click.Path(path_type=Path), help="Where to build the data; a temporary folder by default."
)
def main(objects: int, views: int, rounds: int, folder: Path | None) -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        root, chance = Path(scratch), np.random.default_rng(0)
        dataset = write_data(root / "ours", objects, views, [draw_image(chance) for _ in range(IMAGES)])
        with one_core():
            speeds = time_ways(find_ways(root, dataset), rounds, time.process_time)
        workers = time_ways({"one": our_way(dataset, 1), "two": our_way(dataset, 2)}, rounds, time.perf_counter)
        result = {
            "benchmark": "loader",
            "jpeg_bytes": round(float(dataset.offsets[..., 1].mean())),
            "pairs_per_second": {name: round(statistics.median(values)) for name, values in speeds.items()},
            "ours_over": {name: _ratio(speeds["ours"], values) for name, values in speeds.items() if name != "ours"},
            "workers_pairs_per_second": {name: round(statistics.median(values)) for name, values in workers.items()},
            "two_workers_over_one": _ratio(workers["two"], workers["one"]),
            "bytes_read_over_bytes_used": round(count_bytes(dataset), 4),
            "index": measure_index(root, dataset),
        }
    print(json.dumps(result))


def _ratio(ours: list[float], theirs: list[float]) -> float:
    """The median over rounds, in each of which both ran one after the other."""
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return round(statistics.median(ratios), 3) if ratios else math.nan


if __name__ == "__main__":
    main()
