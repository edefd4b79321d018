"""The pictures of retrieval and steering, as they stand in a page."""

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from PIL import Image

from iebench.evals.gallery import Gallery

THUMBNAIL = 96


def show_gallery(folder: Path) -> list[dict[str, Any]]:
    """The gallery's objects, with every picture as a data URI and its alternative text."""
    gallery = Gallery.load(folder)
    if gallery is None:
        return []
    objects = []
    for row, name in enumerate(gallery.names.tolist()):
        nearest = [
            _picture(image, f"{name}: neighbour {rank} of the prediction", right=bool(right))
            for rank, (image, right) in enumerate(zip(gallery.neighbours[row], gallery.found[row], strict=True), 1)
        ]
        steps = [
            _picture(image, f"{name}: the view found for a turn of {degrees}°", note=f"{degrees}°, off by {gap:.0f}°")
            for image, degrees, gap in zip(gallery.steered[row], gallery.degrees, gallery.gaps[row], strict=True)
        ]
        objects.append(
            {
                "name": name,
                "query": _picture(gallery.queries[row], f"{name}: the source view"),
                "truth": _picture(gallery.truths[row], f"{name}: the target view"),
                "neighbours": nearest,
                "steps": steps,
            }
        )
    return objects


def _picture(image: UInt8[ndarray, "height width 3"], alt: str, **more: Any) -> dict[str, Any]:
    picture = Image.fromarray(np.ascontiguousarray(image))
    picture.thumbnail((THUMBNAIL, THUMBNAIL))
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=88)
    uri = "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode()
    return {"uri": uri, "alt": alt, "width": picture.width, "height": picture.height, **more}
