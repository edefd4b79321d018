"""Small files of every kind of appearance, as people's programs write them, and what must come of each."""

import gzip
import io
import json
import struct
from dataclasses import dataclass, field
from unicodedata import normalize

import numpy as np
from numpy import ndarray
from PIL import Image

Content = bytes | str
VERTICES = [(x, y, z) for z in (0, 1) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))]
QUADS = [(1, 4, 3, 2), (5, 6, 7, 8), (1, 2, 6, 5), (2, 3, 7, 6), (3, 4, 8, 7), (4, 1, 5, 8)]
UVS = [(0, 0), (1, 0), (1, 1), (0, 1)]
COLORS = {"red": (230, 10, 10), "blue": (10, 10, 230), "white": (255, 255, 255)}
RED, BLUE = "newmtl paint\nKd 0.9 0.05 0.05\n", "newmtl paint\nKd 0.05 0.05 0.9\n"
MAPPED = "newmtl paint\nmap_Kd t.png\n"


@dataclass(frozen=True)
class Case:
    """Files of one object, by name (in bytes where it is no UTF-8); colors that show; what is lost, as "what: name"."""

    files: dict[Content, Content]
    shows: set[str]
    lost: set[str] = field(default_factory=set)


def picture(color: str = "red", form: str = "PNG", **more: object) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), COLORS[color]).save(buffer, form, **more)
    return buffer.getvalue()


def cut_picture(form: str) -> bytes:
    """A red picture whose lower half is missing."""
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 20, (256, 256, 3), np.uint8)
    Image.fromarray(noise + np.array(COLORS["red"], np.uint8)).save(buffer, form)
    return buffer.getvalue()[: len(buffer.getvalue()) // 2]


def obj(
    head: Content = "mtllib model.mtl", wear: Content = "usemtl paint", colors: str = "", scale: float = 1
) -> bytes:
    """A cube with texture coordinates; `colors` follows the coordinates of each vertex."""
    lines = [f"v {scale * x:g} {scale * y:g} {scale * z:g} {colors}" for x, y, z in VERTICES]
    lines += [f"vt {u} {v}" for u, v in UVS]
    faces = ["f " + " ".join(f"{corner}/{i + 1}" for i, corner in enumerate(quad)) for quad in QUADS]
    return b"\n".join(map(_bytes, [head, *lines, wear, *faces])) + b"\n"


def beside() -> bytes:
    """A second cube for an OBJ, without colors, by indices from the end."""
    lines = ["o two", *(f"v {x + 2} {y} {z}" for x, y, z in VERTICES)]
    return "\n".join([*lines, *("f " + " ".join(str(corner - 9) for corner in quad) for quad in QUADS), ""]).encode()


def stl(color: int, comment: bytes = b"", last: int | None = None) -> bytes:
    """A cube with the same number in the spare bytes of each face, or another in those of its second half."""
    triangles = np.array(VERTICES, np.float32)[TRIANGLES].reshape(-1, 9)
    numbers = [color] * 6 + [color if last is None else last] * 6
    faces = [
        struct.pack("<12fH", 0, 0, 0, *triangle, number)
        for triangle, number in zip(triangles.tolist(), numbers, strict=True)
    ]
    return comment.ljust(80, b" ") + struct.pack("<I", len(faces)) + b"".join(faces)


def off(color: str) -> bytes:
    """A cube with the same words behind the corners of each face."""
    rows = [" ".join(map(str, vertex)) for vertex in VERTICES]
    faces = [" ".join(["4", *(str(corner - 1) for corner in quad), color]) for quad in QUADS]
    return "\n".join(["OFF", "8 6 0", *rows, *faces, ""]).encode()


def _bytes(text: Content) -> bytes:
    return text.encode() if isinstance(text, str) else text


def dressed(mtl: Content, **more: Content) -> dict[Content, Content]:
    return {"model.obj": obj(), "model.mtl": mtl, **more}


def textured(name: Content, file: Content, color: str = "red", **how: object) -> dict[Content, Content]:
    """A cube whose material names a texture, and the file that is there."""
    return {
        "model.obj": obj(),
        "model.mtl": b"newmtl paint\nmap_Kd " + _bytes(name) + b"\n",
        file: picture(color, **how),
    }


def ply(
    vertex: str = "",
    values: tuple[float, ...] = (),
    face: str = "",
    rows: tuple[float, ...] = (),
    comments: str = "",
    order: str = "ascii",
    corners: int = 4,
) -> bytes:
    """A cube with properties beside coordinates and corners: "type name" or "list type type name", with commas between."""
    names = [entry for entry in ("float x,float y,float z," + vertex).split(",") if entry]
    faces = ["list uchar int vertex_indices", *filter(None, face.split(","))]
    shapes = (
        QUADS
        if corners == 4
        else [quad[i : i + 3] if i == 0 else (quad[0], quad[2], quad[3]) for quad in QUADS for i in (0, 1)]
    )
    head = "\n".join(
        [
            "ply",
            f"format {order} 1.0",
            *filter(None, [comments]),
            f"element vertex {len(VERTICES)}",
            *(f"property {name}" for name in names),
            f"element face {len(shapes)}",
            *(f"property {name}" for name in faces),
            "end_header",
            "",
        ]
    )
    table = [(name, [*point, *values]) for name, point in zip([names] * 8, VERTICES, strict=True)]
    lists = [(faces, [len(shape), *(corner - 1 for corner in shape), *rows]) for shape in shapes]
    if order == "ascii":
        return (head + "\n".join(" ".join(f"{v:g}" for v in row) for _, row in table + lists) + "\n").encode()
    return head.encode() + b"".join(_pack(names, row, order) for names, row in table + lists)


LETTERS = {"float": "f", "uchar": "B", "ushort": "H", "int": "i"}


def _pack(properties: list[str], row: list[float], order: str) -> bytes:
    packed, values = b"", iter(row)
    mark = "<" if "little" in order else ">"
    for entry in properties:
        words = entry.split()
        count = 1
        if words[0] == "list":
            count = int(next(values))
            packed += struct.pack(mark + LETTERS[words[1]], count)
        letter = LETTERS[words[-2]]
        packed += b"".join(
            struct.pack(mark + letter, v if letter == "f" else int(v)) for v in (next(values) for _ in range(count))
        )
    return packed


TRIANGLES = np.array([[q[0], q[1], q[2], q[0], q[2], q[3]] for q in QUADS]).ravel() - 1


def gltf(
    images: tuple[dict, ...] = (),
    textures: tuple[dict, ...] = (),
    materials: tuple[dict, ...] = (),
    colors: ndarray | None = None,
    uv: bool = True,
    bare: bool = False,
    embed: tuple[bytes, ...] = (),
    used: tuple[str, ...] = (),
    glb: bool = True,
) -> bytes:
    """A cube of 24 vertices as GLB or glTF.

    Args:
        colors: COLOR_0 of each vertex, (n,) repeated.
        bare: a second cube beside it, first in the scene, of the same material without colors.
        embed: pictures for the binary chunk, in the order of the images without a URI.
    """
    quads = np.array(QUADS) - 1
    points = np.array(VERTICES, np.float32)[quads.ravel()]
    blobs = [
        points.tobytes(),
        np.tile(np.array(UVS, np.float32), (6, 1)).tobytes(),
        (np.arange(6)[:, None] * 4 + np.array([0, 1, 2, 0, 2, 3])).astype(np.uint16).tobytes(),
        (points + np.array([2, 0, 0])).astype(np.float32).tobytes(),
    ]
    accessors = [
        {"bufferView": 0, "componentType": 5126, "count": 24, "type": "VEC3", "min": [0, 0, 0], "max": [1, 1, 1]},
        {"bufferView": 1, "componentType": 5126, "count": 24, "type": "VEC2"},
        {"bufferView": 2, "componentType": 5123, "count": 36, "type": "SCALAR"},
        {"bufferView": 3, "componentType": 5126, "count": 24, "type": "VEC3", "min": [2, 0, 0], "max": [3, 1, 1]},
    ]
    attributes = {"POSITION": 0} | ({"TEXCOORD_0": 1} if uv else {})
    if colors is not None:
        rows = np.tile(np.atleast_2d(colors), (24, 1))
        pad = np.zeros((24, -rows.shape[1] * rows.itemsize % 4 // rows.itemsize), rows.dtype)
        attributes["COLOR_0"] = len(accessors)
        kind = {"f": 5126, "B": 5121, "H": 5123}[rows.dtype.char]
        accessors.append(
            {"bufferView": len(blobs), "componentType": kind, "count": 24, "type": f"VEC{rows.shape[1]}"}
            | ({} if kind == 5126 else {"normalized": True})
        )
        blobs.append(np.concatenate([rows, pad], axis=1).tobytes())
    views, binary, strides = [], b"", {}
    if colors is not None:
        strides = {len(blobs) - 1: len(blobs[-1]) // 24}
    loose = [index for index, image in enumerate(images) if "uri" not in image]
    for number, blob in enumerate([*blobs, *embed]):
        stride = {"byteStride": strides[number]} if number in strides else {}
        views.append({"buffer": 0, "byteOffset": len(binary), "byteLength": len(blob)} | stride)
        binary += blob + bytes(-len(blob) % 4)
    for place, index in enumerate(loose):
        images[index]["bufferView"] = len(blobs) + place
    wear = {"material": 0} if materials else {}
    meshes = [{"primitives": [{"attributes": attributes, "indices": 2} | wear]}]
    nodes = [{"mesh": 0}]
    if bare:
        meshes.append({"primitives": [{"attributes": {"POSITION": 3}, "indices": 2} | wear]})
        nodes.insert(0, {"mesh": 1})
    document = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": list(range(len(nodes)))}],
        "nodes": nodes,
        "meshes": meshes,
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": len(binary)}],
    }
    for name, entries in (
        ("images", images),
        ("textures", textures),
        ("materials", materials),
        ("extensionsUsed", used),
    ):
        document |= {name: list(entries)} if entries else {}
    if not glb:
        import base64

        document["buffers"][0]["uri"] = "data:application/octet-stream;base64," + base64.b64encode(binary).decode()
        return json.dumps(document).encode()
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def painted(image: dict, texture: dict | None = None, **more: object) -> bytes:
    """A glTF cube whose base color is one image."""
    material = {"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}, "metallicFactor": 0}}
    return gltf((image,), (texture or {"source": 0},), (material,), **more)


def tinted(*factor: float) -> tuple[dict, ...]:
    return ({"pbrMetallicRoughness": {"baseColorFactor": [*factor, 1], "metallicFactor": 0}},)


ST = "float s,float t"
GBK = "\u7ea2\u8272".encode("gbk")
NFD = normalize("NFD", "Möbel")
CASES: dict[str, Case] = {
    # words and names of materials
    "words-in-capitals": Case(
        {"model.obj": obj("MTLLIB model.mtl", "UseMtl paint"), "model.mtl": "NEWMTL paint\nKD 0.9 0.05 0.05\n"}, {"red"}
    ),
    "name-in-gbk": Case(
        {"model.obj": obj(wear=b"usemtl " + GBK), "model.mtl": b"newmtl x\nnewmtl " + GBK + b"\nKd 0.9 0.05 0.05\n"},
        {"red"},
    ),
    "name-with-other-accents": Case(
        {"model.obj": obj(wear="usemtl Möbel"), "model.mtl": f"newmtl x\nnewmtl {NFD}\nKd 0.9 0.05 0.05\n"}, {"red"}
    ),
    "name-with-underscores": Case(
        {"model.obj": obj(wear="usemtl my paint"), "model.mtl": "newmtl x\n" + RED.replace("paint", "my_paint")},
        {"red"},
    ),
    "name-in-other-case": Case(dressed("newmtl x\n" + RED.replace("paint", "Paint")), {"red"}),
    "only-material-of-another-name": Case(dressed(RED.replace("paint", "lacquer")), {"red"}),
    "no-usemtl": Case({"model.obj": obj(wear=""), "model.mtl": RED}, {"red"}),
    "material-missing": Case(dressed("newmtl x\nnewmtl y\n"), {"white"}, {"material: paint"}),
    "materials-all-unused": Case(
        {"model.obj": obj(wear=""), "model.mtl": RED + "newmtl y\n"}, {"white"}, {"material library: model.mtl"}
    ),
    "no-material-is-no-loss": Case({"model.obj": obj("", "usemtl None")}, {"white"}),
    # libraries
    "libraries-on-one-line": Case(
        {
            "model.obj": obj('mtllib "my a.mtl" b.mtl c d.mtl'),
            "my a.mtl": "newmtl x\n",
            "b.mtl": "newmtl y\n",
            "c d.mtl": RED,
        },
        {"red"},
    ),
    "library-with-blanks": Case(
        {"model.obj": obj("mtllib my model.mtl"), "my model.mtl": RED, "model.mtl": BLUE}, {"red"}
    ),
    "library-in-another-folder": Case({"meshes/model.obj": obj(), "materials/Model.MTL": RED}, {"red"}),
    "library-of-meshlab": Case({"model.obj": obj("mtllib ./gone.mtl"), "model.obj.mtl": RED, "x.mtl": BLUE}, {"red"}),
    "library-missing": Case({"model.obj": obj()}, {"white"}, {"material library: model.mtl"}),
    "library-of-windows": Case(dressed(b"\xef\xbb\xbf" + RED.replace("\n", "\r\n").encode()), {"red"}),
    "library-utf-16": Case(dressed(RED.encode("utf-16")), {"red"}),
    "library-with-old-line-ends": Case(dressed(RED.replace("\n", "\r")), {"red"}),
    "decimal-commas": Case(dressed("newmtl paint\nKd 0,9 0,05 0,05\n"), {"red"}),
    # textures and where they are
    "texture-in-other-case": Case(textured("Textures\\T.PNG", "textures/t.png"), {"red"}),
    "texture-of-scanned-objects": Case(
        {"meshes/model.obj": obj(), "meshes/model.mtl": MAPPED, "materials/textures/t.png": picture()}, {"red"}
    ),
    "texture-with-percent-signs": Case(textured("my%20red.png", "my red.png"), {"red"}),
    "texture-really-with-percent-signs": Case(textured("my%20red.png", "my%20red.png"), {"red"}),
    "texture-with-a-comment": Case(textured("t.png # red", "t.png"), {"red"}),
    "texture-in-single-quotes": Case(textured("'t.png'", "t.png"), {"red"}),
    "texture-by-url": Case(textured("file:///C:/Users/me/my%20t.png", "maps/my t.png"), {"red"}),
    "texture-with-other-accents": Case(textured("Möbel.png", f"{NFD}.png"), {"red"}),
    "texture-in-gbk": Case(textured(GBK + b".png", GBK + b".png"), {"red"}),
    "texture-in-gbk-file-in-utf-8": Case(textured(GBK + b".png", "红色.png"), {"red"}),
    "texture-in-utf-8-file-in-gbk": Case(textured("红色.png", GBK + b".png"), {"red"}),
    "texture-of-another-format": Case(textured("t.tga", "t.jpg", form="JPEG"), {"red"}),
    "texture-without-suffix": Case(textured("t", "t.png"), {"red"}),
    "texture-gif": Case(textured("t.gif", "t.gif", form="GIF"), {"red"}),
    "texture-avif": Case(textured("t.avif", "t.avif", form="AVIF"), {"red"}),
    "texture-by-its-folder": Case(
        {**textured("C:\\x\\body\\t.png", "body/t.png"), "head/t.png": picture("blue")}, {"red"}
    ),
    "texture-twice-the-same": Case({**textured("t.png", "body/t.png"), "head/t.png": picture()}, {"red"}),
    "texture-twice-and-different": Case(
        {**textured("t.png", "body/t.png"), "head/t.png": picture("blue")}, {"white"}, {"texture: t.png"}
    ),
    "texture-missing": Case(dressed(MAPPED), {"white"}, {"texture: t.png"}),
    "texture-of-text": Case({**dressed(MAPPED), "t.png": "no picture"}, {"white"}, {"texture: t.png"}),
    "texture-cut-short": Case({**dressed(MAPPED), "t.png": cut_picture("PNG")}, {"white"}, {"texture: t.png"}),
    "texture-cut-short-jpeg": Case({**dressed(MAPPED), "t.png": cut_picture("JPEG")}, {"red"}, {"texture: t.png"}),
    "texture-unreadable-beside-another": Case({**dressed(MAPPED), "t.png": b"", "t.jpg": picture()}, {"red"}),
    "bump-missing": Case(dressed(RED + "map_Bump b.png\n"), {"red"}, {"texture: b.png"}),
    "ambient-missing-is-no-loss": Case({**dressed(MAPPED + "map_Ka gone.png\n"), "t.png": picture()}, {"red"}),
    "ambient-alone": Case({**dressed("newmtl paint\nmap_ka t.png\n"), "t.png": picture()}, {"red"}),
    "ambient-instead": Case(
        {**dressed("newmtl paint\nmap_Ka t.png\nmap_Kd gone.png\n"), "t.png": picture()}, {"red"}, {"texture: gone.png"}
    ),
    # colors of vertices
    "obj-colors": Case({"model.obj": obj("", "", "0.9 0.05 0.05")}, {"red"}),
    "obj-colors-to-255": Case({"model.obj": obj("", "", "230 10 10")}, {"red"}),
    "obj-colors-and-material": Case(
        {"model.obj": obj(colors="0.9 0.05 0.05"), "model.mtl": "newmtl paint\nKd 1 1 1\n"}, {"red"}
    ),
    "obj-colors-and-black-material": Case(
        {"model.obj": obj(colors="0.9 0.05 0.05"), "model.mtl": "newmtl paint\nKd 0 0 0\n"}, {"red"}
    ),
    "obj-colors-and-texture": Case(
        {"model.obj": obj(colors="1 1 1"), "model.mtl": MAPPED, "t.png": picture()}, {"red"}
    ),
    "obj-black-colors-and-texture": Case(
        {"model.obj": obj(colors="0 0 0"), "model.mtl": MAPPED, "t.png": picture()},
        {"red"},
        {"vertex colors: they are all black"},
    ),
    "obj-colors-of-one-part": Case(
        {"model.obj": b"o one\n" + obj("", "", "0.9 0.05 0.05") + beside()}, {"red", "white"}
    ),
    # PLY
    "ply-colors": Case({"a.ply": ply("uchar red,uchar green,uchar blue", (230, 10, 10))}, {"red"}),
    "ply-colors-float": Case({"a.ply": ply("float red,float green,float blue", (0.9, 0.05, 0.05))}, {"red"}),
    "ply-colors-float-to-255": Case({"a.ply": ply("float red,float green,float blue", (230, 10, 10))}, {"red"}),
    "ply-colors-16-bit": Case({"a.ply": ply("ushort red,ushort green,ushort blue", (60000, 2000, 2000))}, {"red"}),
    "ply-colors-rgb": Case({"a.ply": ply("uchar r,uchar g,uchar b", (230, 10, 10))}, {"red"}),
    "ply-colors-diffuse": Case(
        {
            "a.ply": ply(
                "uchar diffuse_red,uchar diffuse_green,uchar diffuse_blue", (230, 10, 10), order="binary_big_endian"
            )
        },
        {"red"},
    ),
    "ply-colors-of-faces": Case(
        {"a.ply": ply(face="uchar red,uchar green,uchar blue", rows=(230, 10, 10), order="binary_little_endian")},
        {"red"},
    ),
    "ply-texture": Case(
        {"a.ply": ply(ST, (0.5, 0.5), comments="comment TextureFile T%20.png"), "t .png": picture()}, {"red"}
    ),
    "ply-texture-uv": Case(
        {
            "a.ply": ply(
                "float u,float v", (0.5, 0.5), comments="comment TextureFile t.png", order="binary_little_endian"
            ),
            "t.png": picture(),
        },
        {"red"},
    ),
    "ply-texture-of-bop": Case(
        {
            "a.ply": ply(
                "float nx,float ny,float nz,float texture_u,float texture_v",
                (0, 0, 1, 0.5, 0.5),
                comments="comment TextureFile t.png",
            ),
            "t.png": picture(),
        },
        {"red"},
    ),
    "ply-texture-by-corners": Case(
        {
            "a.ply": ply(
                face="list uchar float texcoord",
                rows=(8, 0, 0, 1, 0, 1, 1, 0, 1),
                comments="comment texturefile t.png",
                order="binary_little_endian",
            ),
            "t.png": picture(),
        },
        {"red"},
    ),
    "ply-textures-by-number": Case(
        {
            "a.ply": ply(
                face="list uchar float texcoord,int texnumber",
                rows=(6, 0, 0, 1, 0, 1, 1, 1),
                corners=3,
                comments="comment TextureFile x.png\ncomment TextureFile t.png",
            ),
            "t.png": picture(),
            "x.png": picture("blue"),
        },
        {"red"},
    ),
    "ply-texture-missing": Case(
        {"a.ply": ply(ST, (0.5, 0.5), comments="comment TextureFile t.png")}, {"white"}, {"texture: t.png"}
    ),
    "ply-texture-without-coordinates": Case(
        {"a.ply": ply(comments="comment TextureFile t.png"), "t.png": picture()}, {"white"}, {"texture: t.png"}
    ),
    # STL
    "stl-colors-of-viscam": Case({"a.stl": stl(0x8000 | 28 << 10)}, {"red"}),
    "stl-colors-of-magics": Case({"a.stl": stl(28, b"COLOR=" + bytes((10, 10, 230, 255)))}, {"red"}),
    "stl-color-of-all": Case({"a.stl": stl(0x8000, b"COLOR=" + bytes((230, 10, 10, 255)))}, {"red"}),
    "stl-colors-of-some": Case({"a.stl": stl(0x8000 | 28 << 10, last=0)}, {"red", "white"}),
    "stl-plain": Case({"a.stl": stl(0)}, {"white"}),
    # OFF
    "off-colors-of-faces": Case({"a.off": off("230 10 10")}, {"red"}),
    "off-colors-of-faces-up-to-one": Case({"a.off": off("0.9 0.05 0.05 1")}, {"red"}),
    # glTF
    "gltf-packed": Case(
        {"a.gltf.gz": gzip.compress(painted({"uri": "t.png"}, glb=False)), "t.png": picture()}, {"red"}
    ),
    "gltf-glb-packed": Case({"a.glb.gz": gzip.compress(painted({"name": "skin"}, embed=(picture(),)))}, {"red"}),
    "gltf-one-texture-of-two-missing": Case(
        {
            "a.gltf": gltf(
                ({"uri": "t.png"}, {"uri": "gone.png"}),
                ({"source": 0}, {"source": 1}),
                tuple(
                    {"pbrMetallicRoughness": {"baseColorTexture": {"index": i}, "metallicFactor": 0}} for i in (0, 1)
                ),
                glb=False,
            ),
            "t.png": picture(),
        },
        {"red"},
        {"texture: gone.png"},
    ),
    "gltf-colors": Case({"a.glb": gltf(colors=np.array([0.9, 0.05, 0.05], np.float32))}, {"red"}),
    "gltf-colors-8-bit": Case({"a.glb": gltf(colors=np.array([230, 10, 10, 255], np.uint8))}, {"red"}),
    "gltf-colors-16-bit": Case({"a.glb": gltf(colors=np.array([60000, 2000, 2000], np.uint16))}, {"red"}),
    "gltf-colors-times-factor": Case(
        {"a.glb": gltf(materials=tinted(1, 0.02, 0.02), colors=np.array([0.9, 0.9, 0.05], np.float32))}, {"red"}
    ),
    "gltf-colors-times-texture": Case(
        {"a.glb": painted({"uri": "t.png"}, colors=np.array([0.9, 0.05, 0.05], np.float32)), "t.png": picture("white")},
        {"red"},
    ),
    "gltf-colors-of-one-mesh": Case(
        {"a.glb": gltf(materials=tinted(1, 1, 1), colors=np.array([0.9, 0.05, 0.05], np.float32), bare=True)},
        {"red", "white"},
    ),
    "gltf-texture-in-other-case": Case(
        {"a.gltf": painted({"uri": "Tex/T%20.PNG"}, glb=False), "tex/t .png": picture()}, {"red"}
    ),
    "gltf-texture-by-anothers-path": Case(
        {"a.gltf": painted({"uri": "C:\\Users\\me\\t.png"}, glb=False), "textures/t.png": picture()}, {"red"}
    ),
    "gltf-texture-above": Case(
        {"scene/a.gltf": painted({"uri": "../textures/t.png"}, glb=False), "textures/t.png": picture()}, {"red"}
    ),
    "gltf-texture-of-another-format": Case({"a.glb": painted({"uri": "t.jpg"}), "t.png": picture()}, {"red"}),
    "gltf-texture-avif": Case(
        {
            "a.glb": painted(
                {"mimeType": "image/avif"},
                {"extensions": {"EXT_texture_avif": {"source": 0}}},
                embed=(picture(form="AVIF"),),
                used=("EXT_texture_avif",),
            )
        },
        {"red"},
    ),
    "gltf-texture-ktx2-beside-png": Case(
        {
            "a.glb": painted(
                {"uri": "t.ktx2"}, {"extensions": {"KHR_texture_basisu": {"source": 0}}}, used=("KHR_texture_basisu",)
            ),
            "t.png": picture(),
            "t.ktx2": b"\xabKTX 20\xbb" + bytes(60),
        },
        {"red"},
    ),
    "gltf-texture-missing": Case(
        {"a.glb": painted({"uri": "gone.png", "name": "x"})}, {"white"}, {"texture: gone.png"}
    ),
    "gltf-texture-broken": Case(
        {"a.glb": painted({"name": "skin", "mimeType": "image/png"}, embed=(b"\x89PNG no",))},
        {"white"},
        {"texture: skin"},
    ),
    "gltf-texture-in-data": Case(
        {"a.gltf": painted({"uri": "data:image/png;base64,AAAA"}, glb=False)}, {"white"}, {"texture: image 0"}
    ),
}
