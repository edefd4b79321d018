"""Classification: the class of an object from one view, by a linear probe."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor, nn
from torch.nn import functional as F

from iebench.evals import metrics
from iebench.evals.columns import Column, Figure
from iebench.evals.measure import Measure, mean_of
from iebench.evals.probe_fitting import Samples
from iebench.evals.probe_task import ProbeTask
from iebench.evals.probes import linear_probe
from iebench.evals.representations import Representations
from iebench.evals.settings import CONSTANT, RANDOM_INIT


class Classification(ProbeTask):
    """Top-1, top-5 and mean accuracy per class of a linear classifier."""

    name, num_views = "classification", 1
    order = 0
    baselines: tuple[str, ...] = (CONSTANT, RANDOM_INIT)  # the latents do not say what an object is
    columns: tuple[Column, ...] = (
        Column("top-1", "classification/whole/top1", "top1", 100, 1, "%"),
        Column("top-5", "classification/whole/top5", "", 100, 1, "%"),
        Column("top-1, invariant part", "classification/invariant/top1", "", 100, 1, "%"),
        Column("top-1, equivariant part", "classification/equivariant/top1", "", 100, 1, "%"),
        Column("top-1, out of distribution", "ood/classification/whole/top1", "top1::ood", 100, 1, "%"),
    )
    figures: tuple[Figure, ...] = (
        Figure(
            "Class by class",
            "classification/whole/top1_by_class",
            "classes",
            "Top-1 accuracy of each class.",
            x="top-1 accuracy",
        ),
    )

    def can_score(self, targets: ndarray, train: Representations) -> bool:
        """Whether the probe has a logit for each of the labels."""
        return bool((targets < train.num_labels).all())

    def head(self, representations: Representations) -> nn.Module:
        """One linear layer."""
        return linear_probe(representations.values.shape[-1], representations.num_labels)

    def targets(self, representations: Representations, samples: Samples) -> Int[ndarray, " n"]:
        """The labels."""
        return representations.labels[samples.objects]

    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The cross-entropy."""
        return F.cross_entropy(prediction, target)

    def best_constant(self, targets: Int[ndarray, " n"], representations: Representations) -> Float[ndarray, " labels"]:
        """The frequencies of the labels."""
        return np.bincount(targets, minlength=representations.num_labels).astype(np.float64)

    def measures(self, targets: ndarray, predictions: ndarray, representations: Representations) -> Iterator[Measure]:
        """Accuracies; equal logits count by their chance."""
        scores, labels = predictions.reshape(-1, predictions.shape[-1]), targets.reshape(-1)
        for k in (1, 5):
            yield mean_of(f"top{k}", metrics.hit_chances(scores, labels, k).reshape(targets.shape))
        hits = metrics.hit_chances(scores, labels, 1).reshape(targets.shape)
        yield Measure("mean_per_class", _mean_per_class, (hits, targets))

    def details(
        self, targets: ndarray, predictions: ndarray, representations: Representations
    ) -> Iterator[tuple[str, dict[str, float]]]:
        """Top-1 of each class."""
        scores = predictions.reshape(-1, predictions.shape[-1])
        accuracy = metrics.accuracy_by_class(scores, targets.reshape(-1))
        yield "top1_by_class", {representations.class_names[label]: value for label, value in accuracy.items()}

    def errors_by_object(self, targets: ndarray, predictions: ndarray) -> Float[ndarray, " objects"]:
        """The share of each object's views that are named wrongly: 1 minus their mean is `top1`."""
        scores = predictions.reshape(-1, predictions.shape[-1])
        return 1 - metrics.hit_chances(scores, targets.reshape(-1), 1).reshape(targets.shape).mean(axis=1)


def _mean_per_class(hits: Float[ndarray, "objects k"], labels: Int[ndarray, "objects k"]) -> float:
    present = np.unique(labels)
    return float(np.mean([hits[labels == label].mean() for label in present]))
