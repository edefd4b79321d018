"""A dataset as a moving picture: one frame for each view."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from iebench.dataset.reader import Dataset
from iebench.loader.decode import decode_view
from iebench.pictures import save_picture

FRAME_MILLISECONDS = 80


def animate_views(dataset: Dataset, path: Path, num_objects: int = 9) -> None:
    """Write the first objects side by side, going through their views, as WebP, GIF or PNG by the suffix of `path`.

    Of a design, the views of its first clip.
    """
    length = dataset.num_views if dataset.card.design is None else dataset.card.design.run_length
    objects = range(min(num_objects, dataset.num_objects))
    columns = math.ceil(math.sqrt(len(objects)))
    frames = [_lay_out([decode_view(dataset, i, view) for i in objects], columns) for view in range(length)]
    there_and_back = frames + frames[-2:0:-1]
    movement: dict[str, Any] = {"save_all": True, "append_images": there_and_back[1:], "duration": FRAME_MILLISECONDS}
    save_picture(there_and_back[0], path, **movement, loop=0, quality=80)


def _lay_out(images: list[np.ndarray], columns: int) -> Image.Image:
    side = images[0].shape[0]
    sheet = Image.new("RGB", (columns * side, math.ceil(len(images) / columns) * side), (255, 255, 255))
    for number, image in enumerate(images):
        sheet.paste(Image.fromarray(image), (number % columns * side, number // columns * side))
    return sheet
