"""The layers of a network: its blocks found, and what comes out of each of them caught in one pass."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate, pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from iebench.errors import IebenchError, UsageError
from iebench.evals.model import Represent, describe_output
from iebench.models.pooling import AUTO, pool_state
from iebench.models.preprocessing import Images

ALL = "all"
Layers = str | Sequence[int | str]


def find_blocks(network: nn.Module) -> list[nn.Module]:
    """The blocks that a network is made of, in order; none where they are not found.

    They are `layer1`, `layer2`, … of a ResNet, else the longest list of modules of one class that stands in no other list.
    """
    stages = [child for module in network.modules() for name, child in module.named_children() if _is_stage(name)]
    lists = [(name, module) for name, module in network.named_modules() if _is_list(module)]
    outer = [list(module) for name, module in lists if not any(name.startswith(f"{other}.") for other, _ in lists)]
    return stages or max(outer, key=len, default=[])


def choose_layers(network: nn.Module, layers: Layers = ALL) -> dict[str, nn.Module]:
    """Some layers of a network by their labels.

    Args:
        network: of which.
        layers: "all" for its blocks, or with commas between their numbers, from 0 on and -1 for the last, or names of modules.

    Raises:
        UsageError: there are no blocks, or none of that number or name.
    """
    blocks = find_blocks(network)
    asked = layers.split(",") if isinstance(layers, str) else [str(layer) for layer in layers]
    if asked == [ALL]:
        if not blocks:
            raise UsageError(
                "--layers all finds no list of blocks in the network: name modules of it, as model.named_modules() has them."
            )
        return {str(number): block for number, block in enumerate(blocks)}
    return dict(_find_layer(network, blocks, text.strip()) for text in asked)


def _find_layer(network: nn.Module, blocks: list[nn.Module], text: str) -> tuple[str, nn.Module]:
    if text.lstrip("-").isdecimal():
        if not -len(blocks) <= int(text) < len(blocks):
            raise UsageError(f"--layers {text}: the network has {len(blocks)} blocks, numbered from 0.")
        return str(int(text) % len(blocks)), blocks[int(text)]
    modules = dict(network.named_modules())
    if not text or text not in modules:
        raise UsageError(
            f"--layers has no {text!r}: give all, numbers of blocks, or names as model.named_modules() has them."
        )
    return text, modules[text]


def _is_stage(name: str) -> bool:
    return name.startswith("layer") and name[5:].isdecimal()


def _is_list(module: nn.Module) -> bool:
    return (
        isinstance(module, nn.ModuleList | nn.Sequential)
        and len(module) > 1
        and len({type(one) for one in module}) == 1
    )


class LayerReader:
    """A representation, and behind it those of layers, side by side: uint8 images (batch, 3, height, width) → (batch, width).

    Attributes:
        labels: of the layers, in the order of their columns.
    """

    def __init__(
        self, represent: Represent, layers: dict[str, nn.Module], pool: str = AUTO, channels_last: bool = False
    ):
        """Catch nothing yet.

        Args:
            represent: calls the network, and gives its representation.
            layers: of `choose_layers`.
            pool: how one vector is made of a layer's state, see `iebench.models.pooling.pool_state`.
            channels_last: whether maps are (batch, rows, columns, width).
        """
        self._represent, self._layers, self._pool, self._channels_last = represent, layers, pool, channels_last
        self.labels = tuple(layers)

    def __call__(self, images: Images) -> Float[Tensor, "batch dim"]:
        """The representation of images, and those of the layers."""
        return torch.cat(self._read(images), 1)

    def measure(self, images: Images) -> list[slice]:
        """The columns of the representation, then those of each layer, found by a pass over some images."""
        edges = accumulate((part.shape[1] for part in self._read(images)), initial=0)
        return [slice(*pair) for pair in pairwise(edges)]

    def _read(self, images: Images) -> list[Tensor]:
        with torch.no_grad(), _caught(self._layers) as states:
            final = torch.as_tensor(self._represent(images))
        return [final.float(), *(self._vector(label, states.get(label)) for label in self._layers)]

    def _vector(self, label: str, state: object) -> Tensor:
        state = state[0] if isinstance(state, tuple | list) and state else state
        if not isinstance(state, Tensor) or state.ndim not in (2, 3, 4):
            raise IebenchError(f"Layer {label} gives {describe_output(state)}: name another of the network's modules.")
        if self._channels_last and state.ndim == 4:
            state = state.permute(0, 3, 1, 2)
        return pool_state(state, self._pool).float()


@contextmanager
def _caught(layers: dict[str, nn.Module]) -> Iterator[dict[str, object]]:
    """What comes out of layers while a network is called."""
    states: dict[str, object] = {}

    def catch(label: str) -> torch.utils.hooks.RemovableHandle:
        return layers[label].register_forward_hook(lambda _module, _inputs, output: states.update({label: output}))

    handles = [catch(label) for label in layers]
    try:
        yield states
    finally:
        for handle in handles:
            handle.remove()
