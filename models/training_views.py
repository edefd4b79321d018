"""The views that a training sees: opened as the method wants them, decoded by workers or kept decoded, and loaded."""

import os
from functools import partial
from typing import Any

import torch

from iebench.dataset.reader import Dataset
from iebench.factors.transforms import Transform
from iebench.loader.batches import BatchLoader
from iebench.loader.multiview import MultiViewDataset, Views
from iebench.loader.order import Last
from iebench.loader.resident import ResidentViews
from iebench.models.distributed import num_processes
from iebench.models.method import Method
from iebench.models.runs import RunConfig
from iebench.models.settings import TrainerSettings


def open_views(
    dataset: Dataset, split: str, config: RunConfig, method: Method, device: torch.device | None = None
) -> MultiViewDataset:
    """The views of a split as the method wants them; of val the first two, the same whatever the seed.

    Args:
        dataset, split, config, method: as named.
        device: of the training; only of train, where images may stay.
    """
    is_train, trainer = split == "train", config.trainer
    kind: Any = MultiViewDataset
    if device is not None and trainer.resident:
        kind = partial(ResidentViews, device=device, copies=trainer.devices)
    return kind(
        dataset,
        split,
        config.method_settings.transform,
        trainer.seed if is_train else 0,
        config.image_size,
        num_views=method.num_views if is_train else min(method.num_views, 2),
        anchor=method.anchor,
    )


def make_loader(views: MultiViewDataset, trainer: TrainerSettings, last: Last) -> BatchLoader[Views]:
    """The loader of this process; images that are kept decoded need no workers."""
    local_batch = trainer.batch_size // num_processes()
    if isinstance(views, ResidentViews):
        return views.loader(local_batch, 0, last=last, pin_memory=False)
    return views.loader(local_batch, min(trainer.num_workers, num_cores()), last=last)


def rotation_columns(views: MultiViewDataset) -> slice | None:
    """Where the transforms have the relative rotation; None if they have none."""
    transform = views.transform
    if isinstance(transform, Transform) and "rotation" in transform.parts:
        return transform.columns("rotation")
    return None


def num_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
