"""A network of our own for Open Image Denoise: a file of the package, which Cycles takes in place of those that it ships.

Cycles reads the file that an environment variable names at each render, and goes on with its own network, printing a line, where
there is none. So a file's content is compared with the hash in its name, and the stage looks whether pictures change with it.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from iebench.errors import IebenchError

VARIABLE = "CYCLES_OIDN_CUSTOM_WEIGHTS"  # of Cycles 4.5 and later
HELD_OUT = ("02691156", "02808440", "02958343", "03001627", "03467517", "03642806", "03797390", "04379243")
"""Classes of which no built-in object was learned from; `benchmarks/render.py` judges by them."""
DIGITS = 12  # of the SHA-256 in a name


def name_network(content: bytes) -> str:
    """The file name of a network, such as "denoiser-0123456789ab.tza"."""
    return f"denoiser-{hashlib.sha256(content).hexdigest()[:DIGITS]}.tza"


def find_network(name: str) -> Path:
    """The file of a network.

    Raises:
        IebenchError: it is not there, or not what its name says.
    """
    path = Path(str(files("iebench") / "data" / name))
    if not path.is_file():
        raise IebenchError(f"the denoiser's network {name} is missing from {path.parent}: install iebench anew")
    if name_network(path.read_bytes()) != name:
        raise IebenchError(f"the denoiser's network {path} is not what its name says: install iebench anew")
    return path


def use_network(name: str | None) -> None:
    """Have Cycles take a network of ours in all renders of this process from now on; None for its own."""
    os.environ.pop(VARIABLE, None)
    if name is not None:
        os.environ[VARIABLE] = str(find_network(name))


@contextmanager
def stock_network() -> Iterator[None]:
    """Within, Cycles takes its own network."""
    ours = os.environ.pop(VARIABLE, None)
    try:
        yield
    finally:
        if ours is not None:
            os.environ[VARIABLE] = ours
