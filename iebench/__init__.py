"""iebench makes, serves and scores 3DIEBench, the benchmark of invariant and equivariant representations."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from iebench.version import __version__

if TYPE_CHECKING:
    from iebench.dataset.reader import Dataset
    from iebench.loader.clips import ClipDataset
    from iebench.loader.geometry import GeometryDataset
    from iebench.loader.multiview import MultiViewDataset, Pair, Views
    from iebench.loader.pairs import PairDataset
    from iebench.loader.stream import PairStream
    from iebench.loader.views import ViewDataset
    from iebench.models.evaluation import evaluate
    from iebench.models.networks import load_network
    from iebench.models.runs import load

# PEP 562: naming one of these imports its module, so that `import iebench` itself needs neither torch nor bpy.
_LAZY = {
    "ClipDataset": "iebench.loader.clips",
    "Dataset": "iebench.dataset.reader",
    "GeometryDataset": "iebench.loader.geometry",
    "MultiViewDataset": "iebench.loader.multiview",
    "Pair": "iebench.loader.multiview",
    "PairDataset": "iebench.loader.pairs",
    "PairStream": "iebench.loader.stream",
    "ViewDataset": "iebench.loader.views",
    "Views": "iebench.loader.multiview",
    "evaluate": "iebench.models.evaluation",
    "load": "iebench.models.runs",
    "load_network": "iebench.models.networks",
}
__all__ = [
    "ClipDataset",
    "Dataset",
    "GeometryDataset",
    "MultiViewDataset",
    "Pair",
    "PairDataset",
    "PairStream",
    "ViewDataset",
    "Views",
    "__version__",
    "evaluate",
    "load",
    "load_network",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'iebench' has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return __all__
