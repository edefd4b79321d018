"""The dataset on disk: what is written is what is read."""

import hashlib
import io
import tarfile

import numpy as np
import pytest
import simplejpeg

from iebench.dataset.card import FORMAT
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


def test_latents_equal_what_the_seed_gives(drawn_dataset):
    dataset = Dataset(drawn_dataset)
    for index in range(dataset.num_objects):
        drawn = dataset.space.sample(
            dataset.card.seed, dataset.synsets[index], dataset.object_ids[index], dataset.num_views
        )
        np.testing.assert_array_equal(drawn, dataset.latents[index])


def test_card_names_every_file_with_its_hash(drawn_dataset):
    card = Dataset(drawn_dataset).card
    described = {shard["name"]: shard["sha256"] for shard in card.shards} | {
        n: f["sha256"] for n, f in card.files.items()
    }
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
