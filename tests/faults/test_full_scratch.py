"""Where there is no room: an object that is too large for the memory goes to the disk, and only a full output ends a render."""

import errno
import io
import json
import os
import sys
import types
from collections import namedtuple
from dataclasses import asdict
from pathlib import Path

import pytest

from iebench.factors.space import get_space
from iebench.render import scratch as scratch_module
from iebench.render import worker
from iebench.render.quality import get_quality
from iebench.render.worker import Task, WorkerSettings, describe_fault

Usage = namedtuple("Usage", "total used free")


def full(path):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def missing():
    raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Folders that stand for the memory and for the disk."""
    memory, disk = tmp_path / "memory", tmp_path / "disk"
    for folder in (memory, disk):
        folder.mkdir()
    monkeypatch.setattr(scratch_module, "MEMORY", memory)
    monkeypatch.setenv("TMPDIR", str(disk))
    monkeypatch.setattr("tempfile.tempdir", None)
    return memory, disk


@pytest.fixture
def serve(tmp_path, monkeypatch):
    """Run the worker on objects that take so much: "small", "large" (for the memory) or "huge" (for the disk too)."""
    scratch, disk = tmp_path / "scratch", tmp_path / "disk"
    scratch.mkdir()

    def render_object(settings, source, stage, task, work, ends):
        (work / "object.obj").write_text(task.object_id)
        if task.object_id == "huge" or (task.object_id == "large" and work.parent == scratch):
            full(work / "object.obj")
        return task.object_id.encode(), []

    def serve(*objects, out=tmp_path):
        tasks = [Task("03797390", name, 37, [[0.0]], str(out / f"{name}.tar")) for name in objects]
        monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(json.dumps(asdict(task)) for task in tasks)))
        settings = WorkerSettings("procedural", get_space("3diebench"), 16, get_quality("preview"))
        with (tmp_path / "replies").open("w") as replies:
            worker._serve(settings, scratch, disk, replies)
        assert not list(scratch.iterdir()) and not disk.exists()
        return [json.loads(line) for line in (tmp_path / "replies").read_text().splitlines()][1:]

    stage = types.SimpleNamespace(device="none")
    blender = types.SimpleNamespace(Stage=lambda *_, **settings: stage, blender_version=lambda: "none")
    monkeypatch.setitem(sys.modules, "iebench.render.blender", blender)
    monkeypatch.setattr(worker, "open_source", lambda *_: None)
    monkeypatch.setattr(worker, "render_object", render_object)
    monkeypatch.setattr(os, "ftruncate", lambda *_: None)
    return serve


def test_an_object_without_room_in_memory_is_rendered_on_the_disk(serve, tmp_path):
    replies = serve("small", "large", "small")
    assert all("done" in reply for reply in replies) and (tmp_path / "large.tar").read_bytes() == b"large"


def test_an_object_without_any_room_fails_alone_and_says_the_same_each_time(serve):
    replies = serve("huge", "small", "huge")
    assert [list(reply) for reply in replies] == [["failed"], ["done"], ["failed"]]
    assert replies[0] == replies[2] == {"failed": "no space is left for object.obj"}


def test_a_full_output_ends_the_render(serve, monkeypatch):
    monkeypatch.setattr(worker, "write_sample", lambda path, *_: full(path))
    with pytest.raises(OSError, match="No space left"):
        serve("small", "small")


@pytest.mark.parametrize(("free", "in_memory"), [(64 << 20, False), (8 << 30, True)])
def test_a_containers_memory_is_too_small_for_scratch(places, monkeypatch, free, in_memory):
    memory, disk = places
    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage(free, 0, free))
    with scratch_module.scratch_folder() as scratch:
        assert scratch.parent == (memory if in_memory else disk)
    assert not list(memory.iterdir()) and not list(disk.iterdir())


def test_only_what_a_killed_render_has_left_is_removed(places):
    for folder in places:
        (folder / "iebench-2024-runs").mkdir()
        (folder / "iebench-2024-runs" / "last.ckpt").write_text("dear")
        child = os.fork()
        if not child:
            with scratch_module.own_folder(folder / "iebench-1-left"):
                os._exit(0)
        os.waitpid(child, 0)
        assert (folder / "iebench-1-left").exists()
    with scratch_module.scratch_folder() as living, scratch_module.scratch_folder():
        assert living.exists()
    assert [path.name for folder in places for path in folder.iterdir()] == ["iebench-2024-runs"] * 2


def test_without_a_folder_for_temporary_files_memory_is_enough(places, monkeypatch):
    monkeypatch.setattr("tempfile.gettempdir", missing)
    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage(8 << 30, 0, 8 << 30))
    with scratch_module.scratch_folder() as scratch:
        assert scratch.parent == places[0] and scratch_module.spare_path(scratch).parent == scratch


def test_a_reason_names_no_folder_of_this_run():
    error = OSError(errno.ENOSPC, "No space", "/tmp/iebench-5-x/object-3/a/b.png")
    assert describe_fault(error, Path("/dev/shm/y"), Path("/tmp/iebench-5-x")) == "no space is left for a/b.png"
