"""Runs on the hub: fetched once into the cache, a folder for each commit."""

import hashlib
from pathlib import Path

from iebench.dataset.hub import FORMS, HubAddress
from iebench.dataset.remote import cache_folder, fetch_file, pinned
from iebench.errors import UsageError
from iebench.limits import MAX_JSON_BYTES, MAX_WEIGHTS_BYTES
from iebench.models.shared_weights import WEIGHTS
from iebench.untrusted import read_json, refusals

_CONFIG = "config.json"


def fetch_run(url: str) -> Path:
    """The local copy of a run on the hub, such as hf://ORG/NAME@REVISION.

    Raises:
        UsageError: it is no address of a run, or a model of another library lies there.
        IebenchError: it cannot be fetched, or is larger than a run may be.
    """
    address = HubAddress.parse(url)
    if address.kind != "model":
        raise UsageError(f"{url} is no run: {FORMS}.")
    url = pinned(url)
    folder = cache_folder() / "runs" / hashlib.sha256(url.encode()).hexdigest()[:16] / address.name.replace("/", "--")
    fetch_file(f"{url}/{_CONFIG}", folder / _CONFIG, MAX_JSON_BYTES)
    with refusals(folder / _CONFIG, "remove it"):
        is_run = "method" in read_json(folder / _CONFIG)
    if not is_run:  # told before gigabytes of weights are fetched
        raise UsageError(f"{url} is no run of iebench: score a network of the hub by --model hf:{address.name}.")
    fetch_file(f"{url}/{WEIGHTS}", folder / WEIGHTS, MAX_WEIGHTS_BYTES)
    return folder
