"""Datasets of other classes than the benchmark's keep their own names wherever they go."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from iebench.catalogue import ObjectClass
from iebench.cli.data import COMMANDS
from iebench.dataset.exporter import export_layout
from iebench.dataset.importer import import_layout
from iebench.dataset.pages import describe_croissant
from iebench.dataset.reader import Dataset
from iebench.dataset.verify import verify_dataset
from iebench.errors import IebenchError
from iebench.loader.stream import PairStream
from iebench.render.object_sheet import lay_out
from iebench.render.plan import plan_job
from iebench.render.request import RenderRequest
from iebench.report.show import pick_pairs

THREE = tuple(ObjectClass(label, name, name) for label, name in enumerate(("bathtub", "monitor", "zebra")))
SIXTY = tuple(ObjectClass(label, f"kind-{label:02d}", f"kind {label:02d}") for label in range(60))
both = pytest.mark.parametrize("classes", [THREE, SIXTY], ids=["3", "60"])


@pytest.fixture
def make(make_dataset: Callable[..., Dataset]) -> Callable[..., Dataset]:
    return lambda classes: make_dataset(classes=classes, objects_per_class=2, num_views=2, size=16)


@both
def test_info_and_show_tell_the_own_names(make, classes, tmp_path):
    dataset = make(classes)
    assert dataset.num_labels == len(classes)
    told = CliRunner().invoke(COMMANDS["info"], [str(dataset.root)], catch_exceptions=False).output
    assert all(entry.name in told for entry in classes) and "airplane" not in told
    shown = {pair.lines[0].split(", views")[0] for pair in pick_pairs(dataset, 120, "all")}
    assert shown == {entry.name for entry in classes}
    out = tmp_path / "pairs.png"
    assert CliRunner().invoke(COMMANDS["show"], [str(dataset.root), "--out", str(out)]).exit_code == 0
    assert f"class index, of {len(classes)}." in json.dumps(describe_croissant(dataset.card))
    assert lay_out(dataset).height == 16 * len(classes)


@both
def test_the_published_layout_and_back_keeps_labels(make, classes, tmp_path):
    dataset = make(classes)
    export_layout(dataset, tmp_path / "loose")
    card, faults = import_layout(tmp_path / "loose", tmp_path / "again")
    again = Dataset(tmp_path / "again")
    assert not faults and verify_dataset(again.root, decode=True) == []
    assert [(entry.label, entry.synset) for entry in card.classes] == [(e.label, e.synset) for e in classes]
    assert again.num_labels == len(classes)
    np.testing.assert_array_equal(again.labels, dataset.labels)


def test_lists_that_give_two_classes_one_label_are_refused(make, tmp_path):
    export_layout(make(THREE), tmp_path / "loose")
    labels = np.load(tmp_path / "loose" / "train_labels.npy")
    np.save(tmp_path / "loose" / "train_labels.npy", np.zeros_like(labels))
    with pytest.raises(IebenchError, match="two classes one"):
        import_layout(tmp_path / "loose", tmp_path / "again")


def write_objects(root: Path, classes: tuple[ObjectClass, ...]) -> Path:
    """A folder for each class with two meshes."""
    for entry in classes:
        (root / entry.name).mkdir(parents=True)
        for number in range(2):
            (root / entry.name / f"{number}.obj").write_text(TETRAHEDRON)
    return root


TETRAHEDRON = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n"


@both
def test_folders_are_planned_under_their_own_names(classes, tmp_path):
    root = str(write_objects(tmp_path / "objects", classes))
    job = plan_job(RenderRequest(objects=root))
    assert [(entry.label, entry.name) for entry in job.classes] == [(e.label, e.name) for e in classes]
    some = plan_job(RenderRequest(objects=root, classes=f"{classes[2].name},{classes[0].name.upper()}"))
    assert [entry.label for entry in some.classes] == [0, 2]
    assert [entry.label for entry in plan_job(RenderRequest(objects=root, classes="2")).classes] == [0, 1]


@pytest.mark.slow
@both
def test_folders_are_rendered_under_their_own_names(classes, tmp_path):
    from iebench.render.farm import render_dataset
    from iebench.render.launch import choose_engine
    from iebench.render.worker_process import Limits

    root = write_objects(tmp_path / "objects", classes)
    job = plan_job(RenderRequest(objects=str(root), objects_per_class=2, views=2, size=16, quality="preview"))
    render_dataset(job, tmp_path / "out", choose_engine(job, Limits()))
    dataset = Dataset(tmp_path / "out")
    assert [entry.name for entry in dataset.classes] == [entry.name for entry in classes]
    assert all("turns" not in entry.to_json() for entry in dataset.classes)
    assert dataset.num_labels == len(classes)


ODD = tuple(
    ObjectClass(label, name, name) for label, name in enumerate(("Chair", "coffee cups, big", "a.b-c", "桌子", "стол"))
)


def test_names_in_any_letters_go_the_whole_way(make, tmp_path):
    dataset = make(ODD)
    assert verify_dataset(dataset.root, decode=True) == []
    export_layout(dataset, tmp_path / "loose")
    card, faults = import_layout(tmp_path / "loose", tmp_path / "again")
    assert card.classes == ODD and not faults
    first, again = (
        {*zip(d.synsets.tolist(), d.object_ids.tolist(), strict=True)} for d in (dataset, Dataset(tmp_path / "again"))
    )
    assert first == again
    told = CliRunner().invoke(COMMANDS["info"], [str(dataset.root)], catch_exceptions=False).output
    assert all(entry.name in told for entry in ODD)
    for pair in PairStream(dataset.root, batch_size=3):
        assert pair.source.shape[1:] == (3, 16, 16)
