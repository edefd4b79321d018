"""A pipe in the place of a file is refused: nobody waits for what never comes."""

import os
import shutil
import signal

import pytest

from iebench.dataset.exporter import export_layout
from iebench.dataset.importer import import_layout
from iebench.dataset.reader import Dataset
from iebench.dataset.verify import verify_dataset
from iebench.errors import IebenchError
from iebench.evals.results import Results
from iebench.models.runs import read_config


class Waiting(BaseException):
    """Nothing that a reader takes for a fault of its file."""


@pytest.fixture(autouse=True)
def soon():
    """No test waits for ever."""

    def give_up(*_):
        raise Waiting

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(120)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def put_pipe(path):
    path.unlink(missing_ok=True)
    os.mkfifo(path)


@pytest.mark.parametrize(
    "name", ["dataset.json", "objects.csv", "latents.npy", "offsets.npy", "checksums.npy", "train-000000.tar"]
)
def test_in_a_dataset(drawn_dataset, tmp_path, name):
    root = shutil.copytree(drawn_dataset, tmp_path / "data")
    put_pipe(root / name)
    with pytest.raises(IebenchError, match=name):
        Dataset(root).read_jpeg(0, 0)
    if name != "dataset.json":
        assert verify_dataset(root, decode=True)


@pytest.mark.parametrize("name", ["train_images.npy", "val_labels.npy"])
def test_in_the_published_layout(drawn_dataset, tmp_path, name):
    export_layout(Dataset(drawn_dataset), tmp_path / "loose")
    put_pipe(tmp_path / "loose" / name)
    with pytest.raises(IebenchError, match=name):
        import_layout(tmp_path / "loose", tmp_path / "out")


def test_in_a_run(tmp_path):
    for name, read in (("config.json", read_config), ("results.json", Results.read)):
        put_pipe(tmp_path / name)
        with pytest.raises(IebenchError):
            read(tmp_path)
