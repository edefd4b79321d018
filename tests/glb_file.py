"""Small glTF files for tests, written by hand: a figure that can be animated, posed by morph targets and by bones."""

import json
import struct

import numpy as np

BODY, ARM, MAST = ((0, 0, 0), (1.2, 0.4, 0.6)), ((0.8, 0, 0), (0.4, 0.3, 0.3)), ((-0.3, 0.55, 0), (0.2, 0.7, 0.2))
COLORS = {"body": (0.55, 0.55, 0.55), "arm": (0.9, 0.05, 0.05), "mast": (0.05, 0.1, 0.9)}
CORNERS = np.array([(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
SIDES = np.array([(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)])


def box(centre: tuple[float, ...], extents: tuple[float, ...]) -> np.ndarray:
    """The triangles of a box: float32 (12, 3, 3)."""
    corners = CORNERS * extents + centre
    return np.concatenate([corners[SIDES[:, [0, 1, 2]]], corners[SIDES[:, [0, 2, 3]]]]).astype(np.float32)


class Glb:
    """A document under way: accessors are added as arrays, the rest as plain values of glTF 2.0."""

    def __init__(self) -> None:
        self.document: dict = {
            "asset": {"version": "2.0"},
            "scene": 0,
            "scenes": [{"nodes": [0]}],
            "nodes": [{"mesh": 0}],
        }
        for name in ("accessors", "bufferViews", "meshes", "materials"):
            self.document[name] = []
        self.binary = b""
        self.document["meshes"].append({"primitives": [self.part(name) for name in COLORS]})

    def add(self, array: np.ndarray) -> int:
        """An accessor of an array: float32 or uint8."""
        kind = {1: "SCALAR", 3: "VEC3", 4: "VEC4", 16: "MAT4"}[1 if array.ndim == 1 else array.shape[1]]
        code = {"float32": 5126, "uint8": 5121}[array.dtype.name]
        accessor = {
            "componentType": code,
            "count": len(array),
            "type": kind,
            "bufferView": len(self.document["bufferViews"]),
        }
        if code == 5126:
            accessor |= {"min": np.atleast_1d(array.min(0)).tolist(), "max": np.atleast_1d(array.max(0)).tolist()}
        self.document["bufferViews"].append({"buffer": 0, "byteOffset": len(self.binary), "byteLength": array.nbytes})
        self.binary += array.tobytes() + b"\0" * (-array.nbytes % 4)
        self.document["accessors"].append(accessor)
        return len(self.document["accessors"]) - 1

    def part(self, name: str) -> dict:
        """A primitive: one box of the figure in its color."""
        shape = {"body": BODY, "arm": ARM, "mast": MAST}[name]
        return self.shape(box(*shape), (*COLORS[name], 1.0))

    def shape(self, triangles: np.ndarray, color: tuple[float, ...], **material: object) -> dict:
        """A primitive with a material of its own."""
        self.document["materials"].append(
            {"pbrMetallicRoughness": {"baseColorFactor": list(color), "metallicFactor": 0.0}, **material}
        )
        attributes = {"POSITION": self.add(triangles.reshape(-1, 3))}
        return {"attributes": attributes, "material": len(self.document["materials"]) - 1}

    def surround(self, side: float, color: tuple[float, ...], name: str, **material: object) -> None:
        """A box around everything, as a node of its own."""
        self.document["meshes"].append({"primitives": [self.shape(box((0, 0, 0), (side,) * 3), color, **material)]})
        self.document["nodes"].append({"mesh": 1, "name": name})
        self.document["scenes"][0]["nodes"].append(1)

    def animate(self, path: str, keys: np.ndarray, times: tuple[float, ...] = (0.5, 2.0)) -> None:
        """Keys of node 0; the first is the figure at rest."""
        sampler = {"input": self.add(np.array(times, np.float32)), "output": self.add(keys.astype(np.float32))}
        channel = {"sampler": 0, "target": {"node": 0, "path": path}}
        self.document["animations"] = [{"samplers": [sampler], "channels": [channel]}]

    def morph(self, weight: float) -> None:
        """A target that doubles every part's height, with a weight."""
        for primitive in self.document["meshes"][0]["primitives"]:
            triangles = np.frombuffer(self.binary, np.float32, 108, self._start(primitive)).reshape(-1, 3)
            primitive["targets"] = [{"POSITION": self.add(triangles * np.float32([0, 1, 0]))}]
        self.document["meshes"][0]["weights"] = [weight]

    def skin(self, bend: float) -> None:
        """Two bones: the root, and one at the foot of the mast, bent about Z by an angle."""
        foot, half = (-0.3, 0.2, 0.0), bend / 2
        for primitive, bone in zip(self.document["meshes"][0]["primitives"], (0, 0, 1), strict=True):
            primitive["attributes"]["JOINTS_0"] = self.add(np.tile(np.uint8([bone, 0, 0, 0]), (36, 1)))
            primitive["attributes"]["WEIGHTS_0"] = self.add(np.tile(np.float32([1, 0, 0, 0]), (36, 1)))
        bind = np.tile(np.eye(4, dtype=np.float32), (2, 1, 1))
        bind[1, 3, :3] = np.negative(foot)  # matrices lie column by column
        self.document["nodes"] += [
            {"children": [2]},
            {"translation": list(foot), "rotation": [0, 0, float(np.sin(half)), float(np.cos(half))]},
        ]
        self.document["nodes"][0]["skin"] = 0
        self.document["scenes"][0]["nodes"] = [0, 1]
        self.document["skins"] = [{"joints": [1, 2], "inverseBindMatrices": self.add(bind.reshape(2, 16))}]

    def to_bytes(self) -> bytes:
        """The file."""
        text = json.dumps(self.document | {"buffers": [{"byteLength": len(self.binary)}]}).encode()
        text += b" " * (-len(text) % 4)
        chunks = (
            struct.pack("<I4s", len(text), b"JSON")
            + text
            + struct.pack("<I4s", len(self.binary), b"BIN\0")
            + self.binary
        )
        return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks

    def _start(self, primitive: dict) -> int:
        accessor = self.document["accessors"][primitive["attributes"]["POSITION"]]
        return self.document["bufferViews"][accessor["bufferView"]]["byteOffset"]


def bent_figure(bend: float) -> bytes:
    """The figure whose mast is bent in the mesh itself, as `Glb.skin` bends it by a bone."""
    made = Glb()
    turn = np.array([[np.cos(bend), -np.sin(bend), 0], [np.sin(bend), np.cos(bend), 0], [0, 0, 1]])
    foot = np.array([-0.3, 0.2, 0.0])
    mast = ((box(*MAST) - foot) @ turn.T + foot).astype(np.float32)
    made.document["meshes"][0]["primitives"][2] = made.shape(mast, (*COLORS["mast"], 1.0))
    return made.to_bytes()
