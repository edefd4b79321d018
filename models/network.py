"""A network of somebody, ready to be scored: with its own preprocessing, pooling and precision."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from iebench.errors import find_named
from iebench.evals.model import check_images
from iebench.models.pooling import AUTO, pool_output
from iebench.models.preprocessing import MODEL, Images
from iebench.models.settings import POOLS
from iebench.models.untrained import untrained_twin

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class NetworkSettings(NamedTuple):
    """How a network is asked for its representations: see `iebench.load_network`."""

    pool: str = AUTO
    dtype: str = "float32"
    normalise: str = MODEL


DEFAULTS = NetworkSettings()


def find_type(name: str) -> torch.dtype:
    """The type of a name.

    Raises:
        UsageError: there is none, or networks cannot compute in it.
    """
    return find_named(name, DTYPES, "--dtype")


class Network(nn.Module):
    """uint8 images (batch, 3, height, width) → representations (batch, dim).

    Attributes:
        name: by which results call it.
        preprocessing: from uint8 images to what the body takes.
        body: the network itself, in eval mode.
        pool: how one vector is made of its output, out of `iebench.models.settings.POOLS`.
        dtype: name of the type that it computes in.
        make_untrained: makes the same architecture with fresh weights; a copy whose layers draw theirs anew where absent.
    """

    def __init__(
        self,
        name: str,
        body: nn.Module,
        preprocessing: nn.Module,
        pool: str = AUTO,
        dtype: str = "float32",
        make_untrained: Callable[[], nn.Module] | None = None,
    ) -> None:
        """Put a network behind its preprocessing; the arguments are the attributes.

        Raises:
            UsageError: there is no such pooling or type.
        """
        super().__init__()
        find_named(pool, dict.fromkeys(POOLS), "--pool")
        self.name, self.pool, self.dtype = name, pool, dtype
        self.preprocessing = preprocessing
        self.body = _cast(body, find_type(dtype))
        self.make_untrained = make_untrained
        self.eval()

    def forward(self, images: Images) -> Float[Tensor, "batch dim"]:
        """The representations of images.

        Raises:
            UsageError: they are something else, such as numbers in [0, 1], which would be normalised as if they were bytes.
        """
        pixels = self.preprocessing(check_images(images, "The network is given"))
        if pixels.is_floating_point():
            pixels = pixels.to(DTYPES[self.dtype])
        vectors = pool_output(self.body(pixels), self.pool)
        return vectors if vectors.is_complex() else vectors.float()

    def untrained(self) -> "Network":
        """The same architecture, freshly initialised, behind the same preprocessing."""
        fresh = self.make_untrained() if self.make_untrained is not None else untrained_twin(self.body)
        return Network(self.name, fresh, self.preprocessing, self.pool, self.dtype)

    def describe(self) -> dict[str, Any]:
        """All but the weights that decides its representations, as plain values."""
        return {"pool": self.pool, "dtype": self.dtype, "preprocessing": repr(self.preprocessing)}

    def settings_told(self) -> list[str]:
        """What tables say of it: pooling and type where they are not as by default."""
        return [name for name in (self.pool, self.dtype) if name not in DEFAULTS]

    def extra_repr(self) -> str:
        """What keys of caches tell apart beside body and preprocessing."""
        return f"{self.pool}, {self.dtype}"


def _cast(network: nn.Module, wanted: torch.dtype) -> nn.Module:
    """A network whose real numbers have a type; `Module.to` would make complex ones real, such as those of rotary positions."""
    return network._apply(lambda value: value.to(wanted) if value.is_floating_point() else value)
