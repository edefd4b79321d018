"""Networks that are looked at and left as they were."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn


@contextmanager
def modes_kept(model: Any) -> Iterator[None]:
    """Leaves the modules of a network in the mode, training or evaluation, in which they were, and on their device.

    What is no network is left alone.
    """
    modules = list(model.modules()) if isinstance(model, nn.Module) else []
    modes = [module.training for module in modules]
    devices = {value.device for module in modules for value in module.parameters(recurse=False)}
    try:
        yield
    finally:
        for module, training in zip(modules, modes, strict=True):
            module.training = training
        if len(devices) == 1:
            modules[0].to(devices.pop())
