"""Weights of backbones, ours and others': found by their layout, loaded whole or not at all."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from iebench.errors import IebenchError
from iebench.escapes import for_terminal
from iebench.models import checkpoints
from iebench.models.backbones import RESNETS
from iebench.models.weight_layouts import Found, find_networks, flatten

NAMED = 2  # of each kind of fault
Tensors = Mapping[str, Tensor]


def load_exactly(module: nn.Module, weights: dict[str, Tensor], path: str) -> None:
    """Load weights into a module.

    Raises:
        IebenchError: if a parameter is missing, left over, or of another shape; it names the first ones.
    """
    _fill(module, Found("", weights, module.state_dict()), path)


def load_backbone(backbone: nn.Module, path: Path, option: str = "--backbone") -> None:
    """Load a backbone's weights from a file, under whatever prefix they lie; `option` chose the backbone, for messages.

    Of several networks that fit, the one that its authors evaluate is taken, and told; so it is where the tensors do not tell
    which of our backbones they are of.

    Raises:
        IebenchError: if the file is not such a file, or does not fit exactly; it names the backbone that they fit.
    """
    tensors = dict(flatten(_read(path)))
    if not tensors:
        raise IebenchError(f"{path} holds no tensors; it must hold a network's state_dict.")
    found = find_networks(tensors, backbone.state_dict())
    best = _choose(found, path) if found else None
    mend = f"choose the {option} that they were made for"
    if best is None or not best.fits:
        _check_backbone(tensors, path, option)
    if best is None:
        raise IebenchError(
            f"{path} holds no tensor of the network: its names begin with {_quote(_beginnings(tensors))}, and "
            f"the network's with {_quote(_beginnings(backbone.state_dict()))}; {mend}."
        )
    near = [one for one in found if 2 * one.num_fitting > found[0].num_fitting]
    _fill(backbone, best, str(path), _prefixes(near), mend)
    _tell_twins(backbone, path, option)


@cache
def _known_networks() -> dict[str, Tensors]:
    """The tensors of each of our backbones, without their numbers."""
    with torch.device("meta"):
        return {name: make().state_dict() for name, make in RESNETS.items()}


def _check_backbone(tensors: Tensors, path: Path, option: str) -> None:
    """Raise IebenchError if a file's tensors fit a backbone of ours, and so not the one that was given."""
    known = {name: find_networks(tensors, own)[:1] for name, own in _known_networks().items()}
    fitting = {name: found[0] for name, found in known.items() if found and found[0].fits}
    if fitting:
        names, first = list(fitting), next(iter(fitting.values()))
        held = f"holds weights of {' or '.join(names)}{_say_where(first, [])}"
        raise IebenchError(f"{path} {held}: give {option} {names[0]}{' or the other' * (len(names) > 1)}.")


def _tell_twins(backbone: nn.Module, path: Path, option: str) -> None:
    """Say so where several of our backbones have the same names and shapes, and compute something else."""
    shapes = _shapes(backbone.state_dict())
    twins = [name for name, own in _known_networks().items() if _shapes(own) == shapes]
    if len(twins) > 1:
        told = f"{' and '.join(twins)} have the same tensors and compute something else"
        print(f"{path}: {told}, so see to it that {option} is the one they were made for.", file=sys.stderr)


def _shapes(tensors: Tensors) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in tensors.items()}


def _read(path: Path) -> Mapping[str, Any]:
    if path.suffix != ".safetensors":
        return checkpoints.load(path)
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise IebenchError(f"{path} cannot be read as safetensors ({error}): fetch it again.") from None


def _choose(found: Sequence[Found], path: Path) -> Found:
    """The best of what was found.

    Raises:
        IebenchError: there are several that are equally good and not the same.
    """
    best, *others = found
    rivals = [one for one in others if one.fits and not _are_equal(one, best)] if best.fits else []
    if any(one.is_second_choice == best.is_second_choice for one in rivals):
        names = _quote([best.prefix, *(one.prefix for one in rivals)])
        raise IebenchError(f"{path} holds several networks that fit, {names}: save one of them alone.")
    if rivals:
        told = f"{path}: took the weights under {best.prefix!r}, and not those under {_quote(_prefixes(rivals))}."
        print(for_terminal(told), file=sys.stderr)
    return best


def _are_equal(one: Found, other: Found) -> bool:
    return all(torch.equal(value, other.tensors[name]) for name, value in one.tensors.items() if name in other.tensors)


def _fill(module: nn.Module, found: Found, path: str, prefixes: Sequence[str] = (), mend: str = "") -> None:
    if not found.fits:
        faults = "; ".join(_say_faults(found))
        raise IebenchError(
            f"{path} does not fit the network{_say_where(found, prefixes)}: {faults}{mend and f'; {mend}'}."
        )
    module.load_state_dict({**found.own, **found.tensors})


def _say_where(found: Found, prefixes: Sequence[str]) -> str:
    others = [prefix for prefix in prefixes if prefix != found.prefix][:NAMED]
    beside = f" (nearer than under {_quote(others)})" if others else ""
    return f" under {found.prefix!r}{beside}" if found.prefix or others else ""


def _say_faults(found: Found) -> Iterator[str]:
    for names, what in ((found.missing, "missing"), (found.left_over, "left over")):
        if names:
            yield _say_names(names, what)
    for name in found.misshapen[:NAMED]:
        yield f"{name} has shape {tuple(found.tensors[name].shape)} instead of {tuple(found.own[name].shape)}"
    if len(found.misshapen) > NAMED:
        yield f"{len(found.misshapen) - NAMED} more have other shapes"


def _say_names(names: Sequence[str], what: str) -> str:
    if len(names) > NAMED:
        return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more are {what}"
    return f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} {what}"


def _prefixes(found: Sequence[Found]) -> list[str]:
    return list(dict.fromkeys(one.prefix for one in found))


def _beginnings(tensors: Mapping[str, Tensor]) -> list[str]:
    """The first parts of names, the first few of them."""
    return list(dict.fromkeys(name.partition(".")[0] for name in tensors))[:4]


def _quote(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))
