"""Factors and factor spaces as users write them: on the command line, and in TOML files."""

import math
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from iebench.errors import UsageError
from iebench.factors.space import Factor, FactorSpace, get_space

# What may stand behind a number, by the factor's unit; of a factor that no space has, that is said first.
_UNITS = {"rad": ("deg", "rad"), "turn": ("turn",), "diagonal": (), "": ("deg", "rad", "turn")}


def parse_factor(text: str, option: str = "--factor") -> Factor:
    """A factor from `NAME=LOW:HIGH` or `NAME=VALUE`, either with a unit behind ("deg", "rad", or "turn" for hues).

    Examples: "rotation_z=-180:180deg", "floor_hue=0.3".

    Args:
        text: as it was written.
        option: where it was written, for messages.

    Raises:
        UsageError: the text has another form, a unit that is not the factor's, or a hue outside [0, 1].
    """
    name, _, value = text.partition("=")
    number, unit = _split_unit(value.strip())
    if unit and unit not in _UNITS[Factor(name.strip(), 0, 0).unit]:
        raise UsageError(
            f"{option} {text!r}: hues are in turns, angles in deg or rad; write no unit for anything else."
        )
    scale = math.pi / 180 if unit == "deg" else 1.0
    ends = number.split(":")
    try:
        low, high = (float(end) * scale for end in (ends if len(ends) == 2 else ends * 2))
    except ValueError:
        raise UsageError(
            f"{option} {text!r} is not understood: write NAME=LOW:HIGH or NAME=VALUE, such as rotation_z=-180:180deg."
        ) from None
    factor = Factor(name.strip(), low, high)
    if factor.unit == "turn" and not 0 <= low <= high <= 1:
        raise UsageError(f"{option} {text!r}: a hue lies between 0 and 1.")
    return factor


def _split_unit(text: str) -> tuple[str, str]:
    unit = next((unit for unit in ("deg", "rad", "turn") if text.endswith(unit)), "")
    return text.removesuffix(unit), unit


def read_space(path: Path) -> FactorSpace:
    """A space from a TOML file, which narrows, fixes or widens the factors of a built-in one.

    Example:
        name = "upright"
        base = "3diebench"
        [factors]
        rotation_x = 0.0
        rotation_z = "-180:180deg"

    Raises:
        UsageError: the file cannot be read, or holds something else.
    """
    value = read_toml(path, "--space", "name, base and [factors]")
    unknown = set(value) - {"name", "base", "factors"}
    if unknown:
        raise UsageError(f"--space {path} has {min(unknown)!r}: only name, base and [factors] are known.")
    if not value:
        raise UsageError(f"--space {path} is empty: write name, base and [factors], or name a space.")
    base, factors = value.get("base", "3diebench"), value.get("factors", {})
    if not isinstance(base, str) or not isinstance(factors, dict):
        raise UsageError(f"--space {path}: base is the name of a space, and [factors] a table of NAME = VALUE.")
    texts = [f"{name}={text}" for name, text in factors.items()]
    return replace(custom_space(base, texts), name=str(value.get("name", path.stem)))


def read_toml(path: Path, option: str, content: str) -> dict[str, Any]:
    """The tables of a TOML file that an option names.

    Raises:
        UsageError: the file cannot be read; it is told what it should hold.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        fault = error.strerror.lower() if isinstance(error, OSError) and error.strerror else error
        raise UsageError(f"{option} {path} cannot be read ({fault}): give a TOML file with {content}.") from None


def custom_space(base: str, factors: Sequence[str]) -> FactorSpace:
    """A space, by name or TOML file, with the ranges of some factors replaced, as `--space` and `--factor` ask."""
    space = read_space(Path(base)) if base.endswith(".toml") else get_space(base)
    for text in factors:
        space = space.with_factor(parse_factor(text))
    return space
