"""A contact sheet of objects in the benchmark's scene: a row for each class, a column for each object."""

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from iebench.dataset import Dataset
from iebench.decode import decode_view
from iebench.errors import UsageError
from iebench.factors import ROTATION
from iebench.render.farm import Watch, render_dataset
from iebench.render.job import RenderJob
from iebench.render.launch import choose_engine
from iebench.render.plan import RenderRequest, plan_job
from iebench.render.worker_process import Limits


def plan_sheet(
    classes: str, per_class: int, size: int, rotation: Sequence[float] | None, objects: str = "procedural"
) -> RenderJob:
    """The render job behind a sheet: one view of each object.

    Args:
        classes: a number, or names and synsets with commas between.
        per_class: objects of each class.
        size: side of one picture in pixels.
        rotation: about x, y and z in degrees, the same for all; None draws one for each object as `3diebench` does.
        objects: "procedural", or any other place that `iebench render --objects` takes.
    """
    fixed = [] if rotation is None else zip(ROTATION, rotation, strict=True)
    factors = tuple(f"{name}={math.radians(degrees)!r}" for name, degrees in fixed)
    return plan_job(RenderRequest(objects, classes, objects_per_class=per_class, views=1, size=size, factors=factors))


def render_sheet(job: RenderJob, watch: Watch | None = None) -> Image.Image:
    """Render the job in worker processes and lay its pictures out, rows in label order, columns in order of object ids."""
    with tempfile.TemporaryDirectory(prefix="iebench-sheet-") as scratch:
        root = Path(scratch) / "sheet"
        render_dataset(job, root, choose_engine(job, Limits()), watch=watch)
        return lay_out(Dataset(root))


def lay_out(dataset: Dataset) -> Image.Image:
    """View 0 of every object of a dataset, a row for each class with its name."""
    side = dataset.card.image_size
    rows = {entry.synset: [i for i, s in enumerate(dataset.synsets) if s == entry.synset] for entry in dataset.classes}
    sheet = Image.new("RGB", (side * max(map(len, rows.values())), side * len(rows)))
    draw = ImageDraw.Draw(sheet)
    for row, (entry, members) in enumerate(zip(dataset.classes, rows.values(), strict=True)):
        for column, index in enumerate(sorted(members, key=lambda i: dataset.object_ids[i])):
            sheet.paste(Image.fromarray(decode_view(dataset, index, 0)), (column * side, row * side))
        draw.text((3, row * side + 2), entry.name, fill="white", stroke_width=1, stroke_fill="black")
    return sheet


def save_sheet(sheet: Image.Image, out: Path) -> None:
    """Write a sheet; the suffix says in which format.

    Raises:
        UsageError: there is no such format, or the file cannot be written.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        sheet.save(out, quality=85)
    except (ValueError, OSError) as error:
        raise UsageError(f"{out} cannot be written ({error}): name a file that ends in .jpg or .png.") from None
