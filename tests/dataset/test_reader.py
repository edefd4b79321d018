"""The dataset on disk: what is written is what is read."""

import hashlib
import io
import json
import os
import pickle
import tarfile

import numpy as np
import pytest
import simplejpeg

from iebench.catalogue import CLASSES, ObjectClass
from iebench.dataset import open_shards
from iebench.dataset.card import FORMAT, DatasetCard
from iebench.dataset.reader import Dataset
from iebench.errors import IebenchError


def test_every_view_is_where_its_offset_says(drawn_dataset):
    dataset = Dataset(drawn_dataset)
    for index in range(dataset.num_objects):
        with tarfile.open(drawn_dataset / dataset.shards[index]) as archive:
            key = f"{dataset.synsets[index]}-{dataset.object_ids[index]}"
            for view in range(dataset.num_views):
                jpeg = archive.extractfile(f"{key}.{view:02d}.jpg").read()
                assert dataset.read_jpeg(index, view) == jpeg
                assert simplejpeg.decode_jpeg(jpeg).shape == (32, 32, 3)
            stored = np.load(io.BytesIO(archive.extractfile(f"{key}.latents.npy").read()))
            np.testing.assert_array_equal(stored, dataset.latents[index])


def test_a_dataset_stays_open_where_the_working_folder_changes(drawn_dataset, monkeypatch, tmp_path):
    monkeypatch.chdir(drawn_dataset.parent)
    dataset = Dataset(drawn_dataset.name)
    monkeypatch.chdir(tmp_path)  # as Hydra does at the start of a run
    expected = Dataset(drawn_dataset).read_jpeg(0, 0)
    assert dataset.read_jpeg(0, 0) == expected
    assert pickle.loads(pickle.dumps(dataset)).read_jpeg(0, 0) == expected


def test_a_dataset_is_closed_where_modules_are_emptied_before_it(drawn_dataset, monkeypatch):
    """As at the end of the interpreter, which printed a traceback."""
    dataset = Dataset(drawn_dataset)
    dataset.read_jpeg(0, 0)
    shards = dataset._open_shards
    (descriptor,) = shards._descriptors.values()
    with monkeypatch.context() as patched:
        patched.setattr(open_shards, "os", None)
        shards.__del__()
    shards._descriptors.clear()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_latents_equal_what_the_seed_gives(drawn_dataset):
    dataset = Dataset(drawn_dataset)
    for index in range(dataset.num_objects):
        drawn = dataset.space.sample(
            dataset.card.seed, dataset.synsets[index], dataset.object_ids[index], dataset.num_views
        )
        np.testing.assert_array_equal(drawn, dataset.latents[index])


def test_card_names_every_file_with_its_hash(drawn_dataset):
    card = Dataset(drawn_dataset).card
    described = {name: file.sha256 for name, file in card.all_files.items()}
    on_disk = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in drawn_dataset.iterdir()}
    for page in ("dataset.json", "README.md", "croissant.json"):
        on_disk.pop(page)
    assert described == on_disk


def test_same_content_same_bytes(make_dataset):
    first, second = make_dataset("a"), make_dataset("b")
    assert first.card.shards == second.card.shards
    assert first.card.files == second.card.files


def test_another_format_is_refused_with_both_numbers(make_dataset):
    root = make_dataset().root
    card = root / "dataset.json"
    card.write_text(card.read_text().replace(f'"format": {FORMAT}', '"format": 99'))
    with pytest.raises(IebenchError, match=r"format 99.*format 1"):
        Dataset(root)


def test_a_folder_that_is_no_dataset_is_refused(tmp_path):
    with pytest.raises(IebenchError, match=r"holds no dataset\.json"):
        Dataset(tmp_path)
    with pytest.raises(IebenchError, match="There is no dataset"):
        Dataset(tmp_path / "nowhere")


def test_a_truncated_shard_names_shard_object_and_view(make_dataset):
    dataset = make_dataset()
    shard = dataset.root / dataset.shards[0]
    shard.write_bytes(shard.read_bytes()[:2000])
    with pytest.raises(IebenchError, match=r"train-000000\.tar: view 3 of \d{8}/object-\d cannot be read.*cut short"):
        dataset.read_jpeg(0, 3)


def test_one_altered_bit_of_an_image_is_an_error_that_names_it(make_dataset):
    dataset = make_dataset()
    offset, length = dataset.offsets[2, 1]
    shard = dataset.root / dataset.shards[2]
    content = bytearray(shard.read_bytes())
    content[offset + length // 2] ^= 1
    shard.write_bytes(content)
    with pytest.raises(IebenchError, match=r"train-000000\.tar: view 1 of \d{8}/object-\d cannot be read.*altered"):
        dataset.read_jpeg(2, 1)
    assert dataset.read_jpeg(2, 0)


OWN = tuple(ObjectClass(label, name, name, turns) for label, name, turns in ((0, "bathtub", 2), (1, "zebra", None)))


def test_classes_are_the_datasets_own(make_dataset):
    dataset = make_dataset(classes=OWN)
    assert dataset.classes == OWN and dataset.num_labels == 2
    assert [entry.turns for entry in dataset.classes] == [2, None]
    assert dataset.class_of(dataset.labels[0]).synset == dataset.synsets[0]
    with pytest.raises(IebenchError, match=r"label 7.*no class"):
        dataset.class_of(7)


def test_a_card_without_classes_means_the_benchmarks(drawn_dataset):
    dataset = Dataset(drawn_dataset)
    assert dataset.card.classes == () and dataset.classes == CLASSES[:4] and dataset.num_labels == 55


def test_a_label_that_no_class_has_is_refused_on_opening(make_dataset):
    dataset = make_dataset(classes=OWN)
    text = (dataset.root / "dataset.json").read_text().replace('"label": 1,', '"label": 3,')
    (dataset.root / "dataset.json").write_text(text)
    with pytest.raises(IebenchError, match=r"objects\.csv has the label 1.*no class"):
        Dataset(dataset.root)


@pytest.mark.parametrize("turns", ["-1", '"two"', "0.5"])
def test_turns_that_no_object_has_are_refused(make_dataset, turns):
    root = make_dataset(classes=OWN).root
    (root / "dataset.json").write_text((root / "dataset.json").read_text().replace('"turns": 2', f'"turns": {turns}'))
    with pytest.raises(IebenchError, match="is damaged"):
        Dataset(root)


def test_an_earlier_card_of_built_in_objects_gets_their_turns(make_dataset):
    root = make_dataset(classes=CLASSES[9:12]).root
    assert [entry.turns for entry in DatasetCard.read(root).classes] == [None] * 3
    text = (root / "dataset.json").read_text().replace('"kind": "drawn"', '"kind": "procedural"')
    (root / "dataset.json").write_text(text)
    assert [entry.turns for entry in DatasetCard.read(root).classes] == [1, 0, 1]


def test_a_card_comes_back_from_its_json_with_its_tables(make_dataset):
    card = make_dataset(classes=OWN).card
    assert DatasetCard.from_json(json.loads(json.dumps(card.to_json()))) == card
    assert sum(split.objects for split in card.splits.values()) == 10
    assert card.shards[0].split == "train"
    assert card.to_json()["shards"][0].keys() == {"name", "split", "objects", "bytes", "sha256"}


@pytest.mark.parametrize("name", ["views", "sha256", "label"])
def test_a_card_whose_tables_lack_something_is_damaged(make_dataset, name):
    card = make_dataset(classes=OWN).root / "dataset.json"
    card.write_text(card.read_text().replace(f'"{name}"', '"else"'))
    with pytest.raises(IebenchError, match="is damaged"):
        DatasetCard.read(card.parent)
