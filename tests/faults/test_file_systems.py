"""File systems that cannot lock, cannot sync a folder, or may only be read; and two that write one file."""

import errno
import fcntl
import os
import stat

import pytest

from iebench import locks
from iebench.dataset import remote
from iebench.dataset.reader import Dataset
from iebench.errors import IebenchError, UsageError
from iebench.files import sync, whole_file, write_whole
from iebench.growing import growing
from iebench.locks import locked


def fail(number):
    raise OSError(number, os.strerror(number))


@pytest.mark.parametrize("number", locks.NO_LOCKS)
def test_without_locks_everything_goes_on(drawn_dataset, tmp_path, monkeypatch, number):
    pytest.importorskip("fsspec")
    monkeypatch.setenv("IEBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(fcntl, "flock", lambda *_: fail(number))
    with growing(tmp_path / "out", "merge") as root:
        write_whole(root / "a", "whole")
    assert Dataset(f"file://{drawn_dataset}").read_jpeg(0, 0) == Dataset(drawn_dataset).read_jpeg(0, 0)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.suffix in (".lock", ".partial")) == []
    remote.evict(tmp_path / "cache", 0)
    assert not list(tmp_path.glob("cache/*/*/*.tar"))


def test_what_cannot_be_locked_is_told_in_its_own_words(tmp_path, monkeypatch):
    monkeypatch.setattr(fcntl, "flock", lambda *_: fail(errno.EIO))
    with pytest.raises(IebenchError, match=r"out\.lock cannot be locked \(.*\): choose a folder on another"):
        locked(tmp_path / "out", "merge").__enter__()
    assert not list(tmp_path.iterdir())


def test_a_holder_cannot_speak_to_the_terminal(tmp_path):
    descriptor = os.open(tmp_path / "out.lock", os.O_RDWR | os.O_CREAT)
    os.write(descriptor, b"\x1b]0;owned\x07")
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(UsageError, match=r"another \\x1b\]0;owned\\x07: wait"):
        locked(tmp_path / "out", "merge").__enter__()
    os.close(descriptor)


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EBADF, errno.ENOTSUP, errno.EACCES])
def test_a_folder_that_cannot_be_synced_is_no_fault(tmp_path, monkeypatch, number):
    plain = os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: fail(number) if stat.S_ISDIR(os.fstat(file).st_mode) else plain(file))
    write_whole(tmp_path / "a", "whole", lasting=True)
    monkeypatch.setattr(os, "fsync", lambda file: fail(number))
    with pytest.raises(OSError, match=os.strerror(number)):
        sync(tmp_path / "a")


def test_two_that_write_one_file_do_not_break_each_other(tmp_path):
    with whole_file(tmp_path / "a") as first:
        first.write_text("first")
        with whole_file(tmp_path / "a") as second:
            second.write_text("second")
        assert (tmp_path / "a").read_text() == "second" and first.read_text() == "first"
        with pytest.raises(OSError, match=r"Input/output"), whole_file(tmp_path / "a"):
            fail(errno.EIO)
    assert [path.name for path in tmp_path.iterdir()] == ["a"] and (tmp_path / "a").read_text() == "first"


def test_what_a_killed_writer_has_left_is_replaced(tmp_path):
    child = os.fork()
    if not child:
        with whole_file(tmp_path / "a") as partial:
            partial.write_text("half")
            os._exit(0)
    os.waitpid(child, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["a.partial"]
    write_whole(tmp_path / "a", "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_complete_cache_is_read_without_writing(drawn_dataset, tmp_path, monkeypatch):
    pytest.importorskip("fsspec")
    monkeypatch.setenv("IEBENCH_CACHE", str(tmp_path / "cache"))
    url, here = f"file://{drawn_dataset}", Dataset(drawn_dataset)
    views = [Dataset(url).read_jpeg(index, 0) for index in range(here.num_objects)]
    monkeypatch.setattr(remote, "locked", lambda *_, **__: fail(errno.EROFS))
    monkeypatch.setattr(os, "utime", lambda *_: fail(errno.EROFS))
    assert [Dataset(url).read_jpeg(index, 0) for index in range(here.num_objects)] == views


def test_a_cache_that_cannot_be_written_names_its_variable(drawn_dataset, tmp_path, monkeypatch):
    pytest.importorskip("fsspec")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("IEBENCH_CACHE", str(tmp_path / "file"))
    with pytest.raises(IebenchError, match="name a folder that can be written to by IEBENCH_CACHE"):
        Dataset(f"file://{drawn_dataset}")
