"""Presets of `iebench render`: whole benchmarks by name, so that two people who name one have the same dataset.

What a preset leaves out is as `RenderRequest` has it. How `mini` was chosen is measured in docs/results.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from iebench.errors import find_named


@dataclass(frozen=True)
class Preset:
    """A benchmark that can be rendered by name.

    Attributes:
        dataset_name: what cards and tables call it.
        settings: fields of `RenderRequest`.
        kind: of the object sources that make it; another source's dataset is a variant.
        needs: what `--objects` has to name; empty where the preset says it.
    """

    dataset_name: str
    settings: Mapping[str, Any]
    kind: str
    needs: str = ""


_MINI_CLASSES = "airplane,car,chair,guitar,helmet,laptop,motorbike,mug,pistol,sofa"
_SHAPENET = "ShapeNetCore, as a folder or as zip files"
PRESETS: dict[str, Preset] = {
    # small enough for a laptop; the longer lens lets the object fill the frame
    "mini": Preset(
        "iebench-mini",
        {
            "objects": "procedural",
            "classes": _MINI_CLASSES,
            "objects_per_class": 240,
            "views": 8,
            "size": 48,
            "focal_length": 85.0,
            "quality": "preview",
        },
        kind="procedural",
    ),
    # Garrido, Najman and LeCun, "Self-supervised learning of split invariant equivariant representations", section 3
    "3diebench": Preset("3diebench", {"classes": "55", "views": 50}, kind="shapenet", needs=_SHAPENET),
    "3diebench-t": Preset(
        "3diebench-t", {"classes": "55", "views": 50, "space": "3diebench-t"}, kind="shapenet", needs=_SHAPENET
    ),
}


def get_preset(name: str) -> Preset:
    """A preset by name.

    Raises:
        UsageError: there is none of that name.
    """
    return find_named(name, PRESETS, "preset")
