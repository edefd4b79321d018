"""What the small denoiser learns from: views of the scene with few samples, and the same ones with many.

    pip download --no-deps pybullet==3.2.7 && unzip -q pybullet-*.whl 'pybullet_data/random_urdfs/*' -d meshes
    python benchmarks/studies/denoiser_views.py --foreign meshes/pybullet_data/random_urdfs --out data/denoiser/views
    python benchmarks/studies/denoiser_views.py --foreign meshes/pybullet_data/random_urdfs --out data/denoiser/printed --printed

Two thirds of the objects are built-in ones, of all classes but those of `benchmarks/render.py`, the others are the folder's.
Half of all have materials drawn at random in place of their own (plain, black, white, patterned, glass), some are tiny; with
--printed, a drawn picture is on all of them, and there are more samples. A view is a function of its number, so what is there
stays and the same command goes on. Each is NUMBER.npz: float16 arrays of 3 channels, scene-linear `target`, and for each number
of samples, such as 4, `color-4`, `albedo-4` and `normal-4`, as Cycles hands them to the denoiser.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np
from denoiser_print import draw_print, log_uniform
from mathutils import Matrix
from numpy import ndarray

from iebench.catalogue import CLASSES
from iebench.errors import IebenchError
from iebench.factors.space import get_space
from iebench.render.blender import Stage
from iebench.render.blender_looks import diffuse_material
from iebench.render.denoiser_network import HELD_OUT
from iebench.render.frame_files import read_exr
from iebench.render.mesh_files import prepare_mesh
from iebench.render.object_source import ObjectSource
from iebench.render.procedural import object_id
from iebench.render.quality import Quality
from iebench.render.scene import ViewScene, view_scene
from iebench.render.sources import open_source

SAMPLES, PRINTED_SAMPLES = (3, 4), (8, 12)
TARGET_SAMPLES = 64  # their noise is averaged over all the pixels that are learned from
FOREIGN, DRESSED, TINY = 1 / 3, 1 / 2, 0.07  # parts of all views
FIRST_OBJECT = 1000  # of the built-in ones, beyond those of ordinary datasets
COLORINGS = {"plain": 0.3, "black": 0.1, "white": 0.1, "checker": 0.15, "noise": 0.15, "voronoi": 0.1, "wave": 0.1}
SCALES = (0.6, 2.0)  # of a printed picture on an object of unit diagonal
RAW = Quality("raw", max(SAMPLES), adaptive_threshold=0.0, denoise=False)
PASSES = {"color": ("Combined", "RGB"), "albedo": ("Denoising Albedo", "RGB"), "normal": ("Denoising Normal", "XYZ")}


def main() -> None:
    """Render what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--foreign", type=Path, required=True, help="folder with a folder for each object")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--views", type=int, default=600)
    parser.add_argument("--printed", action="store_true", help="put a drawn picture on each object")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    told = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Blender tells of every image
    for number in range(options.views):
        path = options.out / f"{number:04d}.npz"
        if not path.exists():
            os.write(told, f"{path.name}\n".encode())
            write_view(number, options, path)
    os._exit(0)  # Blender may crash at a regular exit


def write_view(number: int, options: argparse.Namespace, path: Path) -> None:
    """Render one view and write its file whole; an object that cannot be rendered leaves an empty file."""
    dice = np.random.default_rng((number, 1) if options.printed else number)
    with tempfile.TemporaryDirectory(prefix="iebench-denoiser-", dir="/dev/shm") as scratch:
        try:
            images = dict(render_view(dice, options.foreign, options.printed, Path(scratch)))
        except IebenchError:
            images = {}
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.savez_compressed(file, **images)
    partial.rename(path)


def render_view(
    dice: np.random.Generator, foreign: Path, printed: bool, scratch: Path
) -> Iterator[tuple[str, ndarray]]:
    """All images of one view, by name."""
    synset, name, source = draw_object(dice, foreign)
    mesh = prepare_mesh(source.fetch(synset, name, scratch), scratch).path
    size, lens = int(dice.choice([256, 128], p=[0.8, 0.2])), float(dice.choice([50, 85], p=[0.8, 0.2]))
    stage = Stage(size, RAW, scratch, focal_length=lens)
    stage.load(mesh, unit_diagonal=True)
    (thing,) = [thing for thing in bpy.data.objects if thing.pass_index]
    if printed:
        wear_print(thing.data, dice, scratch / "print.png")
    else:
        if dice.random() < TINY:
            thing.data.transform(Matrix.Scale(dice.uniform(0.15, 0.5), 4))
        if dice.random() < DRESSED:
            dress(thing.data, dice)
    space = get_space("so3" if dice.random() < 0.3 else "3diebench")
    view = view_scene(space, space.sample(int(dice.integers(2**31)), synset, name, 1)[0])
    scene = bpy.context.scene
    scene.render.use_persistent_data = False  # with it, Cycles passes over a change of the samples alone
    scene.view_layers[0].cycles.denoising_store_passes = True
    for samples in PRINTED_SAMPLES if printed else SAMPLES:
        scene.cycles.samples = samples
        yield from read_images(stage, view, scratch / "view.exr", samples)
    scene.cycles.samples, scene.cycles.seed = TARGET_SAMPLES, 1
    yield "target", dict(read_images(stage, view, scratch / "view.exr", TARGET_SAMPLES))[f"color-{TARGET_SAMPLES}"]


def draw_object(dice: np.random.Generator, foreign: Path) -> tuple[str, str, ObjectSource]:
    """(synset, object id, source)."""
    if dice.random() > FOREIGN:
        classes = [entry.synset for entry in CLASSES if entry.synset not in HELD_OUT]
        return str(dice.choice(classes)), object_id(FIRST_OBJECT + int(dice.integers(100))), open_source("procedural")
    source = open_source(str(foreign), "object")
    (synset,) = [entry.synset for entry in source.classes]
    return synset, str(dice.choice(source.list_objects(synset))), source


def read_images(stage: Stage, view: ViewScene, path: Path, samples: int) -> Iterator[tuple[str, ndarray]]:
    """Render a view, and read what Cycles would hand to the denoiser."""
    size = stage.render(view).shape[0]
    stage.mask()  # leaves all passes in `path`
    for kind, (name, axes) in PASSES.items():
        yield f"{kind}-{samples}", read_exr(path, size, *((f"{name}.{axis}",) for axis in axes)).astype(np.float16)


def dress(mesh: bpy.types.Mesh, dice: np.random.Generator) -> None:
    """Give a mesh materials drawn at random, as many as it has."""
    for index in range(max(len(mesh.materials), 1)):
        material, color = diffuse_material("drawn")
        draw_color(material.node_tree, color, dice)
        if dice.random() < 0.15:
            make_glass(material.node_tree, dice.uniform(0.1, 0.7))
        if index < len(mesh.materials):
            mesh.materials[index] = material
        else:
            mesh.materials.append(material)


def draw_color(tree: bpy.types.NodeTree, color: bpy.types.NodeSocket, dice: np.random.Generator) -> None:
    """A plain color, black, white, or a pattern of two colors over the object."""
    kind = dice.choice(list(COLORINGS), p=list(COLORINGS.values()))
    one, other = ((*dice.uniform(0, 1, 3) ** 2, 1.0) for _ in range(2))
    color.default_value = {"black": (0.005, 0.005, 0.005, 1.0), "white": (0.9, 0.9, 0.9, 1.0)}.get(str(kind), one)
    if kind in ("plain", "black", "white"):
        return
    texture = tree.nodes.new(f"ShaderNodeTex{str(kind).capitalize()}")
    texture.inputs["Scale"].default_value = log_uniform(dice, 3, 40)
    mix = tree.nodes.new("ShaderNodeMix")
    mix.data_type = "RGBA"
    factor, a, b = mix.inputs[0], *[socket for socket in mix.inputs if socket.type == "RGBA"]
    a.default_value, b.default_value = one, other
    place = tree.nodes.new("ShaderNodeTexCoord")
    tree.links.new(place.outputs["Object"], texture.inputs["Vector"])
    tree.links.new(next(socket for socket in texture.outputs if socket.type == "VALUE"), factor)
    tree.links.new(next(socket for socket in mix.outputs if socket.type == "RGBA"), color)


def wear_print(mesh: bpy.types.Mesh, dice: np.random.Generator, path: Path) -> None:
    """Give a mesh one material, a drawn picture that is projected from six sides."""
    draw_print(dice).save(path)
    material, color = diffuse_material("print")
    tree = material.node_tree
    place, mapping, image = (tree.nodes.new(f"ShaderNode{kind}") for kind in ("TexCoord", "Mapping", "TexImage"))
    image.image, image.projection = bpy.data.images.load(str(path)), "BOX"
    mapping.inputs["Location"].default_value = dice.uniform(0, 1, 3)
    mapping.inputs["Scale"].default_value = [1 / log_uniform(dice, *SCALES)] * 3
    tree.links.new(place.outputs["Object"], mapping.inputs["Vector"])
    tree.links.new(mapping.outputs["Vector"], image.inputs["Vector"])
    tree.links.new(image.outputs["Color"], color)
    mesh.materials.clear()
    mesh.materials.append(material)


def make_glass(tree: bpy.types.NodeTree, opacity: float) -> None:
    """Let what stands behind be seen."""
    output = next(node for node in tree.nodes if node.type == "OUTPUT_MATERIAL").inputs["Surface"]
    mix, clear = tree.nodes.new("ShaderNodeMixShader"), tree.nodes.new("ShaderNodeBsdfTransparent")
    mix.inputs[0].default_value = opacity
    surface = output.links[0].from_socket
    tree.links.new(clear.outputs[0], mix.inputs[1])
    tree.links.new(surface, mix.inputs[2])
    tree.links.new(mix.outputs[0], output)


if __name__ == "__main__":
    main()
