"""Fitting a probe to cached representations, and its predictions for views that it has not seen."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor, nn

from iebench.errors import UsageError
from iebench.evals.probes import Probe, seeded
from iebench.evals.representations import Representations
from iebench.evals.schedules import warmup_cosine
from iebench.evals.settings import ProbeSettings

_RESIDENT_BYTES = 8 * 2**30  # representations up to this size are held on the device
_DRAWS = 20  # of the sample from which a constant learns, of one sample for each object


class Samples(NamedTuple):
    """Views chosen from a split: `objects` (n,) index its rows, `views` (n, k) the views of each."""

    objects: Int[ndarray, " n"]
    views: Int[ndarray, "n k"]

    def of(self, table: Float[ndarray, "objects views c"]) -> Float[ndarray, "n k c"]:
        """The rows of a table that belong to the chosen views."""
        return table[self.objects[:, None], self.views]


class Learnable(ABC):
    """What a probe learns.

    Attributes:
        num_views: views in one sample, 1 or 2.
    """

    num_views: int

    @abstractmethod
    def head(self, representations: Representations) -> nn.Module:
        """The head for representations of `num_views` views side by side."""

    @abstractmethod
    def targets(self, representations: Representations, samples: Samples) -> ndarray:
        """What the head learns to predict for each sample, in the type that the loss takes."""

    @abstractmethod
    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The scalar to be minimised."""


def draw_samples(rng: np.random.Generator, num_objects: int, num_views: int, per_sample: int) -> Samples:
    """Every object once, in random order, with one view or two different ones.

    Raises:
        UsageError: the objects have a single view, and a sample has two.
    """
    if per_sample > num_views:
        raise UsageError(f"Pairs need at least 2 views of an object, and this dataset has {num_views}.")
    first = rng.integers(num_views, size=num_objects)
    views = first[:, None]
    if per_sample == 2:
        second = (first + rng.integers(1, num_views, size=num_objects)) % num_views
        views = np.stack([first, second], axis=1)
    return Samples(rng.permutation(num_objects), views)


def validation_samples(representations: Representations, per_sample: int, pairs_per_object: int) -> Samples:
    """The fixed samples that every probe is scored on, object by object: all single views, or seeded pairs."""
    num_objects, num_views = representations.num_objects, representations.num_views
    if per_sample == 1:
        objects, views = np.divmod(np.arange(num_objects * num_views), num_views)
        return Samples(objects, views[:, None])
    rng = np.random.default_rng(0)
    draws = [draw_samples(rng, num_objects, num_views, per_sample).views for _ in range(pairs_per_object)]
    return Samples(np.repeat(np.arange(num_objects), pairs_per_object), np.stack(draws, 1).reshape(-1, per_sample))


class ViewReader:
    """Representations of chosen views, on the device; a GPU holds them whole where they are small enough."""

    def __init__(self, values: Float[ndarray, "objects views width"], device: str | torch.device):
        self.device = torch.device(device)
        self.values: ndarray | Tensor = values
        if self.device.type != "cpu" and values.nbytes <= _RESIDENT_BYTES:
            self.values = torch.from_numpy(np.array(values)).to(self.device)

    def read(self, samples: Samples) -> Float[Tensor, "n columns"]:
        """The representations of each sample's views, side by side."""
        if isinstance(self.values, Tensor):
            objects, views = (torch.from_numpy(index).to(self.device) for index in samples)
            return self.values[objects[:, None], views].float().flatten(1)
        return torch.from_numpy(samples.of(self.values)).to(self.device).float().flatten(1)


def fit_probe(
    task: Learnable,
    representations: Representations,
    settings: ProbeSettings,
    seed: int,
    device: str | torch.device = "cpu",
) -> Probe:
    """Train the task's head on a split; the same seed gives the same head."""
    head = seeded(lambda: task.head(representations), seed).to(device)
    batches = -(-representations.num_objects // settings.batch_size)
    num_steps, warmup = settings.epochs * batches, min(settings.warmup_epochs, settings.epochs // 2) * batches
    probe = Probe(head, task.loss, settings.lr, lambda step: warmup_cosine(step, num_steps, warmup, settings.final_lr))
    reader = ViewReader(representations.values, device)
    rng = np.random.default_rng([seed, 1])
    for _ in range(settings.epochs):
        samples = draw_samples(rng, representations.num_objects, representations.num_views, task.num_views)
        targets = torch.from_numpy(task.targets(representations, samples)).to(device)
        for start in range(0, len(targets), settings.batch_size):
            rows = slice(start, start + settings.batch_size)
            probe.step(reader.read(Samples(samples.objects[rows], samples.views[rows])), targets[rows])
    return probe


def predict_samples(
    probe: Probe, representations: Representations, samples: Samples, device: str | torch.device = "cpu"
) -> ndarray:
    """The probe's predictions (n, c) for the samples."""
    reader = ViewReader(representations.values, device)
    blocks = (slice(start, start + 4096) for start in range(0, len(samples.objects), 4096))
    predictions = [probe.predict(reader.read(Samples(samples.objects[rows], samples.views[rows]))) for rows in blocks]
    return torch.cat(predictions).cpu().numpy()


def by_object(rows: ndarray, representations: Representations) -> ndarray:
    """(objects · k, …) → (objects, k, …)."""
    return rows.reshape(representations.num_objects, -1, *rows.shape[1:])


def sample_targets(task: Learnable, representations: Representations) -> ndarray:
    """Targets of random training samples, from which the constant predictor learns."""
    rng = np.random.default_rng(0)
    draws = (
        draw_samples(rng, representations.num_objects, representations.num_views, task.num_views) for _ in range(_DRAWS)
    )
    return np.concatenate([task.targets(representations, samples) for samples in draws])
