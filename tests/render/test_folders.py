"""Folders as people have them: every object once, under its own name and class, or a sentence that says what stands there."""

import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from iebench.catalogue import CLASSES, ObjectClass
from iebench.dataset.exporter import export_layout
from iebench.dataset.importer import import_layout
from iebench.dataset.reader import Dataset
from iebench.dataset.verify import verify_dataset
from iebench.dataset.writer import read_failures
from iebench.errors import IebenchError, UsageError
from iebench.render.mesh_files import prepare_mesh
from iebench.render.object_lists import choose_objects, read_object_list
from iebench.render.object_source import Mesh, ObjectSource
from iebench.render.plan import plan_job, plan_render
from iebench.render.request import RenderRequest
from iebench.render.source_folders import ClassFolders
from iebench.render.sources import open_source

SHARED = Path(__file__).parents[3] / "shared" / "cases"
TETRAHEDRON = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n"
MUG, CHAIR, AIRPLANE = "03797390", "03001627", "02691156"
SMALL = ("--views", 2, "--size", 16, "--quality", "preview")


def write(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(TETRAHEDRON if name.endswith(".obj") else "?")
    return root


def listed(source: ObjectSource) -> dict[str, list[str]]:
    return {entry.synset: source.list_objects(entry.synset) for entry in source.classes}


def files(source: ObjectSource, root: Path) -> dict[str, str]:
    meshes = {name: source.fetch(synset, name, root) for synset, names in listed(source).items() for name in names}
    return {name: mesh.path.relative_to(root).as_posix() for name, mesh in meshes.items()}


OBJECTS = {
    "gso-layout": {MUG: ["ACE_Mug"]},
    "src-appledouble": {MUG: ["0", "1"]},
    "src-case-collision": {MUG: ["mug (1)", "mug 1 ", "mug_1_"]},
    "src-empty-class": {MUG: ["a"]},
    "src-macosx": {CHAIR: ["0", "1"], MUG: ["0", "1"]},
    "src-mixed-names": {"Chair": ["a"], "coffee cups": ["a"], "mug": ["a"]},
    "src-modelnet-off": {
        AIRPLANE: ["test-airplane_0001", "train-airplane_0001"],
        CHAIR: ["test-chair_0001", "train-chair_0001"],
    },
    "src-nested-shapenet": {AIRPLANE: ["obj0", "obj1"], MUG: ["obj0", "obj1"]},
    "src-objaverse": {"glbs": ["000-000-abc0", "000-001-abc1", "000-002-abc2"]},
    "src-symlinks": {MUG: ["b"]},
    "src-train-test": {
        AIRPLANE: ["test-airplane_0002", "train-airplane_0001"],
        CHAIR: ["test-chair_0002", "train-chair_0001"],
    },
    "src-unicode-classes": {"стол": ["0", "1"], "桌子": ["0", "1"], "椅子": ["0", "1"]},
    "ycb-layout": {MUG: ["002_can"]},
}
SAID = {
    "src-empty-class": [r"docs \(1 \.txt\), textures \(1 \.png\)", "OBJ, GLB"],
    "src-symlinks": ["mug/thing", "saved as a text"],
    "ycb-layout": ["nontextured.ply beside textured.obj", "nontextured.stl"],
}
REFUSALS = {
    "src-fbx": r"1 \.fbx.*OBJ, GLB.*convert",
    "src-flat": r"0\.glb, 1\.glb, 2\.glb.*--class",
    "src-gso-root": "ACE_Coffee_Mug.*--class",
    "src-own-zip": "mug/a.obj, chair/b.obj.*unpack",
}


@pytest.mark.skipif(not SHARED.exists(), reason="the cases do not travel with the repository")
@pytest.mark.parametrize("case", OBJECTS)
def test_cases_have_their_objects(case: str) -> None:
    source = open_source(str(SHARED / case / "objs"))
    assert listed(source) == OBJECTS[case]
    said = "\n".join(source.left_out())
    assert bool(said) == (case in SAID or case == "src-objaverse"), said
    assert all(re.search(words, said) for words in SAID.get(case, [])), said
    for synset, names in OBJECTS[case].items():
        for name in names:
            mesh = source.fetch(synset, name, Path())
            assert mesh.path.is_relative_to(mesh.folder) and mesh.unit_diagonal == (case != "src-nested-shapenet")


@pytest.mark.skipif(not SHARED.exists(), reason="the cases do not travel with the repository")
@pytest.mark.parametrize("case", REFUSALS)
def test_cases_without_objects_are_refused(case: str) -> None:
    path = SHARED / case / ("mine.zip" if case == "src-own-zip" else "objs")
    with pytest.raises(UsageError, match=REFUSALS[case]):
        open_source(str(path))


def test_files_of_systems_and_editors_are_left_out(tmp_path: Path) -> None:
    junk = ("__MACOSX/mug/._a.obj", "mug/._a.obj", "mug/.a.obj", ".git/x.obj", "mug/.ipynb_checkpoints/a.obj", "mug/a.obj~",
            "mug~/a.obj", "#mug#/a.obj")  # fmt: skip
    source = open_source(str(write(tmp_path, "mug/a.obj", *junk)))
    assert listed(source) == {MUG: ["a"]} and source.left_out() == []


def test_shapenet_in_a_zip_file_of_a_mac(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        for name in (f"{MUG}/a/model.obj", f"__MACOSX/{MUG}/b/model.obj", f"{MUG}/._c/model.obj", f"{MUG}/d/x.mtl"):
            archive.writestr(name, TETRAHEDRON)
        archive.writestr("12345678/a/model.obj", TETRAHEDRON)
    source = open_source(str(tmp_path))
    assert listed(source) == {MUG: ["a"]}
    assert re.search(rf"{MUG}/d \(no mesh.*12345678 \(none of the 55", "\n".join(source.left_out()), re.DOTALL)


@pytest.mark.parametrize("place", ["", "ShapeNetCore.v2", MUG])
def test_shapenet_at_another_level(tmp_path: Path, place: str) -> None:
    write(tmp_path / "ShapeNetCore.v2", f"{MUG}/a/models/model_normalized.obj", f"{MUG}/.DS/model.obj", "taxonomy.json")
    root = tmp_path / "ShapeNetCore.v2" / place if place == MUG else tmp_path / place
    source = open_source(str(root))
    assert listed(source) == {MUG: ["a"]} and not source.fetch(MUG, "a", tmp_path).unit_diagonal
    assert source.describe() == {"kind": "shapenet"}


def test_shapenet_in_two_versions_is_refused_with_both(tmp_path: Path) -> None:
    write(tmp_path, *(f"ShapeNetCore.v{n}/{MUG}/a/model.obj" for n in (1, 2)))
    with pytest.raises(UsageError, match=r"ShapeNetCore\.v1, ShapeNetCore\.v2"):
        open_source(str(tmp_path))


def test_folders_named_by_synset_need_not_be_shapenet(tmp_path: Path) -> None:
    source = open_source(str(write(tmp_path, f"{MUG}/a.obj", f"{CHAIR}/b/c.obj")))
    assert listed(source) == {CHAIR: ["b-c"], MUG: ["a"]}


def test_a_zip_file_beside_the_classes_does_not_hide_them(tmp_path: Path) -> None:
    with zipfile.ZipFile(write(tmp_path, "mug/a.obj") / "backup.zip", "w") as archive:
        archive.writestr("mug/a.obj", TETRAHEDRON)
    assert listed(open_source(str(tmp_path))) == {MUG: ["a"]}


def test_a_folder_around_the_classes_is_understood(tmp_path: Path) -> None:
    write(tmp_path, "ModelNet2/night stand/train/a.obj", "ModelNet2/toilet/test/b.obj")
    assert listed(open_source(str(tmp_path))) == {"night stand": ["train-a"], "toilet": ["test-b"]}


def test_one_class_of_folders_is_doubted(tmp_path: Path) -> None:
    (said,) = open_source(str(write(tmp_path, "all/zebra/a.obj", "all/lion/b.obj"))).left_out()
    assert f"give --objects {tmp_path}/all" in said


YCB = ("google_16k/textured.obj", "google_16k/nontextured.ply", "google_64k/textured.obj", "poisson/nontextured.stl",
       "tsdf/textured.obj", "clouds/merged_cloud.ply")  # fmt: skip


@pytest.mark.parametrize(
    ("names", "best"),
    [
        (YCB, {"thing": "google_16k/textured.obj"}),
        (("meshes/model.obj", "model.config"), {"thing": "meshes/model.obj"}),
        (("raw_model.obj", "normalized_model.obj"), {"thing": "normalized_model.obj"}),
        (("textured.obj", "textured_simple.obj"), {"thing": "textured.obj"}),
        (("visual/model.obj", "collision/model.obj"), {"thing": "visual/model.obj"}),
        (("model.obj", "model.glb.gz", "model.stl"), {"thing-model": "model.obj"}),
        (("a.ply", "b.off"), {"thing-a": "a.ply", "thing-b": "b.off"}),
        (("scan.obj", "raw_scan.obj", "textured.obj"), {"thing": "textured.obj"}),
        (
            ("mesh_1.obj", "object_1.obj", "scan.obj", "scene.obj", "raw.obj", "chair.obj", "simple_chair.obj"),
            {
                "thing-mesh_1": "mesh_1.obj",
                "thing-object_1": "object_1.obj",
                "thing-scan": "scan.obj",
                "thing-scene": "scene.obj",
                "thing-raw": "raw.obj",
                "thing-chair": "chair.obj",
            },
        ),
        (("model_1.obj", "model_2.obj"), {"thing-model_1": "model_1.obj", "thing-model_2": "model_2.obj"}),
    ],
)
def test_files_of_one_object_are_one_object(tmp_path: Path, names: tuple[str, ...], best: dict[str, str]) -> None:
    source = open_source(str(write(tmp_path / "mug" / "thing", *names).parents[1]))
    assert files(source, tmp_path / "mug" / "thing") == best
    passed_over = len([name for name in names if not name.endswith(".config")]) - len(best)
    said = "\n".join(source.left_out())
    more = re.search(r"and (\d+) more", said)
    assert len(re.findall(r" beside \S+[, ]", said)) + int(more[1] if more else 0) == passed_over, said
    assert source.fetch(MUG, next(iter(best)), tmp_path).folder == tmp_path / "mug" / "thing"


def test_an_object_like_name_in_the_class_folder_is_a_name(tmp_path: Path) -> None:
    source = open_source(
        str(write(tmp_path, "fish/raw.obj", "fish/textured.obj", "toy/Raw_Fish/x.obj", "toy/Fish/x.obj"))
    )
    assert listed(source) == {"fish": ["raw", "textured"], "toy": ["Fish-x", "Raw_Fish-x"]}


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("mug/x-y.obj", "mug/x/y.obj"), r"mug/x-y\.obj and .*mug/x/y\.obj"),
        (("mug/a.obj", "mug/a.OBJ"), r"mug/a\.OBJ and .*mug/a\.obj"),
    ],
)
def test_two_files_of_one_id_are_refused_with_both(tmp_path: Path, names: tuple[str, ...], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        listed(open_source(str(write(tmp_path, *names))))


def test_two_folders_of_one_class_are_refused_with_both(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Mug and mug are one class"):
        listed(ClassFolders(write(tmp_path, "Mug/a.obj", "mug/a.obj")))


def test_files_of_other_formats_are_told(tmp_path: Path) -> None:
    source = open_source(str(write(tmp_path, "mug/a.obj", "mug/a.fbx", "mug/b.fbx", "mug/c.zip", "stray.obj")))
    assert listed(source) == {MUG: ["a"]}
    said = "\n".join(source.left_out())
    assert "mug/b.fbx, mug/c.zip" in said and "a.fbx" not in said and "stray.obj" in said


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("a.obj", "b.glb"), r"a\.obj, b\.glb and no folder for a class.*--class"),
        (("ACE/meshes/model.obj", "ACE/materials/textures/t.png"), "such as ACE.*--class"),
        (("meshes/model.obj", "model.sdf"), "is one object.*--class"),
        (("one/model.obj", "two/model.glb"), "such as one, two.*--class"),
        (("002_can/google_16k/textured.obj",), "such as 002_can.*--class"),
        (("obj0/models/model_normalized.obj",), "such as obj0.*--class"),
        (("mug/a.blend", "mug/b.blend", "readme"), r"2 \.blend, 1 readme: OBJ.*convert"),
    ],
)
def test_a_folder_of_the_wrong_level_is_named_with_the_mend(tmp_path: Path, names: tuple[str, ...], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        open_source(str(write(tmp_path / "x", *names)))
    if "--class" in words:
        assert open_source(str(tmp_path / "x"), "mug").classes == (CLASSES[37],)


def test_one_class_for_a_flat_folder_and_for_a_file(tmp_path: Path) -> None:
    write(tmp_path, "a.obj", "Left Shoe/meshes/model.obj", "Left Shoe/model.sdf")
    source = open_source(str(tmp_path), "桌子")
    assert source.classes == (ObjectClass(0, "桌子", "桌子"),) and listed(source) == {"桌子": ["Left Shoe", "a"]}
    assert source.describe() == {"kind": "folders", "class": "桌子"}
    alone = open_source(str(tmp_path / "a.obj"), "mug")
    assert listed(alone) == {MUG: ["a"]} and alone.fetch(MUG, "a", tmp_path).path == tmp_path / "a.obj"
    with pytest.raises(UsageError, match=r"one object of no class.*--class"):
        open_source(str(tmp_path / "a.obj"))
    with pytest.raises(UsageError, match="--class mug is for a folder"):
        open_source("procedural", "mug")
    with pytest.raises(UsageError, match='holds "/"'):
        listed(open_source(str(tmp_path), "a/b"))


def link(path: Path, target: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def test_links_are_followed_or_named(tmp_path: Path) -> None:
    root, real = tmp_path / "objs", write(tmp_path / "real", "mug/thing/a.obj", "cup/b.obj")
    write(root, "mug/c.obj")
    link(root / "mug" / "thing", real / "mug" / "thing")
    link(root / "chair", real / "cup")
    link(root / "mug" / "loop", root / "mug")
    link(root / "mug" / "gone", real / "nowhere")
    link(root / "lamp", real / "nowhere")
    (root / "mug" / "text").write_text("../../real/mug/thing")
    source = open_source(str(root))
    assert listed(source) == {CHAIR: ["b"], MUG: ["c", "thing-a"]}
    said = "\n".join(source.left_out())
    assert all(name in said for name in ("lamp", "mug/gone", "mug/loop", "mug/text")), said
    for synset, object_id in ((CHAIR, "b"), (MUG, "thing-a")):
        scratch = tmp_path / object_id
        scratch.mkdir()
        prepare_mesh(source.fetch(synset, object_id, scratch), scratch)


def test_a_mesh_that_links_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "secret.obj", "objs/mug/inside/b.obj")
    link(tmp_path / "objs" / "mug" / "thing" / "a.obj", tmp_path / "secret.obj")
    link(tmp_path / "objs" / "mug" / "inside" / "a.obj", tmp_path / "objs" / "mug" / "inside" / "b.obj")
    source = open_source(str(tmp_path / "objs"))
    prepare_mesh(source.fetch(MUG, "inside-a", tmp_path), tmp_path)
    with pytest.raises(IebenchError, match="outside the object's folder"):
        prepare_mesh(source.fetch(MUG, "thing-a", tmp_path), tmp_path)


def test_the_order_of_the_file_system_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(
        tmp_path,
        *(f"{name}/{n}/{suffix}" for name in "zyx" for n in range(3) for suffix in ("b.ply", "b.obj", "a.obj")),
    )
    request = RenderRequest(objects=str(tmp_path))
    jobs = [plan_render(request)]
    scandir = os.scandir

    class Backwards:
        def __init__(self, path: Path) -> None:
            with scandir(path) as entries:
                self.entries = sorted(entries, key=lambda entry: entry.name, reverse=True)

        def __enter__(self) -> list:
            return self.entries

        def __exit__(self, *error: object) -> None: ...

    monkeypatch.setattr(os, "scandir", Backwards)
    jobs.append(plan_render(request))
    assert jobs[0] == jobs[1] and len(jobs[0].sentences()) == 2


def test_bytes_that_are_no_text_cost_their_object_or_class(tmp_path: Path) -> None:
    write(tmp_path, "zebra/a.obj", "lion/b.obj")
    shutil.copy(tmp_path / "zebra" / "a.obj", os.fsdecode(os.fsencode(tmp_path) + b"/zebra/\xd7\xc0.obj"))
    shutil.copytree(tmp_path / "lion", os.fsdecode(os.fsencode(tmp_path) + b"/\xd7\xc0"))
    plan = plan_render(RenderRequest(objects=str(tmp_path)))
    assert [entry.name for entry in plan.job.classes] == ["lion", "zebra"]
    (refused,) = plan.job.refused
    assert refused.object_id == r"\udcd7\udcc0" and "not UTF-8" in refused.reason
    assert sum(map(len, plan.job.splits.values())) == 2
    assert sum("not UTF-8" in sentence for sentence in plan.left_out) == 2


class Own:
    """A source that lists what it is told to."""

    classes = (ObjectClass(0, "a", "a"),)

    def __init__(self, *ids: object) -> None:
        self.ids = ids

    def describe(self) -> dict:
        return {"kind": "own"}

    def list_objects(self, synset: str, limit: int | None = None) -> list:
        return list(self.ids)

    def fetch(self, synset: str, object_id: str, scratch: Path) -> Mesh:
        return Mesh(write(scratch, "a.obj") / "a.obj", scratch, unit_diagonal=True)


def test_an_id_that_cannot_be_used_costs_its_object() -> None:
    choice = choose_objects(Own("x", "y/z", "", 7), ["a"], None, None, [])
    assert choice.names == [("a", "x")]
    assert [(failure.object_id, failure.reason.split(", ")[1]) for failure in choice.refused] == [
        ("y/z", 'it holds "/"'), ("", "it is no name"), ("7", "it is no text but of type int")]  # fmt: skip
    with pytest.raises(UsageError, match='it holds "/"'):
        choose_objects(Own("y/z"), ["a"], None, None, [])


def test_an_object_that_is_listed_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="a/x 2 times"):
        choose_objects(Own("x", "y", "x"), ["a"], None, None, [])


def test_lists_take_names_in_any_letters(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text('桌子/mug (1)\n"coffee, big/a"  # ours\nmug/a#1\n# nothing\nmug,x,odd\n', encoding="utf-8")
    assert read_object_list(path) == [("桌子", "mug (1)"), ("coffee, big", "a"), ("mug", "a#1"), ("mug", "x")]


@pytest.mark.parametrize("name", ["e.npy", "e.txt"])
def test_an_empty_list_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(UsageError, match=rf"{name}: the list is empty"):
        plan_job(RenderRequest(object_list=tmp_path / name))


@pytest.mark.slow
def test_names_survive_a_render_and_the_published_layout(iebench: Callable, tmp_path: Path) -> None:
    own = (
        "桌子/0.obj",
        "桌子/стул (1).obj",
        "a.b-c/x.y.obj",
        "a.b-c/X.y.obj",
        "coffee cups/mug 1 .obj",
        "coffee cups/mug_1_.obj",
    )
    write(tmp_path / "objs", *own, "docs/readme.txt")
    done = iebench("render", "--objects", "objs", *SMALL, "--out", "out")
    assert "3 train + 3 val = 6, 2 views each" in done.stderr and "docs (1 .txt)" in done.stderr
    dataset = Dataset(tmp_path / "out")
    names = set(zip(dataset.synsets.tolist(), dataset.object_ids.tolist(), strict=True))
    assert names == {(Path(name).parent.name, name.rpartition("/")[2].removesuffix(".obj")) for name in own}
    assert verify_dataset(dataset.root, decode=True) == []
    export_layout(dataset, tmp_path / "loose")
    card, faults = import_layout(tmp_path / "loose", tmp_path / "again")
    assert not faults and set(card.classes) == set(dataset.classes)
    iebench("render", "--objects", "objs/桌子/0.obj", "--class", "桌子", *SMALL, "--out", "one")
    assert Dataset(tmp_path / "one").card.source == {"kind": "folders", "class": "桌子"}


@pytest.mark.slow
def test_a_refused_id_stands_in_failures_and_a_dry_run_renders_nothing(
    iebench: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Path(__file__).read_text(encoding="utf-8").split("class Own:")[1].split("\n\n\n")[0]
    head = "from pathlib import Path\nfrom iebench.catalogue import ObjectClass\nfrom iebench.render.object_source import Mesh\n"
    body = f"def write(root, name):\n    (root / name).write_text({TETRAHEDRON!r})\n    return root\n"
    (tmp_path / "own.py").write_text(
        f"{head}{body}\n\nclass Own:{source}\n\n\nsource = Own('x', 'y', 'u/v')\n", encoding="utf-8"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    words = ("--objects", "own:source", *SMALL, "--max-failures", 1)
    told = iebench("render", *words, "--dry-run")
    assert "u/v" in told.stderr and "4 images of 2 objects will take about" in told.stdout
    numbers = json.loads(iebench("render", *words, "--dry-run", "--log-json", "--out", "out").stdout)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "__pycache__") == ["own.py"]
    iebench("render", *words, "--out", "out")
    assert [failure.object_id for failure in read_failures(tmp_path / "out" / "failures.csv")] == ["u/v"]
    size = sum(path.stat().st_size for path in (tmp_path / "out").glob("*.tar"))
    assert 0.5 * size < numbers["total"]["bytes"] < 2 * size


def test_a_note_without_a_suffix_stops_no_listing(tmp_path):
    """Any small text with a slash may be a link that was saved as a text; this one is no path at all."""
    write(tmp_path, "mug/one.obj")
    (tmp_path / "mug" / "README").write_text("Kept for the record, " * 15 + "see and/or ask")
    assert open_source(str(tmp_path)).list_objects(MUG) == ["one"]


@pytest.mark.parametrize(
    ("stems", "ids"),
    [
        (["mesh_1", "object_1", "scan", "scene", "raw"], ["set-mesh_1", "set-object_1", "set-raw", "set-scan", "set-scene"]),
        (["chair", "simple_chair"], ["set-chair"]),
        (["model", "textured", "model_raw"], ["set"]),
        (["scan", "raw_scan", "scene", "raw_scene"], ["set-scan", "set-scene"]),
    ],
)  # fmt: skip
def test_files_of_two_nouns_are_two_objects(tmp_path, stems, ids):
    write(tmp_path, *(f"mug/set/{stem}.obj" for stem in stems))
    assert open_source(str(tmp_path)).list_objects(MUG) == ids
