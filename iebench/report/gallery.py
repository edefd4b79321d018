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


def show_gallery(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The gallery's objects, "retrieved" and "turned", with every picture as a data URI and its alternative text."""
    gallery = Gallery.load(folder)
    return {"retrieved": _show_retrieved(gallery), "turned": _show_turns(gallery)} if gallery is not None else {}


def _show_retrieved(gallery: Gallery) -> list[dict[str, Any]]:
    objects = []
    for row, name in enumerate(gallery.names.tolist()):
        nearest = [
            _picture(image, f"{name}: neighbour {rank} of the prediction", right=bool(right))
            for rank, (image, right) in enumerate(zip(gallery.neighbours[row], gallery.found[row], strict=True), 1)
        ]
        objects.append(
            {
                "name": name,
                "query": _picture(gallery.queries[row], f"{name}: the source view"),
                "truth": _picture(gallery.truths[row], f"{name}: the target view"),
                "neighbours": nearest,
            }
        )
    return objects


def _show_turns(gallery: Gallery) -> list[dict[str, Any]]:
    """Each object that was turned: its source, what was wanted, and what was found."""
    objects = []
    for row, name in enumerate(gallery.turned_names.tolist()):
        steps = list(
            zip(gallery.degrees.tolist(), gallery.wanted[row], gallery.steered[row], gallery.gaps[row], strict=True)
        )
        objects.append(
            {
                "name": name,
                "source": _picture(gallery.sources[row], f"{name}: the source view"),
                "wanted": [
                    _picture(image, f"{name}: turned by {degrees}°", note=f"{degrees}°")
                    for degrees, image, _, _ in steps
                ],
                "found": [
                    _picture(image, f"{name}: the view found for {degrees}°", note=f"off by {gap:.0f}°")
                    for degrees, _, image, gap in steps
                ],
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
