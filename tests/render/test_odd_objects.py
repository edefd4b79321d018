"""Files as people really have them: each is rendered, or named with its reason; none stops the run."""

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from iebench.dataset.reader import Dataset
from iebench.dataset.writer import read_failures

VERTICES = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nv 0 0 1\nv 1 0 1\nv 1 1 1\nv 0 1 1\n"
FACES = "f 1 4 3 2\nf 5 6 7 8\nf 1 2 6 5\nf 2 3 7 6\nf 3 4 8 7\nf 4 1 5 8\n"
UVS = "vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"
MAPPED = (
    "f 1/1 4/2 3/3 2/4\nf 5/1 6/2 7/3 8/4\nf 1/1 2/2 6/3 5/4\nf 2/1 3/2 7/3 6/4\nf 3/1 4/2 8/3 7/4\nf 4/1 1/2 5/3 8/4\n"
)
CUBE = VERTICES + FACES
TEXTURED = "mtllib model.mtl\n" + VERTICES + UVS + "usemtl paint\n" + MAPPED
RED = "newmtl paint\nKd 0.9 0.05 0.05\n"


def picture(mode: str = "RGB", color: object = (230, 10, 10), form: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (8, 8), color).save(buffer, form)
    return buffer.getvalue()


def grid(side: int) -> str:
    """A surface of side by side quads."""
    y, x = np.mgrid[: side + 1, : side + 1]
    points = np.stack([x.ravel(), np.sin(x.ravel()), y.ravel()], axis=-1)
    corner = (np.arange(side)[:, None] * (side + 1) + np.arange(side) + 1).ravel()
    faces = np.stack([corner, corner + 1, corner + side + 2, corner + side + 1], axis=-1)
    vertices = "\n".join("v {:g} {:g} {:g}".format(*point) for point in points)
    return vertices + "\n" + "\n".join("f {} {} {} {}".format(*face) for face in faces) + "\n"


def textured(name: str, folder: str = "models", **kind: object) -> dict[str, object]:
    """A cube with a red texture: `name` as the MTL writes it, in the real folder."""
    file = name.replace("\\", "/").rsplit("/", 1)[-1]
    return {"models/model_normalized.obj": TEXTURED, "models/model.mtl": f"newmtl paint\nmap_Kd {name}\n",
            f"{folder}/{file}": picture(**kind)}  # fmt: skip


def cube(mtl: str, **more: object) -> dict[str, object]:
    return {"models/model_normalized.obj": TEXTURED, "models/model.mtl": mtl, **more}


def obj(text: str | bytes) -> dict[str, object]:
    return {"models/model_normalized.obj": text}


def twice(text: str) -> str:
    return f"o one\ng a\nusemtl x\n{text}o two\ng b\nusemtl y\n" + VERTICES.replace("v ", "v 1") + FACES


# object_id → (files, what must come of it); "red" also checks the colour that is seen.
RENDERED: dict[str, dict[str, object]] = {
    "several-meshes-groups-materials": obj(twice(CUBE)),
    "no-material-file": obj(TEXTURED),
    "crlf-line-ends": obj(CUBE.replace("\n", "\r\n")),
    "leading-blanks-and-tabs": obj(CUBE.replace("f ", "  f\t").replace("v ", "v\t")),
    "n-gon": obj(VERTICES + "f 1 2 3 4 8 7 6 5\n"),
    "negative-indices": obj(VERTICES + "f -8 -5 -6 -7\nf -4 -3 -2 -1\n"),
    "unused-vertices": obj("v 0.5 0.5 0.5\n" * 5 + CUBE),
    "duplicate-vertices": obj(VERTICES + VERTICES + FACES),
    "inverted-normals": obj(VERTICES + "f 2 3 4 1\nf 8 7 6 5\nf 5 6 2 1\n"),
    "normals-of-zero": obj(VERTICES + "vn 0 0 0\nf 1//1 4//1 3//1 2//1\nf 5//1 6//1 7//1 8//1\n"),
    "flat": obj("v 0 0 0\nv 1 0 0\nv 1 0 1\nf 1 2 3\n"),
    "line-elements-too": obj(CUBE + "l 1 2 3\np 4\n"),
    "vertex-colours": obj(VERTICES.replace("\n", " 0.5 0.5 0.5\n") + FACES),
    "fourth-coordinate": obj(VERTICES.replace("\n", " 1.0\n") + FACES),
    "index-out-of-range-among-good-ones": obj(CUBE + "f 1 2 99\n"),
    "a-face-of-two-corners": obj(CUBE + "f 1 2\n"),
    "unknown-statements": obj("bevel on\nfoo bar\n" + CUBE),
    "utf-8-names": obj("o Möbel\n" + CUBE),
    "latin-1-names": obj(b"o M\xf6bel\n" + CUBE.encode()),
    "last-line-cut": obj(CUBE + "f 1 2"),
    "far-away": obj("".join(f"v {1000 + i % 2} {i // 2 % 2} {i // 4}\n" for i in range(8)) + "f 1 2 4 3\nf 5 6 8 7\nf 1 2 6 5\n"),
    "missing-texture": cube("newmtl paint\nKd 0.9 0.05 0.05\nmap_Kd nowhere.png\n"),
    "texture-that-is-text": cube("newmtl paint\nmap_Kd t.png\n", **{"models/t.png": "not a picture"}),
    "texture-empty": cube("newmtl paint\nmap_Kd t.png\n", **{"models/t.png": b""}),
    "texture-grey": textured("t.png", mode="L", color=200),
    "texture-16-bit": textured("t.png", mode="I;16", color=40000),
    "texture-alpha": textured("t.png", mode="RGBA", color=(230, 10, 10, 255)),
    "two-material-files": {"models/model_normalized.obj": "mtllib no.mtl\n" + TEXTURED, "models/model.mtl": RED},
    "material-without-name": cube("Kd 1 0 0\nnewmtl\nKd 0 1 0\n" + RED),
    "material-of-garbage": cube("\0\xff" * 50),
    "map-with-options": cube("newmtl paint\nmap_Kd -s 2 2 1 -clamp on t.png\n", **{"models/t.png": picture()}),
}  # fmt: skip
RED_ONES: dict[str, dict[str, object]] = {
    "plain-red": cube(RED),
    "material-file-named-otherwise": {"models/model_normalized.obj": TEXTURED, "models/other.mtl": RED},
    "texture-beside": textured("t.png"),
    "texture-in-images": textured("t.png", folder="images"),
    "texture-above-images": textured("../images/t.png", folder="images"),
    "texture-with-backslashes": textured("..\\images\\t.png", folder="images"),
    "texture-with-spaces": textured("my red paint.png"),
    "texture-by-anothers-path": textured("C:\\Users\\someone\\t.png"),
    "texture-jpeg": textured("t.jpg", form="JPEG"),
    "opacity-zero-means-opaque": cube(RED + "d 0\n"),
    "transparency-one-means-opaque": cube(RED + "Tr 1\n"),
    "opacity-one": cube(RED + "d 1\nTr 0\n"),
    "mask-upside-down": cube(RED + "map_d mask.png\n", **{"models/mask.png": picture("L", 0)}),
    "texture-outside-is-not-read": cube(RED + "map_Kd ../../../outside.png\n"),
    "texture-of-the-system-is-not-read": cube(RED + "map_Kd /etc/hostname\n"),
}
REFUSED: dict[str, tuple[dict[str, object], str]] = {
    "empty": (obj(""), "empty"),
    "only-comments": (obj("# nothing\n"), "no faces"),
    "points-only": (obj(VERTICES), "no faces"),
    "cut-in-the-vertices": (obj(CUBE[:40]), "no faces"),
    "one-point": (obj("v 1 1 1\n" * 3 + "f 1 2 3\n"), "one point"),
    "not-a-number": (obj(CUBE.replace("v 1 1 1", "v nan 1 1")), "finite"),
    "infinite": (obj(CUBE.replace("v 1 1 1", "v 1 inf 1")), "finite"),
    "tiny": (obj(VERTICES.replace("1", "1e-5") + FACES), "none of its views shows it"),  # ShapeNet's scale is kept
    "huge": (obj(VERTICES.replace("1", "1e6") + FACES), "none of its views shows it"),
    "binary": (obj(bytes(range(256)) * 64), "binary"),
    "all-indices-out-of-range": (obj(VERTICES + "f 90 91 92\n"), "Blender reads no faces"),
    "nothing-there": ({"models/model_normalized.txt": "?"}, "holds neither"),
}


def write_objects(root: Path) -> None:
    everything = RENDERED | RED_ONES | {name: files for name, (files, _) in REFUSED.items()}
    for object_id, files in everything.items():
        for name, content in files.items():
            path = root / "03797390" / object_id / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode("latin-1", "replace") if isinstance(content, str) else content)
    (root / "outside.png").write_bytes(picture(color=(10, 10, 230)))
    write_special_files(root / "03797390")


def write_special_files(root: Path) -> None:
    """Objects that are not files: a pipe that nobody writes to, a link to itself, a link to nowhere, a folder."""
    special: dict[str, Callable[[Path], None]] = {
        "pipe": os.mkfifo,
        "link-to-itself": lambda path: path.symlink_to(path),
        "link-to-nowhere": lambda path: path.symlink_to("nowhere"),
        "folder": lambda path: path.mkdir(),
    }
    for name, make in special.items():
        path = root / name / "models" / "model_normalized.obj"
        path.parent.mkdir(parents=True)
        make(path)


@pytest.mark.slow
def test_odd_objects_are_rendered_or_named(iebench, tmp_path):
    write_objects(tmp_path / "odd")
    big = tmp_path / "odd" / "03797390" / "many-faces" / "models" / "model_normalized.obj"
    big.parent.mkdir(parents=True)
    big.write_text(grid(500))
    iebench("render", "--objects", "odd", "--views", 2, "--size", 64, "--factor", "floor_hue=0.4", "--max-failures", 1,
            "--factor", "light_hue=0.4", "--out", "out")  # fmt: skip
    dataset = Dataset(tmp_path / "out")
    reasons = {failure.object_id: failure.reason for failure in read_failures(tmp_path / "out" / "failures.csv")}
    assert set(dataset.object_ids) == {*RENDERED, *RED_ONES, "many-faces"}, reasons
    for name, (_, reason) in REFUSED.items():
        assert reason in reasons[name], name
    assert set(reasons) == {*REFUSED, "pipe", "link-to-itself", "link-to-nowhere", "folder"}
    for index, object_id in enumerate(dataset.object_ids):
        pixels = simplejpeg.decode_jpeg(dataset.read_jpeg(index, 0)).astype(int)
        reddish = ((pixels[..., 0] > pixels[..., 1] + 25) & (pixels[..., 0] > pixels[..., 2] + 10)).sum()
        if object_id in RED_ONES:
            assert reddish > 60, f"{object_id} does not show its red"
