"""A contact sheet of objects in the benchmark's scene."""

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from iebench.dataset.reader import Dataset
from iebench.factors.space import ROTATION
from iebench.fonts import letter_text
from iebench.pictures import open_picture
from iebench.render.farm import Watch, render_dataset
from iebench.render.job import RenderJob
from iebench.render.launch import choose_engine
from iebench.render.plan import plan_job
from iebench.render.request import RenderRequest
from iebench.render.worker_process import Limits


def plan_sheet(
    classes: str | None, per_class: int, size: int, rotation: Sequence[float] | None, objects: str = "procedural"
) -> RenderJob:
    """The render job behind a sheet: one view of each object.

    Args:
        classes: a number, or names and synsets with commas between; None for all.
        per_class: objects of each class.
        size: side of one picture in pixels.
        rotation: about x, y and z in degrees, the same for all; None draws one for each object as `3diebench` does.
        objects: "procedural", or whatever else `iebench render --objects` takes.
    """
    fixed = [] if rotation is None else zip(ROTATION, rotation, strict=True)
    factors = tuple(f"{name}={math.radians(degrees)!r}" for name, degrees in fixed)
    return plan_job(RenderRequest(objects, classes, objects_per_class=per_class, views=1, size=size, factors=factors))


def render_sheet(job: RenderJob, abreast: int = 1, watch: Watch | None = None) -> Image.Image:
    """Render the job in worker processes and lay its pictures out: see `lay_out`."""
    with tempfile.TemporaryDirectory(prefix="iebench-sheet-") as scratch:
        root = Path(scratch) / "sheet"
        render_dataset(job, root, choose_engine(job, Limits()), watch=watch)
        return lay_out(Dataset(root), abreast)


def lay_out(dataset: Dataset, abreast: int = 1) -> Image.Image:
    """View 0 of every object of a dataset.

    Args:
        dataset: the objects.
        abreast: how many classes stand side by side in a row of the sheet, in label order; each has its name in its corner
            and its objects from left to right in the order of their ids.
    """
    side = dataset.card.image_size
    members = [[i for i, synset in enumerate(dataset.synsets) if synset == c.synset] for c in dataset.classes]
    wide = side * max(map(len, members))
    sheet = Image.new("RGB", (wide * abreast, side * -(-len(members) // abreast)), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (entry, indices) in enumerate(zip(dataset.classes, members, strict=True)):
        left, top = number % abreast * wide, number // abreast * side
        for column, index in enumerate(sorted(indices, key=lambda i: dataset.object_ids[i])):
            sheet.paste(open_picture(dataset.read_jpeg(index, 0), ("JPEG",)), (left + column * side, top))
        name, font = letter_text(entry.name, 10)
        draw.text((left + 3, top + 2), name, "white", font, stroke_width=1, stroke_fill="black")
    return sheet
