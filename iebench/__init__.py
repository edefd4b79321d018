"""iebench makes, serves and scores 3DIEBench, the benchmark of invariant and equivariant representations."""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

try:
    __version__ = version("iebench")
except PackageNotFoundError:  # a source tree on the path, not installed
    __version__ = "0+unknown"

if TYPE_CHECKING:
    from iebench.dataset import Dataset
    from iebench.pairs import Pair, PairDataset
    from iebench.stream import PairStream
    from iebench.views import ViewDataset

# PEP 562: naming one of these imports its module, so that `import iebench` itself needs neither torch nor bpy.
_LAZY = {
    "Dataset": "iebench.dataset",
    "Pair": "iebench.pairs",
    "PairDataset": "iebench.pairs",
    "PairStream": "iebench.stream",
    "ViewDataset": "iebench.views",
}
__all__ = ["Dataset", "Pair", "PairDataset", "PairStream", "ViewDataset", "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'iebench' has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return __all__
