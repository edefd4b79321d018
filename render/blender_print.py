"""Fine print: how much of an object's pictures changes within a pixel, which few samples cannot tell from noise."""

from collections.abc import Iterator
from dataclasses import dataclass

import bpy
import numpy as np
from jaxtyping import Float
from numpy import ndarray

from iebench.render.blender_import import coordinates, read_triangles
from iebench.render.blender_looks import COLOR_SOCKETS

FINE = 0.07  # contrast; at 256 px of labels on a can or box 0.15, of bread 0.08, of most built-in objects below 0.05
POINTS, LARGEST_SIDE = 20_000, 1024
COLORS = {**COLOR_SOCKETS, "EMISSION": "Color"}


@dataclass(frozen=True)
class _Placed:
    """A picture on some triangles.

    Attributes:
        image: the picture.
        uv_layer: name of the layer that places it; "" for the one that renders.
        scale: by which its coordinates are multiplied.
    """

    image: bpy.types.Image
    uv_layer: str
    scale: Float[ndarray, " 2"]


def has_fine_print(mesh: bpy.types.Mesh, pixel: float) -> bool:
    """Whether an object needs more samples than others: see `print_contrast`."""
    return print_contrast(mesh, pixel) > FINE


def print_contrast(mesh: bpy.types.Mesh, pixel: float) -> float:
    """Root mean square of the difference of color, 0 to 1, between points of a surface that lie half a pixel apart.

    Args:
        mesh: with materials; what has no picture counts as plain.
        pixel: its side in the mesh's units.
    """
    placed = {index: found for index, material in enumerate(mesh.materials) if (found := _find_picture(material))}
    if not placed:
        return 0.0
    corners = coordinates(mesh)[read_triangles(mesh, "vertices")]
    loops, materials = read_triangles(mesh, "loops"), read_triangles(mesh, "material_index")[:, 0]
    materials = np.clip(materials, 0, len(mesh.materials) - 1)
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    if not areas.sum():
        return 0.0
    dice = np.random.default_rng(0)
    picked = dice.choice(len(areas), POINTS, p=areas / areas.sum())
    layers: dict[str, ndarray] = {}  # that were read, as many materials have one
    squares = 0.0
    for index, found in placed.items():  # one after the other, as there may be many pictures
        chosen = picked[materials[picked] == index]
        layer = mesh.uv_layers.get(found.uv_layer) or _rendered_layer(mesh)
        if layer is not None and len(chosen):
            if layer.name not in layers:
                layers[layer.name] = _read_uv(layer)
            uv, picture = layers[layer.name][loops[chosen]] * found.scale, _read_picture(found.image)
            places = _draw_pairs(corners[chosen], pixel / 2, dice)
            one, other = (_look_up(picture, np.einsum("nk,nkj->nj", weights, uv)) for weights in places)
            squares += float(np.square(one - other).mean(axis=1).sum())
    return float(np.sqrt(squares / POINTS))


def _look_up(picture: Float[ndarray, "rows columns 3"], uv: Float[ndarray, "n 2"]) -> Float[ndarray, "n 3"]:
    """Colors at some places of a picture that repeats."""
    rows, columns = picture.shape[:2]
    places = np.floor(np.nan_to_num(uv) % 1 * (columns, rows)).astype(np.int64)
    return picture[places[:, 1] % rows, places[:, 0] % columns]


def _draw_pairs(
    corners: Float[ndarray, "n 3 3"], length: float, dice: np.random.Generator
) -> tuple[Float[ndarray, "n 3"], Float[ndarray, "n 3"]]:
    """Barycentric coordinates of a point in each triangle, and of one that far from it, in any direction of its plane."""
    a, b = np.sqrt(dice.random(len(corners))), dice.random(len(corners))
    first, second = a * (1 - b), a * b
    along, across = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    lengths = np.maximum(np.linalg.norm(along, axis=1), 1e-12)
    x = along / lengths[:, None]
    skew = np.einsum("nj,nj->n", across, x)
    height = np.maximum(np.linalg.norm(across - skew[:, None] * x, axis=1), 1e-12)
    angle = dice.uniform(0, 2 * np.pi, len(corners))
    up = length * np.sin(angle) / height
    right = (length * np.cos(angle) - up * skew) / lengths
    return _weights(first, second), _weights(first + right, second + up)


def _weights(second: Float[ndarray, " n"], third: Float[ndarray, " n"]) -> Float[ndarray, "n 3"]:
    return np.stack([1 - second - third, second, third], axis=1)


def _rendered_layer(mesh: bpy.types.Mesh) -> bpy.types.MeshUVLoopLayer | None:
    return next((layer for layer in mesh.uv_layers if layer.active_render), None)


def _read_uv(layer: bpy.types.MeshUVLoopLayer) -> Float[ndarray, "n 2"]:
    values = np.empty(2 * len(layer.data), np.float32)
    layer.data.foreach_get("uv", values)
    return values.reshape(-1, 2).astype(np.float64)


def _find_picture(material: bpy.types.Material | None) -> _Placed | None:
    """The picture that colors a material, where there is one."""
    if material is None or not material.use_nodes:
        return None
    for surface in material.node_tree.nodes:
        for node in _above(surface.inputs[COLORS[surface.type]]) if surface.type in COLORS else ():
            if node.type == "TEX_IMAGE" and node.image is not None and node.image.size[0]:
                placing = list(_above(node.inputs["Vector"]))
                layer = next((one.uv_map for one in placing if one.type == "UVMAP"), "")
                scales = [one.inputs["Scale"].default_value[:2] for one in placing if one.type == "MAPPING"]
                return _Placed(node.image, layer, np.prod([(1.0, 1.0), *scales], axis=0))
    return None


def _above(socket: bpy.types.NodeSocket) -> Iterator[bpy.types.Node]:
    """The nodes from which a socket's value comes, the nearest first."""
    for link in socket.links:
        yield link.from_node
        for entry in link.from_node.inputs:
            yield from _above(entry)


def _read_picture(image: bpy.types.Image) -> Float[ndarray, "rows columns 3"]:
    """The picture's values as they are stored; of a large one, of a smaller copy."""
    columns, rows = image.size
    scale = min(LARGEST_SIDE / max(columns, rows), 1)
    copy = image.copy()
    try:
        if scale < 1:
            copy.scale(max(round(columns * scale), 1), max(round(rows * scale), 1))
        columns, rows = copy.size
        values = np.empty(rows * columns * copy.channels, np.float32)
        copy.pixels.foreach_get(values)
        pixels = values.reshape(rows, columns, copy.channels)
        return pixels[..., :3] if copy.channels >= 3 else np.repeat(pixels[..., :1], 3, axis=2)
    finally:
        bpy.data.images.remove(copy)
