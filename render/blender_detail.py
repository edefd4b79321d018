"""Detail: how much of an object's pictures changes within a pixel, by print and by edges, which few samples blur."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

import bpy
import numpy as np
from jaxtyping import Float
from numpy import ndarray

from iebench.render.blender_import import coordinates, read_triangles
from iebench.render.blender_looks import COLOR_SOCKETS

# Shares of the detail for which the least samples do: of print, squared contrast times the object's part of the picture, and of
# edges. Squared errors of 230 views with 3 samples have 15e-4 of the one and 7.7e-7 of the other, and fall by `samples ** -0.8`.
PRINT, EDGES, POWER = 0.004, 33.0, 1.25
MOST_EDGES = 57.0  # of more, much lies inside, where nobody sees it
WELD = 1e-4  # vertices that are nearer are one
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


def count_samples(mesh: bpy.types.Mesh, pixel: float, frame: float, least: int, most: int) -> int:
    """Samples per pixel that keep the error of an object's pictures about even.

    Args:
        mesh: with materials, its diagonal about 1.
        pixel, frame: sides of a pixel and of the picture in the mesh's units.
        least, most: the range.
    """
    contrast = print_contrast(mesh, pixel)
    area = float(_areas(_read_corners(mesh)).sum()) if contrast else 0.0
    detail = contrast**2 * area / frame**2 / PRINT + min(total_mean_curvature(mesh), MOST_EDGES) / EDGES
    return min(max(ceil(least * detail**POWER), least), most)


def total_mean_curvature(mesh: bpy.types.Mesh) -> float:
    """Half the sum of length times angle over all edges: what a body shows of outlines and creases, in the mesh's units.

    Faces count as having no back, so that a double wall is no edge; a free edge counts as a right angle.
    """
    places = np.round(coordinates(mesh) / WELD).astype(np.int64) % (1 << 21)
    _, vertices = np.unique(places @ np.array([1 << 42, 1 << 21, 1]), return_inverse=True)
    welded, corners = vertices.reshape(-1)[read_triangles(mesh, "vertices")], _read_corners(mesh)
    areas = _areas(corners)
    whole = (areas > 0) & (welded != np.roll(welded, 1, axis=1)).all(axis=1)
    welded, corners, areas = welded[whole], corners[whole], areas[whole]
    normals = _normals(corners) / (2 * areas[:, None])
    ends = np.sort(np.concatenate([welded[:, [0, 1]], welded[:, [1, 2]], welded[:, [2, 0]]]), axis=1)
    if not len(ends):
        return 0.0
    lengths = np.concatenate([np.linalg.norm(corners[:, i] - corners[:, (i + 1) % 3], axis=1) for i in range(3)])
    faces = np.tile(np.arange(len(welded)), 3)
    order = np.lexsort(ends.T)
    ends, lengths, faces = ends[order], lengths[order], faces[order]
    starts = np.flatnonzero(np.append(True, (ends[1:] != ends[:-1]).any(axis=1)))
    following = np.append(faces[1:], faces[:1])
    angles = np.arccos(np.abs(np.einsum("nk,nk->n", normals[faces], normals[following])).clip(0, 1))
    lasts = np.append(starts[1:], len(ends)) - 1
    angles[lasts] = 0  # what follows is of the next edge
    widest = np.maximum.reduceat(angles, starts)
    widest[lasts == starts] = np.pi / 2
    return float((lengths[starts] * widest).sum()) / 2  # not "@", whose threads compete with Cycles'


def print_contrast(mesh: bpy.types.Mesh, pixel: float) -> float:
    """Root mean square of the difference of color, 0 to 1, between points of a surface that lie half a pixel apart.

    Args:
        mesh: with materials; what has no picture counts as plain.
        pixel: its side in the mesh's units.
    """
    placed = {index: found for index, material in enumerate(mesh.materials) if (found := _find_picture(material))}
    if not placed:
        return 0.0
    corners = _read_corners(mesh)
    loops, materials = read_triangles(mesh, "loops"), read_triangles(mesh, "material_index")[:, 0]
    materials = np.clip(materials, 0, len(mesh.materials) - 1)
    areas = _areas(corners)
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


def _read_corners(mesh: bpy.types.Mesh) -> Float[ndarray, "n 3 3"]:
    """The places of the triangles' corners."""
    return coordinates(mesh)[read_triangles(mesh, "vertices")]


def _normals(corners: Float[ndarray, "n 3 3"]) -> Float[ndarray, "n 3"]:
    """Of triangles, twice as long as their areas are large."""
    return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])


def _areas(corners: Float[ndarray, "n 3 3"]) -> Float[ndarray, " n"]:
    """Of triangles."""
    return np.linalg.norm(_normals(corners), axis=1) / 2


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
