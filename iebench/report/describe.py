"""What a dataset is, measured: counts, ranges and histograms of factors, and how much of all rotations its views cover."""

from dataclasses import asdict
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from iebench.dataset.appearance import tell_lost
from iebench.dataset.card import FOCAL_LENGTH
from iebench.dataset.reader import Dataset
from iebench.dataset.writer import FAILURES, read_failures
from iebench.factors.rotations import (
    IDENTITY,
    angle_between,
    euler_to_quaternion,
    quaternion_to_euler,
    relative_rotation,
)
from iebench.factors.space import ROTATION
from iebench.loader.order import choose_views

BINS = 16
_PARTS = 8  # of each of three axes on which rotations are uniform under the Haar measure
_BARS = " ▁▂▃▄▅▆▇█"


def describe_dataset(dataset: Dataset) -> dict[str, Any]:
    """Plain values that tell what a dataset is.

    Returns:
        "counts" of objects, views and failures; "classes" with objects per split; "factors", for each its "range" by the card,
        the "least" and "greatest" value found and a "histogram" over the range; "rotations", how much of SO(3) the views cover
        and how pairs turn.
    """
    card = dataset.card
    return {
        "name": card.name,
        "space": {"name": card.space.name, "law": card.space.law},
        "image_size": card.image_size,
        "quality": card.quality,
        "focal_length": card.focal_length,
        "preset": card.preset and asdict(card.preset),
        "channels": card.channels,
        "passes": list(card.passes),
        "seed": card.seed,
        **({} if card.design is None else {"design": str(card.design)}),
        "source": card.source,
        "made": card.made,
        "counts": {
            "splits": {split: asdict(counts) for split, counts in card.splits.items()},
            "views_per_object": dataset.num_views,
            "failures": len(read_failures(dataset.locate(FAILURES))),
            "lost": dataset.num_lost,
            "bytes": sum(shard.bytes for shard in card.shards),
            "shards": len(card.shards),
        },
        "classes": _count_classes(dataset),
        "factors": _measure_factors(dataset),
        "rotations": _measure_rotations(dataset),
    }


def write_description(told: dict[str, Any]) -> str:
    """The same for people, in lines."""
    counts = told["counts"]
    lines = [
        f"{told['name']}: factor space {told['space']['name']}, {told['image_size']} px, quality {told['quality']}, "
        f"channels {told['channels']}, seed {told['seed']}{_write_lens(told)}",
        *([f"  views of each object: {told['design']}"] if "design" in told else []),
        *(f"  {split:6} {n['objects']:7} objects {n['views']:9} views" for split, n in counts["splits"].items()),
        f"  {counts['shards']} shards with {counts['bytes'] / 2**20:.1f} MiB, {counts['failures']} objects left out",
        *([f"  geometry passes: {', '.join(told['passes'])}"] if told["passes"] else []),
        *([f"  {tell_lost(counts['lost'])}"] if counts["lost"] else []),
        "",
        "classes" + "".join(f"{split:>9}" for split in counts["splits"]),
        *(
            f"  {name:20}" + "".join(f"{numbers.get(split, 0):9}" for split in counts["splits"])
            for name, numbers in told["classes"].items()
        ),
        "",
        "factors           range by the card      found                  histogram",
        *(_write_factor(name, factor) for name, factor in told["factors"].items()),
        "",
        "rotations of views reach {reached} of {parts} equal parts of all rotations ({share:.0%})".format(
            share=told["rotations"]["reached"] / told["rotations"]["parts"], **told["rotations"]
        ),
        "pairs turn by {median:.0f}° in the median, {least:.0f}° to {greatest:.0f}°; "
        "{negative:.1%} of their quaternions have w < 0".format(**told["rotations"]["pairs"]),
    ]
    return "\n".join(lines)


def _write_factor(name: str, factor: dict[str, Any]) -> str:
    top = max(max(factor["histogram"]), 1)
    bars = "".join(_BARS[-(-count * (len(_BARS) - 1) // top)] for count in factor["histogram"])
    low, high = factor["range"]
    return f"  {name:14} {low:9.4f} {high:9.4f}   {factor['least']:9.4f} {factor['greatest']:9.4f}   |{bars}|"


def _count_classes(dataset: Dataset) -> dict[str, dict[str, int]]:
    return {
        entry.name: {
            split: int((dataset.labels[dataset.split_indices(split)] == entry.label).sum())
            for split in dataset.card.splits
        }
        for entry in dataset.classes
    }


def _measure_factors(dataset: Dataset) -> dict[str, dict[str, Any]]:
    told = {}
    for column, factor in enumerate(dataset.space.factors):
        values = np.asarray(dataset.latents[..., column])
        histogram, _ = np.histogram(values, BINS, (factor.low, max(factor.high, factor.low + 1e-9)))
        told[factor.name] = {
            "range": [factor.low, factor.high],
            "least": float(values.min()),
            "greatest": float(values.max()),
            "histogram": histogram.tolist(),
        }
    return told


def _measure_rotations(dataset: Dataset) -> dict[str, Any]:
    angles = np.asarray(dataset.latents[..., dataset.space.columns(ROTATION)])
    if dataset.num_views < 2:
        return {"reached": _reach(angles), "parts": _PARTS**3, "pairs": dict.fromkeys(_PAIR_FIGURES, 0.0)}
    objects = np.arange(dataset.num_objects)
    pair = angles[objects[:, None], choose_views(0, 0, objects, dataset.num_views)]
    relative = relative_rotation(pair[:, 0], pair[:, 1])
    turned = np.degrees(angle_between(relative, IDENTITY))
    figures = (np.median(turned), turned.min(), turned.max(), (relative[:, 3] < 0).mean())
    pairs = dict(zip(_PAIR_FIGURES, map(float, figures), strict=True))
    return {"reached": _reach(angles), "parts": _PARTS**3, "pairs": pairs}


_PAIR_FIGURES = ("median", "least", "greatest", "negative")


def _reach(angles: Float[ndarray, "*b 3"]) -> int:
    """How many of equally large parts of SO(3) hold a view.

    Of the canonical triple, x and z are uniform on the circle and y is the arcsine of a uniform number, so that parts which are
    equal in (x, sin y, z) are equal under the Haar measure. 3DIEBench's own ranges are a quarter of all rotations.
    """
    x, y, z = np.moveaxis(quaternion_to_euler(euler_to_quaternion(angles.reshape(-1, 3))), -1, 0)
    unit = np.stack([x / (2 * np.pi) + 0.5, np.sin(y) / 2 + 0.5, z / (2 * np.pi) + 0.5])
    cells = np.minimum((unit * _PARTS).astype(int), _PARTS - 1)
    return len(np.unique(np.ravel_multi_index(tuple(cells), (_PARTS,) * 3)))


def _write_lens(told: dict[str, Any]) -> str:
    """What is not as the benchmark has it: the lens, and the options in which a preset was changed."""
    lens, preset = told["focal_length"], told["preset"]
    words = f", lens {lens:g} mm" if lens != FOCAL_LENGTH else ""
    if preset and preset["changed"]:
        changed = ", ".join(name.replace("_", " ") for name in preset["changed"])
        words += f"; {preset['name']} with these changed: {changed}"
    return words
