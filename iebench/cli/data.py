"""The commands that look at, check, and convert datasets."""

import json
import sys
from pathlib import Path
from typing import cast

import click

from iebench.cli.options import NumberRange
from iebench.cli.terminal import echo, tell_count
from iebench.errors import UsageError

_DATASET = click.argument("dataset")  # a folder or a URL


@click.command(short_help="What a dataset is: counts, ranges, histograms of factors.")
@_DATASET
@click.option("--json", "as_json", is_flag=True, help="Print plain values as JSON.")
def info(dataset: str, as_json: bool) -> None:
    """Tell what DATASET is: its counts, and the ranges and histograms of its factors, as measured."""
    from iebench.dataset.reader import Dataset
    from iebench.report.describe import describe_dataset, write_description

    told = describe_dataset(Dataset(dataset))
    echo(json.dumps(told, indent=2) if as_json else write_description(told))


@click.command(short_help="Check every byte of a dataset.")
@_DATASET
@click.option("--decode", is_flag=True, help="Also decode every image and compare every member of the shards.")
def verify(dataset: str, decode: bool) -> None:
    """Check every byte of DATASET's shards and tables and name the damage; exit code 1 where there is any."""
    from iebench.dataset.verify import verify_dataset
    from iebench.errors import IebenchError
    from iebench.progress import track

    problems = verify_dataset(Path(dataset), decode, lambda names: track(names, "verify", "file"))
    for problem in problems:
        echo(problem)
    if problems:
        raise IebenchError(f"{dataset} is damaged, as told above: restore these files, or make it again.")
    echo(f"{dataset} is whole.")


@click.command(short_help="Draw pairs with their transform, or all views of objects, as a picture.")
@_DATASET
@click.option("--pairs", "count", default=8, show_default=True, help="How many pairs.")
@click.option(
    "--grid",
    type=click.IntRange(1),
    metavar="OBJECTS",
    help="All views of so many objects instead, as a crossed design or trajectory lays them out.",
)
@click.option(
    "--passes",
    type=click.IntRange(1),
    metavar="OBJECTS",
    help="Two views of so many objects with their passes instead.",
)
@click.option("--split", default="train", show_default=True, help="train, val or all.")
@click.option("--seed", default=0, show_default=True, help="Of the choice of pairs.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("pairs.png"),
    show_default=True,
    help="Picture to write, .png or .jpg.",
)
def show(dataset: str, count: int, grid: int | None, passes: int | None, split: str, seed: int, out: Path) -> None:
    """Draw pairs of DATASET with their transform as a picture, all views of some objects, or views with their passes."""
    from iebench.dataset.reader import Dataset
    from iebench.pictures import save_picture
    from iebench.report.grid import draw_grids
    from iebench.report.show import draw_sheet, pick_pairs
    from iebench.report.show_passes import draw_passes

    if grid is not None and passes is not None:
        raise UsageError("--grid and --passes are two pictures: leave one of the two out.")
    if grid is not None:
        opened = Dataset(dataset)
        save_picture(draw_grids(opened, grid, split), out)
        echo(f"{out} shows all views of {tell_count(min(grid, len(opened.split_indices(split))), 'object')}.")
        return
    if passes is not None:
        opened = Dataset(dataset)
        save_picture(draw_passes(opened, passes, split, seed), out)
        shown = tell_count(min(passes, len(opened.split_indices(split))), "object")
        echo(f"{out} shows two views of each of {shown} with their passes.")
        return
    pairs = pick_pairs(Dataset(dataset), count, split, seed)
    save_picture(draw_sheet(pairs), out)
    echo(f"{out} shows {len(pairs)} pairs.")


@click.command("import", short_help="Import the published layout, a folder or an archive.")
@click.argument("path", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--lists", type=click.Path(path_type=Path), help="Folder of train_images.npy, val_images.npy and *_labels.npy."
)
@click.option("--strict", is_flag=True, help="Stop at the first object that is not whole or in no list.")
@click.option(
    "--channels",
    type=click.Choice(["auto", "rgb", "bgr"]),
    default="auto",
    show_default=True,
    help="Order of the images' colour channels; auto measures it.",
)
@click.option("--objects-per-shard", type=click.IntRange(1), default=256, show_default=True, help="Objects in a shard.")
@click.option(
    "--max-failures",
    type=NumberRange(0, 1),
    default=0.01,
    show_default=True,
    help="Part of the objects that may be left out before the exit code is 1; listed ones that are not there do not count.",
)
def import_(
    path: Path,
    out: Path,
    lists: Path | None,
    strict: bool,
    channels: str,
    objects_per_shard: int,
    max_failures: float,
) -> None:
    """Import PATH, a folder or archive (.tar.gz or .zip, never unpacked) in the published layout, as the dataset OUT."""
    from iebench.dataset.importer import ABSENT, Channels, import_layout
    from iebench.progress import Progress

    with Progress("import", None, "object") as progress:
        card, faults = import_layout(path, out, lists, strict, cast(Channels, channels), objects_per_shard, progress)
    faulty = [fault for fault in faults if fault.reason != ABSENT]
    for fault in faulty[:10]:
        echo(f"left out {'/'.join(fault.object_name)}: {fault.reason}", err=True)
    if not card.source["lists"]:
        echo("There are no official lists, so a hash of the names splits: --lists names their folder.", err=True)
    counts = ", ".join(f"{tell_count(counted.objects, 'object')} to {split}" for split, counted in card.splits.items())
    absent = f", {len(faults) - len(faulty)} listed ones are not there" if len(faulty) < len(faults) else ""
    echo(f"{out}: {counts}, {len(faulty)} left out{absent} (failures.csv names them).")
    measured = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in card.source["channels"].items())
    echo(f"Channels are read as {card.channels}; measured on some views: {measured}.")
    whole = sum(counted.objects for counted in card.splits.values())
    if len(faulty) > max_failures * (whole + len(faulty)):
        sys.exit(1)


@click.command(short_help="Write a dataset in the published layout.")
@_DATASET
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--layout", type=click.Choice(["3diebench"]), default="3diebench", show_default=True, help="What to write."
)
def export(dataset: str, out: Path, layout: str) -> None:
    """Write DATASET to the folder OUT as loose files with lists and labels, the published layout."""
    from iebench.dataset.exporter import export_layout
    from iebench.dataset.reader import Dataset
    from iebench.progress import track

    export_layout(Dataset(dataset), out, lambda objects: track(objects, "export", "object"))
    echo(f"{out} holds {dataset} in the layout {layout}.")


COMMANDS = {"info": info, "verify": verify, "show": show, "import": import_, "export": export}
