"""Finding what a mesh names: one sensible file inside the object's folder, and none outside."""

import os
from pathlib import Path

import pytest

from iebench.render.object_files import LIBRARIES, PICTURES, ObjectFiles, readable_name
from iebench.render.object_source import Mesh


def files_of(root: Path, *names: str, mesh: str = "meshes/model.obj", shared: tuple[str, ...] = ()) -> ObjectFiles:
    for name in (mesh, *names):
        path = root / "object" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    folder = root / "object"
    return ObjectFiles(Mesh(folder / mesh, folder, True, tuple(root / name for name in shared)))


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("t.png", "meshes/t.png"),
        ("..\\images\\a b.png", "images/a b.png"),
        ("elsewhere/a b.png", "images/a b.png"),
        ("'my%20red.png'", "maps/my red.png"),
        ("T.PNG", "materials/textures/t.png"),
        ("t.tga", "materials/textures/t.jpg"),
        ("t", "maps/t.png"),
        ("t.png # the skin", "maps/t.png"),
    ],
)
def test_a_name_means_the_file_that_is_there(tmp_path, name, there):
    assert files_of(tmp_path, there).find(name, PICTURES) == tmp_path / "object" / there


def test_of_several_files_the_likest_path_counts_and_a_tie_is_none(tmp_path):
    files = files_of(tmp_path, "a/deep/t.png", "b/deep/t.png")
    assert files.find("C:\\me\\b\\deep\\t.png", PICTURES) == tmp_path / "object" / "b/deep/t.png"
    assert files.find("t.png", PICTURES) is None
    for folder in "ab":
        (tmp_path / "object" / folder / "deep" / "t.png").write_text("the same")
    assert files.find("t.png", PICTURES) == tmp_path / "object" / "a/deep/t.png"


def test_what_lies_with_another_mesh_is_that_ones(tmp_path):
    """YCB has the same object several times, each with a texture of its own that does not fit the others."""
    files = files_of(tmp_path, "tsdf/textured.obj", "tsdf/maps/texture_map.png", mesh="google_16k/textured.obj")
    assert files.find("texture_map.png", PICTURES) is None


def test_nothing_outside_is_found(tmp_path):
    files = files_of(tmp_path, "x.png", shared=("all",))
    for folder in ("all", "other"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{folder}.png").touch()
    (tmp_path / "object" / "link.png").symlink_to(tmp_path / "other" / "other.png")
    (tmp_path / "object" / "folder").symlink_to(tmp_path / "other")
    (tmp_path / "object" / "loop").symlink_to(tmp_path / "object" / "loop")
    names = ["../../other/other.png", str(tmp_path / "other" / "other.png"), "../link.png", "../folder/other.png", "link.png",
             "loop", "other.png", "x" * 300 + ".png", "a\0b.png", "all.png", ""]  # fmt: skip
    assert [name for name in names if files.find(name, PICTURES)] == []
    assert files.find("../../all/all.png", PICTURES) == tmp_path / "all" / "all.png"


def test_a_file_that_will_not_do_is_passed_over(tmp_path):
    files = files_of(tmp_path, "meshes/t.png", "maps/t.jpg")
    found = files.find("t.png", PICTURES, fits=lambda path: path.suffix == ".jpg")
    assert found == tmp_path / "object" / "maps" / "t.jpg"
    assert files.find("model", LIBRARIES) is None


def test_names_for_tables_have_no_odd_bytes():
    assert readable_name("红 \nx".encode("gbk").decode("utf-8", "surrogateescape")) == "\\xba\\xec x"
    assert len(readable_name("x" * 1000)) == 200


def flat_files(folder: Path, number: int) -> ObjectFiles:
    return ObjectFiles(Mesh(folder / f"{number}.obj", folder, True))


def test_a_flat_folder_of_many_objects_is_read_once(tmp_path, monkeypatch):
    """Each of n objects that looks for what is not there would else pay for n files."""
    for number in range(30):
        (tmp_path / f"{number}.obj").touch()
    (tmp_path / "skin.png").touch()
    (tmp_path / "loop").symlink_to("loop")
    asked: list[str] = []
    real, scan = os.path.realpath, os.scandir
    monkeypatch.setattr(os.path, "realpath", lambda path: asked.append("real") or real(path))
    monkeypatch.setattr(os, "scandir", lambda path: asked.append("scan") or scan(path))
    for number in range(30):
        files = flat_files(tmp_path, number)
        assert (
            files.find("Skin.tga", PICTURES) and not files.find("gone.png", PICTURES) and not files.beside_mesh(".mtl")
        )
    assert asked.count("scan") == 1 and asked.count("real") <= 3 * 30
    (tmp_path / "gone.png").touch()
    os.utime(tmp_path, (0, 0))
    assert flat_files(tmp_path, 0).find("GONE.tga", PICTURES)
