"""A pushed dataset is the dataset, to the byte, and what hubs read tells its views with their factors."""

import io
import json
import logging
import warnings

import numpy as np
import pytest
import torch
from PIL import Image

from iebench.dataset.pages import CROISSANT, README
from iebench.dataset.reader import Dataset
from iebench.dataset.verify import verify_dataset
from iebench.errors import IebenchError, UsageError
from iebench.loader.pairs import PairDataset
from iebench.loader.stream import PairStream

pytest.importorskip("huggingface_hub")
parquet = pytest.importorskip("pyarrow.parquet")

from iebench.sharing.datasets import push_dataset  # noqa: E402 - needs both
from iebench.sharing.view_table import make_pictures  # noqa: E402

ADDRESS = "hf://datasets/org/drawn"


@pytest.fixture(scope="module")
def pushed(drawn_dataset, tmp_path_factory):
    """The folder of a pushed dataset."""
    return push_dataset(Dataset(drawn_dataset), str(tmp_path_factory.mktemp("pushed") / "drawn"))


def read_all(location):
    pairs = PairDataset(location, "all")
    return pairs.read_batch(np.arange(len(pairs)))


def assert_equal(one, other):
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_pushed_folder_is_the_dataset_to_the_byte(pushed, drawn_dataset):
    one, other = Dataset(pushed), Dataset(drawn_dataset)
    for name in ("dataset.json", *other.card.all_files):
        assert one.locate(name).read_bytes() == other.locate(name).read_bytes()
    assert verify_dataset(one.root, decode=True) == []
    assert_equal(read_all(pushed), read_all(drawn_dataset))


def test_the_table_has_every_view_with_picture_class_object_and_factors(pushed, drawn_dataset):
    dataset = Dataset(drawn_dataset)
    for split in dataset.card.splits:
        rows = parquet.read_table(f"{pushed}/views/{split}-00000-of-00001.parquet").to_pylist()
        objects = dataset.split_indices(split)
        assert [(r["object_index"], r["view"]) for r in rows] == [(o, v) for o in objects for v in range(4)]
        for row in rows:
            index, view = row["object_index"], row["view"]
            assert row["image"]["bytes"] == dataset.read_jpeg(index, view)
            assert [row[name] for name in dataset.space.names] == dataset.latents[index, view].tolist()
            assert row["class"] == dataset.class_of(row["label"]).name and row["label"] == dataset.labels[index]
            assert (row["synset"], row["object_id"]) == (dataset.synsets[index], dataset.object_ids[index])


def test_pictures_of_larger_views_are_smaller_and_have_true_colors(make_dataset, tmp_path):
    dataset = make_dataset(size=64)
    red = np.asarray(Image.open(io.BytesIO(dataset.read_jpeg(0, 0))).convert("RGB").resize((16, 16))).astype(int)
    card = json.loads((dataset.root / "dataset.json").read_text())
    (dataset.root / "dataset.json").write_text(json.dumps({**card, "channels": "bgr"}))
    swapped = Dataset(dataset.root)
    for seen, true in ((dataset, red), (swapped, red[..., ::-1])):
        picture = Image.open(io.BytesIO(make_pictures(seen, 16)(0)[0]))
        assert picture.size == (16, 16) and abs(np.asarray(picture).astype(int) - true).mean() < 20


@pytest.mark.slow
def test_the_library_datasets_gives_views_with_their_factors(pushed, drawn_dataset, tmp_path):
    datasets = pytest.importorskip("datasets", reason="the library `datasets` is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        datasets.disable_progress_bars()
        views = datasets.load_dataset(pushed, cache_dir=str(tmp_path))  # the first configuration is that of views
    dataset = Dataset(drawn_dataset)
    assert {split: len(rows) for split, rows in views.items()} == {
        split: counts.views for split, counts in dataset.card.splits.items()
    }
    row = views["val"][5]
    assert row["image"].size == (32, 32)
    for name, value in zip(dataset.space.names, dataset.latents[row["object_index"], row["view"]], strict=True):
        assert row[name] == value


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_croissant_is_valid_and_its_records_are_the_views(pushed, drawn_dataset):
    croissant = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed")
    logging.disable(logging.WARNING)  # it recommends a licence
    try:
        described = croissant.Dataset(jsonld=f"{pushed}/{CROISSANT}")
        assert not described.metadata.ctx.issues.errors
        rows = list(described.records("views"))
        assert len(list(described.records("objects"))) == Dataset(drawn_dataset).num_objects
    finally:
        logging.disable(logging.NOTSET)
    dataset = Dataset(drawn_dataset)
    assert len(rows) == dataset.num_objects * dataset.num_views
    for row in rows[:: len(rows) // 7]:
        latents = dataset.latents[row["views/object_index"], row["views/view"]]
        assert [row[f"views/{name}"] for name in dataset.space.names] == latents.tolist()
        assert row["views/image"].size == (32, 32) and row["views/synset"].decode() in dataset.synsets


@pytest.mark.slow
def test_a_page_that_was_edited_keeps_what_it_says(make_dataset, tmp_path):
    dataset = make_dataset()
    page = dataset.root / README
    page.write_text(page.read_text().replace("---\n\n#", "license: cc-by-4.0\n---\n\nMine.\n\n#", 1))
    told = push_dataset(dataset, str(tmp_path / "out"))
    text = (Dataset(told).root / README).read_text()
    assert "license: cc-by-4.0" in text and "Mine." in text and "config_name: views" in text
    again = push_dataset(Dataset(told), str(tmp_path / "again"))
    assert (Dataset(again).root / README).read_text() == text


@pytest.mark.slow
def test_what_is_damaged_is_not_pushed(make_dataset, tmp_path, hub):
    dataset = make_dataset()
    content = bytearray((dataset.root / "val-000000.tar").read_bytes())
    content[5000] ^= 1
    (dataset.root / "val-000000.tar").write_bytes(content)
    for target in (str(tmp_path / "out"), ADDRESS):
        with pytest.raises(IebenchError, match=r"val-000000\.tar was altered.*not pushed"):
            push_dataset(dataset, target)
    assert not (tmp_path / "out").exists() and list(hub.repos["datasets/org/drawn"].values()) == [{}]


def test_a_dataset_on_the_hub_is_the_dataset(hub, drawn_dataset):
    others = {"raw/my-scans.tar": b"mine", "my-scans.tar": b"mine", "LICENSE": b"mine"}
    hub.commit("datasets/org/drawn", {**others, "train-000099.tar": b"of an earlier push"})
    where = push_dataset(Dataset(drawn_dataset), ADDRESS)
    there = hub.find("datasets/org/drawn", "main")[1]
    assert others.items() <= there.items() and "train-000099.tar" not in there
    commit = where.partition("@")[2]
    assert where == f"{ADDRESS}@{commit}" and list(hub.repos["datasets/org/drawn"])[-1] == commit
    for address in (ADDRESS, where):
        assert_equal(read_all(address), read_all(drawn_dataset))
        assert Dataset(address).location == where  # by which worker processes open it
    streamed = torch.cat([batch.object_index for batch in PairStream(ADDRESS, "train", batch_size=4)])
    assert sorted(streamed.tolist()) == Dataset(drawn_dataset).split_indices("train").tolist()


@pytest.mark.slow
def test_a_revision_pins_and_the_same_files_are_fetched_once(hub, drawn_dataset, make_dataset):
    first = push_dataset(Dataset(drawn_dataset), ADDRESS)
    before = read_all(first)
    second = push_dataset(make_dataset(seed=1, objects_per_shard=50), ADDRESS)
    assert_equal(read_all(first), before)
    assert not torch.equal(read_all(second).source, before.source)
    assert torch.equal(read_all(ADDRESS).source, read_all(second).source)
    files = hub.find("datasets/org/drawn", "main")[1]
    assert "train-000001.tar" not in files  # of the first, which had smaller shards
    hub.cdn_asked.clear()
    assert hub.commit("datasets/org/drawn", {**files, README: b"another page"}) != second.partition("@")[2]
    assert torch.equal(read_all(ADDRESS).source, read_all(second).source) and not hub.cdn_asked


@pytest.mark.slow
def test_the_token_goes_to_the_hub_alone(hub, drawn_dataset, monkeypatch):
    where = push_dataset(Dataset(drawn_dataset), ADDRESS)
    hub.private.add("datasets/org/drawn")
    read_all(where)
    assert {token for _, token in hub.asked} == {"Bearer hf_of_a_test"}
    assert hub.cdn_asked and {token for _, token in hub.cdn_asked} == {""}
    monkeypatch.delenv("HF_TOKEN")
    for address in (ADDRESS, where):
        with pytest.raises(IebenchError, match=r"datasets/org/drawn.*hf auth login"):
            Dataset(address)


@pytest.mark.slow
def test_a_hub_that_sends_other_bytes_is_found_out(hub, drawn_dataset):
    where = push_dataset(Dataset(drawn_dataset), ADDRESS)
    files = hub.find("datasets/org/drawn", "main")[1]
    shard = bytearray(files["val-000000.tar"])
    shard[5000] ^= 1
    files["val-000000.tar"] = bytes(shard)
    with pytest.raises(IebenchError, match=r"val-000000\.tar is never what its card says"):
        read_all(where)


@pytest.mark.parametrize(
    ("target", "told"),
    {
        "hf://org/drawn": "no place for a dataset",
        "hf://datasets/org/drawn@main": "leave @main out",
        "hf://datasets/drawn": "no address of the hub",
        "hf://datasets/org/drawn/folder": "no place for a dataset",
    }.items(),
)
def test_targets_that_mean_something_else_are_refused(drawn_dataset, target, told):
    with pytest.raises(UsageError, match=told):
        push_dataset(Dataset(drawn_dataset), target)


def test_a_folder_that_is_there_is_not_written_over(drawn_dataset, tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(UsageError, match="exists already"):
        push_dataset(Dataset(drawn_dataset), str(tmp_path / "mine"))
