"""Archives that are read are whole, and what is written is whole, and not through a link."""

import errno
import os
import tarfile
from pathlib import Path

import pytest
from drawn_work import score

from iebench.dataset.exporter import export_layout
from iebench.dataset.importer import import_layout
from iebench.dataset.reader import Dataset
from iebench.errors import IebenchError


@pytest.fixture
def loose(drawn_dataset, tmp_path):
    export_layout(Dataset(drawn_dataset), tmp_path / "loose")
    with tarfile.open(tmp_path / "whole.tar", "w") as file:
        for path in sorted((tmp_path / "loose").glob("*/*/*")):
            file.add(path, f"3DIEBench/{path.relative_to(tmp_path / 'loose')}")
    return tmp_path / "loose"


def test_a_tar_that_is_cut_between_members(loose, tmp_path):
    with tarfile.open(tmp_path / "whole.tar") as file:
        borders = [member.offset for member in file]
    content = (tmp_path / "whole.tar").read_bytes()
    for border in borders[1 :: len(borders) // 12]:
        (tmp_path / "cut.tar").write_bytes(content[:border])
        with pytest.raises(IebenchError, match=r"cut\.tar is damaged or cut short \(its end is missing\)"):
            import_layout(tmp_path / "cut.tar", tmp_path / "out", lists=loose)
        assert not (tmp_path / "out").exists() and not (tmp_path / "out.partial").exists()


def test_two_tars_that_were_joined(loose, tmp_path):
    content = (tmp_path / "whole.tar").read_bytes()
    (tmp_path / "twice.tar").write_bytes(content + content)
    with pytest.raises(IebenchError, match="more follows its end"):
        import_layout(tmp_path / "twice.tar", tmp_path / "out", lists=loose)
    for number, more in enumerate((bytes(2**20), b"\n", b"\0" * 5 + b"signature")):
        (tmp_path / "padded.tar").write_bytes(content + more)
        import_layout(tmp_path / "padded.tar", tmp_path / f"out-{number}", lists=loose)


def test_a_plot_and_a_gallery_are_never_half_written(tmp_path, monkeypatch):
    from iebench.report.plots import Picture

    (tmp_path / "a.svg").write_text("an older plot")

    def fail(self, content, *_, **__):
        with self.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", fail)
    monkeypatch.setattr(Path, "write_text", lambda self, text, **_: fail(text.encode()))
    with pytest.raises(OSError, match="No space"):
        Picture("a", "<svg>…</svg>", "a plot").write(tmp_path)
    monkeypatch.undo()
    assert (tmp_path / "a.svg").read_text() == "an older plot" and len(list(tmp_path.iterdir())) == 1


def test_a_run_of_somebody_else_may_hold_links(drawn_dataset, tmp_path):
    """Evaluating in its folder writes to none of the files to which they lead."""
    (tmp_path / "dear").write_text("mine")
    run = tmp_path / "run"
    run.mkdir()
    for name in ("results.json", "results.json.partial", "gallery.npz", "gallery.npz.partial"):
        (run / name).symlink_to(tmp_path / "dear")
    (run / "results.json").unlink()
    score(drawn_dataset, run)
    assert (tmp_path / "dear").read_text() == "mine"
    (run / "results.json.lock").symlink_to(tmp_path / "dear")
    with pytest.raises(IebenchError, match=r"results\.json\.lock cannot be made"):
        score(drawn_dataset, run)
    assert (tmp_path / "dear").read_text() == "mine"
