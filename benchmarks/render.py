"""Rendering: our qualities against the published settings, all ways in one run, alternating.

Prints one JSON line. Of each way: seconds per image (with its part of the object's pilots, which an object of 3DIEBench has once
for 50 views), the ratio of the published ones to them, samples of each object, PSNR (the images' mean, the worst image, the
worst of each object, the worst hundredth of all blocks of 16 x 16 pixels), the rank correlation of the objects' errors with the
noise of their pilots, and seconds of the pilots and of the guard, which compares every image with where the latents put the
object. Intervals are of 95 % over objects. The published way is its generator's: 100 samples, adaptive threshold 0.01, the
denoiser with its defaults, and no data kept from one image to the next.

    python benchmarks/render.py [--objects-per-class 1] [--learned] [--views 4] [--size 256] [--quality trained,fast]
                                [--meshes FOLDER]… [--truth FOLDER] [--ladder] [--sheet FILE]

`--quality trained:4:4` is `trained` with 4 samples for all objects, `trained:3:8` with 3 to 8.

The truth is two images of 128 samples without a denoiser, whose noise is independent: the mean of (image - one)(image - other)
is an estimate of the mean squared error to which their noise adds nothing. With --truth they are kept in a folder, and taken from
it the next time. Objects are built-in ones of classes from which no network has learned, or with --learned of the others, and
those of each --meshes. With --ladder, the way from the published settings to `fast` is gone in steps, to see what each of them
buys. --sheet draws the best, the middle and the worst view of the first quality: in all ways, and the difference from the
published one, eight times as bright.
"""

import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy import ndarray
from PIL import Image
from scipy.stats import spearmanr

from iebench.evals.measure import Measure, mean_of
from iebench.factors.space import get_space
from iebench.render.denoiser_network import HELD_OUT
from iebench.render.object_source import ObjectSource
from iebench.render.quality import Quality, get_quality
from iebench.render.scene import ViewScene, view_scene

BLOCK, BOOTSTRAPS = 16, 2000
VIEWS = 50  # of an object of 3DIEBench
TRUTH = Quality("truth", 128, adaptive_threshold=0.0, denoise=False)
TRUTH_SEEDS = (1, 2)  # other qualities have 0


@dataclass(frozen=True)
class Way:
    """A quality, whether data are kept from one image to the next, and the seed of the noise."""

    quality: Quality
    keep: bool = True
    seed: int = 0


@dataclass(frozen=True)
class Found:
    """What came of an object's views in one way.

    Attributes:
        images: their values in sRGB, 0 to 1.
        seconds: of each image; the first carries what is built for the object.
        pilots: seconds in which the samples were chosen.
        noise: of the pilots; 0 where there are none.
        samples: per pixel.
        guard: seconds of each comparison with the latents.
    """

    images: ndarray
    seconds: list[float]
    pilots: float
    noise: float
    samples: int
    guard: list[float]


def ladder() -> dict[str, Way]:
    """The steps from the published settings to `fast`, each on top of those before it."""
    fast, reached = get_quality("fast"), get_quality("reference")
    ways = {"data kept": Way(reached)}
    for name, fields in (
        ("6 samples", ("samples", "adaptive_threshold")),
        ("fast prefilter", ("prefilter",)),
        ("balanced denoiser", ("denoiser_quality",)),
        ("albedo alone", ("passes",)),
    ):
        reached = replace(reached, **{field: getattr(fast, field) for field in fields})
        ways[name] = Way(reached)
    assert reached == replace(fast, name=reached.name)
    return {**ways, "no denoiser": Way(replace(fast, denoise=False))}


@click.command()
@click.option("--objects-per-class", default=1, type=click.IntRange(0), help="Built-in objects.")
@click.option(
    "--learned", is_flag=True, help="Take built-in objects of the classes from which the network has learned."
)
@click.option("--views", default=4, type=click.IntRange(1))
@click.option("--size", default=256, type=click.IntRange(BLOCK), help="Side of the images in pixels.")
@click.option("--quality", "names", default="trained,fast", help="Qualities, or NAME:SAMPLES[:MOST].")
@click.option("--meshes", multiple=True, help="Folder with more objects, as for --objects.")
@click.option("--truth", type=click.Path(path_type=Path), help="Folder that keeps the images of many samples.")
@click.option("--ladder", "stepwise", is_flag=True, help="Go from the published settings to `fast` step by step.")
@click.option("--sheet", type=click.Path(path_type=Path), help="Draw three of the views into this file.")
def main(
    objects_per_class: int,
    learned: bool,
    views: int,
    size: int,
    names: str,
    meshes: tuple[str, ...],
    truth: Path | None,
    stepwise: bool,
    sheet: Path | None,
) -> None:
    """Measure, and print one JSON line."""
    ways = {"published": Way(get_quality("reference"), keep=False), **(ladder() if stepwise else {})}
    ways |= {name: Way(find_quality(name)) for name in names.split(",")}
    found: dict[str, list[Found]] = {way: [] for way in ways}
    truths: list[ndarray] = []
    objects: list[str] = []
    output = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Blender tells of every image
    for source, synset, name in list_objects(meshes, objects_per_class, learned):
        with tempfile.TemporaryDirectory(prefix="iebench-benchmark-", dir="/dev/shm") as scratch:
            render, digest = open_object(source, synset, name, views, size, Path(scratch))
            for way, settings in ways.items():
                found[way].append(render(settings))
            kept = truth and truth / f"{synset}-{name}-{views}-{size}-{digest}.npy"
            truths.append(find_truth(render, kept))
            objects.append(f"{synset}/{name}")
    if sheet:
        draw_sheet(found, truths, names.split(",")[0], sheet)
    os.dup2(output, 1)
    print(json.dumps(summarise(found, truths, objects)), flush=True)
    os._exit(0)  # Blender may crash at a regular exit


def find_quality(text: str) -> Quality:
    """The quality of a name, or of NAME:SAMPLES or NAME:SAMPLES:MOST."""
    name, *numbers = text.split(":")
    given: dict[str, Any] = dict(zip(("samples", "most_samples"), map(int, numbers), strict=False))
    return replace(get_quality(name), **given)


def list_objects(meshes: tuple[str, ...], per_class: int, learned: bool) -> Iterator[tuple[ObjectSource, str, str]]:
    """(source, synset, object id) of all objects."""
    from iebench.render.procedural import object_id
    from iebench.render.sources import open_source

    built_in = open_source("procedural")
    synsets = [entry.synset for entry in built_in.classes if entry.synset not in HELD_OUT] if learned else HELD_OUT
    yield from ((built_in, synset, object_id(index)) for index in range(per_class) for synset in synsets)
    for path in meshes:
        source = open_source(path)
        for entry in source.classes:
            yield from ((source, entry.synset, name) for name in source.list_objects(entry.synset))


def open_object(
    source: ObjectSource, synset: str, name: str, num_views: int, size: int, scratch: Path
) -> tuple[Callable[[Way], Found], str]:
    """What renders views of an object in a way that it is told; and a hash of its mesh, as two folders may have one name."""
    from iebench.render.mesh_files import prepare_mesh

    mesh = source.fetch(synset, name, scratch)
    prepared = prepare_mesh(mesh, scratch).path
    space = get_space("3diebench")
    views = [view_scene(space, row) for row in space.sample(0, synset, name, num_views)]
    digest = hashlib.sha256(prepared.read_bytes()).hexdigest()[:8]
    return lambda way: render_views(prepared, mesh.unit_diagonal, views, size, way, scratch), digest


def render_views(mesh: Path, unit_diagonal: bool, views: list[ViewScene], size: int, way: Way, scratch: Path) -> Found:
    """Render an object's views in one way."""
    import bpy

    from iebench.render.blender import Stage
    from iebench.render.guard import Guard
    from iebench.render.worker import encode_view

    stage = Stage(size, way.quality, scratch)
    bpy.context.scene.render.use_persistent_data = way.keep
    bpy.context.scene.cycles.seed = way.seed
    surface, _ = stage.load(mesh, unit_diagonal)
    start = time.perf_counter()
    noise = stage.choose_samples()  # once more, to see how long it takes
    pilots = time.perf_counter() - start
    images, seconds, guarding = [], [], []
    guard = None
    for view in views:
        start = time.perf_counter()
        pixels = stage.render(view)
        encode_view(pixels)
        rendered = time.perf_counter()
        guard = guard or Guard(surface)
        guard.check(view.object_matrix, stage.mask())
        seconds.append(rendered - start)
        guarding.append(time.perf_counter() - rendered)
        images.append(pixels.astype(np.float32) / 255)
    return Found(np.array(images), seconds, pilots, noise, bpy.context.scene.cycles.samples, guarding)


def find_truth(render: Callable[[Way], Found], kept: Path | None) -> ndarray:
    """Two images of each view with many samples."""
    if kept is not None and kept.exists():
        return np.load(kept)
    truth = np.stack([render(Way(TRUTH, seed=seed)).images for seed in TRUTH_SEEDS])
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, truth)
    return truth


def summarise(found: dict[str, list[Found]], truths: list[ndarray], objects: list[str]) -> dict[str, object]:
    """The figures of the claim."""
    seconds = {
        way: np.array([np.mean(one.seconds) + one.pilots / VIEWS for one in parts]) for way, parts in found.items()
    }
    images = sum(len(one.images) for one in found["published"])
    result: dict[str, object] = {
        "benchmark": "render",
        "objects": objects,
        "images": images,
        "cores": os.cpu_count(),
    }
    noise = next((told for parts in found.values() if any(told := [one.noise for one in parts])), None)
    for way, parts in found.items():
        errors = [square_errors(one.images, truth) for one, truth in zip(parts, truths, strict=True)]
        speed = Measure("ratio", lambda plain, own: plain.mean() / own.mean(), (seconds["published"], seconds[way]))
        result[way] = {
            "seconds_per_image": round(float(seconds[way].mean()), 4),
            "ratio": with_interval(speed),
            **judge(errors),
            "samples": [one.samples for one in parts],
            "rank_correlation": noise and round(float(spearmanr(noise, [each.mean() for each in errors])[0]), 2),
            "pilot_seconds": round(float(np.mean([one.pilots for one in parts])), 4),
            "guard_seconds": round(float(np.mean([one.guard for one in parts])), 4),
        }
    return result


def judge(errors: list[ndarray]) -> dict[str, object]:
    """PSNR in several ways from the squared errors of each object's images."""
    each_image = [-10 * np.log10(each.mean((1, 2, 3))) for each in errors]
    side = errors[0].shape[1] // BLOCK
    whole = [each[:, : side * BLOCK, : side * BLOCK] for each in errors]
    blocks = [each.reshape(len(each), side, BLOCK, side, BLOCK, 3).mean((2, 4, 5)) for each in whole]
    sorted_blocks = np.sort(np.concatenate([each.ravel() for each in blocks]))
    return {
        "psnr_mean": with_interval(mean_of("psnr", np.array([each.mean() for each in each_image]))),
        "psnr_worst": round(min(float(each.min()) for each in each_image), 2),
        "psnr_worst_of_each": [round(float(each.min()), 1) for each in each_image],
        "psnr_worst_blocks": round(float(-10 * np.log10(sorted_blocks[-(len(sorted_blocks) // 100) :].mean())), 2),
    }


def draw_sheet(found: dict[str, list[Found]], truths: list[ndarray], name: str, path: Path) -> None:
    """Draw the best, the middle and the worst view of a quality: a row for each, a column for each way, and the difference."""
    errors = np.stack(
        [square_errors(one.images, truth).mean((1, 2, 3)) for one, truth in zip(found[name], truths, strict=True)]
    )
    order = np.argsort(errors, axis=None)
    rows = []
    for place in (order[0], order[len(order) // 2], order[-1]):
        thing, view = np.unravel_index(place, errors.shape)
        seen = {way: parts[thing].images[view] for way, parts in found.items()}
        rows.append(np.hstack([*seen.values(), np.clip(8 * np.abs(seen[name] - seen["published"]), 0, 1)]))
    Image.fromarray((np.vstack(rows) * 255).round().astype(np.uint8)).save(path, quality=92)


def square_errors(images: ndarray, truth: ndarray) -> ndarray:
    """Squared errors of each value, to whose mean the noise of the truth's two images adds nothing."""
    return (images - truth[0]) * (images - truth[1])


def with_interval(measure: Measure) -> list[float]:
    """A score over objects, and the ends of its 95 % interval."""
    return [round(value, 2) for value in (measure.value, *measure.interval(BOOTSTRAPS))]


if __name__ == "__main__":
    sys.exit(main())
