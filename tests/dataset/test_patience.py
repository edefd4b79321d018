"""A busy server is waited for as long as it asks, and no longer than anyone wants to wait."""

import http.server
import threading
import types
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import ClassVar

import pytest

from iebench.dataset import patience
from iebench.dataset.patience import FIRST_SECONDS, TRIES, patiently
from iebench.dataset.reader import Dataset
from iebench.errors import IebenchError
from iebench.limits import MAX_WAIT_SECONDS


class Busy(Exception):
    """What aiohttp raises, in short."""

    def __init__(self, status, headers=None):
        super().__init__(f"HTTP {status}")
        self.status, self.headers = status, headers


def ask(refusals, then="content"):
    """What comes after some refusals, and the seconds that were waited between."""
    waited, answers = [], iter(refusals)

    def attempt():
        for refusal in answers:
            try:
                raise refusal
            except (Busy, Answered) as error:
                raise FileNotFoundError("as fsspec says it") from error
        return then

    return patiently(attempt, "https://example.org/x", waited.append), waited


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_server_is_asked_again_after_longer_and_longer_times(status):
    content, waited = ask([Busy(status)] * (TRIES - 1))
    assert content == "content"
    for number, seconds in enumerate(waited):
        assert 0.5 <= seconds / (FIRST_SECONDS * 2**number) <= 1


class Answered(Exception):
    """What requests, huggingface_hub and botocore raise, in short: an error with the server's answer."""

    def __init__(self, response):
        super().__init__("busy")
        self.response = response


@pytest.mark.parametrize(
    "answer",
    [
        types.SimpleNamespace(status_code=429, headers={"Retry-After": "17"}),
        {"ResponseMetadata": {"HTTPStatusCode": 503, "HTTPHeaders": {"retry-after": "17"}}},
    ],
)
def test_a_busy_server_is_known_from_every_client(answer):
    content, waited = ask([Answered(answer)])
    assert content == "content" and 17 <= waited[0] <= 17 + FIRST_SECONDS


def test_it_is_left_alone_as_long_as_it_asks(monkeypatch):
    now = datetime(2024, 2, 29, 12, tzinfo=UTC)
    monkeypatch.setattr(patience, "_now", lambda: now)
    date = format_datetime(now + timedelta(seconds=30), usegmt=True)
    _, waited = ask(
        [Busy(429, {"Retry-After": "17"}), Busy(503, {"Retry-After": date}), Busy(429, {"Retry-After": "x"})]
    )
    assert (
        17 <= waited[0] <= 17 + FIRST_SECONDS
        and 30 <= waited[1] <= 30 + FIRST_SECONDS
        and waited[2] <= FIRST_SECONDS * 4
    )


@pytest.mark.parametrize("asked", [str(int(MAX_WAIT_SECONDS) + 1), "9" * 30])
def test_nobody_waits_for_ever(asked):
    with pytest.raises(IebenchError, match="too busy") as found:
        ask([Busy(429, {"Retry-After": asked})])
    assert "try again in" in str(found.value)
    with pytest.raises(IebenchError, match="too busy"):
        ask([Busy(503)] * TRIES)


def test_other_errors_are_not_repeated():
    with pytest.raises(FileNotFoundError):
        ask([Busy(404)])


class BusyServer(http.server.SimpleHTTPRequestHandler):
    """Refuses the first requests of each file."""

    requests: ClassVar[Counter] = Counter()
    retry_after = "0"

    def do_GET(self):
        BusyServer.requests[self.path] += 1
        if BusyServer.requests[self.path] > 3:
            return super().do_GET()
        self.send_response(429)
        self.send_header("Retry-After", self.retry_after)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


def test_a_dataset_comes_from_a_server_that_limits_its_clients(drawn_dataset, tmp_path, monkeypatch):
    pytest.importorskip("aiohttp")
    monkeypatch.setenv("IEBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(patience, "FIRST_SECONDS", 0.01)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(BusyServer, directory=drawn_dataset))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        remote = Dataset(f"http://127.0.0.1:{server.server_port}")
        assert remote.read_jpeg(0, 0) == Dataset(drawn_dataset).read_jpeg(0, 0)
        BusyServer.retry_after, BusyServer.requests = "100000", Counter()
        with pytest.raises(IebenchError, match="too busy"):
            Dataset(f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
