"""Runs whose answers are known: what they represent is looked up by the image. And the reader of the explorer's data files."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy import ndarray
from torch import Tensor

from iebench.dataset.reader import Dataset
from iebench.evals.model import Model
from iebench.evals.retrieval import compose_quaternions
from iebench.explore.runs import ExploredRun
from iebench.factors.rotations import euler_to_quaternion
from iebench.loader.decode import decode_view

TYPES = {"f4": "<f4", "u1": "u1", "u2": "<u2", "u4": "<u4"}


def read_script(path: Path) -> dict:
    """What a data file hands to the pages."""
    found = re.fullmatch(r'receive\("([a-z0-9-]+)", (.*)\);\n', path.read_text(encoding="ascii"))
    assert found and found[1] == path.stem

    def revive(value: dict) -> object:
        if "base64" not in value:
            return value
        return np.frombuffer(base64.b64decode(value["base64"]), TYPES[value["type"]]).reshape(value["shape"])

    return json.loads(found[2], object_hook=revive)


def quaternions_of(dataset: Dataset) -> ndarray:
    """Of all views, by their latents."""
    return euler_to_quaternion(np.asarray(dataset.latents[..., :3]))


def make_lookup(dataset: Dataset, vectors: ndarray) -> Any:
    """A network that knows every image of the dataset: images → vectors (objects, views, width)."""
    known = {
        decode_view(dataset, index, view).transpose(2, 0, 1).tobytes(): vectors[index, view]
        for index in range(dataset.num_objects)
        for view in range(dataset.num_views)
    }

    def represent(images: Tensor) -> Tensor:
        return torch.from_numpy(np.stack([known[image.numpy().tobytes()] for image in images])).float()

    return represent


def exact_run(dataset: Dataset) -> ExploredRun:
    """Knows class and rotation of every view, and predicts rotations exactly."""
    classes = np.eye(4)[dataset.labels][:, None].repeat(dataset.num_views, axis=1)
    represent = make_lookup(dataset, np.concatenate([classes, quaternions_of(dataset)], axis=-1))
    parts = {"invariant": slice(0, 4), "equivariant": slice(4, 8)}
    model = Model(represent, embed=lambda values: values[:, 4:], predict=compose_quaternions, parts=parts)
    return ExploredRun("exact", model, "runs/exact")


def still_run(dataset: Dataset) -> ExploredRun:
    """Knows the rotation of every view, and predicts that nothing turns."""
    represent = make_lookup(dataset, quaternions_of(dataset))
    return ExploredRun("still", Model(represent, embed=lambda values: values, predict=lambda source, _: source))


def mistaken_run(dataset: Dataset) -> ExploredRun:
    """Takes odd views of held-out objects for the next class, and predicts nothing."""
    odd = np.arange(dataset.num_views) % 2 * (dataset.splits == "val")[:, None]
    labels = (dataset.labels[:, None] + odd) % len(dataset.classes)
    return ExploredRun("mistaken", Model(make_lookup(dataset, np.eye(4)[labels])))
