"""A picture that cannot be written says why, and what would help."""

import errno
import os
from pathlib import Path

import pytest
from PIL import Image

from iebench.errors import UsageError
from iebench.pictures import save_picture


@pytest.mark.parametrize(
    ("name", "mend"),
    [("a.xyz", r"ends in \.jpg or \.png"), ("file/a.png", "where there is room")],
)
def test_the_mend_is_that_of_the_fault(tmp_path: Path, name: str, mend: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=mend):
        save_picture(Image.new("RGB", (2, 2)), tmp_path / name)


def test_a_full_disk_is_no_matter_of_the_suffix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def save(self, path, *_, **__):
        path.write_bytes(b"a part of it")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Image.Image, "save", save)
    (tmp_path / "a.png").write_bytes(b"an older picture")
    with pytest.raises(UsageError, match=r"No space left.*where there is room"):
        save_picture(Image.new("RGB", (2, 2)), tmp_path / "a.png")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"an older picture"]
