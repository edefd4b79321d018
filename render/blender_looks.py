"""The appearance of what Blender has imported: vertex colors shown, textures that it could not read taken out."""

from collections.abc import Sequence
from pathlib import Path

import bpy
import numpy as np
from jaxtyping import Float
from numpy import ndarray

from iebench.dataset.appearance import Lost
from iebench.render.object_files import readable_name

COLOR = "iebench color"  # the one color attribute of all meshes of an object
VERTEX_COLORS = "vertex colors"
BLACK = 1e-4
COLOR_SOCKETS = {"BSDF_PRINCIPLED": "Base Color", "BSDF_DIFFUSE": "Color"}  # of the nodes that show a surface's color


def show_vertex_colors(meshes: Sequence[bpy.types.Object]) -> list[Lost]:
    """Have the materials of an object show its vertex colors, and give meshes without a material one.

    Colors are multiplied with the material's, as glTF 2.0 says of COLOR_0 (section 3.9.2), whose importer does so by itself.

    Args:
        meshes: of one object, before they are joined; those without colors are white where others have some.

    Returns:
        Vertex colors that are not shown, as they are black all over and would hide a material.
    """
    colored = [thing for thing in meshes if thing.data.color_attributes]
    if not colored:
        return []
    largest = [float(_rename_colors(thing.data).max(initial=0)) for thing in colored]
    black = [thing for thing, most in zip(colored, largest, strict=True) if most < BLACK and _materials(thing)]
    for thing in (*black, *(thing for thing in meshes if thing not in colored)):
        _fill_white(thing.data)
    for thing in colored:
        if not _materials(thing):
            thing.data.materials.clear()
            material, color = diffuse_material(VERTEX_COLORS)  # white, as that of a mesh without a material
            color.default_value = (1.0, 1.0, 1.0, 1.0)
            thing.data.materials.append(material)
    for material in {material for thing in colored for material in _materials(thing)}:
        _multiply(material)
    return [Lost(VERTEX_COLORS, "they are all black")] if black else []


def diffuse_material(name: str) -> tuple[bpy.types.Material, bpy.types.NodeSocket]:
    """A new diffuse material, and the socket of its color."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    nodes = material.node_tree.nodes
    nodes.clear()
    diffuse, output = nodes.new("ShaderNodeBsdfDiffuse"), nodes.new("ShaderNodeOutputMaterial")
    material.node_tree.links.new(diffuse.outputs["BSDF"], output.inputs["Surface"])
    return material, diffuse.inputs["Color"]


def drop_missing_images() -> list[Lost]:
    """Unlink textures whose picture cannot be read, so that the plain color shows instead of Blender's magenta."""
    lost = []
    for material in (material for material in bpy.data.materials if material.use_nodes):
        for node in [n for n in material.node_tree.nodes if n.type == "TEX_IMAGE"]:
            if node.image is None or (not node.image.has_data and not node.image.size[0]):
                lost.append(Lost("texture", readable_name(_image_name(node.image) if node.image else material.name)))
                material.node_tree.nodes.remove(node)
    return list(dict.fromkeys(lost))


def has_packed_images() -> bool:
    """Whether there are pictures without a file, as those inside a GLB."""
    return any(image.packed_file for image in bpy.data.images)


def forget_kept_data(scene: bpy.types.Scene) -> None:
    """Have Cycles give up what it keeps from view to view.

    It knows a texture without a file by its place in memory, and takes the next object's picture there for the one it has; and
    it heeds a change of samples only in part.
    """
    scene.render.use_persistent_data = False  # setting it frees what is kept
    scene.render.use_persistent_data = True


def _image_name(image: bpy.types.Image) -> str:
    """The name of the file behind the link that Blender was given."""
    path = Path(bpy.path.abspath(image.filepath)) if image.filepath else None
    return path.resolve().name if path and path.is_symlink() else image.name


def _materials(thing: bpy.types.Object) -> list[bpy.types.Material]:
    return [material for material in thing.data.materials if material is not None]


def _rename_colors(mesh: bpy.types.Mesh) -> Float[ndarray, "n 3"]:
    """Give the colors that count the common name, and return them, linear."""
    attributes = mesh.color_attributes
    colors = attributes[max(attributes.render_color_index, 0)]
    colors.name = COLOR
    values = np.empty(4 * len(colors.data), np.float32)
    colors.data.foreach_get("color", values)
    linear = values.reshape(-1, 4)
    if linear[:, :3].max(initial=0) > 1:  # written as 0 to 255, which an importer took for 0 to 1
        linear[:, :3] = _to_linear(_to_srgb(linear[:, :3]) / 255)
        colors.data.foreach_set("color", linear.ravel())
    return linear[:, :3]


def _fill_white(mesh: bpy.types.Mesh) -> None:
    colors = mesh.color_attributes.get(COLOR) or mesh.color_attributes.new(COLOR, "FLOAT_COLOR", "POINT")
    colors.data.foreach_set("color", np.ones(4 * len(colors.data), np.float32))


def _multiply(material: bpy.types.Material) -> None:
    """Multiply the color of a material with the vertex colors, unless it reads them already."""
    tree = material.node_tree
    readers = [node for node in tree.nodes if node.type == "VERTEX_COLOR"]
    for node in readers:
        node.layer_name = COLOR
    surface = next((node for node in tree.nodes if node.type in COLOR_SOCKETS), None)
    if readers or surface is None:
        return
    socket = surface.inputs[COLOR_SOCKETS[surface.type]]
    colors, mix = tree.nodes.new("ShaderNodeVertexColor"), tree.nodes.new("ShaderNodeVectorMath")
    colors.layer_name, mix.operation = COLOR, "MULTIPLY"
    tree.links.new(colors.outputs["Color"], mix.inputs[0])
    if socket.is_linked:
        tree.links.new(socket.links[0].from_socket, mix.inputs[1])
    else:
        color = socket.default_value[:3]
        mix.inputs[1].default_value = color if max(color) > BLACK else (1.0, 1.0, 1.0)
    tree.links.new(mix.outputs["Vector"], socket)


def _to_srgb(linear: Float[ndarray, "n 3"]) -> Float[ndarray, "n 3"]:
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055)


def _to_linear(srgb: Float[ndarray, "n 3"]) -> Float[ndarray, "n 3"]:
    return np.where(srgb <= 0.04045, srgb / 12.92, ((np.maximum(srgb, 0) + 0.055) / 1.055) ** 2.4)
