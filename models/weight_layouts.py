"""Where a file of weights keeps a network: under which prefix, and under which names for its layers.

Nothing is known of any one project but the words in `HEADS` and `SECOND_CHOICE`: a network is where its names are.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

WRAPPERS = {"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"}  # torch puts these into names
# What follows a backbone in a network that ends later than ours, as torchvision's classifier or MoCo's head.
HEADS = {"fc", "head", "heads", "classifier", "linear", "projector", "projection_head", "predictor", "prediction_head"}
# Of two networks that fit, the one that is not evaluated: DINO's teacher is, and MoCo's query and BYOL's online network.
SECOND_CHOICE = re.compile(r"(?:^|[._])(student|target|momentum|key|k)\d?(?=[._]|$)")
MOST_PREFIXES = 8  # that are looked at


@dataclass(frozen=True)
class Found:
    """What a file has under one prefix, by the network's names.

    Attributes:
        prefix: with its dot.
        tensors: under it, without a head.
        own: those of the network itself.
    """

    prefix: str
    tensors: dict[str, Tensor]
    own: Mapping[str, Tensor]

    @property
    def missing(self) -> list[str]:
        """Names that are not there. Counts of batches may lack, as old files do: they change no output."""
        return [name for name in self.own if name not in self.tensors and not name.endswith("num_batches_tracked")]

    @property
    def left_over(self) -> list[str]:
        """Names that the network has not."""
        return [name for name in self.tensors if name not in self.own]

    @property
    def misshapen(self) -> list[str]:
        """Names whose tensors have another shape."""
        both = [name for name in self.own if name in self.tensors]
        return [name for name in both if self.tensors[name].shape != self.own[name].shape]

    @property
    def fits(self) -> bool:
        """Whether the network can be filled with it and nothing is left."""
        return not (self.missing or self.left_over or self.misshapen)

    @property
    def num_fitting(self) -> int:
        """Tensors of the right name and shape."""
        return len(self.own.keys() & self.tensors.keys()) - len(self.misshapen)

    @property
    def is_second_choice(self) -> bool:
        """Whether it is a network that others do not evaluate where there is another beside it."""
        return SECOND_CHOICE.search(self.prefix) is not None


def flatten(content: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    """All tensors of nested dictionaries, by their keys with dots between."""
    for key, value in content.items():
        if isinstance(value, Tensor):
            yield ".".join(part for part in f"{prefix}{key}".split(".") if part not in WRAPPERS), value
        elif isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{key}.")


def find_networks(tensors: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> list[Found]:
    """What fits a network at least in part, the best first.

    Args:
        tensors: all of a file.
        own: the network's `state_dict()`, in the order in which its layers follow each other.
    """
    named = Counter(prefix for name in tensors for prefix, rest in _splits(name) if rest in own)
    found = [Found(prefix, _name(_under(prefix, tensors), own), own) for prefix, _ in named.most_common(MOST_PREFIXES)]
    for prefix in _numbered_prefixes(tensors, _tops(own)):
        found.append(Found(prefix, _name(_rename_positions(_under(prefix, tensors), own), own), own))
    found = [one for one in found if one.num_fitting]
    return sorted(found, key=lambda one: (not one.fits, one.is_second_choice, -one.num_fitting, len(one.left_over)))


def _splits(name: str) -> Iterator[tuple[str, str]]:
    """(prefix with its dot, rest) for every place where a name can be cut."""
    yield "", name
    for dot in re.finditer(r"\.", name):
        yield name[: dot.end()], name[dot.end() :]


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _name(tensors: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Without heads that the network has not."""
    heads = HEADS - _tops(own).keys()
    return {name: value for name, value in tensors.items() if name.partition(".")[0] not in heads}


def _tops(names: Mapping[str, Tensor]) -> dict[str, None]:
    """The layers that names begin with, in their order."""
    return dict.fromkeys(name.partition(".")[0] for name in names)


def _numbered_prefixes(tensors: Mapping[str, Tensor], layers: Mapping[str, None]) -> Iterator[str]:
    """Prefixes that are followed by at least as many numbers as there are layers."""
    numbers: dict[str, set[str]] = {}
    for prefix, rest in (split for name in tensors for split in _splits(name)):
        number = rest.partition(".")[0]
        if number.isdigit():
            numbers.setdefault(prefix, set()).add(number)
    yield from (prefix for prefix, found in numbers.items() if len(found) >= len(layers) > 1)


def _rename_positions(tensors: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The layers of `nn.Sequential(*children)` under the names that they have in the network.

    Layers without parameters have no tensors, so it is the order of the others that counts. What stands behind the last one is
    a head, unless it convolves.
    """
    numbers = sorted((top for top in _tops(tensors) if top.isdigit()), key=int)
    layers = dict(zip(numbers, _tops(own), strict=False))
    behind = {
        top for top in numbers if top not in layers and all(v.ndim < 4 for v in _under(f"{top}.", tensors).values())
    }
    parts = ((name, *name.partition(".")) for name in tensors)
    return {layers.get(top, top) + dot + rest: tensors[name] for name, top, dot, rest in parts if top not in behind}
