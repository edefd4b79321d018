"""Datasets at a URL: files are fetched once into a cache, checked, shared by all processes, and evicted by size.

`IEBENCH_CACHE` names the folder, `IEBENCH_CACHE_GB` how much it may hold (50 by default). fsspec opens the URLs: `https://` needs
aiohttp, `s3://` s3fs. A `hf://` URL is pinned to a commit when it is opened, and its files are fetched by https: see `hub`.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from iebench.dataset.card import CARD, DatasetCard, digest_card
from iebench.dataset.card_parts import FileEntry
from iebench.dataset.hub import file_request, hub_error, is_hub, pin, unpinned
from iebench.dataset.patience import patiently
from iebench.errors import IebenchError, UsageError
from iebench.files import ByteStream, whole_file, write_whole
from iebench.limits import MAX_CARD_BYTES
from iebench.locks import flock, locked
from iebench.untrusted import FAULTS, parse_json, tell

ATTEMPTS = 3
_MEND = "name a folder that can be written to by IEBENCH_CACHE"
_CHUNK = 2**20


def is_remote(location: str | os.PathLike[str]) -> bool:
    """Whether a dataset's location is a URL and not a folder."""
    return "://" in str(location)


def cache_folder() -> Path:
    """Where fetched files lie."""
    return Path(os.environ.get("IEBENCH_CACHE") or Path.home() / ".cache" / "iebench")


def cache_bytes() -> int:
    """How much the cache may hold.

    Raises:
        UsageError: IEBENCH_CACHE_GB is no number.
    """
    text = os.environ.get("IEBENCH_CACHE_GB", "50")
    try:
        return int(float(text) * 1e9)
    except ValueError:
        raise UsageError(
            f"IEBENCH_CACHE_GB={text!r} is no number: give the gigabytes that the cache may hold."
        ) from None


class RemoteFolder:
    """The files of a remote dataset, each fetched when it is first needed.

    Attributes:
        url: of the dataset, of the hub's with the commit.
        root: the folder of the cache that stands for it; another version of the dataset has another one.
        card: what it is.
    """

    def __init__(self, url: str) -> None:
        """Fetch the card.

        Raises:
            IebenchError: the URL cannot be read, or holds no dataset.
            UsageError: the dataset is larger than the cache may be.
        """
        self.url = pinned(url)
        content = fetch_card(self.url)
        self.root = cache_folder() / _short(unpinned(self.url)) / _short(content.decode("utf-8", "replace"))
        if not (self.root / CARD).exists():
            self._keep_card(content)
        self.card = DatasetCard.read(self.root)
        self._files = self.card.all_files
        total = sum(file.bytes for file in self._files.values())
        if total > cache_bytes():
            raise UsageError(
                f"{self.url} has {total / 1e9:.1f} GB, and the cache may hold {cache_bytes() / 1e9:.1f}: "
                "raise IEBENCH_CACHE_GB, or read it once through with PairStream."
            )

    def _keep_card(self, content: bytes) -> None:
        with locked(self.root / CARD, "download", waits=True, tells=False, mend=_MEND):
            if not (self.root / CARD).exists():
                write_whole(self.root / CARD, content)

    def fetch(self, name: str) -> Path:
        """The local copy of a file, fetched by the first process that asks for it while others wait.

        Raises:
            IebenchError: it cannot be fetched, or is never what the card says.
        """
        path = self.root / name
        if not path.exists():
            self._fetch_missing(name, path)
        with suppress(OSError):  # a cache that may only be read
            os.utime(path)  # the time of last use, by which files are evicted
        return path

    def _fetch_missing(self, name: str, path: Path) -> None:
        with locked(path, "download", waits=True, tells=False, mend=_MEND):
            if not path.exists():  # nor has another process fetched it meanwhile
                evict(cache_folder(), cache_bytes() - self._files[name].bytes)
                self._download(name, path)

    def _download(self, name: str, path: Path) -> None:
        url, told = f"{self.url}/{name}", self._files[name]
        for attempt in range(ATTEMPTS):
            try:
                with whole_file(path) as partial:
                    if _copy(url, partial, told.bytes) != FileEntry(told.bytes, told.sha256):
                        raise IebenchError(
                            f"{url} is never what its card says, by its length or SHA-256: tell who publishes it."
                        )
                return
            except IebenchError:
                if attempt == ATTEMPTS - 1:
                    raise


def pinned(url: str) -> str:
    """A URL whose content stays, see `hub.pin`.

    Raises:
        IebenchError: the hub does not have it, cannot be reached, or huggingface_hub is not installed.
    """
    try:
        return pin(url)
    except ImportError as error:
        raise _missing_package(url, error) from None


def fetch_bytes(url: str, limit: int) -> bytes:
    """A whole file at a URL, of at most `limit` bytes.

    Raises:
        IebenchError: it cannot be read, or is larger.
    """
    with open_url(url) as stream:
        return _read_whole(stream, url, limit)


def fetch_file(url: str, path: Path, limit: int) -> None:
    """Fetch a file of at most `limit` bytes once, whose URL always means the same; others wait for the first.

    Raises:
        IebenchError: it cannot be fetched, or is larger.
    """
    with locked(path, "download", waits=True, tells=False, mend=_MEND):
        if not path.exists():
            with whole_file(path) as partial:
                _copy(url, partial, limit)


def fetch_card(url: str) -> bytes:
    """The card of a remote dataset, as it arrives whole.

    Raises:
        IebenchError: the URL cannot be read, or holds no card that its own digest fits.
    """
    for _ in range(ATTEMPTS):
        content = fetch_bytes(f"{url}/{CARD}", MAX_CARD_BYTES)
        with suppress(*FAULTS):
            value = parse_json(content)
            if value.get("digest") == digest_card(value):
                return content
    raise IebenchError(f"{url}/{CARD} is no card of a dataset, or was changed: look at it in a browser.")


def evict(folder: Path, limit: int) -> None:
    """Remove the shards that were used longest ago until the rest has no more than `limit` bytes. Those in use stay.

    Whatever else lies in the folder is not touched, nor counted.
    """
    roots = (path.parent for path in folder.glob(f"*/*/{CARD}") if _is_ours(path))
    files = sorted(
        (path for root in roots for path in root.iterdir() if path.suffix in (".tar", ".npy")), key=_last_use
    )
    total = sum(_size(path) for path in files)
    for path in files:
        if total <= limit:
            return
        size = _size(path)
        if path.suffix == ".tar" and _remove_unused(path):
            total -= size


def _is_ours(card: Path) -> bool:
    """Whether we have made the folder of a card in the cache: we name it after the card's hash."""
    with suppress(OSError):
        return card.parent.name == _short(card.read_bytes().decode("utf-8", "replace"))
    return False


@contextmanager
def open_url(url: str) -> Iterator[ByteStream]:
    """A file at a URL, or a local one, as a stream.

    Raises:
        IebenchError: it cannot be opened, or what fsspec needs for it is not installed.
    """
    try:
        file = patiently(lambda: _open(url), url)
    except IebenchError:
        raise
    except ImportError as error:
        raise _missing_package(url, error) from None
    except Exception as error:  # every file system of fsspec has errors of its own
        if is_hub(url):
            raise hub_error(url, error) from None
        raise IebenchError(
            f"{url} cannot be opened ({tell(error)}): look at the address, and at the network."
        ) from None
    with closing(file):
        yield file


def _missing_package(url: str, error: ImportError) -> IebenchError:
    extra = "hub" if is_hub(url) else "remote"
    return IebenchError(f"{url} cannot be opened ({error}): pip install 'iebench[{extra}]', and what it names.")


def _copy(url: str, target: Path, size: int) -> FileEntry:
    """Fetch a file of so many bytes; returns what came."""
    digest, length = hashlib.sha256(), 0
    with open_url(url) as stream, target.open("wb") as file:
        for chunk in _chunks(stream, url, size):
            length += len(chunk)
            digest.update(chunk)
            file.write(chunk)
    return FileEntry(length, digest.hexdigest())


def _read_whole(stream: ByteStream, url: str, limit: int) -> bytes:
    return b"".join(_chunks(stream, url, limit))


def _chunks(stream: ByteStream, url: str, limit: int) -> Iterator[bytes]:
    """All that comes, which is no more than it may be.

    Raises:
        IebenchError: it is, or the connection broke off.
    """
    while chunk := _read(stream, url):
        limit -= len(chunk)
        if limit < 0:
            raise IebenchError(f"{url} is larger than it may be, or than its card says: tell who publishes it.")
        yield chunk


def _read(file: ByteStream, url: str) -> bytes:
    try:
        return file.read(_CHUNK)
    except Exception as error:  # every file system of fsspec has errors of its own
        raise IebenchError(f"{url} broke off ({tell(error)}): try again.") from None


def _open(url: str) -> ByteStream:
    if not is_remote(url):
        return Path(url).open("rb")
    import fsspec

    url, headers = file_request(url) if is_hub(url) else (url, {})
    return fsspec.open(url, "rb", **_stream_settings(url, headers)).open()


def _stream_settings(url: str, headers: dict[str, str]) -> dict[str, Any]:
    """One request for the whole file, which may take long but not stand still; by itself fsspec asks for range after range."""
    if not url.startswith(("http://", "https://")):
        return {}
    from aiohttp import ClientTimeout

    timeout = ClientTimeout(total=None, sock_connect=30, sock_read=60)
    return {"block_size": 0, "headers": headers, "client_kwargs": {"timeout": timeout}}


def _remove_unused(path: Path) -> bool:
    """Remove a shard unless some process has it open, which holds a shared lock on it."""
    with suppress(OSError), path.open("rb") as file:
        flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
        return True
    return False


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _last_use(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0
