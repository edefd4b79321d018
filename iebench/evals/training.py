"""Training a probe on cached representations, and asking it about the views it has not seen."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor, nn

from iebench.errors import UsageError
from iebench.evals.features import FeatureSet
from iebench.evals.measure import Measure
from iebench.evals.probes import Probe
from iebench.evals.schedules import warmup_cosine

_RESIDENT_BYTES = 8 * 2**30  # representations up to this size are held on the device


@dataclass(frozen=True)
class ProbeSettings:
    """How probes are trained; the defaults are the published protocol.

    An epoch takes every training object once, with views drawn anew.

    Attributes:
        epochs, batch_size, lr, warmup_epochs: as named.
        final_lr: share of the rate that the cosine ends at.
        pairs_per_object: validation pairs of each object, fixed for all seeds.
    """

    epochs: int = 300
    batch_size: int = 256
    lr: float = 1e-3
    warmup_epochs: int = 10
    final_lr: float = 1e-3
    pairs_per_object: int = 5


class Samples(NamedTuple):
    """Views chosen from a split: `objects` (n,) index its rows, `views` (n, k) the views of each."""

    objects: Int[ndarray, " n"]
    views: Int[ndarray, "n k"]

    def of(self, table: Float[ndarray, "objects views c"]) -> Float[ndarray, "n k c"]:
        """The rows of a table that belong to the chosen views."""
        return table[self.objects[:, None], self.views]


class ProbeTask(Protocol):
    """What a probe shall learn, and how it is scored.

    Attributes:
        name: such as "rotation".
        arity: views in one sample, 1 or 2.
        needs: factors without which the task makes no sense.
    """

    name: str
    arity: int
    needs: tuple[str, ...]

    def head(self, width: int) -> nn.Module:
        """The head for representations of this width (of one view)."""
        ...

    def targets(self, features: FeatureSet, samples: Samples) -> ndarray:
        """What the head shall answer for each sample, in the type that the loss takes."""
        ...

    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The scalar to be minimised."""
        ...

    def constant(self, targets: ndarray) -> ndarray:
        """The best answer (c,) of a probe that sees nothing."""
        ...

    def measures(self, targets: ndarray, predictions: ndarray, features: FeatureSet) -> Iterator[Measure]:
        """Scores of predictions (objects, k, c) for targets (objects, k, …)."""
        ...

    def details(
        self, targets: ndarray, predictions: ndarray, features: FeatureSet
    ) -> Iterator[tuple[str, dict[str, float]]]:
        """Scores that are no single number, such as one for each class."""
        ...


def draw_samples(rng: np.random.Generator, num_objects: int, num_views: int, arity: int) -> Samples:
    """Every object once, in random order, with one view or two different ones.

    Raises:
        UsageError: pairs were asked of objects with a single view.
    """
    if arity > num_views:
        raise UsageError(f"Pairs need at least 2 views of an object, and this dataset has {num_views}.")
    first = rng.integers(num_views, size=num_objects)
    views = first[:, None]
    if arity == 2:
        second = (first + rng.integers(1, num_views, size=num_objects)) % num_views
        views = np.stack([first, second], axis=1)
    return Samples(rng.permutation(num_objects), views)


def validation_samples(features: FeatureSet, arity: int, pairs_per_object: int) -> Samples:
    """The fixed samples that every probe is scored on, object by object: all single views, or seeded pairs."""
    num_objects, num_views = features.num_objects, features.num_views
    if arity == 1:
        objects, views = np.divmod(np.arange(num_objects * num_views), num_views)
        return Samples(objects, views[:, None])
    rng = np.random.default_rng(0)
    draws = [draw_samples(rng, num_objects, num_views, arity).views for _ in range(pairs_per_object)]
    return Samples(np.repeat(np.arange(num_objects), pairs_per_object), np.stack(draws, 1).reshape(-1, arity))


class ViewReader:
    """Representations of chosen views, on the device; a GPU holds them whole where they are small enough."""

    def __init__(self, values: Float[ndarray, "objects views width"], device: str | torch.device):
        self.device = torch.device(device)
        self.values: ndarray | Tensor = values
        if self.device.type != "cpu" and values.nbytes <= _RESIDENT_BYTES:
            self.values = torch.from_numpy(np.array(values)).to(self.device)

    def read(self, samples: Samples) -> Float[Tensor, "n k*width"]:
        """The representations of each sample's views, side by side."""
        if isinstance(self.values, Tensor):
            objects, views = (torch.from_numpy(index).to(self.device) for index in samples)
            return self.values[objects[:, None], views].float().flatten(1)
        return torch.from_numpy(samples.of(self.values)).to(self.device).float().flatten(1)


def fit_probe(
    task: ProbeTask, features: FeatureSet, settings: ProbeSettings, seed: int, device: str | torch.device = "cpu"
) -> Probe:
    """Train the task's head on a split; the same seed gives the same head."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = task.head(features.values.shape[-1]).to(device)
    batches = -(-features.num_objects // settings.batch_size)
    num_steps, warmup = settings.epochs * batches, min(settings.warmup_epochs, settings.epochs // 2) * batches
    probe = Probe(head, task.loss, settings.lr, lambda step: warmup_cosine(step, num_steps, warmup, settings.final_lr))
    reader = ViewReader(features.values, device)
    rng = np.random.default_rng([seed, 1])
    for _ in range(settings.epochs):
        samples = draw_samples(rng, features.num_objects, features.num_views, task.arity)
        targets = torch.from_numpy(task.targets(features, samples)).to(device)
        for start in range(0, len(targets), settings.batch_size):
            rows = slice(start, start + settings.batch_size)
            probe.step(reader.read(Samples(samples.objects[rows], samples.views[rows])), targets[rows])
    return probe


def ask_probe(probe: Probe, features: FeatureSet, samples: Samples, device: str | torch.device = "cpu") -> ndarray:
    """The probe's predictions (n, c) for the samples."""
    reader = ViewReader(features.values, device)
    blocks = (slice(start, start + 4096) for start in range(0, len(samples.objects), 4096))
    answers = [probe.predict(reader.read(Samples(samples.objects[rows], samples.views[rows]))) for rows in blocks]
    return torch.cat(answers).cpu().numpy()


def by_object(rows: ndarray, features: FeatureSet) -> ndarray:
    """(objects · k, …) → (objects, k, …)."""
    return rows.reshape(features.num_objects, -1, *rows.shape[1:])


def sample_targets(task: ProbeTask, features: FeatureSet, num_draws: int = 20) -> ndarray:
    """Targets of random training samples, from which the constant predictor learns."""
    rng = np.random.default_rng(0)
    draws = (draw_samples(rng, features.num_objects, features.num_views, task.arity) for _ in range(num_draws))
    return np.concatenate([task.targets(features, samples) for samples in draws])
