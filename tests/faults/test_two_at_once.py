"""Of two processes on the same output one wins, and the other says one sentence."""

import os
from functools import partial

import pytest
from crash_points import read_folder
from drawn_work import draw, score, small_job

from iebench.dataset.exporter import export_layout
from iebench.dataset.importer import import_layout
from iebench.dataset.reader import Dataset
from iebench.errors import UsageError
from iebench.render.farm import render_dataset
from iebench.render.merge import merge_parts
from iebench.report.page import write_report


@pytest.fixture
def parts(tmp_path):
    folders = [tmp_path / f"part-{number}" for number in (1, 2)]
    for number, folder in enumerate(folders, start=1):
        render_dataset(small_job(part=f"{number}/2"), folder, draw)
    return folders


@pytest.mark.parametrize("name", ["render", "import", "export", "merge", "report"])
def test_of_two_on_the_same_output_one_wins(name, drawn_dataset, tmp_path, parts, monkeypatch):
    """The second begins while the first is at work."""
    loose, out, told = tmp_path / "loose", tmp_path / "out", []
    export_layout(Dataset(drawn_dataset), loose)

    def again(run):
        if not told:
            told.append("")
            with pytest.raises(UsageError) as refused:
                run(lambda: None)
            told.append(str(refused.value))

    def follow(meanwhile):
        return lambda objects: (meanwhile() or index for index in objects)

    def merge(meanwhile):
        finish = "iebench.render.merge.finish_dataset"
        with monkeypatch.context() as patched:
            plain = __import__("iebench.render.merge", fromlist=["x"]).finish_dataset
            patched.setattr(finish, lambda *args: (meanwhile(), plain(*args))[1])
            merge_parts(parts, out)

    def follow_import(meanwhile):
        from iebench.progress import Progress

        class Watched(Progress):
            def add(self, *args, **settings):
                meanwhile()

        import_layout(loose, out, progress=Watched("import", None, "object", shown=False))

    def report(meanwhile):
        write = "iebench.report.page.write_whole"
        plain = __import__("iebench.report.page", fromlist=["x"]).write_whole
        results = score(drawn_dataset, tmp_path / "scored")
        with monkeypatch.context() as patched:
            patched.setattr(write, lambda *args: (meanwhile(), plain(*args))[1])
            write_report([results], out)

    runs = {
        "render": lambda meanwhile: render_dataset(small_job(), out, partial(draw, meanwhile=lambda _: meanwhile())),
        "import": follow_import,
        "export": lambda meanwhile: export_layout(Dataset(drawn_dataset), out, follow(meanwhile)),
        "merge": merge,
        "report": report,
    }
    run = runs[name]
    run(lambda: again(run))
    assert f"is in use by another {name} (process {os.getpid()} on " in told[1] and told[1].count("\n") == 0
    wanted = tmp_path / "wanted"
    assert out.exists() and not (tmp_path / "out.lock").exists() and not (tmp_path / "out.partial").exists()
    first = read_folder(out) if out.is_dir() else out.read_bytes()
    out.rename(wanted)
    run(lambda: None)
    assert (read_folder(out) if out.is_dir() else out.read_bytes()) == first
