"""Materials of an OBJ: the names in both files are brought together, and clean files stay as they are."""

from pathlib import Path

import pytest
from appearances import obj, picture

from iebench.dataset.appearance import Lost
from iebench.render import mtl_file
from iebench.render.mesh_files import prepare_mesh
from iebench.render.mtl_file import read_materials
from iebench.render.obj_materials import match_names
from iebench.render.object_source import Mesh


@pytest.mark.parametrize(
    ("used", "defined", "matched", "unknown"),
    [
        (["a", "A"], ["A", "a"], {"a": "a", "A": "A"}, []),
        (["paint", "steel"], ["Paint", "STEEL", "x"], {"paint": "Paint", "steel": "STEEL"}, []),
        (["my  paint", "x"], ["my_paint", "x"], {"my  paint": "my_paint", "x": "x"}, []),
        (["paint"], ["PAINT", "Paint"], {}, ["paint"]),
        (["only"], ["other"], {"only": "other"}, []),
        (["None", "b"], ["b", "c"], {"b": "b"}, []),
        (["b", "lost"], ["b", "c"], {"b": "b"}, ["lost"]),
    ],
)
def test_names_match_where_they_can_mean_one_material(used, defined, matched, unknown):
    assert match_names(used, defined) == (matched, unknown)


def test_a_clean_obj_keeps_every_byte_but_its_library(tmp_path):
    """Blender must read what it always read: pictures of clean objects do not change."""
    folder, scratch = tmp_path / "object", tmp_path / "scratch"
    folder.mkdir(), scratch.mkdir()
    content = obj("# by hand\nmtllib model.mtl").replace(b"\n", b"\r\n")
    (folder / "model.obj").write_bytes(content)
    (folder / "model.mtl").write_text("newmtl paint\nKa 0 0 0\nKd 0.5 0.5 0.5\nd 0.5\nillum 2\n")
    prepared = prepare_mesh(Mesh(folder / "model.obj", folder, False), scratch)
    assert prepared.path.read_bytes() == b"mtllib object.mtl\n" + content.replace(b"mtllib model.mtl\r", b"")
    assert (scratch / "object.mtl").read_text() == "newmtl paint\nKa 0 0 0\nKd 0.5 0.5 0.5\nillum 2\nd 0.5\n"
    assert prepared.lost == ()


def test_no_word_hides_behind_a_control_character(tmp_path):
    """Blender takes every byte up to 0x20 for a blank, and would read files outside the object's folder."""
    folder, scratch = tmp_path / "object", tmp_path / "scratch"
    folder.mkdir(), scratch.mkdir()
    (folder / "model.obj").write_bytes(b"\x0cmtllib\x0b../evil.mtl\nmtllib model.mtl\n" + obj())
    (folder / "model.mtl").write_bytes(
        b"newmtl paint\nKd 1 0 0\n\x01map_Kd /secret.png\nbump\x0b/secret.png\n\x7fmap_Ks /secret.png\nmap_odd /secret.png\n"
    )
    prepared = prepare_mesh(Mesh(folder / "model.obj", folder, False), scratch)
    written = prepared.path.read_bytes() + (scratch / "object.mtl").read_bytes()
    assert b"evil" not in written and b"secret" not in written
    assert [entry.name for entry in prepared.lost if entry.what == "texture"] == ["/secret.png"]


def test_numbers_are_read_as_they_are_meant(tmp_path):
    path = tmp_path / "a.mtl"
    path.write_text("newmtl a\nKd 0,5 0,25 1\nKS 0.5\nNs 10,5\nmap_kd a,b.png\n")
    (material,) = read_materials(path)
    assert material.statements == (
        ("Kd", "0.5 0.25 1"),
        ("Ks", "0.5 0.5 0.5"),
        ("Ns", "10.5"),
        ("map_Kd", "a,b.png"),
    )


def test_a_flat_folder_does_not_lend_one_objects_library_to_another(tmp_path):
    for name, content in {"a.obj": obj("mtllib gone.mtl"), "b.obj": obj(), "b.mtl": b"newmtl paint\n"}.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "scratch").mkdir()
    prepared = prepare_mesh(Mesh(tmp_path / "a.obj", tmp_path, False), tmp_path / "scratch")
    assert prepared.lost == (Lost("material library", "gone.mtl"),)


def test_opacity_is_turned_where_all_that_is_worn_would_vanish(tmp_path):
    (tmp_path / "scratch").mkdir()
    (tmp_path / "a.obj").write_bytes(obj("mtllib a.mtl\nusemtl worn"))
    (tmp_path / "a.mtl").write_text("newmtl worn\nd 0\nnewmtl spare\nd 1\n")
    prepare_mesh(Mesh(tmp_path / "a.obj", tmp_path, False), tmp_path / "scratch")
    assert (tmp_path / "scratch" / "object.mtl").read_text() == "newmtl worn\nd 1\nnewmtl spare\nd 1\n"


def test_a_texture_of_many_materials_is_read_once_and_apart_where_it_is_no_color(tmp_path, monkeypatch):
    (tmp_path / "scratch").mkdir()
    (tmp_path / "a.obj").write_bytes(obj("mtllib a.mtl\nusemtl m0"))
    maps = ("map_Kd skin.png\n", "map_Bump skin.png\n")
    (tmp_path / "a.mtl").write_text("".join(f"newmtl m{i}\n{maps[0]}" for i in range(9)) + maps[1])
    (tmp_path / "skin.png").write_bytes(picture())
    decoded: list[Path] = []
    monkeypatch.setattr(mtl_file, "is_whole", lambda path: decoded.append(path) or True)
    prepare_mesh(Mesh(tmp_path / "a.obj", tmp_path, False), tmp_path / "scratch")
    text = (tmp_path / "scratch" / "object.mtl").read_text()
    assert len(decoded) == 1 and text.count("map_Kd texture-0.png") == 9 and text.count("map_Bump texture-1.png") == 1
