"""One vector for an image: what a network makes of it, a vector, tokens or a map, pooled."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from iebench.errors import IebenchError, UsageError
from iebench.evals.model import describe_output

AUTO = "auto"
CELLS = 4  # in a row of the grid of "map"
_MOST_EXTRA = 8  # class and register tokens of the networks that we know: at most 5


class Parts(NamedTuple):
    """What a network makes of images.

    Attributes:
        extra: tokens that stand for no patch, the class token first; (batch, 0, width) where there are none.
        patches: (batch, width, rows, columns).
    """

    extra: Float[Tensor, "batch n width"]
    patches: Float[Tensor, "batch width rows columns"]


def pool_output(output: object, how: str = AUTO) -> Float[Tensor, "batch width"]:
    """The vectors of a network's output.

    Args:
        output: vectors (batch, width), tokens (batch, n, width), a map (batch, width, rows, columns), or a mapping with
            "last_hidden_state" and perhaps "pooler_output", as transformers has it.
        how: out of `iebench.models.settings.POOLS`; "auto" is the class token where a
            mapping's tokens have one, else its pooled output, else the mean.

    Raises:
        UsageError: it cannot be pooled so.
        IebenchError: it is something else.
    """
    if isinstance(output, Mapping) and isinstance(output.get("last_hidden_state"), Tensor):
        return _pool_mapping(output, how)
    if not isinstance(output, Tensor):
        raise IebenchError(f"The network gives {describe_output(output)}: return its vectors alone, (n, width).")
    if output.ndim == 2:
        return _as_it_is(output, how)
    if how == AUTO:
        raise UsageError(f"The network gives {describe_output(output)} and not one vector for each: choose a --pool.")
    return pool_state(output, how)


def pool_state(state: Tensor, how: str = AUTO) -> Float[Tensor, "batch width"]:
    """The vectors of tokens or of a map; "auto" is the class token where there is one, else the mean of all places.

    Raises:
        UsageError: there is no class token, or no square of patches, and `how` needs it.
    """
    if state.ndim == 2:
        return state
    extra, patches = split_tokens(state)
    if how == AUTO:
        how = "cls" if extra.shape[1] else "mean"
    if "cls" in how and not extra.shape[1]:
        raise UsageError(f"--pool {how} needs a class token, and the network has none: choose --pool mean or map.")
    if how == "map":
        return adaptive_avg_pool2d(patches, (min(CELLS, patches.shape[2]), min(CELLS, patches.shape[3]))).flatten(1)
    found = {"cls": lambda: extra[:, 0], "mean": lambda: patches.mean((2, 3))}
    return torch.cat([found[name]() for name in how.split("+")], 1)


def split_tokens(state: Tensor) -> Parts:
    """Tokens of patches and others. The patches are the largest square of tokens, and the others come first.

    Raises:
        IebenchError: no square with a few tokens before it is there.
    """
    if state.ndim == 4:
        return Parts(state.new_empty(len(state), 0, state.shape[1]), state)
    side = math.isqrt(state.shape[1]) if state.ndim == 3 else 0
    extra = state.shape[1] - side**2
    if not side or extra > _MOST_EXTRA:
        told = describe_output(state)
        raise IebenchError(
            f"The network gives {told}, in which no square of patches is found: pool it in your function."
        )
    patches = state[:, extra:].transpose(1, 2).unflatten(2, (side, side))
    return Parts(state[:, :extra], patches)


def _pool_mapping(output: Mapping[str, Tensor], how: str) -> Tensor:
    state, own = output["last_hidden_state"], output.get("pooler_output")
    if how == AUTO and own is not None and not split_tokens(state).extra.shape[1]:
        return own.flatten(1)
    return pool_state(state, how)


def _as_it_is(vectors: Tensor, how: str) -> Tensor:
    if how != AUTO:
        raise UsageError(f"--pool {how}: the network gives one vector for each image already; leave --pool out.")
    return vectors
