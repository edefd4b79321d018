"""A server that sends without end: nothing is fetched beyond what a card promises or may be."""

import http.server
import os
import shutil
import threading
from functools import partial
from pathlib import Path

import pytest

from iebench.dataset.card import CARD
from iebench.dataset.reader import Dataset
from iebench.errors import IebenchError

pytest.importorskip("fsspec")
pytest.importorskip("aiohttp")
GIB = 2**30


class Server(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, silently."""

    def log_message(self, *_):
        pass


@pytest.fixture
def served(drawn_dataset, tmp_path, monkeypatch):
    """A copy of a dataset and its URL."""
    monkeypatch.setenv("IEBENCH_CACHE", str(tmp_path / "cache"))
    root = Path(shutil.copytree(drawn_dataset, tmp_path / "data"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Server, directory=root))
    server.handle_error = lambda *_: None  # we hang up
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield root, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_file_that_does_not_end_where_its_card_says_is_left(served, tmp_path):
    root, url = served
    os.truncate(root / "objects.csv", 4 * GIB)  # sparse: it takes no room
    with pytest.raises(IebenchError, match=r"objects\.csv is larger than"):
        Dataset(url)
    assert sum(path.stat().st_size for path in (tmp_path / "cache").rglob("*") if path.is_file()) < 2**20


def test_a_card_without_end_is_left(served, monkeypatch):
    root, url = served
    monkeypatch.setattr("iebench.dataset.remote.MAX_CARD_BYTES", 2**20)
    os.truncate(root / CARD, 4 * GIB)
    with pytest.raises(IebenchError, match=r"dataset\.json is larger than"):
        Dataset(url)
