"""Weights of a run as others may read them: tensors by name in one safetensors file, which can hold no code."""

import hashlib
import os
import struct
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, uint8

from iebench.errors import IebenchError
from iebench.files import write_whole
from iebench.limits import MAX_WEIGHTS_BYTES
from iebench.untrusted import open_regular, tell

WEIGHTS = "model.safetensors"
_MEND = "fetch it again, or tell who publishes it"


def save_weights(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors; those that share memory are written each."""
    from safetensors.torch import save

    content = save({name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()})
    write_whole(path, content, lasting=True)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read what `save_weights` wrote, onto the CPU.

    Raises:
        IebenchError: there is no such file, it is damaged, or larger than weights may be.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    _check_regular(path)
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError, struct.error) as error:
        raise IebenchError(f"{path} is damaged ({tell(error)}): {_MEND}.") from None


def _check_regular(path: Path) -> None:
    """Refuse what is no file of bounded size; a pipe would wait."""
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise IebenchError(f"{path} cannot be read ({error.strerror}): {_MEND}.") from None
    except ValueError as error:
        raise IebenchError(f"{path} cannot be read ({error}): {_MEND}.") from None
    if size > MAX_WEIGHTS_BYTES:
        raise IebenchError(f"{path} has {size} bytes, and {MAX_WEIGHTS_BYTES} are allowed: {_MEND}.")


def hash_tensors(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of tensors by their names: the same from a checkpoint and from safetensors, whatever the code."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        value = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.flatten().view(uint8).numpy().data)
    return digest.hexdigest()
