"""Geometry passes: what they add to a view, with and without alternating in one run, and how many bytes each takes.

Prints one JSON line: milliseconds a view without passes and with all four, by the clock and of the processor (all cores
together, which other programs disturb less), the ratios of the sums, and the mean bytes of a view's JPEG and of each pass.
A view is what the worker does for one: rendered, checked by the guard, and encoded.

    python benchmarks/passes.py [--size 256] [--quality fast] [--objects 4] [--views 4] [--rounds 2]
"""

import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from numpy import ndarray

from iebench.dataset.passes import PASSES
from iebench.factors.space import get_space

CLASSES = ("02691156", "02958343", "03001627", "03797390", "04379243", "03467517", "03642806", "02808440")


CLOCKS = ("clock", "processor")


def read_clocks() -> ndarray:
    """Seconds by the clock, and of the processor, of all threads."""
    return np.array([time.perf_counter(), time.process_time()])


@click.command()
@click.option("--size", default=256, type=click.IntRange(16))
@click.option("--quality", default="fast")
@click.option("--objects", default=4, type=click.IntRange(1, len(CLASSES)))
@click.option("--views", default=4, type=click.IntRange(1))
@click.option("--rounds", default=2, type=click.IntRange(1), help="How often each view is rendered either way.")
def main(size: int, quality: str, objects: int, views: int, rounds: int) -> None:
    """Measure, and print one JSON line."""
    output = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Blender tells of every image
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        seconds, lengths = measure(Path(folder), size, quality, CLASSES[:objects], views, rounds)
    plain, whole = (np.mean(seconds[way], axis=0) for way in (False, True))
    told = {
        "size": size,
        "quality": quality,
        "views": len(seconds[True]),
        "ms_without": dict(zip(CLOCKS, (1e3 * plain).round(1).tolist(), strict=True)),
        "ms_with": dict(zip(CLOCKS, (1e3 * whole).round(1).tolist(), strict=True)),
        "ratio": dict(zip(CLOCKS, (whole / plain).round(3).tolist(), strict=True)),
        "bytes": {name: round(float(np.mean(found))) for name, found in lengths.items()},
    }
    os.write(output, (json.dumps(told) + "\n").encode())
    os._exit(0)  # Blender may crash at a regular exit


def measure(
    folder: Path, size: int, quality: str, synsets: Sequence[str], views: int, rounds: int
) -> tuple[dict[bool, list[ndarray]], dict[str, list[int]]]:
    """Seconds of each view, by both clocks, without passes and with them; and the bytes of all images."""
    from iebench.render.blender import Stage
    from iebench.render.guard import Guard
    from iebench.render.mesh_files import prepare_mesh
    from iebench.render.quality import get_quality
    from iebench.render.scene import view_scene
    from iebench.render.sources import open_source
    from iebench.render.view_passes import encode_passes
    from iebench.render.worker import encode_view

    stage, source, space = (
        Stage(size, get_quality(quality), folder, geometry=True),
        open_source("procedural"),
        get_space("so3"),
    )
    seconds: dict[bool, list[ndarray]] = {False: [], True: []}
    lengths: dict[str, list[int]] = {name: [] for name in ("jpeg", *PASSES)}
    for synset in synsets:
        work = folder / synset
        work.mkdir()
        prepared = prepare_mesh(source.fetch(synset, "p1-000000", work), work).path
        guard = Guard(stage.load(prepared, unit_diagonal=False)[0])
        scenes = [view_scene(space, row) for row in space.sample(0, synset, "p1-000000", views)]
        stage.render(scenes[0])
        stage.trace()  # what is built for the object once
        for number, scene in enumerate(scenes * rounds):
            for way in (False, True) if number % 2 else (True, False):
                start = read_clocks()
                jpeg = encode_view(stage.render(scene))
                guard.check(scene.object_matrix, stage.mask())
                pngs = encode_passes(list(PASSES), stage.trace(), scene.object_matrix) if way else {}
                seconds[way].append(read_clocks() - start)
                for name, image in {"jpeg": jpeg, **pngs}.items():
                    lengths[name].append(len(image))
    return seconds, lengths


if __name__ == "__main__":
    main()
