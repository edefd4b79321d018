"""Where objects come from: folders, zip files, lists."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from iebench.errors import IebenchError, UsageError
from iebench.render.object_lists import choose_objects, known_bad_objects, read_object_list
from iebench.render.sources import open_source

MUG, CHAIR = "03797390", "03001627"


def write(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("v 0 0 0\n")
    return root


def pack(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, f"# {name}\n")
    return path


def test_shapenet_v2_and_v1(tmp_path):
    source = open_source(
        str(write(tmp_path, f"{MUG}/b/models/model_normalized.obj", f"{MUG}/a/model.obj", "taxonomy.json"))
    )
    assert [entry.name for entry in source.classes] == ["mug"]
    assert source.list_objects(MUG) == ["a", "b"]
    assert source.fetch(MUG, "a", tmp_path).path == tmp_path / MUG / "a" / "model.obj"
    assert not source.fetch(MUG, "b", tmp_path).unit_diagonal


def test_zip_files_are_read_one_object_at_a_time(tmp_path):
    folder, scratch = tmp_path / "zips", tmp_path / "scratch"
    folder.mkdir()
    scratch.mkdir()
    pack(
        folder / f"{MUG}.zip",
        f"{MUG}/a/models/model_normalized.obj",
        f"{MUG}/a/images/t.png",
        f"{MUG}/b/models/model.json",
    )
    pack(folder / f"{CHAIR}.zip", f"ShapeNetCore.v2/{CHAIR}/c/models/model_normalized.obj", f"{CHAIR}/../../evil.obj")
    source = open_source(str(folder))
    assert [entry.synset for entry in source.classes] == [CHAIR, MUG]
    assert source.list_objects(MUG) == ["a"] and source.list_objects(CHAIR) == ["c"]
    mesh = source.fetch(MUG, "a", scratch)
    assert mesh.path.read_text() == f"# {MUG}/a/models/model_normalized.obj\n"
    assert (mesh.folder / "images" / "t.png").exists()
    assert sorted(path.name for path in scratch.rglob("*") if path.is_file()) == ["model_normalized.obj", "t.png"]


def test_a_broken_zip_file_is_named(tmp_path):
    (tmp_path / f"{MUG}.zip").write_bytes(b"PK not really")
    with pytest.raises(UsageError, match=rf"{MUG}\.zip.*not a readable zip"):
        open_source(str(tmp_path))


def test_a_damaged_member_is_named(tmp_path):
    path = pack(tmp_path / f"{MUG}.zip", f"{MUG}/a/models/model_normalized.obj")
    content = bytearray(path.read_bytes())
    content[70] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(IebenchError, match="cannot be unpacked"):
        open_source(str(tmp_path)).fetch(MUG, "a", tmp_path / "scratch")


def test_folders_named_like_classes_keep_the_benchmarks_labels(tmp_path):
    source = open_source(str(write(tmp_path, "mug/one.glb", "trash_bin/x/y.stl", "trash_bin/x/y.obj")))
    assert [(entry.label, entry.name) for entry in source.classes] == [(1, "trash bin"), (37, "mug")]
    assert source.list_objects("02747177") == ["x-y"]
    assert source.fetch("02747177", "x-y", tmp_path).path.suffix == ".obj"


def test_other_folders_are_labelled_by_rank(tmp_path):
    source = open_source(str(write(tmp_path, "night stand/train/a b.ply", "toaster/t.stl")))
    assert [(entry.label, entry.synset) for entry in source.classes] == [(0, "night stand"), (1, "toaster")]
    assert source.list_objects("night stand") == ["train-a b"]


@pytest.mark.parametrize(("folder", "message"), [("nowhere", "no such folder"), ("empty", "is empty")])
def test_folders_without_objects_are_refused(tmp_path, folder, message):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=message):
        open_source(str(tmp_path / folder))


def test_lists_in_every_form(tmp_path):
    names = [(MUG, "a"), (CHAIR, "b")]
    np.save(tmp_path / "rows.npy", np.array(names))
    np.save(tmp_path / "paths.npy", np.array([f"/{synset}/{object_id}/" for synset, object_id in names]))
    (tmp_path / "list.txt").write_text(f"# ours\n{MUG}/a\n\n{CHAIR}/b  # a chair\n")
    (tmp_path / "list.csv").write_text(f"synset,object_id,reason\n{MUG},a,odd\n{CHAIR},b,\n")
    for path in sorted(tmp_path.iterdir()):
        assert read_object_list(path) == names, path.name


def test_a_line_that_names_nothing_is_refused_with_its_number(tmp_path):
    (tmp_path / "list.txt").write_text(f"{MUG}/a\nmug\n")
    with pytest.raises(UsageError, match="line 2"):
        read_object_list(tmp_path / "list.txt")


def test_a_pickle_is_not_a_list(tmp_path):
    np.save(tmp_path / "list.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(UsageError, match="cannot be read"):
        read_object_list(tmp_path / "list.npy")


def test_the_object_that_hangs_blender_is_left_out():
    assert ("04090263", "6ab8bee75629e98d2810ab2c421a9619") in known_bad_objects()


def test_fewer_objects_are_some_of_the_more(tmp_path):
    source = open_source(str(write(tmp_path, *(f"{MUG}/o{index}/model.obj" for index in range(20)))))
    few, more = (choose_objects(source, [MUG], count, None, []).names for count in (5, 10))
    assert few == more[:5] and len(more) == 10
    assert not set(few) & set(choose_objects(source, [MUG], None, None, few).names)
