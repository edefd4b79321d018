"""Datasets that somebody made to do harm: each is refused in one sentence, before it costs memory, time or a file."""

import csv
import io
import json
import os
import resource
import shutil
import tarfile
import zlib
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from bounded_memory import at_most
from PIL import Image

from iebench.dataset import published_layout
from iebench.dataset.card import CARD, describe_file, digest_card
from iebench.dataset.exporter import export_layout
from iebench.dataset.importer import import_layout
from iebench.dataset.reader import Dataset
from iebench.dataset.shards import locate_views, split_shard, write_shard
from iebench.dataset.verify import verify_dataset
from iebench.dataset.writer import read_failures
from iebench.errors import IebenchError
from iebench.loader.decode import decode_view
from iebench.loader.pairs import PairDataset
from iebench.loader.stream import PairStream

MEMORY = 2**29  # bytes, of which reading a card may take most


@pytest.fixture(autouse=True)
def bounded_memory():
    """No refusal takes more memory than this, which every allocation is asked for."""
    with at_most(MEMORY):
        yield


@pytest.fixture
def root(drawn_dataset, tmp_path):
    """A copy of a dataset that may be changed."""
    return Path(shutil.copytree(drawn_dataset, tmp_path / "data"))


def edit_card(root, change):
    value = json.loads((root / CARD).read_text())
    change(value)
    value["digest"] = digest_card(value)
    (root / CARD).write_text(json.dumps(value))


def republish(root):
    """Let the card promise the files as they are now, as somebody would who publishes this."""

    def change(value):
        for name, entry in [*value["files"].items(), *((shard["name"], shard) for shard in value["shards"])]:
            entry.update(asdict(describe_file(root / name)))

    edit_card(root, change)


def edit_objects(root, change):
    with (root / "objects.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    change(header, rows)
    with (root / "objects.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def bomb(side=65500):
    """A small JPEG whose header claims 65500 x 65500 pixels, 12.9 GB as RGB."""
    jpeg = bytearray(simplejpeg.encode_jpeg(np.zeros((16, 16, 3), np.uint8)))
    place = jpeg.index(b"\xff\xc0")
    jpeg[place + 5 : place + 9] = side.to_bytes(2, "big") * 2
    return bytes(jpeg)


def progressive(side=64):
    file = io.BytesIO()
    Image.new("L", (side, side)).save(file, "JPEG", progressive=True)
    return file.getvalue()


def replace_view(dataset, index, view, jpeg):
    """Put other bytes where a view lies, padded, and mend its checksum."""
    offset, length = map(int, dataset.offsets[index, view])
    content = jpeg.ljust(length, b"\0")
    assert len(content) == length
    with (dataset.root / dataset.shards[index]).open("r+b") as file:
        file.seek(offset)
        file.write(content)
    sums = np.array(dataset.checksums)
    sums[index, view] = zlib.crc32(content)
    np.save(dataset.root / "checksums.npy", sums)


NAMES = ["../../evil", "/tmp/evil", "..", ".", "", "a\x1b]52;c;eA==\x07b", "a\nb", "a\0b", "x" * 5000]


@pytest.mark.parametrize("column", ["synset", "object_id"])
@pytest.mark.parametrize("name", NAMES)
def test_names_that_lead_out_are_refused_where_a_dataset_is_read(root, tmp_path, column, name):
    edit_objects(root, lambda header, rows: rows[0].__setitem__(header.index(column), name))
    with pytest.raises(IebenchError, match=r"objects\.csv"):
        export_layout(Dataset(root), tmp_path / "deep" / "out")
    assert not list(tmp_path.glob("**/*evil*")) and any("objects.csv" in problem for problem in verify_dataset(root))


@pytest.mark.parametrize("label", ["-1", "1e3", "9" * 30, "99999999", "nan", "", "0x1"])
def test_labels_that_are_none_are_refused(root, label):
    edit_objects(root, lambda header, rows: rows[0].__setitem__(header.index("label"), label))
    with pytest.raises(IebenchError, match=r"objects\.csv"):
        Dataset(root)


def test_an_object_that_stands_twice_is_refused_on_reading_too(root):
    edit_objects(root, lambda header, rows: rows.__setitem__(1, [rows[1][0], *rows[0][1:]]))
    with pytest.raises(IebenchError, match="stands twice"):
        Dataset(root)


@pytest.mark.parametrize(("column", "value"), [("split", "../val"), ("shard", "../../x.tar"), ("shard", "objects.csv")])
def test_splits_and_shards_are_those_of_the_card(root, column, value):
    edit_objects(root, lambda header, rows: rows[0].__setitem__(header.index(column), value))
    with pytest.raises(IebenchError, match="the card knows no"):
        Dataset(root)


def _set(*path, to):
    def change(value):
        for key in path[:-1]:
            value = value[key]
        value[path[-1]] = to

    return change


CARDS = {
    "image-side": _set("image_size", to=10**9),
    "image-side-float": _set("image_size", to=32.5),
    "image-side-true": _set("image_size", to=True),
    "views": _set("num_views", to=10**12),
    "huge-integer": _set("seed", to=10**400),
    "not-finite": _set("focal_length", to=float("nan")),
    "infinite": _set("focal_length", to=float("inf")),
    "lens-text": _set("focal_length", to="50"),
    "name-list": _set("name", to=["a"]),
    "source-text": _set("source", to="x"),
    "shard-parent": _set("shards", 0, "name", to=".."),
    "shard-empty": _set("shards", 0, "name", to=""),
    "shard-card": _set("shards", 0, "name", to=CARD),
    "shard-twice": _set("shards", 1, "name", to="train-000000.tar"),
    "shard-escape": _set("shards", 0, "name", to="a\x1b[2J.tar"),
    "shard-lock": _set("shards", 0, "name", to="x.lock"),
    "file-outside": lambda value: value["files"].update({"../x": value["files"]["objects.csv"]}),
    "bytes-negative": _set("shards", 0, "bytes", to=-1),
    "sha-short": _set("shards", 0, "sha256", to="abc"),
    "split-outside": lambda value: value["splits"].update({"../../evil": value["splits"]["train"]}),
    "split-all": lambda value: value["splits"].update({"all": value["splits"]["train"]}),
    "objects-zero": _set("splits", "train", "objects", to=0),
    "label-huge": _set("classes", to=[{"label": 10**15, "synset": "a", "name": "a"}]),
    "label-twice": _set("classes", to=[{"label": 1, "synset": s, "name": s} for s in "ab"]),
    "class-outside": _set("classes", to=[{"label": 1, "synset": "../a", "name": "a"}]),
    "law": _set("space", "law", to="gauss"),
    "factor-backwards": _set("space", "factors", "floor_hue", to=[1, 0]),
    "no-factors": _set("space", "factors", to={}),
    "many-factors": _set("space", "factors", to={f"f{n}": [0, 1] for n in range(1000)}),
    "deep": _set("made", to=json.loads("[" * 200 + "]" * 200) and {"a": json.loads("[" * 200 + "]" * 200)}),
    "unknown": _set("surprise", to=1),
    "missing": lambda value: value.pop("space"),
}


@pytest.mark.parametrize("change", CARDS.values(), ids=CARDS)
def test_cards_that_promise_what_no_dataset_has_are_refused(root, change):
    edit_card(root, change)
    with pytest.raises(IebenchError, match=r"dataset\.json is damaged") as found:
        Dataset(root)
    assert str(found.value).count("\n") == 0 and len(str(found.value)) < 900 and found.value.exit_code == 1
    assert verify_dataset(root)


TEXTS = {
    "deep": "[" * 100_000,
    "deep-objects": '{"a":' * 100_000,
    "twice": '{"format": 1, "format": 1}',
    "list": "[]",
    "number": "1",
    "empty": "",
    "not-utf8": b"\xff\xfe\xfa",
    "null": "null",
    "long-integer": '{"format": ' + "9" * 5000 + "}",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_texts_that_are_no_card_are_refused(root, text):
    (root / CARD).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(IebenchError, match=r"dataset\.json"):
        Dataset(root)
    assert verify_dataset(root)


@pytest.mark.parametrize("name", [CARD, "objects.csv", "latents.npy", "train-000000.tar"])
@pytest.mark.parametrize("kind", ["fifo", "endless"])
def test_what_is_no_regular_file_is_refused_and_waited_for_by_nobody(root, name, kind):
    (root / name).unlink()
    if kind == "fifo":
        os.mkfifo(root / name)
    else:
        (root / name).symlink_to("/dev/zero")
    with pytest.raises(IebenchError, match="no regular file"):
        PairDataset(root).read_batch(np.arange(3))


def test_a_card_without_end_is_refused(root):
    with (root / CARD).open("wb") as file:
        file.truncate(2**40)  # sparse: it takes no room
    with pytest.raises(IebenchError, match="bytes"):
        Dataset(root)


@pytest.mark.parametrize("shape", ["(1000000000000, 4, 7)", "(20, 4, 7000000000)", "(-20, 4, 7)", "(20, 4, 7)"])
@pytest.mark.parametrize("dtype", ["<f8", "|O", "<U1000000"])
def test_tables_that_claim_more_than_they_hold_are_refused(root, shape, dtype):
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"
    head = b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + header.ljust(117).encode() + b"\n"
    (root / "latents.npy").write_bytes(head + bytes(800))
    with pytest.raises(IebenchError, match=r"latents\.npy"):
        Dataset(root)


def test_latents_that_are_not_finite_are_told_on_opening_and_by_verify(root):
    dataset = Dataset(root)
    latents = np.array(dataset.latents)
    latents[3, 1, 2] = np.nan
    np.save(dataset.root / "latents.npy", latents)
    with pytest.raises(IebenchError, match="not finite"):
        Dataset(dataset.root)
    assert any("finite" in problem or "SHA-256" in problem for problem in verify_dataset(dataset.root))


@pytest.mark.parametrize("extent", [(2**63 - 1, 100), (-1, 10), (0, 2**40), (2**62, 2**20), (0, 0)])
def test_offsets_out_of_the_shard_are_named(root, extent):
    dataset = Dataset(root)
    offsets = np.array(dataset.offsets)
    offsets[0, 0] = extent
    np.save(dataset.root / "offsets.npy", offsets)
    with pytest.raises(IebenchError, match="cannot be read"):
        Dataset(dataset.root).read_jpeg(0, 0)


def test_a_view_that_claims_gigabytes_of_pixels_takes_no_memory(make_dataset):
    dataset = make_dataset(size=64)
    replace_view(dataset, 0, 0, bomb())
    republish(dataset.root)
    with pytest.raises(IebenchError, match="view 0"):
        decode_view(Dataset(dataset.root), 0, 0)
    assert any("65500 x 65500 pixels" in problem for problem in verify_dataset(dataset.root, decode=True))


def test_a_view_of_very_many_scans_takes_no_time(make_dataset):
    dataset = make_dataset(size=64)
    replace_view(dataset, 0, 0, progressive() + 95 * b"\xff\xda")
    republish(dataset.root)
    with pytest.raises(IebenchError, match="101 scans, and 100 are allowed"):
        decode_view(Dataset(dataset.root), 0, 0)
    assert any("101 scans" in problem for problem in verify_dataset(dataset.root, decode=True))


def test_progressive_views_are_read_as_any_other(make_dataset):
    dataset = make_dataset(size=64)
    replace_view(dataset, 0, 0, progressive())
    republish(dataset.root)
    assert decode_view(Dataset(dataset.root), 0, 0).shape == (64, 64, 3)


def test_an_import_of_pictures_that_claim_gigabytes_takes_no_memory(tmp_path):
    for number in range(3):
        folder = tmp_path / "loose" / "02691156" / f"object-{number}"
        folder.mkdir(parents=True)
        (folder / "image_0.jpg").write_bytes(bomb())
        np.save(folder / "latent_0.npy", np.zeros(7))
    with pytest.raises(IebenchError, match="65500 pixels"):
        import_layout(tmp_path / "loose", tmp_path / "out")


def sparse_member(name, claimed):
    """A GNU sparse tar header: 512 bytes on disk that claim any size."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.size = tarfile.GNUTYPE_SPARSE, 512
    block = bytearray(entry.tobuf(tarfile.GNU_FORMAT))
    block[386:398] = b"%011o\0" % 0
    block[398:410] = b"%011o\0" % 512
    block[483:495] = b"%011o\0" % claimed
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + bytes(512)


def write_tar(path, *entries):
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as archive:
        for name, content in entries:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def test_sparse_members_of_a_shard_take_no_memory(root):
    dataset = Dataset(root)
    path = dataset.root / "train-000000.tar"
    path.write_bytes(sparse_member("k.00.jpg", 8 * 2**30) + bytes(1024))
    with pytest.raises(IebenchError, match="damaged"):
        list(PairStream(dataset.root, batch_size=2))
    offsets = np.array(dataset.offsets)
    offsets[dataset.shards == path.name] = (512, 512)
    np.save(dataset.root / "offsets.npy", offsets)
    republish(dataset.root)
    assert any("no plain file" in problem for problem in verify_dataset(dataset.root, decode=True))


def test_a_key_that_comes_twice_is_refused_by_all_that_read_a_shard(make_dataset):
    path = make_dataset(objects_per_shard=2).root / "train-000000.tar"
    samples = [content for _, content in split_shard(path)]
    write_shard(path, [*samples, samples[0]])
    with pytest.raises(IebenchError, match="comes twice"):
        list(PairStream(path.parent, batch_size=2))
    with pytest.raises(tarfile.TarError, match="comes twice"):
        list(split_shard(path))


def test_a_member_that_comes_twice_is_refused_by_all_that_read_a_sample(root):
    write_tar(root / "train-000000.tar", ("a.00.jpg", b"x"), ("a.00.jpg", b"y"))
    with pytest.raises(IebenchError, match="member too many"):
        list(PairStream(root, batch_size=2))
    with pytest.raises(ValueError, match="twice"):
        locate_views((root / "train-000000.tar").read_bytes(), 1)


def test_a_stream_ends_a_sample_without_end(root):
    write_tar(root / "train-000000.tar", *((f"a.{number:02d}.jpg", bytes(2**16)) for number in range(300)))
    with pytest.raises(IebenchError, match="one member too many"):
        list(PairStream(root, batch_size=2))


@pytest.mark.parametrize("shape", ["(1000000000000,)", "(4, 7)"])
def test_a_stream_takes_latents_only_as_the_card_promises(root, shape):
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    npy = b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + header + np.full(28, np.nan).tobytes()
    write_tar(root / "train-000000.tar", ("a.latents.npy", npy), ("a.json", b'{"label": 1}'))
    with pytest.raises(IebenchError, match="no whole sample"):
        list(PairStream(root, batch_size=2))


def test_an_archive_of_one_endless_object_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(published_layout, "MAX_VIEWS", 100)
    members = ((f"x/02691156/a/image_{number}.jpg", b"j") for number in range(110))
    write_tar(tmp_path / "a.tar", *members)
    with pytest.raises(IebenchError, match="more than 100 views"):
        import_layout(tmp_path / "a.tar", tmp_path / "out")


def test_a_list_that_claims_more_than_it_holds_is_refused(tmp_path):
    head = b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little")
    for what, dtype in (("images", "<U1000"), ("labels", "<i8")):
        header = (
            f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': (10000000000,), }}".ljust(117).encode() + b"\n"
        )
        (tmp_path / f"train_{what}.npy").write_bytes(head + header)
    (tmp_path / "02691156" / "a").mkdir(parents=True)
    (tmp_path / "02691156" / "a" / "image_0.jpg").write_bytes(b"")
    with pytest.raises(IebenchError, match=r"train_images\.npy"):
        import_layout(tmp_path, tmp_path / "out")


HEAD = "synset,object_id,reason,attempts,log\n"
TABLES = {
    "failures.csv": ["", "synset\n", f"{HEAD}a,b\n", f"{HEAD}a,b,c,x,\n", "a" * 200_000 + "\n"],
    "objects.csv": ["", "\n", "index,split\n", '"', "index,split,synset,label,object_id,shard\n", "a,a\n1,2\n"],
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in TABLES.items() for text in texts])
def test_tables_that_are_none_are_refused(root, name, text):
    (root / name).write_text(text)
    with pytest.raises(IebenchError, match=name):
        read_failures(root / name) if name == "failures.csv" else Dataset(root)


def test_a_dataset_of_more_shards_than_files_may_be_open_is_read(make_dataset):
    dataset = make_dataset(objects_per_shard=1, objects_per_class=6)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    open_now = len(list(Path("/proc/self/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_now + 10, hard))
    try:
        assert len([dataset.read_jpeg(index, 0) for index in range(dataset.num_objects)]) == 24
    finally:
        del dataset
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
