"""`iebench explore`: a site to look at a dataset, and at what runs make of it."""

import signal
import tempfile
from pathlib import Path
from typing import Any

import click

from iebench.cli.terminal import echo

FOLDER = click.Path(path_type=Path)


@click.command("explore", short_help="A site to look at a dataset and at runs on it.")
@click.argument("dataset")
@click.option("-o", "--out", type=FOLDER, help="Folder of the site: `explorer`, or with --serve none that stays.")
@click.option("--serve", is_flag=True, help="Show the site to browsers on this machine until Ctrl-C.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Of --serve; 0 for any.")
@click.option(
    "--thumbnail", type=click.IntRange(8), help="Side of a thumbnail in pixels; 64 to 256 by the number of views."
)
@click.option(
    "--max-views",
    default=100_000,
    show_default=True,
    type=click.IntRange(1),
    help="Of a larger dataset, show so many views: objects spread over its classes and splits.",
)
def explore(dataset: str, out: Path | None, serve: bool, port: int, **options: int | None) -> None:
    """Write a site about DATASET: plain files, which open from disk (OUT/index.html) or lie on any web host.

    \b
    iebench explore data/demo -o site
    iebench explore data/demo --serve
    """  # noqa: D301 - click reads the backspace
    from iebench.explore.serving import serve_site

    if not serve:
        write(dataset, out or Path("explorer"), options)
        return
    with tempfile.TemporaryDirectory(prefix="iebench-explore-") as folder:
        site = out or Path(folder) / "site"
        with serve_site(site, port) as address:  # which refuses a port that is taken before the work is done
            write(dataset, site, options)
            echo(f"The explorer is at {address} until Ctrl-C.")
            signal.pause()


def write(dataset: str, out: Path, options: dict[str, Any]) -> None:
    """Write the site and say where it is."""
    from iebench.dataset.reader import Dataset
    from iebench.explore.writing import write_site
    from iebench.progress import track

    opened = Dataset(dataset)
    count = write_site(opened, out, **options, track=lambda sheets: track(sheets, "thumbnails", "sheet"))
    left = f" of {opened.num_objects}: --max-views shows more" if count < opened.num_objects else ""
    echo(f"{out / 'index.html'} shows {count} objects{left}.")
