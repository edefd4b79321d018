"""`iebench explore`: a site to look at a dataset, and at what runs make of it."""

import signal
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from iebench.cli.options import FOLDER
from iebench.cli.terminal import echo
from iebench.explore import MAX_VIEWS


@click.command("explore", short_help="A site to look at a dataset and at runs on it.")
@click.argument("dataset")
@click.argument("runs", metavar="[RUN]...", type=FOLDER, nargs=-1)
@click.option("-o", "--out", type=FOLDER, help="Folder of the site: `explorer`, or with --serve none that stays.")
@click.option("--serve", is_flag=True, help="Show the site to browsers on this machine until Ctrl-C.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Of --serve; 0 for any.")
@click.option(
    "--thumbnail", type=click.IntRange(8), help="Side of a thumbnail in pixels; 64 to 256 by the number of views."
)
@click.option(
    "--max-views",
    default=MAX_VIEWS,
    show_default=True,
    type=click.IntRange(1),
    help="Of a larger dataset, show so many views: objects spread over its classes and splits.",
)
@click.option("--trust", is_flag=True, help="Import and run code of others that a RUN names.")
@click.option("--device", default="auto", show_default=True, help="Of the runs: cpu, cuda, cuda:1, or auto.")
@click.option(
    "--workers",
    "num_workers",
    default=2,
    show_default=True,
    type=click.IntRange(0),
    help="Processes that decode for runs.",
)
def explore(dataset: str, out: Path | None, serve: bool, port: int, **options: Any) -> None:
    """Write a site about DATASET, and about what each RUN makes of it: a map of its representations, retrieval, steering.

    It is a folder of plain files, which open from disk (OUT/index.html) or lie on any web host.

    \b
    iebench explore data/demo -o site
    iebench explore data/demo runs/sie runs/vicreg --serve
    """  # noqa: D301 - click reads the backspace
    from iebench.explore.serving import serve_site

    if not serve:
        write(dataset, out or Path("explorer"), **options)
        return
    with tempfile.TemporaryDirectory(prefix="iebench-explore-") as folder:
        site = out or Path(folder) / "site"
        with serve_site(site, port) as address:  # which refuses a port that is taken before the work is done
            write(dataset, site, **options)
            echo(f"The explorer is at {address} until Ctrl-C.")
            with suppress(KeyboardInterrupt):
                signal.pause()


def write(dataset: str, out: Path, runs: tuple[Path, ...], trust: bool, device: str, **options: Any) -> None:
    """Write the site and say where it is."""
    from iebench.dataset.reader import Dataset
    from iebench.explore.writing import write_site
    from iebench.progress import track

    opened = Dataset(dataset)
    explored = open_runs(runs, trust, device) if runs else {}
    count = write_site(opened, out, **options, **explored, track=lambda sheets: track(sheets, "thumbnails", "sheet"))
    left = f" of {opened.num_objects}: --max-views shows more" if count < opened.num_objects else ""
    echo(f"{out / 'index.html'} shows {count} objects{left}.")


def open_runs(paths: tuple[Path, ...], trust: bool, device: str) -> dict[str, Any]:
    """The runs on their device, for `write_site`."""
    from iebench.explore.runs import ExploredRun
    from iebench.models.candidates import prepare
    from iebench.models.evaluation import choose_device, own_cache

    device = choose_device(device)
    found = []
    for path in paths:
        made = prepare(path, device, trust=trust)
        size = made.training.get("trainer", {}).get("size") or None
        found.append(ExploredRun(made.name, made.model, str(path), made.method, size, own_cache(path)))
    return {"runs": found, "device": device}
