"""Runs on the hub: fetched once into the cache, a folder for each commit."""

import hashlib
from pathlib import Path

from iebench.dataset.hub import FORMS, HubAddress
from iebench.dataset.remote import cache_folder, fetch_file, pinned
from iebench.errors import UsageError
from iebench.limits import MAX_JSON_BYTES, MAX_WEIGHTS_BYTES
from iebench.models.shared_weights import WEIGHTS

FILES = {"config.json": MAX_JSON_BYTES, WEIGHTS: MAX_WEIGHTS_BYTES}


def fetch_run(url: str) -> Path:
    """The local copy of a run on the hub, such as hf://ORG/NAME@REVISION.

    Raises:
        UsageError: it is no address of a run.
        IebenchError: it cannot be fetched, or is larger than a run may be.
    """
    address = HubAddress.parse(url)
    if address.kind != "model":
        raise UsageError(f"{url} is no run: {FORMS}.")
    url = pinned(url)
    folder = cache_folder() / "runs" / hashlib.sha256(url.encode()).hexdigest()[:16] / address.name.replace("/", "--")
    for name, limit in FILES.items():
        fetch_file(f"{url}/{name}", folder / name, limit)
    return folder
