"""OUT.partial belongs to the command that began it, and the inputs of a command to nobody but their owner."""

import errno
import os
from functools import partial
from pathlib import Path

import pytest
from crash_points import read_folder
from drawn_work import draw, small_job

from iebench import growing as growing_module
from iebench.dataset.exporter import export_layout
from iebench.dataset.reader import Dataset
from iebench.errors import IebenchError, UsageError
from iebench.render.farm import render_dataset
from iebench.render.merge import merge_parts


def stop(number):
    if number == 3:
        raise KeyboardInterrupt


def begin_render(out):
    """OUT.partial, with three of four samples."""
    with pytest.raises(KeyboardInterrupt):
        render_dataset(small_job(), out, partial(draw, meanwhile=stop))
    return out.with_name(out.name + ".partial")


@pytest.fixture
def parts(tmp_path):
    folders = [tmp_path / f"part-{number}" for number in (1, 2)]
    for number, folder in enumerate(folders, start=1):
        render_dataset(small_job(part=f"{number}/2"), folder, draw)
    return folders


def test_merge_leaves_a_render_that_is_not_finished(tmp_path, parts):
    unfinished = begin_render(tmp_path / "out")
    before = read_folder(unfinished)
    with pytest.raises(UsageError, match=r"out\.partial is what an `iebench render` has not finished"):
        merge_parts(parts, tmp_path / "out")
    assert read_folder(unfinished) == before


def test_merge_waits_for_no_render(tmp_path, parts):
    def merge(number):
        with pytest.raises(UsageError, match=r"in use by another render \(process \d+ on "):
            merge_parts(parts, tmp_path / "out")

    render_dataset(small_job(), tmp_path / "out", partial(draw, meanwhile=merge))
    assert Dataset(tmp_path / "out").num_objects == 4


def test_render_goes_on_with_nobody_elses_folder(tmp_path):
    unfinished = tmp_path / "out.partial"
    (unfinished / ".import").mkdir(parents=True)
    (unfinished / "train-000000.tar").write_bytes(b"imported")
    with pytest.raises(UsageError, match="`iebench import` has not finished"):
        render_dataset(small_job(), tmp_path / "out", draw)
    (unfinished / ".import").rmdir()
    with pytest.raises(UsageError, match="no command has marked it as its own"):
        render_dataset(small_job(), tmp_path / "out", draw)
    assert (unfinished / "train-000000.tar").read_bytes() == b"imported"


def test_what_a_killed_export_has_left_is_replaced(drawn_dataset, tmp_path):
    def die(objects):
        yield from list(objects)[:2]
        os._exit(0)

    child = os.fork()
    if not child:
        export_layout(Dataset(drawn_dataset), tmp_path / "out", die)
    os.waitpid(child, 0)
    assert (tmp_path / "out.partial").exists()
    export_layout(Dataset(drawn_dataset), tmp_path / "out")
    assert len(list((tmp_path / "out").glob("*/*"))) == 20
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_parts_are_not_written_to_through_a_link(tmp_path, parts):
    """The second part's card lies: its shard has the name of the first part's."""
    name, other = (next(part.glob("*-0*.tar")).name for part in parts)
    assert name != other
    (parts[1] / other).rename(parts[1] / name)
    for table in ("dataset.json", "objects.csv"):
        path = parts[1] / table
        path.write_text(path.read_text().replace(other, name))
    before = [read_folder(part) for part in parts]
    with pytest.raises(UsageError, match=f"both hold {name}"):
        merge_parts(parts, tmp_path / "out")
    assert [read_folder(part) for part in parts] == before
    assert not (tmp_path / "out.partial").exists()


def test_links_of_a_hubs_cache_are_followed(tmp_path, parts):
    for path in parts[1].glob("*.tar"):
        blobs = tmp_path / "blobs"
        blobs.mkdir(exist_ok=True)
        path.rename(blobs / path.name)
        path.symlink_to(Path("..") / "blobs" / path.name)
    merged = merge_parts(parts, tmp_path / "elsewhere" / "out")
    assert all((merged.root / shard.name).read_bytes() for shard in merged.card.shards)


@pytest.mark.parametrize("same_size", [True, False])
def test_a_shard_that_is_a_link_to_something_else_is_not_taken(tmp_path, parts, same_size):
    path = next(parts[1].glob("*-0*.tar"))
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(path.stat().st_size if same_size else 9))
    path.unlink()
    path.symlink_to(secret)
    with pytest.raises(IebenchError, match="is not what the part's card says: restore it"):
        merge_parts(parts, tmp_path / "out")
    assert not (tmp_path / "out").exists() and not (tmp_path / "out.partial").exists()


def test_what_is_refused_leaves_nothing_behind(tmp_path, parts):
    before = sorted(tmp_path.iterdir())
    with pytest.raises(IebenchError, match="nope"):
        merge_parts([tmp_path / "nope", *parts], tmp_path / "new" / "sub" / "out")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", ["out", "out.partial"])
def test_a_link_is_no_place_to_grow_in(tmp_path, parts, name):
    elsewhere = tmp_path / "elsewhere"
    if name == "out.partial":
        (elsewhere / ".merge").mkdir(parents=True)
        (elsewhere / "dear").write_text("mine")
    (tmp_path / name).symlink_to(elsewhere)
    with pytest.raises(UsageError, match=rf"{name} (exists already|is a link)"):
        merge_parts(parts, tmp_path / "out")
    assert name == "out" or (elsewhere / "dear").read_text() == "mine"


@pytest.mark.parametrize("name", ["sync", "rename"])
def test_what_is_whole_is_not_removed_where_its_name_fails(tmp_path, monkeypatch, name):
    def fail(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(growing_module, "sync", fail) if name == "sync" else monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OSError, match="Input/output"), growing_module.growing(tmp_path / "out", "merge") as root:
        (root / "train-000000.tar").write_bytes(b"hours of work")
    assert (tmp_path / "out.partial" / "train-000000.tar").exists()


def test_a_render_into_a_link_that_leads_nowhere_is_refused_at_once(tmp_path):
    (tmp_path / "out").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match=r"out is a link that leads nowhere"):
        render_dataset(small_job(), tmp_path / "out", lambda tasks: pytest.fail("it was begun"))
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
