"""`iebench push`: datasets and runs for others."""

from pathlib import Path

import click

from iebench.cli.terminal import echo
from iebench.errors import UsageError


@click.command("push", short_help="Bring a dataset or a run to the Hugging Face hub, or to a folder.")
@click.argument("source")
@click.argument("target")
@click.option(
    "--thumbnail",
    type=click.IntRange(8, 1024),
    help="Side in pixels, at most, of the pictures in a dataset's table of views; 128 by default.",
)
def push(source: str, target: str, thumbnail: int | None) -> None:
    """Bring SOURCE, the folder of a dataset or a run, to TARGET: hf://datasets/ORG/NAME, hf://ORG/NAME, or a new folder.

    \b
    iebench push data/mini hf://datasets/me/mini    # shards, page, Parquet of views, Croissant
    iebench push runs/sie hf://me/sie-mini          # safetensors, config, results, model card

    What the hub has is read as PairDataset("hf://datasets/ORG/NAME@REVISION") and iebench.load("hf://ORG/NAME@REVISION").
    """  # noqa: D301 - click reads the backspace
    from iebench.models.runs import CONFIG

    if (Path(source) / CONFIG).exists():
        if thumbnail is not None:
            raise UsageError(f"--thumbnail is for datasets, and {source} is a run: leave it out.")
        from iebench.sharing.runs import push_run

        where = push_run(source, target)
    else:
        where = _push_dataset(source, target, thumbnail)
    echo(f"{where} holds {source}.")


def _push_dataset(source: str, target: str, thumbnail: int | None) -> str:
    from iebench.dataset.reader import Dataset
    from iebench.progress import track
    from iebench.sharing.datasets import push_dataset
    from iebench.sharing.view_table import SIDE

    return push_dataset(Dataset(source), target, thumbnail or SIDE, lambda objects: track(objects, "tell of", "object"))
