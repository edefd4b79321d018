"""Datasets whose images are drawn, for tests of everything that reads one."""

import colorsys
from pathlib import Path

import numpy as np
import simplejpeg

from iebench.catalogue import ObjectClass, select
from iebench.dataset.card import DatasetCard
from iebench.dataset.passes import PASSES, encode_pass
from iebench.dataset.reader import Dataset
from iebench.dataset.shards import locate_images, pack_sample, shard_name, write_shard
from iebench.dataset.splits import split_objects
from iebench.dataset.writer import Failure, ObjectRow, ShardTables, finish_dataset, place_samples
from iebench.factors.space import get_space


def draw_view(latents: np.ndarray, label: int, size: int) -> np.ndarray:
    """A flat floor of the right hue with a block whose position tells rotation and class: uint8 (size, size, 3)."""
    image = np.empty((size, size, 3), np.uint8)
    image[:] = np.multiply(colorsys.hsv_to_rgb(latents[3], 0.6, 0.6), 255)
    x, y = (np.clip(latents[:2] / np.pi + 0.5, 0, 1) * (size // 2)).astype(int)
    image[y : y + size // 3, x : x + size // 3] = np.multiply(colorsys.hsv_to_rgb(label / 55, 1, 1), 255)
    return image


def draw_pass(name: str, latents: np.ndarray, size: int) -> np.ndarray:
    """A block whose numbers tell the rotation, on nothing."""
    image = PASSES[name].empty(size)
    image[size // 4 : size // 2] = (
        True if name == "mask" else latents[: PASSES[name].channels] / 2 + (name == "depth") * 2
    )
    return image


def write_dataset(
    root: Path,
    classes: str | tuple[ObjectClass, ...] = "4",
    objects_per_class: int = 5,
    num_views: int = 4,
    size: int = 32,
    space: str = "3diebench",
    seed: int = 0,
    objects_per_shard: int = 6,
    passes: tuple[str, ...] = (),
) -> Dataset:
    """Write a whole dataset of drawn images in format 1: of the benchmark's classes that are selected, or of given ones.

    As an import's, the card of the benchmark's classes does not name them; that of given classes does.
    """
    root.mkdir(parents=True)
    chosen = select(classes) if isinstance(classes, str) else classes
    labels = {entry.synset: entry.label for entry in chosen}
    names = [(synset, f"object-{index}") for synset in labels for index in range(objects_per_class)]
    parts = []
    for split, members in split_objects(names).items():
        for start in range(0, len(members), objects_per_shard):
            shard = shard_name(split, start // objects_per_shard)
            chunk = members[start : start + objects_per_shard]
            latents = [get_space(space).sample(seed, *name, num_views) for name in chunk]
            samples = []
            for name, drawn in zip(chunk, latents, strict=True):
                images = [draw_view(one, labels[name[0]], size) for one in drawn]
                jpegs = [simplejpeg.encode_jpeg(image, quality=95, colorsubsampling="420") for image in images]
                geometry = [{p: encode_pass(p, draw_pass(p, one, size)) for p in passes} for one in drawn]
                samples.append(pack_sample(*name, labels[name[0]], jpegs, drawn, geometry))
            write_shard(root / shard, samples)
            sizes, located = [len(s) for s in samples], [locate_images(s, num_views, passes) for s in samples]
            offsets = place_samples(sizes, [images.views for images in located])
            geometry = place_samples(sizes, [images.passes for images in located])
            rows = [ObjectRow(split, synset, labels[synset], object_id, shard) for synset, object_id in chunk]
            parts.append(ShardTables(rows, np.stack(latents), offsets, passes=geometry))
    card = DatasetCard(
        name=root.name,
        space=get_space(space),
        seed=seed,
        image_size=size,
        num_views=num_views,
        quality="drawn",
        source={"kind": "drawn"},
        classes=() if isinstance(classes, str) else chosen,
        made={"iebench": "test"},
        passes=passes,
    )
    finish_dataset(root, card, parts, [Failure("02691156", "odd", "drawn to fail", 2, "what was printed\nmeanwhile")])
    return Dataset(root)
