"""AugSelf (Lee et al., NeurIPS 2021): SimCLR beside a regression of the transform from the two representations."""

from dataclasses import dataclass

import torch
from torch import nn

from iebench.loader.multiview import Views
from iebench.models.distributed import gather
from iebench.models.heads import parse_sizes, perceptron
from iebench.models.losses import squared_distance
from iebench.models.method import Paper, Representations, Sizes, WeighedTerms, register
from iebench.models.method_simclr import Simclr, SimclrSettings
from iebench.models.settings import setting

PAPER = Paper("Lee et al., NeurIPS 2021", "https://arxiv.org/abs/2111.09613")


@dataclass(frozen=True)
class AugselfSettings(SimclrSettings):
    """The setting of the SIE paper."""

    regressor_hidden: str = setting("1024-1024", "Hidden sizes of the regression of the transform.")
    regression_weight: float = setting(1.0, "Weight of the regression of the transform.")


@register("augself", AugselfSettings, paper=PAPER)
class Augself(Simclr):
    """The representations of two views must also tell the transform between them."""

    settings: AugselfSettings

    def __init__(self, settings: AugselfSettings, backbone: nn.Module, sizes: Sizes) -> None:
        super().__init__(settings, backbone, sizes)
        hidden = parse_sizes(settings.regressor_hidden)
        self.regressor = perceptron(2 * sizes.representation, hidden, sizes.transform)

    def objective(self, source: Representations, target: Representations, views: Views) -> WeighedTerms:
        """SimCLR's term, and the squared error of the regressed transform."""
        regression = gather(self.regressor(torch.cat([source, target], dim=1)))
        _, terms = super().objective(source, target, views)
        return self.weigh({**terms, "regression": squared_distance(regression, gather(views.transforms[:, 0]))})
