"""How much detail objects have: what quality `trained` chooses samples by, of built-in objects and of folders.

    python benchmarks/studies/detail.py [--size 256] [FOLDER]…

Prints a line for each object, the most samples first: samples, contrast of print, total mean curvature, synset and object id. Of
the built-in ones it takes one of each class.
"""

import argparse
import os
import tempfile
from pathlib import Path

import bpy

from iebench.catalogue import CLASSES
from iebench.render.blender import Stage
from iebench.render.blender_detail import count_samples, print_contrast, total_mean_curvature
from iebench.render.mesh_files import prepare_mesh
from iebench.render.object_source import ObjectSource
from iebench.render.procedural import object_id
from iebench.render.quality import get_quality
from iebench.render.scene import pixel_at_object
from iebench.render.sources import open_source

INDEX = 5  # of the built-in objects


def main() -> None:
    """Measure all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", help="as for --objects")
    parser.add_argument("--size", type=int, default=256, help="side of the images in pixels")
    options = parser.parse_args()
    told = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Blender tells of every file
    built_in = open_source("procedural")
    objects = [(built_in, entry.synset, object_id(INDEX)) for entry in CLASSES]
    for source in map(open_source, options.folders):
        objects += [
            (source, entry.synset, name) for entry in source.classes for name in source.list_objects(entry.synset)
        ]
    found = [(*measure(*one, options.size), *one[1:]) for one in objects]
    for samples, contrast, curvature, synset, name in sorted(found, reverse=True):
        os.write(told, f"{samples:2d} {contrast:.3f} {curvature:5.1f} {synset}/{name}\n".encode())
    os._exit(0)  # Blender may crash at a regular exit


def measure(source: ObjectSource, synset: str, name: str, size: int) -> tuple[int, float, float]:
    """Samples, contrast and curvature of an object."""
    quality, pixel = get_quality("trained"), pixel_at_object(size)
    with tempfile.TemporaryDirectory(prefix="iebench-detail-") as scratch:
        mesh = source.fetch(synset, name, Path(scratch))
        stage = Stage(size, get_quality("preview"), Path(scratch))
        stage.load(prepare_mesh(mesh, Path(scratch)).path, mesh.unit_diagonal)
        (thing,) = [thing for thing in bpy.data.objects if thing.pass_index]
        samples = count_samples(thing.data, pixel, pixel * size, quality.samples, quality.most_samples)
        return samples, print_contrast(thing.data, pixel), total_mean_curvature(thing.data)


if __name__ == "__main__":
    main()
