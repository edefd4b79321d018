"""Methods by name: one line each."""

from dataclasses import dataclass
from difflib import get_close_matches

from iebench.errors import UsageError
from iebench.models.augself import Augself, AugselfSettings
from iebench.models.backbones import build_backbone, measure_width
from iebench.models.byol import Byol, ByolConditioned, ByolSettings
from iebench.models.equimod import Equimod, EquimodSettings, VicregEquimod, VicregEquimodSettings
from iebench.models.method import Method, Sizes
from iebench.models.settings import MethodSettings
from iebench.models.sie import EquivariantOnly, EquivariantOnlySettings, Sie, SieSettings
from iebench.models.simclr import Simclr, SimclrEquivariant, SimclrEquivariantSettings, SimclrSettings
from iebench.models.supervised import Supervised, SupervisedSettings
from iebench.models.vicreg import Vicreg, VicregPartial, VicregPartialSettings, VicregSettings


@dataclass(frozen=True)
class Entry:
    """A method's class and the class of its settings."""

    method: type[Method]
    settings: type[MethodSettings]


METHODS = {
    "sie": Entry(Sie, SieSettings),
    "equivariant-only": Entry(EquivariantOnly, EquivariantOnlySettings),
    "vicreg": Entry(Vicreg, VicregSettings),
    "vicreg-partial": Entry(VicregPartial, VicregPartialSettings),
    "simclr": Entry(Simclr, SimclrSettings),
    "simclr-equivariant": Entry(SimclrEquivariant, SimclrEquivariantSettings),
    "augself": Entry(Augself, AugselfSettings),
    "equimod": Entry(Equimod, EquimodSettings),
    "vicreg-equimod": Entry(VicregEquimod, VicregEquimodSettings),
    "supervised": Entry(Supervised, SupervisedSettings),
    "byol": Entry(Byol, ByolSettings),
    "byol-conditioned": Entry(ByolConditioned, ByolSettings),
}


def find_method(name: str) -> Entry:
    """A method by name.

    Raises:
        UsageError: if there is none of that name.
    """
    if name not in METHODS:
        near = get_close_matches(name, METHODS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"the methods are {', '.join(METHODS)}"
        raise UsageError(f"there is no method {name!r}; {hint}")
    return METHODS[name]


def build_method(name: str, settings: MethodSettings, transform_size: int, num_classes: int) -> Method:
    """A method with fresh weights.

    Args:
        name: Its name in `METHODS`.
        settings: Its settings.
        transform_size: Number of coordinates of a pair's transform.
        num_classes: Number of classes of the dataset.
    """
    backbone = build_backbone(settings.backbone)
    sizes = Sizes(measure_width(backbone), transform_size, num_classes)
    return find_method(name).method(settings, backbone, sizes)
