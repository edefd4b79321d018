"""How much fine print objects have: the contrast by which quality `trained` chooses samples, of built-in objects and of folders.

    python benchmarks/studies/print_contrast.py [--size 256] [FOLDER]…

Prints a line for each object, the most printed first: contrast, synset and object id. Of the built-in ones it takes one of each
class.
"""

import argparse
import os
import tempfile
from pathlib import Path

import bpy

from iebench.catalogue import CLASSES
from iebench.render.blender import Stage
from iebench.render.blender_print import print_contrast
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
    found = [(measure(*one, options.size), *one[1:]) for one in objects]
    for contrast, synset, name in sorted(found, reverse=True):
        os.write(told, f"{contrast:.3f} {synset}/{name}\n".encode())
    os._exit(0)  # Blender may crash at a regular exit


def measure(source: ObjectSource, synset: str, name: str, size: int) -> float:
    """The contrast of an object."""
    with tempfile.TemporaryDirectory(prefix="iebench-print-") as scratch:
        mesh = source.fetch(synset, name, Path(scratch))
        Stage(size, get_quality("preview"), Path(scratch)).load(
            prepare_mesh(mesh, Path(scratch)).path, mesh.unit_diagonal
        )
        (thing,) = [thing for thing in bpy.data.objects if thing.pass_index]
        return print_contrast(thing.data, pixel_at_object(size))


if __name__ == "__main__":
    main()
