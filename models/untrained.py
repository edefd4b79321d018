"""The untrained twin of a network: the same architecture with freshly drawn weights."""

from collections.abc import Callable
from copy import deepcopy
from typing import TypeVar

import torch
from torch import Tensor, nn

Made = TypeVar("Made")


def seeded(build: Callable[[], Made], seed: int = 0) -> Made:
    """What a function makes when torch's generator starts from a seed; the generator is put back afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()


def untrained_twin(network: nn.Module, seed: int = 0) -> nn.Module:
    """A randomly initialised copy of a network: the baseline "random init".

    Modules with `reset_parameters` (all of torch's layers) draw their weights anew, an outer one after its inner ones. Parameters
    that no module resets, such as a class token or position embeddings, have their entries shuffled: their distribution stays,
    what they learned goes.
    """
    twin = deepcopy(network)
    seeded(lambda: _reinitialise(twin), seed)
    return twin


def _reinitialise(network: nn.Module) -> None:
    for module in _inner_first(network):
        reset = getattr(module, "reset_parameters", None) or getattr(module, "_reset_parameters", None)
        if callable(reset):
            reset()
        else:
            for values in module.parameters(recurse=False):
                _shuffle(values.data)


def _inner_first(network: nn.Module) -> list[nn.Module]:
    return list(network.modules())[::-1]


def _shuffle(values: Tensor) -> None:
    order = torch.randperm(values.numel()).to(values.device)
    values.copy_(values.flatten()[order].view_as(values))
