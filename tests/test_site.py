"""The documentation as a site: strict, and alone with its reader."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import CODE, ROOT, copy_checkout

# What a browser fetches by itself; links in the text are the reader's to follow.
OTHER_HOST = r"=[\"']?(?:https?:)?//[^\s\"'>]+"
FETCHED = re.compile(rf"<(?:script|img|iframe|source)[^>]+src{OTHER_HOST}|<link[^>]+href{OTHER_HOST}")
STYLED = re.compile(r"(?:url\(|@import\s*)[\"']?(?:https?:)?//[^\s\"')]+")


def build(folder: Path, config: Path) -> subprocess.CompletedProcess:
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--config-file",
        str(config),
        "--site-dir",
        str(folder),
    ]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)


@pytest.mark.slow
def test_the_site_is_whole_and_asks_no_other_host(tmp_path):
    told = build(tmp_path, ROOT / "mkdocs.yml")
    assert told.returncode == 0, told.stderr
    assert "PairDataset" in (tmp_path / "reference" / "datasets" / "index.html").read_text()
    for pattern, suffix in ((FETCHED, "html"), (STYLED, "css")):
        for path in tmp_path.rglob(f"*.{suffix}"):
            assert not pattern.findall(path.read_text(encoding="utf-8")), path


@pytest.mark.slow
def test_broken_links_and_missing_names_fail(tmp_path):
    """A link to a page, to an anchor, to a file of the repository, and a public name without an entry."""
    copy_checkout(tmp_path, (*CODE, "docs", "mkdocs.yml"))
    page = tmp_path / "docs" / "install.md"
    page.write_text(page.read_text() + "\n[a](nowhere.md) [b](scene.md#nowhere) [c](../render/nowhere.py)\n")
    reference = tmp_path / "docs" / "reference" / "datasets.md"
    reference.write_text(reference.read_text().replace("::: iebench.PairStream", ""))
    told = build(tmp_path / "site", tmp_path / "mkdocs.yml")
    assert told.returncode == 1
    for what in (
        "nowhere.md",
        "#nowhere",
        "../render/nowhere.py, which does not exist",
        "iebench.PairStream is public",
    ):
        assert what in told.stderr, what
