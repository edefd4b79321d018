"""Every altered byte is found, and nothing that reads a damaged dataset fails without a sentence."""

import gzip
import io
import os
import random
import tarfile

import pytest

from iebench.catalogue import ObjectClass
from iebench.dataset.card import CARD
from iebench.dataset.exporter import export_layout
from iebench.dataset.importer import import_layout
from iebench.dataset.pages import CROISSANT, README
from iebench.dataset.reader import Dataset
from iebench.dataset.shards import locate_views, pack_sample, write_shard
from iebench.dataset.verify import NAMED, verify_dataset
from iebench.dataset.writer import ObjectRow, ShardTables, finish_dataset
from iebench.errors import IebenchError
from iebench.loader.pairs import PairDataset


def flip(path, position, bit=0):
    content = bytearray(path.read_bytes())
    content[position] ^= 1 << bit
    path.write_bytes(content)


def test_a_whole_dataset_has_no_problems(drawn_dataset):
    assert verify_dataset(drawn_dataset) == [] and verify_dataset(drawn_dataset, decode=True) == []


def test_a_damaged_shard_is_named_with_its_views(make_dataset):
    dataset = make_dataset()
    offset, length = map(int, dataset.offsets[3, 2])
    flip(dataset.root / dataset.shards[3], offset + length // 2)
    problems = verify_dataset(dataset.root)
    assert len(problems) == 2 and "SHA-256" in problems[0]
    assert f"view 2 of {dataset.synsets[3]}/{dataset.object_ids[3]}" in problems[1]


def test_of_a_shard_that_is_cut_some_views_are_named_and_all_are_counted(make_dataset):
    dataset = make_dataset(num_views=9)
    shard = dataset.root / dataset.shards[0]
    os.truncate(shard, 3000)
    problems = verify_dataset(dataset.root)
    views = int((dataset.shards == shard.name).sum()) * 9
    lost = views - int((dataset.offsets[dataset.shards == shard.name].sum(2) <= 3000).sum())
    assert len(problems) == 1 + NAMED + 1 and problems[-1] == f"{shard.name} has {lost - NAMED} more such faults."


def test_missing_and_cut_files_are_named(make_dataset):
    root = make_dataset().root
    (root / "train-000001.tar").unlink()
    (root / "latents.npy").write_bytes((root / "latents.npy").read_bytes()[:-1])
    problems = verify_dataset(root)
    assert any("train-000001.tar is missing" in problem for problem in problems)
    assert any("latents.npy has" in problem for problem in problems)


def test_a_changed_card_is_told_and_still_read(make_dataset):
    root = make_dataset().root
    card = root / CARD
    card.write_text(card.read_text().replace('"seed": 0', '"seed": 1'))
    assert verify_dataset(root) == [f"{card} was changed after it was written."]
    assert Dataset(root).card.seed == 1


@pytest.mark.parametrize("name", ["../train-000000.tar", "/etc/passwd", "a/b.tar"])
def test_a_card_that_names_files_elsewhere_is_refused(make_dataset, name):
    root = make_dataset().root
    card = root / CARD
    card.write_text(card.read_text().replace("train-000000.tar", name))
    with pytest.raises(IebenchError, match="is damaged"):
        Dataset(root)


def test_a_writer_that_lies_is_found_by_decoding(make_dataset, tmp_path):
    dataset = make_dataset()
    root = tmp_path / "lies"
    root.mkdir()
    jpegs = [dataset.read_jpeg(0, view) for view in range(4)]
    jpegs[1] = jpegs[1][:200]
    synset, object_id, label = dataset.synsets[0], dataset.object_ids[0], int(dataset.labels[0])
    sample = pack_sample(synset, object_id, label + 1, jpegs, dataset.latents[0])
    write_shard(root / "train-000000.tar", [sample])
    row = ObjectRow("train", synset, label, object_id, "train-000000.tar")
    part = ShardTables([row], dataset.latents[:1], locate_views(sample, 4)[None])
    finish_dataset(root, dataset.card, [part], [])
    assert verify_dataset(root) == []
    problems = verify_dataset(root, decode=True)
    assert len(problems) == 2 and "view 1" in problems[0] and "another label" in problems[1]


def read_everything(root):
    """Use a dataset as a training does; damage may only show as an IebenchError."""
    try:
        for batch in PairDataset(root, "all").loader(8, 0):
            assert len(batch.label)
    except IebenchError as error:
        return str(error)
    return None


@pytest.mark.slow
def test_fuzz_every_change_of_content_is_found_and_nothing_crashes(make_dataset):
    root = make_dataset(num_views=3, objects_per_class=3).root
    files = sorted(path for path in root.iterdir() if path.name not in (README, CROISSANT))  # pages may be edited
    whole = {path: path.read_bytes() for path in files}
    chance = random.Random(0)
    crashes = 0
    for number in range(500):
        path = files[number % len(files)]
        content = bytearray(whole[path])
        if chance.random() < 0.3:
            content = content[: chance.randrange(len(content))]
        else:
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(content)
        # white space at the end of the card is all that may change unnoticed, as it is no content
        assert verify_dataset(root) or (path.name == CARD and content.strip() == whole[path].strip()), (path, number)
        crashes += read_everything(root) is not None
        path.write_bytes(whole[path])
    assert crashes > 100 and verify_dataset(root) == []


@pytest.mark.slow
def test_fuzz_no_altered_archive_comes_in_unnoticed(make_dataset, tmp_path):
    dataset = make_dataset(classes="2", objects_per_class=2, num_views=2)
    loose = tmp_path / "loose"
    export_layout(dataset, loose)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path in sorted(loose.glob("*/*/*")):
            archive.add(path, str(path.relative_to(loose)))
    whole = gzip.compress(packed.getvalue(), mtime=0)
    chance, refused = random.Random(1), 0
    for number in range(200):
        content = bytearray(whole)
        if number % 3:
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        else:
            content = content[: chance.randrange(len(content))]
        (tmp_path / "a.tar.gz").write_bytes(content)
        try:
            import_layout(tmp_path / "a.tar.gz", tmp_path / f"out{number}", lists=loose)
            same = Dataset(tmp_path / f"out{number}")
            assert sorted(same.checksums.ravel()) == sorted(dataset.checksums.ravel())  # gzip's own header changed
        except IebenchError:
            refused += 1
    assert refused > 190


def test_keys_of_earlier_versions_are_whole(make_dataset, monkeypatch):
    monkeypatch.setattr("iebench.dataset.shards.sample_key", lambda synset, object_id: f"{synset}-{object_id}")
    root = make_dataset(classes=(ObjectClass(0, "night-stand", "night stand"),)).root
    assert verify_dataset(root, decode=True) == []


def test_a_sample_of_another_object_is_found_by_decoding(make_dataset, tmp_path):
    dataset = make_dataset()
    jpegs, label = [dataset.read_jpeg(0, view) for view in range(4)], int(dataset.labels[0])
    sample = pack_sample(dataset.synsets[0], "another", label, jpegs, dataset.latents[0])
    write_shard(tmp_path / "train-000000.tar", [sample])
    row = ObjectRow("train", dataset.synsets[0], label, dataset.object_ids[0], "train-000000.tar")
    finish_dataset(tmp_path, dataset.card, [ShardTables([row], dataset.latents[:1], locate_views(sample, 4)[None])], [])
    (problem,) = verify_dataset(tmp_path, decode=True)
    assert "another.json names another object" in problem
