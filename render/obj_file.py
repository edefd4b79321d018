"""Write parts as a ShapeNetCore v2 object: models/model_normalized.obj with its .mtl, and images/ beside them.

Pictures are BMP: uncompressed, so that their bytes do not hang on the version of a compressor.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from PIL import Image

from iebench.render.materials import Material, Picture
from iebench.render.recipe import Layout, Part
from iebench.render.shapes import Shape

_CREASE = 0.65  # cosine: faces that meet at less than 49 degrees are shaded as one smooth surface
_REPEATS = 2.0  # a repeated picture fills half of the object's diagonal
Corners2 = Float[np.ndarray, "m 3 2"]
Corners3 = Float[np.ndarray, "m 3 3"]


def write_obj(parts: Sequence[Part], folder: Path) -> Path:
    """Write an object's parts under `folder` and return the path of the OBJ file."""
    models, images = folder / "models", folder / "images"
    models.mkdir(parents=True, exist_ok=True)
    names = _name_materials(parts)
    path = models / "model_normalized.obj"
    path.write_text("\n".join(["mtllib model_normalized.mtl", *_obj_lines(parts, names), ""]), encoding="ascii")
    mtl = "\n".join(line for material, name in names.items() for line in _mtl_lines(material, name))
    (models / "model_normalized.mtl").write_text(mtl + "\n", encoding="ascii")
    for material, name in names.items():
        if material.picture is not None:
            images.mkdir(exist_ok=True)
            _write_picture(material.picture, images / f"{name}.bmp")
    return path


def corner_normals(shape: Shape) -> Corners3:
    """A unit normal for each corner of each face, smooth over edges that are not sharp."""
    corners = shape.vertices[shape.faces]
    area = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    unit = area / np.linalg.norm(area, axis=1, keepdims=True)
    corner, other = _corners_that_meet(shape.faces.ravel())
    smooth = np.einsum("ij,ij->i", unit[corner // 3], unit[other // 3]) > _CREASE
    corner, other = corner[smooth], other[smooth]
    sums = [np.bincount(corner, area[other // 3, axis], shape.faces.size) for axis in range(3)]
    normals = np.stack(sums, axis=1)
    return (normals / np.linalg.norm(normals, axis=1, keepdims=True)).reshape(-1, 3, 3)


def texture_corners(shape: Shape, layout: Layout) -> Corners2:
    """Texture coordinates for each corner of each face; (0, 0) is the picture's lower left."""
    corners = shape.vertices[shape.faces]
    x, y, z = np.moveaxis(corners, -1, 0)
    if layout == "front":
        return np.stack([1 - _to_unit(x), _to_unit(y)], axis=-1)
    if layout == "back":
        return np.stack([_to_unit(x), _to_unit(y)], axis=-1)
    if layout == "top":
        return np.stack([1 - _to_unit(x), _to_unit(z)], axis=-1)
    if layout == "around":
        return np.stack([_turn_about_up(x, z), _to_unit(y)], axis=-1)
    return _from_six_sides(shape, corners, upright=layout == "upright")


def _corners_that_meet(
    vertex: Int[np.ndarray, " corners"],
) -> tuple[Int[np.ndarray, " pairs"], Int[np.ndarray, " pairs"]]:
    """All ordered pairs of corners that share a vertex."""
    order = np.argsort(vertex, kind="stable")
    counts = np.bincount(vertex)
    starts = np.cumsum(counts) - counts
    repeats = counts[vertex[order]]
    first = np.repeat(order, repeats)
    within = np.arange(len(first)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    return first, order[np.repeat(starts[vertex[order]], repeats) + within]


def _to_unit(values: np.ndarray) -> np.ndarray:
    low, high = values.min(), values.max()
    return (values - low) / max(high - low, 1e-9)


def _turn_about_up(x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """The angle about the up axis in turns, 0.5 at the front, growing to the reader's right, unbroken in each face."""
    turn = np.arctan2(-x, -z) / (2 * np.pi) + 0.5
    first = turn[:, :1]
    return first + (turn - first + 0.5) % 1.0 - 0.5


def _from_six_sides(shape: Shape, corners: Corners3, upright: bool) -> Corners2:
    normal = np.abs(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]))
    # The small lead of z over y over x decides ties the same way everywhere.
    side = np.argmax(normal / normal.sum(axis=1, keepdims=True) * np.array([1.0, 1.001, 1.002]), axis=1)
    long_first = np.argsort(-np.round(shape.size(), 5), kind="stable")
    pairs = [[i for i in ((0, 2, 1) if upright else long_first) if i != axis] for axis in range(3)]
    columns = np.array(pairs)[side]
    picked = np.take_along_axis(corners, np.broadcast_to(columns[:, None], (*corners.shape[:2], 2)), axis=2)
    return picked * _REPEATS


def _name_materials(parts: Iterable[Part]) -> dict[Material, str]:
    materials = dict.fromkeys(part.material for part in parts)
    return {material: f"{material.name}_{i}" for i, material in enumerate(materials)}


def _obj_lines(parts: Iterable[Part], names: dict[Material, str]) -> Iterable[str]:
    starts = np.array([1, 1, 1])
    for part in parts:
        normals, normal_index = _unique_rows(corner_normals(part.shape), 3)
        textures, texture_index = _unique_rows(texture_corners(part.shape, part.layout), 4)
        yield f"g {part.name.replace(' ', '_')}\nusemtl {names[part.material]}"
        yield _lines("v %.6f %.6f %.6f", part.shape.vertices)
        yield _lines("vt %.4f %.4f", textures)
        yield _lines("vn %.3f %.3f %.3f", normals)
        index = np.stack([part.shape.faces, texture_index, normal_index], axis=-1) + starts
        yield _lines("f %d/%d/%d %d/%d/%d %d/%d/%d", index.reshape(-1, 9))
        starts += [len(part.shape.vertices), len(textures), len(normals)]


def _unique_rows(values: Float[np.ndarray, "m 3 d"], decimals: int) -> tuple[np.ndarray, Int[np.ndarray, "m 3"]]:
    """The rows rounded and each only once, and where each one went."""
    whole = np.round(values * 10**decimals).astype(np.int64)
    code = whole[..., 0]
    for column in range(1, whole.shape[-1]):
        code = code * 2_000_003 + whole[..., column]
    _, first, index = np.unique(code, return_index=True, return_inverse=True)
    return whole.reshape(-1, whole.shape[-1])[first] / 10**decimals, index.reshape(whole.shape[:-1])


def _lines(form: str, rows: np.ndarray) -> str:
    return "\n".join(form % tuple(row) for row in rows.tolist())


def _mtl_lines(material: Material, name: str) -> Iterable[str]:
    yield f"newmtl {name}"
    yield "Kd {:.4f} {:.4f} {:.4f}".format(*material.color)
    yield "Ks {0:.4f} {0:.4f} {0:.4f}".format(0.5 * material.gloss)
    yield f"Ns {1000 * material.polish**2:.1f}\nd {material.opacity:.4f}\nillum 2"
    if material.picture is not None:
        yield f"map_Kd ../images/{name}.bmp"


def _write_picture(picture: Picture, path: Path) -> None:
    """Write scene-linear colours as an sRGB bitmap."""
    linear = np.clip(picture, 0.0, 1.0)
    encoded = np.where(linear < 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    Image.fromarray(np.round(255 * encoded).astype(np.uint8)).save(path, format="BMP")
