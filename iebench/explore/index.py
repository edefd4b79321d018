"""The index: all that the pages know of a dataset as soon as they open, and the latents of its views."""

import re
from typing import Any

import numpy as np

from iebench.dataset.card import FOCAL_LENGTH
from iebench.explore.selection import Shown
from iebench.explore.sheets import COLUMNS, TILES, SheetPlan
from iebench.factors.space import ROTATION, Factor
from iebench.render.scene import (
    CAMERA_AZIMUTH,
    CAMERA_DISTANCE,
    CAMERA_POLAR,
    FLOOR_HEIGHT,
    SENSOR_WIDTH,
    SPOT_DISTANCE,
    spherical,
)
from iebench.version import __version__


def describe_index(shown: Shown, plan: SheetPlan) -> dict[str, Any]:
    """Plain values: the dataset, its factors, classes and objects, the sheets, the scene, and no runs."""
    dataset = shown.dataset
    card, splits = dataset.card, shown.split_names
    ranks = {split: rank for rank, split in enumerate(splits)}
    return {
        "version": __version__,
        "name": card.name,
        "location": hide_password(str(dataset.location)),
        "space": card.space.name,
        "imageSize": card.image_size,
        "numViews": shown.num_views,
        "numObjects": dataset.num_objects,
        "factors": [_describe_factor(factor) for factor in dataset.space.factors],
        "rotation": set(ROTATION) <= set(dataset.space.names) and dataset.space.columns(ROTATION),
        "classes": [{"label": e.label, "name": e.name, "synset": e.synset} for e in dataset.classes],
        "splits": splits,
        "objects": {
            "index": shown.objects.astype("<u4"),
            "label": dataset.labels[shown.objects].astype("<u4"),
            "split": np.array([ranks[split] for split in dataset.splits[shown.objects].tolist()], "u1"),
        },
        "ids": dataset.object_ids[shown.objects].tolist(),
        "sheets": {"side": plan.side, "tiles": plan.tiles, "columns": COLUMNS, "covers": TILES},
        "scene": _describe_scene(card.focal_length or FOCAL_LENGTH),
        "runs": [],
    }


def describe_latents(shown: Shown) -> dict[str, Any]:
    """The latents of all views shown, float32 (objects, views, factors)."""
    return {"latents": np.asarray(shown.dataset.latents[shown.objects], "<f4")}


def hide_password(location: str) -> str:
    """A URL without user, password and query, which may hold a key: a site may be shown to everybody."""
    return re.sub(r"\?.*", "", re.sub(r"://[^/]*@", "://", location)) if "://" in location else location


def _describe_factor(factor: Factor) -> dict[str, Any]:
    return {
        "name": factor.name,
        "low": factor.low,
        "high": factor.high,
        "unit": factor.unit,
        "group": factor.group,
        "isCircular": factor.is_circular,
    }


def _describe_scene(focal_length: float) -> dict[str, Any]:
    return {
        "camera": spherical(CAMERA_DISTANCE, CAMERA_POLAR, CAMERA_AZIMUTH).tolist(),
        "halfWidth": SENSOR_WIDTH / focal_length / 2,
        "floor": FLOOR_HEIGHT,
        "spot": SPOT_DISTANCE,
    }
