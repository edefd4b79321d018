"""Weights of backbones, ours and others': found by their layout, loaded whole or not at all."""

from pathlib import Path
from typing import Any

from torch import Tensor, nn

from iebench.errors import IebenchError
from iebench.models import checkpoints

# Where published checkpoints keep the backbone: SIE and EquiCaps under module.backbone (or bare), seq-JEPA under encoder,
# ContextSSL under enc; each also as DistributedDataParallel and torch.compile name it.
NAMES = ("backbone", "encoder", "enc", "resnet", "method.backbone")
WRAPPERS = ("", "module.", "_orig_mod.", "module._orig_mod.")
CONTAINERS = ("state_dict", "model", "module", "model_state_dict", "backbone", "encoder")
CLASSIFIERS = ("fc.weight", "fc.bias")  # torchvision's last layer, which our ResNets end before


def load_exactly(module: nn.Module, weights: dict[str, Tensor], path: str) -> None:
    """Load weights into a module.

    Raises:
        IebenchError: if a parameter is missing, left over, or of another shape; it lists them.
    """
    own = module.state_dict()
    faults = [f"{name} is missing" for name in own if name not in weights]
    faults += [f"{name} is left over" for name in weights if name not in own]
    faults += [
        f"{name} has shape {tuple(weights[name].shape)} instead of {tuple(value.shape)}"
        for name, value in own.items()
        if name in weights and weights[name].shape != value.shape
    ]
    if faults:
        raise IebenchError(f"{path} does not fit the network: {'; '.join(faults)}.")
    module.load_state_dict(weights)


def load_backbone(backbone: nn.Module, path: Path) -> None:
    """Load a backbone's weights from a file in any of the known layouts.

    Raises:
        IebenchError: if the file is not such a file, or does not fit exactly.
    """
    tensors = _find_tensors(checkpoints.load(path))
    if not tensors:
        raise IebenchError(f"{path} holds no tensors; it must hold a network's state_dict.")
    load_exactly(backbone, _find_backbone(tensors, set(backbone.state_dict())), str(path))


def _find_tensors(content: dict[str, Any]) -> dict[str, Tensor]:
    """The state_dict in a checkpoint: its own tensors, or those of the first known container that has any."""
    tensors = {name: value for name, value in content.items() if isinstance(value, Tensor)}
    for name in CONTAINERS:
        if not tensors and isinstance(content.get(name), dict):
            tensors = _find_tensors(content[name])
    return tensors


def _find_backbone(tensors: dict[str, Tensor], wanted: set[str]) -> dict[str, Tensor]:
    """The tensors under the prefix that fits most of the wanted names; without torchvision's classifier."""
    prefixes = [wrapper + (name and f"{name}.") for wrapper in WRAPPERS for name in ("", *NAMES)]
    under = [{k.removeprefix(p): v for k, v in tensors.items() if k.startswith(p)} for p in prefixes]
    best = max(under, key=lambda candidate: (len(wanted & set(candidate)), -len(candidate)))
    return {name: value for name, value in best.items() if name in wanted or name not in CLASSIFIERS}
