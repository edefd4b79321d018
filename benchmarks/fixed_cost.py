"""The cost of a view that comes from the mesh alone: exported as for every view, and with normals settled, in one run.

Prints one JSON line for each mesh and way: milliseconds of a view by the clock and of the processor (all cores together, which
other programs disturb less), those of the object with its first view, how many times faster than the plain way a view is, and
how much pictures differ from its. The plain way is Blender's: the mesh is split, baked and exported again for every view.

    python benchmarks/fixed_cost.py [--faces 0,100000] [--meshes FOLDER] [--size 48] [--quality preview] [--views 8] [--rounds 2]

Built-in objects, and with --meshes the first of each class of a folder, are subdivided until they have about so many triangles;
0 leaves them as they are.
"""

import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
from numpy import ndarray

from iebench.factors.space import get_space

CLASSES = ("02691156", "03001627")
WAYS = {"plain": np.inf, "settled": 0}  # corners worth settling
CLOCKS = ("clock", "processor")


def read_clocks() -> ndarray:
    """Seconds by the clock, and of the processor, of all threads."""
    return np.array([time.perf_counter(), time.process_time()])


@click.command()
@click.option("--faces", default="0,100000", help="Triangles, comma-separated; 0 for those of the mesh.")
@click.option("--meshes", help="Folder with objects, as for --objects, instead of built-in ones.")
@click.option("--size", default=48, type=click.IntRange(16))
@click.option("--quality", default="preview")
@click.option("--views", default=8, type=click.IntRange(1))
@click.option("--rounds", default=2, type=click.IntRange(1), help="How often each way is taken, one after the other.")
def main(faces: str, meshes: str | None, size: int, quality: str, views: int, rounds: int) -> None:
    """Measure, and print a JSON line for each mesh and way."""
    output = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Blender tells of every image
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        for mesh, count in prepare_meshes(Path(folder), meshes, [int(number) for number in faces.split(",")]):
            for told in measure(Path(folder), mesh, size, quality, views, rounds):
                line = {"mesh": mesh.stem, "faces": count, "size": size, "quality": quality, **told}
                os.write(output, (json.dumps(line) + "\n").encode())
    os._exit(0)  # Blender may crash at a regular exit


def prepare_meshes(folder: Path, meshes: str | None, faces: list[int]) -> Iterator[tuple[Path, int]]:
    """OBJ files with about so many triangles, and how many they have."""
    from iebench.render.mesh_files import prepare_mesh
    from iebench.render.procedural import object_id
    from iebench.render.sources import open_source

    source = open_source(meshes or "procedural")
    for entry in [entry for entry in source.classes if meshes or entry.synset in CLASSES]:
        name = next(iter(source.list_objects(entry.synset))) if meshes else object_id(0)
        for count in faces:
            work = folder / f"{entry.synset}-{count}"
            work.mkdir()
            path = work / f"{entry.synset}-{count}.glb"
            yield path, subdivide(prepare_mesh(source.fetch(entry.synset, name, work), work).path, path, count)


def subdivide(mesh: Path, path: Path, most: int) -> int:
    """Write an object as GLB, its edges halved while it then has not more than so many triangles."""
    import bpy

    bpy.ops.wm.read_factory_settings(use_empty=True)
    import bmesh  # there is one from now on

    bpy.ops.wm.obj_import(filepath=str(mesh))
    things = [thing.data for thing in bpy.data.objects]
    count = sum(len(thing.loop_triangles) for thing in things if thing.calc_loop_triangles() is None)
    while 4 * count <= 1.5 * most:
        for thing in things:
            editable = bmesh.new()
            editable.from_mesh(thing)
            bmesh.ops.subdivide_edges(editable, edges=editable.edges, cuts=1, use_grid_fill=True)
            editable.to_mesh(thing)
            editable.free()
        count = sum(len(thing.loop_triangles) for thing in things if thing.calc_loop_triangles() is None)
    bpy.ops.export_scene.gltf(filepath=str(path))
    return count


def measure(folder: Path, mesh: Path, size: int, quality: str, views: int, rounds: int) -> Iterator[dict[str, object]]:
    """For each way, seconds of a view and of the object, and how its pictures differ from the plain way's."""
    seconds: dict[str, list[ndarray]] = {way: [] for way in WAYS}
    beside: dict[str, list[ndarray]] = {way: [] for way in WAYS}
    pictures: dict[str, ndarray] = {}
    for _ in range(rounds):
        for way in WAYS:
            pictures[way], object_seconds, taken = render(folder, mesh, size, quality, views, WAYS[way])
            seconds[way] += taken
            beside[way].append(object_seconds)
    plain = np.mean(seconds["plain"], axis=0)
    for way in WAYS:
        view, once = np.mean(seconds[way], axis=0), np.mean(beside[way], axis=0)
        change = np.abs(pictures[way].astype(int) - pictures["plain"])
        yield {
            "way": way,
            "ms_view": dict(zip(CLOCKS, (1e3 * view).round(1).tolist(), strict=True)),
            "ms_object": dict(zip(CLOCKS, (1e3 * once).round().tolist(), strict=True)),
            "times_faster": dict(zip(CLOCKS, (plain / view).round(2).tolist(), strict=True)),
            "pixels_changed": round(float((change > 0).any(axis=-1).mean()), 5),
            "largest_change": int(change.max()),
        }


def render(
    folder: Path, mesh: Path, size: int, quality: str, views: int, many: float
) -> tuple[ndarray, ndarray, list[ndarray]]:
    """Pictures of an object; seconds to load it and to show it first; and those of each view after."""
    from iebench.render import blender_export
    from iebench.render.blender import Stage
    from iebench.render.quality import get_quality
    from iebench.render.scene import view_scene

    blender_export.MANY = many  # type: ignore[assignment]
    stage = Stage(size, get_quality(quality), folder)
    space = get_space("3diebench")
    first, *scenes = [view_scene(space, row) for row in space.sample(0, "02691156", mesh.stem, views + 1)]
    start = read_clocks()
    stage.load(mesh, unit_diagonal=True)
    stage.render(first)
    once = read_clocks() - start
    pictures, seconds = [], []
    for scene in scenes:
        start = read_clocks()
        pictures.append(stage.render(scene))
        seconds.append(read_clocks() - start)
    return np.array(pictures), once, seconds


if __name__ == "__main__":
    main()
