"""Damaged datasets: opened, read, streamed, verified, described and imported."""

import io
import shutil
import tarfile
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from mutations import MUTATIONS, exchange_cell, exchange_value

from iebench.dataset.card import CARD
from iebench.dataset.exporter import export_layout
from iebench.dataset.importer import import_layout
from iebench.dataset.reader import Dataset
from iebench.dataset.verify import verify_dataset
from iebench.dataset.writer import read_failures
from iebench.loader.decode import Decoder
from iebench.loader.pairs import PairDataset
from iebench.loader.stream import PairStream
from iebench.report.describe import describe_dataset, write_description

pytestmark = pytest.mark.slow  # seconds


@pytest.fixture
def root(drawn_dataset, tmp_path):
    """A copy of a dataset that may be changed."""
    return Path(shutil.copytree(drawn_dataset, tmp_path / "data"))


def use_dataset(root):
    """Do what users do with a dataset."""
    verify_dataset(root)
    dataset = Dataset(root)
    write_description(describe_dataset(dataset))
    PairDataset(root, "all").read_batch(np.arange(min(3, dataset.num_objects)))


def use_table(root):
    """What reads tables alone."""
    Dataset(root)
    verify_dataset(root)


TABLES = {
    CARD: (120, use_dataset, (*MUTATIONS, exchange_value, exchange_value, exchange_value, exchange_value)),
    "objects.csv": (100, use_dataset, (*MUTATIONS, exchange_cell, exchange_cell)),
    "latents.npy": (60, use_table, MUTATIONS),
    "offsets.npy": (60, use_dataset, MUTATIONS),
    "checksums.npy": (30, use_table, MUTATIONS),
}


@pytest.mark.parametrize("name", TABLES)
def test_damaged_tables(root, fuzz, name):
    number, act, ways = TABLES[name]
    whole = (root / name).read_bytes()

    def use(damaged):
        (root / name).write_bytes(damaged)
        act(root)

    fuzz(name, whole, number, use, ways)


def test_damaged_failures(root, fuzz):
    whole = (root / "failures.csv").read_bytes()

    def use(damaged):
        (root / "failures.csv").write_bytes(damaged)
        read_failures(root / "failures.csv")

    fuzz("failures.csv", whole, 60, use, (*MUTATIONS, exchange_cell))


def test_damaged_shards(root, fuzz):
    path = root / "train-000000.tar"
    whole = path.read_bytes()

    def use(damaged):
        path.write_bytes(damaged)
        try:
            verify_dataset(root, decode=True)
            PairDataset(root).read_batch(np.arange(3))
        finally:
            list(PairStream(root, batch_size=4, buffer=4))

    fuzz("shard", whole, 30, use)


def test_damaged_views(root, fuzz):
    dataset = Dataset(root)
    decoders = [Decoder(dataset.card), Decoder(dataset.card, 12)]

    def use(damaged):
        for decoder in decoders:
            with suppress(ValueError):  # which `decode_views` names
                decoder.decode(damaged, np.empty((decoder.size, decoder.size, 3), np.uint8))

    fuzz("JPEG", dataset.read_jpeg(0, 0), 400, use)


def layout(size=16):
    """A small published layout as {name: content}."""
    rng = np.random.default_rng(0)
    files = {}
    for number in range(3):
        for view in range(2):
            latents = io.BytesIO()
            np.save(latents, rng.uniform(0, 0.5, 7))
            jpeg = simplejpeg.encode_jpeg(rng.integers(0, 255, (size, size, 3), np.uint8))
            stem = f"3DIEBench/02691156/object-{number}"
            files |= {f"{stem}/image_{view}.jpg": jpeg, f"{stem}/latent_{view}.npy": latents.getvalue()}
    return files


def pack_tar(files):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name, inner in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(inner)
            archive.addfile(entry, io.BytesIO(inner))
    return content.getvalue()


def pack_zip(files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, inner in files.items():
            archive.writestr(name, inner)
    return content.getvalue()


@pytest.mark.parametrize("pack", [pack_tar, pack_zip])
def test_damaged_archives(tmp_path, fuzz, pack):
    def use(damaged):
        (tmp_path / "a").write_bytes(damaged)
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        import_layout(tmp_path / "a", tmp_path / "out")

    fuzz(pack.__name__.removeprefix("pack_") + " archive", pack(layout()), 60, use)


def test_damaged_lists(tmp_path, fuzz, root):
    export_layout(Dataset(root), tmp_path / "loose")
    for name in ("train_images.npy", "train_labels.npy"):
        path = tmp_path / "loose" / name
        whole = path.read_bytes()

        def use(damaged, path=path):
            path.write_bytes(damaged)
            shutil.rmtree(tmp_path / "out", ignore_errors=True)
            import_layout(tmp_path / "loose", tmp_path / "out")

        fuzz(name, whole, 15, use)
        path.write_bytes(whole)
