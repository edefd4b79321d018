"""Supervision with labels and transforms: the upper reference of the benchmark."""

from dataclasses import dataclass

import torch
from torch import nn

from iebench.loader.multiview import Views
from iebench.models.distributed import gather
from iebench.models.heads import parse_sizes, perceptron
from iebench.models.losses import cross_entropy, squared_distance
from iebench.models.method import Representations, Sizes, TwoViewMethod, WeighedTerms, register
from iebench.models.settings import AllPairsSettings, setting


@dataclass(frozen=True)
class SupervisedSettings(AllPairsSettings):
    """A class head on each view and a head for the transform on both; the balance is ours."""

    regressor_hidden: str = setting("1024-1024", "Hidden sizes of the head for the transform.")
    classification_weight: float = setting(1.0, "Weight of the cross-entropy of the classes.")
    regression_weight: float = setting(10.0, "Weight of the squared error of the transform.")


@register("supervised", SupervisedSettings)
class Supervised(TwoViewMethod[SupervisedSettings]):
    """One backbone told the class of each view and the transform between the two."""

    min_classes = 2

    def __init__(self, settings: SupervisedSettings, backbone: nn.Module, sizes: Sizes) -> None:
        super().__init__(settings, backbone, sizes)
        hidden = parse_sizes(settings.regressor_hidden)
        self.classifier = nn.Linear(sizes.representation, sizes.classes)
        self.regressor = perceptron(2 * sizes.representation, hidden, sizes.transform)

    def objective(self, source: Representations, target: Representations, views: Views) -> WeighedTerms:
        """The cross-entropy of both views' classes, and the squared error of the regressed transform."""
        label, transform = gather(views.label), gather(views.transforms[:, 0])
        regression = gather(self.regressor(torch.cat([source, target], dim=1)))
        logits = [gather(self.classifier(view)) for view in (source, target)]
        terms = {
            "classification": (cross_entropy(logits[0], label) + cross_entropy(logits[1], label)) / 2,
            "regression": squared_distance(regression, transform),
        }
        return self.weigh(terms)
