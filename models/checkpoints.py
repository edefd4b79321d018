"""Checkpoints: tensors and plain values, written beside and renamed into place."""

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from iebench.errors import IebenchError
from iebench.files import whole_file


def save(path: Path, content: dict[str, Any]) -> None:
    """Write a checkpoint such that `path` always holds a whole one: the old, or the new."""
    with whole_file(path, lasting=True) as partial:
        torch.save(content, partial)


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint or a file of weights, onto the CPU.

    Raises:
        IebenchError: if there is none, it is damaged, or it holds more than tensors and plain values.
    """
    if not path.is_file():
        raise IebenchError(f"{path} is no file; name one that torch.save has written.")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch's reader fails in many ways on what it did not write
        if kind := re.search(r"GLOBAL ([\w.]+)", str(error)):
            raise IebenchError(
                f"{path} holds {kind[1]!r} beside its tensors, and objects are never unpickled: where you trust the file, save "
                "its state_dict alone."
            ) from None
        raise IebenchError(
            f"{path} is cut short, or no checkpoint of tensors and plain values ({type(error).__name__}): restore it; remove "
            "it to train a run anew; or save the state_dict alone."
        ) from error
    if not isinstance(content, dict):
        raise IebenchError(f"{path} holds a {type(content).__name__}; it must hold a dictionary of tensors.")
    return content


def get_generators() -> dict[str, Any]:
    """The states of this process's random generators, as tensors and plain values."""
    kind, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state() if torch.cuda.is_available() else None,
        "numpy": [kind, torch.from_numpy(np.asarray(keys, np.int64)), position, has_gauss, gauss],
        "python": random.getstate(),
    }


def set_generators(states: dict[str, Any]) -> None:
    """Put this process's random generators where they were."""
    torch.set_rng_state(states["torch"])
    if states["cuda"] is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])
    kind, keys, *rest = states["numpy"]
    np.random.set_state((kind, keys.numpy().astype(np.uint32), *rest))
    random.setstate(states["python"])


@contextmanager
def generators_kept() -> Iterator[None]:
    """Leaves this process's random generators where they were."""
    states = get_generators()
    try:
        yield
    finally:
        set_generators(states)
