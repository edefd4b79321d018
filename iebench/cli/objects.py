"""Commands on the built-in objects: `iebench objects list`, `export` and `sheet`."""

from pathlib import Path

import click

from iebench.cli.options import POSITIVE, NumberRange
from iebench.cli.terminal import echo

CLASSES = click.option(
    "--classes", metavar="N|NAMES", help="How many classes, or names and synsets with commas between.  [default: all]"
)


@click.group()
def objects() -> None:
    """Look at the built-in objects, or write them as files.

    There are endlessly many of each class; number 7 of a class is p1-000007 on every machine.
    """


@objects.command("list")
def list_command() -> None:
    """List the classes: synset, name, symmetry and what marks the front."""
    from iebench.factors.symmetry import built_in_classes, read_fronts

    symmetry, fronts = {0: "any turn", 1: "none", 2: "half turn", 4: "quarter turn"}, read_fronts()
    for entry in built_in_classes():
        turns = symmetry.get(entry.turns or 0, f"{entry.turns} turns")
        echo(f"{entry.synset}  {entry.name:15s}  symmetry: {turns:12s}  front: {fronts[entry.synset]}")


@objects.command("export")
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@CLASSES
@click.option("--per-class", type=POSITIVE, default=2, show_default=True, help="Objects of each class.")
@click.option("--first", type=click.IntRange(min=0), default=0, show_default=True, help="Number of the first object.")
def export_command(out: Path, classes: str | None, per_class: int, first: int) -> None:
    """Write objects to OUT as a ShapeNetCore v2 tree of OBJ files, materials and textures.

    \b
    iebench objects export shapes --classes chair,mug --per-class 10
    iebench render --objects shapes --out data/shapes
    """  # noqa: D301 - click reads the backspace
    from iebench.catalogue import select
    from iebench.factors.symmetry import built_in_classes
    from iebench.render.procedural import export_object

    chosen = select(classes, built_in_classes()) if classes else built_in_classes()
    for entry in chosen:
        for index in range(first, first + per_class):
            export_object(entry.synset, index, out)
    echo(f"{out}: {len(chosen)} classes, {len(chosen) * per_class} objects.")


@objects.command("sheet")
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@CLASSES
@click.option("--per-class", type=POSITIVE, default=8, show_default=True, help="Objects of each class.")
@click.option(
    "--size", type=click.IntRange(16, 4096), default=128, show_default=True, help="Side of one picture in pixels."
)
@click.option("--abreast", type=POSITIVE, default=1, show_default=True, help="Classes side by side in a row.")
@click.option(
    "--rotation",
    nargs=3,
    type=NumberRange(),
    default=(0.0, 0.0, 30.0),
    show_default=True,
    metavar="X Y Z",
    help="Degrees about x, y and z, the same for all.",
)
@click.option("--random", "is_random", is_flag=True, help="A random rotation for each object instead, as in 3DIEBench.")
@click.option(
    "--objects", default="procedural", show_default=True, metavar="PATH", help="Other objects, as `iebench render`."
)
def sheet_command(
    out: Path,
    classes: str | None,
    per_class: int,
    size: int,
    abreast: int,
    rotation: tuple[float, float, float],
    is_random: bool,
    objects: str,
) -> None:
    """Draw objects in the scene of 3DIEBench to the picture OUT, a class in each row.

    \b
    iebench objects sheet sheet.jpg --classes car,chair --per-class 4
    """  # noqa: D301 - click reads the backspace
    from iebench.cli.render_progress import RenderProgress
    from iebench.pictures import save_picture
    from iebench.render.farm import count_objects
    from iebench.render.object_sheet import plan_sheet, render_sheet

    job = plan_sheet(classes, per_class, size, None if is_random else rotation, objects)
    with RenderProgress(count_objects(job), 1, log_json=False) as progress:
        sheet = render_sheet(job, abreast, progress.watch)
    save_picture(sheet, out)
    echo(f"{out}: {sheet.width} by {sheet.height} pixels.")
