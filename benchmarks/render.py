"""Rendering: our fast quality against the published settings, both ways in one run, alternating.

Prints one JSON line: seconds per image of both, their ratio, and the mean and worst PSNR of both against 1024 samples
without a denoiser; and what the guard adds, which compares every image with where the latents put the object. The plain way is
the published generator's: 100 samples, adaptive threshold 0.01, the denoiser with its defaults, and no data kept from one image
to the next.

    python benchmarks/render.py [--objects 8] [--views 4] [--quality fast] [--truth FOLDER] [--ladder]

The 1024 samples take 20 minutes on 2 cores; with --truth they are kept in a folder, and taken from it the next time. With
--ladder, the way from the published settings to ours is gone in steps, to see what each of them buys.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
from numpy import ndarray

from iebench.factors.space import get_space
from iebench.render.quality import Quality, get_quality

CLASSES = ("02691156", "02808440", "02958343", "03001627", "03467517", "03642806", "03797390", "04379243")
SIZE, TRUTH_SAMPLES = 256, 1024


Way = tuple[Quality, bool]  # and whether data are kept from one image to the next


def ladder() -> dict[str, Way]:
    """The steps from the published settings to `fast`, each on top of those before it."""
    fast, reached = get_quality("fast"), get_quality("reference")
    ways = {"plain": (reached, False), "data kept": (reached, True)}
    for name, fields in (
        ("6 samples", ("samples", "adaptive_threshold")),
        ("fast prefilter", ("prefilter",)),
        ("balanced denoiser", ("denoiser_quality",)),
        ("albedo alone", ("passes",)),
    ):
        reached = replace(reached, **{field: getattr(fast, field) for field in fields})
        ways[name] = (reached, True)
    assert reached == replace(fast, name=reached.name)
    return {**ways, "ours": (fast, True), "no denoiser": (replace(fast, denoise=False), True)}


def psnr(images: ndarray, truth: ndarray) -> ndarray:
    """Peak signal-to-noise ratio of each image in dB."""
    return 10 * np.log10(255**2 / np.mean((images - truth) ** 2, axis=(1, 2, 3)))


def render_object(
    mesh: Path, latents: ndarray, quality: Quality, keep: bool, scratch: Path
) -> tuple[ndarray, list[float], list[float]]:
    """Images of an object's views, and the seconds of each and of its guard. The first carry what is built for the object."""
    import bpy

    from iebench.render.blender import Stage
    from iebench.render.guard import Guard
    from iebench.render.scene import view_scene
    from iebench.render.worker import encode_view

    stage = Stage(SIZE, quality, scratch)
    bpy.context.scene.render.use_persistent_data = keep
    surface, _ = stage.load(mesh, unit_diagonal=False)
    images, seconds, guarding = [], [], []
    guard = None
    for row in latents:
        start, view = time.perf_counter(), view_scene(get_space("3diebench"), row)
        pixels = stage.render(view)
        encode_view(pixels)
        rendered = time.perf_counter()
        guard = guard or Guard(surface)
        guard.check(view.object_matrix, stage.mask())
        seconds.append(rendered - start)
        guarding.append(time.perf_counter() - rendered)
        images.append(pixels.astype(float))
    return np.array(images), seconds, guarding


@click.command()
@click.option("--objects", default=8, type=click.IntRange(1, len(CLASSES)))
@click.option("--views", default=4, type=click.IntRange(1))
@click.option("--quality", default="fast")
@click.option("--truth", type=click.Path(path_type=Path), help="Folder that keeps the images of 1024 samples.")
@click.option("--ladder", "stepwise", is_flag=True, help="Go from the published settings to ours step by step.")
def main(objects: int, views: int, quality: str, truth: Path | None, stepwise: bool) -> None:
    """Measure, and print one JSON line."""
    from iebench.render.mesh_files import prepare_mesh
    from iebench.render.sources import open_source

    ways = ladder() if stepwise else {"ours": (get_quality(quality), True), "plain": (get_quality("reference"), False)}
    ways["truth"] = (Quality("truth", TRUTH_SAMPLES, adaptive_threshold=0.0, denoise=False), True)
    images: dict[str, list[ndarray]] = {way: [] for way in ways}
    seconds: dict[str, list[float]] = {way: [] for way in [*ways, "guard"]}
    source = open_source("procedural")
    output = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Blender tells of every image
    for synset in CLASSES[:objects]:
        folder = Path(tempfile.mkdtemp(prefix="iebench-benchmark-", dir="/dev/shm"))
        mesh = source.fetch(synset, "p1-000000", folder)
        latents = get_space("3diebench").sample(0, synset, "p1-000000", views)
        prepared = prepare_mesh(mesh, folder).path
        for way, (setting, keep) in ways.items():
            kept = truth / f"{synset}-{views}.npy" if truth and way == "truth" else None
            if kept is not None and kept.exists():
                rendered = np.load(kept)
            else:
                rendered, taken, guarding = render_object(prepared, latents, setting, keep, folder)
                seconds[way] += taken
                seconds["guard"] += guarding if way == "ours" else []
            if kept is not None:
                kept.parent.mkdir(exist_ok=True)
                np.save(kept, rendered)
            images[way].append(rendered)
        shutil.rmtree(folder)
    os.dup2(output, 1)
    print(json.dumps(summarise(images, seconds, quality)), flush=True)
    os._exit(0)  # Blender may crash at a regular exit


def summarise(images: dict[str, list[ndarray]], seconds: dict[str, list[float]], quality: str) -> dict[str, object]:
    """The figures of the claim."""
    stacked = {way: np.concatenate(parts) for way, parts in images.items()}
    mean = {way: float(np.mean(taken)) for way, taken in seconds.items() if taken}
    result: dict[str, object] = {
        "benchmark": "render",
        "quality": quality,
        "images": len(stacked["ours"]),
        "cores": os.cpu_count(),
    }
    for way in [way for way in stacked if way != "truth"]:
        decibels = psnr(stacked[way], stacked["truth"])
        result[way] = {
            "seconds_per_image": round(mean[way], 3),
            "psnr_mean": round(float(decibels.mean()), 2),
            "psnr_worst": round(float(decibels.min()), 2),
        }
    result["guard"] = {"seconds_per_image": round(mean["guard"], 4), "part": round(mean["guard"] / mean["ours"], 4)}
    return result | {"ratio": round(mean["plain"] / mean["ours"], 2)}


if __name__ == "__main__":
    sys.exit(main())
