"""What Blender does with a mesh each time it hands it to Cycles, which is for every view, done once for each object.

Cycles knows one normal for each vertex, a mesh one for each corner of a face: so Blender copies the mesh, splits its vertices
along sharp edges and computes all normals, which with 100 000 faces is half of an export. `NormalSettler` does it beforehand, and
the pictures are the same, byte for byte. With Blender 5 some normals would be rounded otherwise, so there it is left alone.

The export itself remains, as a mesh that one object alone has is put into the world's frame wherever that object goes
(`ObjectManager::apply_static_transforms` of Cycles).
"""

import bpy
import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray

from iebench.render.blender_import import read_triangles

SHARP, FLAT, NORMAL = "sharp_edge", "sharp_face", "custom_normal"  # Blender's names
MANY = 15_000  # corners from which splitting once is cheaper than splitting for each of eight views


class NormalSettler:
    """Splits vertices along sharp edges, by the function of Blender that an export uses."""

    def __init__(self) -> None:
        """Build the node group that splits."""
        self._tree = bpy.data.node_groups.new("split", "GeometryNodeTree")
        for direction in ("INPUT", "OUTPUT"):
            self._tree.interface.new_socket("Geometry", in_out=direction, socket_type="NodeSocketGeometry")
        kinds = ("NodeGroupInput", "GeometryNodeInputNamedAttribute", "GeometryNodeSplitEdges", "NodeGroupOutput")
        source, sharp, split, end = map(self._tree.nodes.new, kinds)
        sharp.data_type, sharp.inputs["Name"].default_value = "BOOLEAN", SHARP
        for start, name, to in ((source, "Geometry", split), (split, "Mesh", end)):
            self._tree.links.new(start.outputs[name], to.inputs[0])
        self._tree.links.new(sharp.outputs["Attribute"], split.inputs["Selection"])

    def settle(self, thing: bpy.types.Object) -> None:
        """Give an object a mesh of which each vertex has one normal, where that is cheaper than to leave it to every export."""
        if bpy.app.version >= (5,) or thing.data.normals_domain != "CORNER" or len(thing.data.loops) < MANY:
            return
        thing.data.edges.foreach_set("use_edge_sharp", _find_sharp_edges(thing.data))
        self._split(thing)
        normals = _find_normals(thing.data)
        for name in (NORMAL, SHARP, FLAT):  # normals of corners go before flatness, and so must those of vertices
            if name in thing.data.attributes:
                thing.data.attributes.remove(thing.data.attributes[name])
        thing.data.attributes.new(NORMAL, "FLOAT_VECTOR", "POINT").data.foreach_set("vector", normals.ravel())

    def _split(self, thing: bpy.types.Object) -> None:
        thing.modifiers.new("split", "NODES").node_group = self._tree
        graph, whole = bpy.context.evaluated_depsgraph_get(), thing.data
        evaluated = thing.evaluated_get(graph)
        thing.data = bpy.data.meshes.new_from_object(evaluated, preserve_all_data_layers=True, depsgraph=graph)
        thing.modifiers.clear()
        bpy.data.meshes.remove(whole)


def _find_sharp_edges(mesh: bpy.types.Mesh) -> Bool[ndarray, " edges"]:
    """The edges at which normals may change: those marked, and all around flat faces."""
    sharp, flat = np.empty(len(mesh.edges), bool), np.zeros(len(mesh.polygons), bool)
    mesh.edges.foreach_get("use_edge_sharp", sharp)
    if FLAT in mesh.attributes:
        mesh.attributes[FLAT].data.foreach_get("value", flat)
    edges, corners = np.empty(len(mesh.loops), np.int32), np.empty(len(mesh.polygons), np.int32)
    mesh.loops.foreach_get("edge_index", edges)
    mesh.polygons.foreach_get("loop_total", corners)
    sharp[edges[np.repeat(flat, corners)]] = True
    return sharp


def _find_normals(mesh: bpy.types.Mesh) -> Float32[ndarray, "vertices 3"]:
    """The normal of each vertex: that of its corner in the last of its triangles, as Cycles writes them."""
    corners, vertices = read_triangles(mesh, "loops").ravel(), np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("vertex_index", vertices)
    found = np.empty((len(mesh.loops), 3), np.float32)
    mesh.corner_normals.foreach_get("vector", found.ravel())
    normals = np.zeros((len(mesh.vertices), 3), np.float32)
    normals[vertices[corners]] = found[corners]
    return normals
