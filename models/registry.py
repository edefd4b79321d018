"""Methods by name: those of the files listed here, and those of others by `package.module:Class`."""

from importlib import import_module
from pathlib import Path
from typing import Any

from iebench.errors import UsageError, suggest
from iebench.factors.space import FactorSpace
from iebench.models.backbones import build_backbone, measure_width
from iebench.models.method import METHODS, Entry, Method, Sizes
from iebench.models.settings import MethodSettings
from iebench.models.weights import load_backbone
from iebench.plugins import is_dotted, load_object

FILES = (
    "sie",
    "vicreg",
    "simclr",
    "augself",
    "equimod",
    "supervised",
    "byol",
)  # method_*.py, in the order of `METHODS`

for _file in FILES:
    import_module(f"iebench.models.method_{_file}")


def list_methods() -> list[str]:
    """The names of our methods, in the order of the table."""
    return list(METHODS)


def describe_methods() -> list[str]:
    """A line for each of our methods: its name, whether it has a predictor, what it is, and its paper."""
    width = max(map(len, METHODS))
    return [
        f"{name:{width}}  {'predicts' if entry.predicts else '':8}  {entry.summary}  {', '.join(entry.paper or ())}".rstrip()
        for name, entry in METHODS.items()
    ]


def find_method(name: str) -> Entry:
    """A method by name, or by `package.module:Class` one of somebody else's.

    Raises:
        UsageError: if there is none of that name.
    """
    if is_dotted(name):
        return _find_class(name)
    if name not in METHODS:
        hint = suggest(name, METHODS, f"the methods are {', '.join(METHODS)}, or package.module:Class.")
        raise UsageError(f"There is no method {name!r}: {hint}")
    return METHODS[name]


def _find_class(name: str) -> Entry:
    found = load_object(name, "METHOD")
    if not (isinstance(found, type) and issubclass(found, Method)):
        raise UsageError(f"METHOD {name} is no class that derives from iebench.models.method.Method.")
    entry = next((entry for entry in METHODS.values() if entry.method is found), None)
    if entry is None:
        raise UsageError(
            f"METHOD {name} is not registered; put @register(NAME, SETTINGS) of iebench.models.method above it."
        )
    return entry


def build_method(
    name: str,
    settings: MethodSettings,
    transform_size: int,
    num_classes: int,
    image_size: int = 0,
    space: FactorSpace | None = None,
    backbone_weights: str = "",
) -> Method[Any]:
    """A method with fresh weights.

    Args:
        name: its name in `METHODS`, or `package.module:Class`.
        settings: its settings.
        transform_size: number of coordinates of a transform.
        num_classes: number of labels that a classifier tells apart.
        image_size: side of the images in pixels.
        space: the factor space of the dataset.
        backbone_weights: file of weights that the backbone starts from, before any copy of it is made.
    """
    method = find_method(name).method
    backbone = build_backbone(settings.backbone, as_map=method.uses_map)
    if backbone_weights:
        load_backbone(backbone, Path(backbone_weights))
    width = measure_width(backbone, as_map=method.uses_map, size=image_size or 64)
    return method(settings, backbone, Sizes(width, transform_size, num_classes, image_size, space))
