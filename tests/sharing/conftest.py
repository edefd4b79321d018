"""A hub of one's own."""

from collections.abc import Iterator

import pytest
from hub_server import TOKEN, Hub, serving


@pytest.fixture
def hub(tmp_path, monkeypatch) -> Iterator[Hub]:
    """A hub at which huggingface_hub looks, with the token of its login; the cache is empty."""
    pytest.importorskip("aiohttp")
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setenv("IEBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with serving(Hub()) as running:
        monkeypatch.setattr(constants, "ENDPOINT", running.url)
        template = running.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        yield running
