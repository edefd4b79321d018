"""Remote datasets, from a real HTTP server that once sends a wrong byte."""

import http.server
import os
import subprocess
import sys
import threading
from collections import Counter
from functools import partial
from typing import ClassVar

import numpy as np
import pytest
import torch

from iebench.dataset.reader import Dataset
from iebench.dataset.remote import cache_folder, evict
from iebench.errors import IebenchError, UsageError
from iebench.loader.pairs import PairDataset
from iebench.loader.stream import PairStream

pytest.importorskip("fsspec")
pytest.importorskip("aiohttp")


class Server(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; the first transfers of the files in `corrupt` have one byte altered, or are cut."""

    requests: ClassVar[Counter] = Counter()
    corrupt: ClassVar[dict] = {}
    counting: ClassVar = threading.Lock()

    def do_GET(self):
        name = self.path.rsplit("/", 1)[-1]
        with Server.counting:
            Server.requests[name] += 1
        if Server.corrupt.get(name, 0) < Server.requests[name]:
            return super().do_GET()
        with self.send_head() as file:
            content = bytearray(file.read())
        if Server.requests[name] == 1:
            content[len(content) // 2] ^= 1
        else:
            content = content[: len(content) // 2]
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def url(drawn_dataset, tmp_path, monkeypatch):
    monkeypatch.setenv("IEBENCH_CACHE", str(tmp_path / "cache"))
    Server.requests, Server.corrupt = Counter(), {}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Server, directory=drawn_dataset))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def read_all(location, **settings):
    pairs = PairDataset(location, "all", **settings)
    return pairs.read_batch(np.arange(len(pairs)))


def test_a_remote_dataset_is_the_local_one_and_fetched_once(url, drawn_dataset):
    local, remote = read_all(drawn_dataset), read_all(url)
    assert all(torch.equal(a, b) for a, b in zip(local, remote, strict=True))
    read_all(url)
    counts = {name: count for name, count in Server.requests.items() if name != "dataset.json"}
    assert set(counts.values()) == {1} and "train-000000.tar" in counts


def test_transfers_that_go_wrong_are_made_again(url, drawn_dataset):
    Server.corrupt = {"train-000000.tar": 2, "dataset.json": 1, "latents.npy": 1}
    assert torch.equal(read_all(url).source, read_all(drawn_dataset).source)
    assert Server.requests["train-000000.tar"] == 3 and Server.requests["latents.npy"] == 2


def test_what_never_arrives_whole_is_an_error_that_names_it(url):
    Server.corrupt = {"val-000000.tar": 99}
    with pytest.raises(IebenchError, match=r"val-000000\.tar"):
        read_all(url)
    assert not list(cache_folder().glob("*/*/*.partial"))
    with pytest.raises(IebenchError, match="cannot be opened"):
        Dataset(url + "/nowhere")


READ_ALL = """
import sys
from iebench.dataset.reader import Dataset
dataset = Dataset(sys.argv[1])
print(sum(len(dataset.read_jpeg(index, 0)) for index in range(dataset.num_objects)))
"""


@pytest.mark.slow
def test_many_processes_share_one_transfer(url, drawn_dataset, start):
    command, settings = [sys.executable, "-c", READ_ALL, url], {"PYTHONPATH": os.pathsep.join(sys.path)}
    processes = [start(command, settings, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    told = {process.communicate()[0].strip() for process in processes}
    assert told == {str(Dataset(drawn_dataset).offsets[:, 0, 1].sum())}
    assert Server.requests["train-000000.tar"] == 1


@pytest.mark.slow
def test_workers_fetch_for_themselves(url, drawn_dataset):
    batches = [list(PairDataset(path).loader(4, 2)) for path in (url, drawn_dataset)]
    assert all(torch.equal(a.target, b.target) for a, b in zip(*batches, strict=True))


def test_what_was_used_longest_ago_is_evicted_and_what_is_in_use_stays(url):
    dataset = Dataset(url)
    dataset.read_jpeg(0, 0)
    for name in ("train-000001.tar", "val-000000.tar"):
        dataset.locate(name)
    shards = lambda: {path.name for path in cache_folder().glob("*/*/*.tar")}  # noqa: E731
    total = sum(path.stat().st_size for path in cache_folder().glob("*/*/*") if path.suffix in (".tar", ".npy"))
    evict(cache_folder(), total - 1)
    assert shards() == {"train-000000.tar", "val-000000.tar"}
    evict(cache_folder(), 0)
    assert shards() == {"train-000000.tar"}
    assert dataset.read_jpeg(0, 0) and dataset.read_jpeg(dataset.num_objects - 1, 0)


def test_a_dataset_that_the_cache_cannot_hold_is_refused_at_once(url, monkeypatch):
    monkeypatch.setenv("IEBENCH_CACHE_GB", "0.00001")
    with pytest.raises(UsageError, match="IEBENCH_CACHE_GB"):
        Dataset(url)
    assert len(PairStream(url, "val").card.shards) > 0
    monkeypatch.setenv("IEBENCH_CACHE_GB", "much")
    with pytest.raises(UsageError, match="is no number"):
        Dataset(url)


def test_a_remote_stream_keeps_nothing(url, drawn_dataset):
    read = torch.cat([batch.object_index for batch in PairStream(url, "train", batch_size=4)])
    assert sorted(read.tolist()) == Dataset(drawn_dataset).split_indices("train").tolist()
    assert not list(cache_folder().glob("**/*.tar"))
