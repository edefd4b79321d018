"""The untrained twin of a network: the same architecture with freshly drawn weights."""

from copy import deepcopy

import torch
from torch import Tensor, nn

from iebench.evals.probes import seeded


def untrained_twin(network: nn.Module) -> nn.Module:
    """A randomly initialised copy of a network: the baseline "random init".

    Modules with `reset_parameters` (all of torch's layers) draw their weights anew, an outer one after its inner ones. Parameters
    that no module resets, such as a class token or position embeddings, have their entries shuffled: their distribution stays,
    what they learned goes.
    """
    twin = deepcopy(network)
    seeded(lambda: _reinitialise(twin))
    return twin


def _reinitialise(network: nn.Module) -> None:
    for module in reversed(list(network.modules())):
        reset = getattr(module, "reset_parameters", None) or getattr(module, "_reset_parameters", None)
        if callable(reset):
            reset()
        else:
            for values in module.parameters(recurse=False):
                _shuffle(values.data)


def _shuffle(values: Tensor) -> None:
    order = torch.randperm(values.numel()).to(values.device)
    values.copy_(values.flatten()[order].view_as(values))
