"""An object source of somebody else's, as the text of a module in a working folder."""

SOLIDS = """
import trimesh

from iebench.catalogue import ObjectClass
from iebench.render.object_source import Mesh


class Solids:
    classes = (ObjectClass(0, "brick", "brick"),)

    def describe(self):
        return {"kind": "solids"}

    def list_objects(self, synset, limit=None):
        return ["one", "two"]

    def fetch(self, synset, object_id, scratch):
        trimesh.creation.box((1, 2, 3)).export(scratch / "mesh.ply")
        return Mesh(scratch / "mesh.ply", scratch, unit_diagonal=True)
"""
