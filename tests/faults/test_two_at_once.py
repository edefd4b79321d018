"""Of two processes on the same output one wins, and the other says one sentence."""

import os
from contextlib import contextmanager
from functools import partial

import pytest
from crash_points import read_folder
from drawn_work import draw, score, small_job

from iebench.dataset.exporter import export_layout
from iebench.dataset.importer import import_layout
from iebench.dataset.reader import Dataset
from iebench.errors import UsageError
from iebench.progress import Progress
from iebench.render import merge
from iebench.render.farm import render_dataset
from iebench.report import page

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def inputs(drawn_dataset, tmp_path_factory):
    """What the commands work on."""
    root = tmp_path_factory.mktemp("inputs")
    export_layout(Dataset(drawn_dataset), root / "loose")
    for number in (1, 2):
        render_dataset(small_job(part=f"{number}/2"), root / f"part-{number}", draw)
    score(drawn_dataset, root / "scored")
    (root / "data").symlink_to(drawn_dataset)
    return root


class Watched(Progress):
    """Calls something while a command is at work."""

    def __init__(self, meanwhile):
        super().__init__("import", None, "object", shown=False)
        self._meanwhile = meanwhile

    def add(self, *args, **settings):
        self._meanwhile()


@contextmanager
def meeting(module, name, meanwhile):
    """Calls something before a module's function."""
    plain = getattr(module, name)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, name, lambda *args: (meanwhile(), plain(*args))[1])
        yield


def run_render(inputs, out, meanwhile):
    render_dataset(small_job(), out, partial(draw, meanwhile=lambda number: meanwhile()))


def run_import(inputs, out, meanwhile):
    import_layout(inputs / "loose", out, progress=Watched(meanwhile))


def run_export(inputs, out, meanwhile):
    export_layout(Dataset(inputs / "data"), out, lambda objects: (meanwhile() or index for index in objects))


def run_merge(inputs, out, meanwhile):
    with meeting(merge, "finish_dataset", meanwhile):
        merge.merge_parts([inputs / "part-1", inputs / "part-2"], out)


def run_report(inputs, out, meanwhile):
    with meeting(page, "write_whole", meanwhile):
        page.write_report([inputs / "scored"], out)


@pytest.mark.parametrize("run", [run_render, run_import, run_export, run_merge, run_report])
def test_one_wins(run, inputs, tmp_path):
    """The second begins while the first is at work."""
    told = []

    def again():
        if not told:
            told.append("")
            with pytest.raises(UsageError) as refused:
                run(inputs, tmp_path / "out", lambda: None)
            told.append(str(refused.value))

    run(inputs, tmp_path / "out", again)
    command = run.__name__.removeprefix("run_")
    assert f"is in use by another {command} (process {os.getpid()} on " in told[1] and "\n" not in told[1]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    (tmp_path / "alone").mkdir()
    run(inputs, tmp_path / "alone" / "out", lambda: None)
    contents = [read(folder / "out") for folder in (tmp_path, tmp_path / "alone")]
    assert contents[0] == contents[1]


def read(path):
    return read_folder(path) if path.is_dir() else path.read_bytes()
