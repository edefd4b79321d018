"""Whatever call fails, or kills the process: the repeated command ends with the bytes of an undisturbed one."""

import shutil
from contextlib import suppress
from functools import partial

import pytest
from crash_points import check_every_point, read_folder
from drawn_work import draw, small_job

from iebench.dataset.exporter import export_layout
from iebench.dataset.importer import import_layout
from iebench.dataset.reader import Dataset
from iebench.errors import UsageError
from iebench.render.farm import render_dataset
from iebench.render.merge import merge_parts

pytestmark = pytest.mark.slow


def look(folder):
    """OUT, and whatever else is not a lock that nobody holds."""
    return {name: content for name, content in read_folder(folder).items() if not name.endswith(".lock")}


def tell(capsys, what, count):
    with capsys.disabled():
        print(f"\n{what}: {count} crash points, all recovered")


def unless_done(call):
    """Commands that begin anew refuse what is there already."""
    with suppress(UsageError):
        call()


def test_render(tmp_path, capsys):
    job = small_job()
    engine = partial(draw, fails=job.shards()[0].objects[:1])
    count = check_every_point(tmp_path, lambda folder: render_dataset(job, folder / "out", engine), look)
    tell(capsys, "render", count)


def test_retrying_failed_objects(tmp_path, capsys):
    job, first = small_job(), tmp_path / "first"
    render_dataset(job, first / "out", partial(draw, fails=job.shards()[0].objects[:1]))
    count = check_every_point(
        tmp_path,
        lambda folder: render_dataset(job, folder / "out", draw, retry_failed=True),
        look,
        partial(shutil.copytree, first),
    )
    tell(capsys, "render --retry-failed", count)


def test_merge(tmp_path, capsys):
    parts = [tmp_path / f"part-{number}" for number in (1, 2)]
    for number, part in enumerate(parts, start=1):
        render_dataset(small_job(part=f"{number}/2"), part, draw)
    before = [read_folder(part) for part in parts]
    count = check_every_point(tmp_path, lambda folder: unless_done(lambda: merge_parts(parts, folder / "out")), look)
    assert [read_folder(part) for part in parts] == before
    tell(capsys, "merge", count)


def test_import_and_export(make_dataset, tmp_path, capsys):
    dataset = make_dataset("data", classes="2", objects_per_class=2, num_views=1, objects_per_shard=2)
    count = check_every_point(
        tmp_path / "export", lambda folder: unless_done(lambda: export_layout(dataset, folder / "out")), look
    )
    tell(capsys, "export", count)
    loose = tmp_path / "export" / "clean" / "out"
    count = check_every_point(
        tmp_path / "import",
        lambda folder: unless_done(lambda: import_layout(loose, folder / "out", objects_per_shard=2)),
        look,
    )
    tell(capsys, "import", count)


def test_remote_cache(make_dataset, tmp_path, capsys, monkeypatch):
    pytest.importorskip("fsspec")
    dataset = make_dataset("data", classes="2", objects_per_class=2, num_views=1, objects_per_shard=2)

    def read(folder):
        monkeypatch.setenv("IEBENCH_CACHE", str(folder / "cache"))
        remote = Dataset(f"file://{dataset.root}")
        assert list(map(remote.read_jpeg, range(4), [0] * 4)) == list(map(dataset.read_jpeg, range(4), [0] * 4))

    tell(capsys, "remote cache", check_every_point(tmp_path / "cached", read, look))
