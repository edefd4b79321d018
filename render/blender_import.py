"""From a mesh file to one still mesh in Blender: what the file's default scene shows at rest, and nothing that could move it.

The importers bring more than that: armatures with shapes for their bones, empties, animations, other
scenes, shapes that nobody sees.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from jaxtyping import Float, Int
from mathutils import Matrix
from numpy import ndarray

from iebench.dataset.appearance import Lost
from iebench.errors import IebenchError
from iebench.render.blender_looks import show_vertex_colors
from iebench.render.mesh_bytes import FAR
from iebench.render.scene import VANISHED
from iebench.render.surface import Surface, transform

AXES = {"y": {"forward_axis": "NEGATIVE_Z", "up_axis": "Y"}, "z": {"forward_axis": "Y", "up_axis": "Z"}}
IMPORTERS: dict[str, Callable[..., object]] = {
    ".obj": lambda path, **axes: bpy.ops.wm.obj_import(filepath=path, **axes),
    ".ply": lambda path, **axes: bpy.ops.wm.ply_import(filepath=path, **axes),
    ".stl": lambda path, **axes: bpy.ops.wm.stl_import(filepath=path, **axes),
    ".glb": lambda path, **_: bpy.ops.import_scene.gltf(filepath=path, disable_bone_shape=True),  # Y is up, says glTF
    ".gltf": lambda path, **_: bpy.ops.import_scene.gltf(filepath=path, disable_bone_shape=True),
}
SKY = re.compile("sky|environment|backdrop|background", re.IGNORECASE)
EMPTY = "Blender reads no faces in it: open it in Blender, and export it anew"
UNSEEN = (
    "all of its faces are hidden, outside its default scene, or transparent: show them, "
    "or raise the opacity of its materials (d in MTL, alpha in glTF)"
)
SKY_SIZE = 5.0  # times the diagonal of what it surrounds


class MeshError(IebenchError):
    """An object that cannot be rendered, and why."""


def import_still(
    scene: bpy.types.Scene, mesh: Path, up: str, drop_invisible: bool
) -> tuple[bpy.types.Object, ndarray, list[Lost]]:
    """Import a file as one object with a mesh of its own in world coordinates, without parents, modifiers and animation.

    Args:
        scene: into which it comes.
        mesh: OBJ, PLY, STL, GLB or glTF file.
        up: "y" or "z", the axis that points up in the file; glTF has one of its own.
        drop_invisible: leave out faces whose material has no opacity, and a sky around all else, so that they count neither
            for centre nor for scale.

    Returns:
        The object; its vertices as they were read, float64 (n, 3), in the same order and frame; and what of its appearance is
            lost.

    Raises:
        MeshError: there is nothing in the file that could be rendered.
    """
    before = set(scene.objects)
    try:
        IMPORTERS[mesh.suffix.lower()](str(mesh), **AXES[up])
    except RuntimeError as error:
        raise MeshError(f"Blender cannot import it: {_last_line(error)}") from None
    imported = [thing for thing in scene.objects if thing not in before]
    _rest(scene)
    _bring_near(imported)
    graph = bpy.context.evaluated_depsgraph_get()  # once: after each new mesh it would be built anew
    parts = [part for thing in imported for part in _still_part(thing, graph, drop_invisible)]
    parts = [part for part in parts if not (drop_invisible and _is_sky(part, parts))]
    has_faces = any(thing.type == "MESH" and len(thing.data.polygons) for thing in imported)
    bpy.data.batch_remove(imported)  # one by one, each would be looked for in all others
    if not parts:
        raise MeshError(UNSEEN if has_faces else EMPTY)
    things = [link(scene, "object", part.mesh) for part in parts]
    lost = show_vertex_colors(things)
    _join(things)
    return things[0], np.concatenate([part.vertices for part in parts]), lost


def _rest(scene: bpy.types.Scene) -> None:
    """Pose everything as the first key of its animation has it, or as the file has it where nothing is animated."""
    starts = [action.frame_range[0] for action in bpy.data.actions]
    frame = min(starts, default=1.0)
    scene.frame_set(int(frame // 1), subframe=frame % 1)


def _bring_near(imported: list[bpy.types.Object]) -> None:
    """Move everything to the origin where it stands so far away that float32 would blur it; parts keep their places."""
    bpy.context.view_layer.update()
    size = max((max(thing.dimensions) for thing in imported if thing.type == "MESH"), default=0.0)
    roots = [thing for thing in imported if thing.parent is None]
    if roots and roots[0].location.length > FAR * size:
        place = roots[0].location.copy()
        for root in roots:
            root.location -= place


@dataclass(frozen=True)
class _Part:
    """One imported object as it stands: its name, and its mesh in world coordinates, in Blender and apart from it."""

    name: str
    mesh: bpy.types.Mesh
    vertices: ndarray


def _still_part(thing: bpy.types.Object, graph: bpy.types.Depsgraph, drop_invisible: bool) -> Iterator[_Part]:
    """An imported object's mesh as it stands, if it has one that is seen."""
    if thing.type != "MESH" or thing.hide_render or not thing.visible_get():
        return
    evaluated = thing.evaluated_get(graph)
    mesh = bpy.data.meshes.new_from_object(evaluated, preserve_all_data_layers=True, depsgraph=graph)
    if drop_invisible:
        _drop_faces(mesh, [number for number, material in enumerate(mesh.materials) if _is_invisible(material)])
    if len(mesh.polygons):
        vertices = _apply(evaluated.matrix_world, coordinates(mesh))
        mesh.transform(evaluated.matrix_world)
        yield _Part(thing.name, mesh, vertices)


def _is_sky(part: _Part, parts: list[_Part]) -> bool:
    """Whether a part is the sky around all others: called so, and so large that they would be a spot in it."""
    if len(parts) == 1 or not SKY.search(part.name):
        return False
    others = [other.vertices for other in parts if other is not part]
    inner, outer = np.concatenate(others), part.vertices
    inside = (inner.min(axis=0) > outer.min(axis=0)) & (inner.max(axis=0) < outer.max(axis=0))
    return bool(
        inside.all() and np.linalg.norm(np.ptp(outer, axis=0)) > SKY_SIZE * np.linalg.norm(np.ptp(inner, axis=0))
    )


def _drop_faces(mesh: bpy.types.Mesh, materials: list[int]) -> None:
    """Take faces of some materials out of a mesh, with the vertices that only they have."""
    import bmesh

    if not materials:
        return
    editable = bmesh.new()
    editable.from_mesh(mesh)
    unseen = [face for face in editable.faces if face.material_index in materials]
    bmesh.ops.delete(editable, geom=unseen, context="FACES")
    editable.to_mesh(mesh)
    editable.free()


def _apply(matrix: Matrix, points: ndarray) -> ndarray:
    """Points (n, 3) through a matrix, in float64 and apart from Blender's own mesh: the guard must not ask the accused."""
    return transform(np.array(matrix, dtype=np.float64), points)


def coordinates(mesh: bpy.types.Mesh) -> Float[ndarray, "n 3"]:
    """The vertices of a mesh, in float64."""
    points = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", points)
    return points.reshape(-1, 3).astype(np.float64)


def read_surface(mesh: bpy.types.Mesh, vertices: Float[ndarray, "n 3"]) -> Surface:
    """The triangles of a mesh, as Cycles cuts its polygons, between vertices that do not come from it."""
    solid = np.array([_is_solid(material) for material in mesh.materials] or [True])
    triangles, materials = read_triangles(mesh, "vertices"), read_triangles(mesh, "material_index")[:, 0]
    return Surface(vertices, triangles.astype(np.int64), solid[np.clip(materials, 0, len(solid) - 1)])


def read_triangles(mesh: bpy.types.Mesh, name: str) -> Int[ndarray, "n columns"]:
    """The "vertices", "loops" or "material_index" of the triangles into which Cycles cuts a mesh's polygons."""
    mesh.calc_loop_triangles()
    columns = 1 if name == "material_index" else 3
    values = np.empty(columns * len(mesh.loop_triangles), np.int32)
    mesh.loop_triangles.foreach_get(name, values)
    return values.reshape(-1, columns)


def _is_invisible(material: bpy.types.Material | None) -> bool:
    alpha = _alpha(material)
    return alpha is not None and not alpha.is_linked and alpha.default_value <= VANISHED


def _is_solid(material: bpy.types.Material | None) -> bool:
    """Whether every ray that meets the material is stopped: no picture of opacity, no transparent shader."""
    if material is None or not material.use_nodes:
        return True
    if any(node.type == "BSDF_TRANSPARENT" for node in material.node_tree.nodes):
        return False
    alpha = _alpha(material)
    return alpha is None or (not alpha.is_linked and alpha.default_value > VANISHED)


def _alpha(material: bpy.types.Material | None) -> bpy.types.NodeSocket | None:
    if material is None or not material.use_nodes:
        return None
    return next((n.inputs["Alpha"] for n in material.node_tree.nodes if n.type == "BSDF_PRINCIPLED"), None)


def link(scene: bpy.types.Scene, name: str, data: bpy.types.ID) -> bpy.types.Object:
    """A new object of a scene."""
    thing = bpy.data.objects.new(name, data)
    scene.collection.objects.link(thing)
    return thing


def _join(meshes: list[bpy.types.Object]) -> None:
    if len(meshes) > 1:
        with bpy.context.temp_override(active_object=meshes[0], selected_editable_objects=meshes):
            bpy.ops.object.join()


def _last_line(error: Exception) -> str:
    """What Blender says went wrong: the last line of a traceback, or all of a message."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and not line.startswith("Location:")]
    return lines[-1] if "Traceback" in str(error) else " ".join(lines)
