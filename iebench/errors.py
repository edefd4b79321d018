"""Errors that a user can mend."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from operator import index
from typing import TypeVar

Entry = TypeVar("Entry")


class IebenchError(Exception):
    """One sentence that names the file or option at fault and the mend; exit code 1."""

    exit_code = 1


class UsageError(IebenchError):
    """Wrong usage of a command or function; exit code 2."""

    exit_code = 2


# Which extra of the package brings what is needed beyond its base.
EXTRAS = {
    "lightning": "train",
    "tensorboard": "train",
    "safetensors": "train",
    "webdataset": "stream",
    "jinja2": "report",
    "matplotlib": "report",
    "trimesh": "render",
    "shapely": "render",
    "mapbox_earcut": "render",
    "ray": "ray",
    "fsspec": "remote",
    "aiohttp": "remote",
    "huggingface_hub": "hub",
    "pyarrow": "hub",
    "transformers": "hf",
    "timm": "timm",
    "torchvision": "timm",
}


def suggest(name: str, names: Iterable[str], otherwise: str) -> str:
    """The end of a sentence about an unknown name: the nearest known one, or what to say where none is near."""
    near = get_close_matches(str(name), list(names), n=1)
    return f"did you mean {near[0]!r}?" if near else otherwise


def check_seed(seed: int) -> None:
    """Raise UsageError for a seed that does not fit in 64 bits, as files keep it."""
    if not -(2**63) <= seed < 2**63:
        raise UsageError(f"--seed {seed} does not fit in 64 bits: take one from -2⁶³ to 2⁶³ - 1.")


def whole_number(value: object, name: str, least: int | None = None) -> int:
    """A whole number that somebody gave, as Python's own: numpy's could not be written as JSON.

    Args:
        value: what was given.
        name: of the argument.
        least: that it may be.

    Raises:
        UsageError: it is none, or less.
    """
    try:
        number = index(value)  # type: ignore[arg-type]
    except TypeError:
        raise UsageError(f"{name}={value!r}: give a whole number.") from None
    if least is not None and number < least:
        raise UsageError(f"{name}={number}: give {least} or more.")
    return number


def find_named(name: str, entries: Mapping[str, Entry], kind: str) -> Entry:
    """The entry of a name.

    Raises:
        UsageError: there is none; the sentence has the nearest name, or all.
    """
    if name not in entries:
        hint = suggest(name, entries, f"choose one of {', '.join(entries)}.")
        raise UsageError(f"There is no {kind} {name!r}: {hint}")
    return entries[name]


def explain_missing_package(error: ModuleNotFoundError) -> str:
    """One sentence with the mend where an optional package is not installed; empty where it is none of ours."""
    package = (error.name or "").split(".")[0]
    if package not in EXTRAS:
        return ""
    return f"This needs {package}, which is not installed: pip install 'iebench[{EXTRAS[package]}]'."
