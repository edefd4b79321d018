"""Factors, factor spaces, and the latents drawn from them.

A latent is a pure function of (factor space, seed, synset, object_id, view index). Each factor of each object has a stream
of its own, a Philox generator keyed by a hash, of which view i takes the i-th number. So no order of work changes a number,
the first n views are the same however many follow, and narrowing one factor leaves all others as they were.
"""

import hashlib
import math
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from iebench.errors import UsageError

Law = Literal["box", "haar", "ood"]
ROTATION = ("rotation_x", "rotation_y", "rotation_z")
TRANSLATION = ("translation_x", "translation_y", "translation_z")
HUES = ("floor_hue", "light_hue")


@dataclass(frozen=True)
class Factor:
    """One named coordinate of a view, between `low` and `high` (the same number twice for a fixed factor).

    Angles are in radians, hues in [0, 1] as parts of a turn of the colour circle, translations in lengths of which the
    object's diagonal is 1.
    """

    name: str
    low: float
    high: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low <= self.high):
            raise UsageError(
                f"Factor {self.name} cannot go from {self.low} to {self.high}: give LOW:HIGH with LOW <= HIGH."
            )


@dataclass(frozen=True)
class FactorSpace:
    """Named factors with their ranges.

    Attributes:
        name: what datasets and papers call it.
        factors: in the order of the latents' columns.
        law: how the rotation is drawn. "box": each angle uniform in its range, as 3DIEBench does. "haar": uniform on
            SO(3). "ood": uniform on the rotations whose canonical triple has |x| > π/2 or |z| > π/2, which 3DIEBench cannot
            make. Under the last two, x and z are uniform on the circle, y is the arcsine of a uniform number, and the three
            are independent, because the Haar density of Tait-Bryan angles is cos(y). All other factors are uniform always.
    """

    name: str
    factors: tuple[Factor, ...]
    law: Law = "box"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the factors, in order."""
        return tuple(factor.name for factor in self.factors)

    def columns(self, names: Iterable[str]) -> list[int]:
        """Columns of the named factors in a latents array.

        Raises:
            UsageError: this space lacks one of them.
        """
        names = list(names)
        missing = [name for name in names if name not in self.names]
        if missing:
            raise UsageError(f"Factor space {self.name} has no factor {missing[0]}: it has {', '.join(self.names)}.")
        return [self.names.index(name) for name in names]

    def sample(self, seed: int, synset: str, object_id: str, num_views: int) -> Float[ndarray, "views factors"]:
        """The latents of an object's views 0..num_views-1, float64."""
        uniform = {name: _uniform(seed, synset, object_id, name, num_views) for name in self.names}
        latents = {f.name: f.low + (f.high - f.low) * uniform[f.name] for f in self.factors}
        if self.law != "box":
            triple = [uniform[name] for name in ROTATION]
            latents |= dict(zip(ROTATION, (_haar if self.law == "haar" else _ood)(*triple), strict=True))
        return np.stack([latents[name] for name in self.names], axis=-1)

    def with_factor(self, factor: Factor) -> "FactorSpace":
        """The space with one factor's range replaced.

        Raises:
            UsageError: no such factor, or a rotation angle where all three are drawn together.
        """
        if factor.name not in self.names:
            near = get_close_matches(factor.name, self.names, n=1)
            if factor.name in TRANSLATION:
                hint = "take --space 3diebench-t."
            else:
                hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(self.names)}."
            raise UsageError(f"Factor space {self.name} has no factor {factor.name!r}: {hint}")
        if self.law != "box" and factor.name in ROTATION:
            raise UsageError(
                f"{factor.name} cannot be set in {self.name}, which draws the three angles together: take --space 3diebench."
            )
        factors = tuple(factor if old.name == factor.name else old for old in self.factors)
        return replace(self, name=self.name if factors == self.factors else _custom(self.name), factors=factors)

    def to_json(self) -> dict[str, Any]:
        """Plain values for a dataset's card."""
        ranges = {factor.name: [factor.low, factor.high] for factor in self.factors}
        return {"name": self.name, "law": self.law, "factors": ranges}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "FactorSpace":
        """The inverse of `to_json`."""
        factors = tuple(Factor(name, float(low), float(high)) for name, (low, high) in value["factors"].items())
        return cls(value["name"], factors, value["law"])


def _custom(name: str) -> str:
    return name if name.endswith("*") else name + "*"


def _uniform(seed: int, synset: str, object_id: str, factor: str, count: int) -> Float[ndarray, " count"]:
    """`count` numbers in [0, 1) of the stream that belongs to one factor of one object.

    The raw 64-bit words are mapped here, as numpy promises their stream for ever but not what `Generator` makes of them.
    """
    text = f"iebench latents 1\n{seed}\n{synset}\n{object_id}\n{factor}"
    key = np.frombuffer(hashlib.blake2b(text.encode(), digest_size=16).digest(), dtype="<u8")
    return (np.random.Philox(key=key).random_raw(count) >> 11) * 2.0**-53


def _haar(x: ndarray, y: ndarray, z: ndarray) -> tuple[ndarray, ndarray, ndarray]:
    return np.pi * (2 * x - 1), np.arcsin(2 * y - 1), np.pi * (2 * z - 1)


def _ood(x: ndarray, y: ndarray, z: ndarray) -> tuple[ndarray, ndarray, ndarray]:
    """The square [-π/2, π/2]² of (x, z), moved by half a turn in x, in z, or in both: the three quarters left out."""
    quarter = np.minimum((3 * x).astype(int), 2)
    inside_x, inside_z = np.pi * (3 * x - quarter - 0.5), np.pi * (z - 0.5)
    moved_x, moved_z = np.pi * (quarter != 1), np.pi * (quarter != 0)
    return _wrap(inside_x + moved_x), np.arcsin(2 * y - 1), _wrap(inside_z + moved_z)


def _wrap(angle: ndarray) -> ndarray:
    return np.where(angle > np.pi, angle - 2 * np.pi, angle)


_ANGLES = tuple(Factor(name, -math.pi / 2, math.pi / 2) for name in ROTATION)
_FULL_ANGLES = (Factor(ROTATION[0], -math.pi, math.pi), _ANGLES[1], Factor(ROTATION[2], -math.pi, math.pi))
_COLOURS = (
    Factor("floor_hue", 0.0, 1.0),
    Factor("light_theta", 0.0, math.pi / 4),
    Factor("light_phi", 0.0, 2 * math.pi),
    Factor("light_hue", 0.0, 1.0),
)
SPACES: dict[str, FactorSpace] = {
    space.name: space
    for space in (
        FactorSpace("3diebench", _ANGLES + _COLOURS),
        FactorSpace("3diebench-t", _ANGLES + _COLOURS + tuple(Factor(name, -0.5, 0.5) for name in TRANSLATION)),
        FactorSpace("so3", _FULL_ANGLES + _COLOURS, "haar"),
        FactorSpace("ood-rotation", _FULL_ANGLES + _COLOURS, "ood"),
    )
}


def get_space(name: str) -> FactorSpace:
    """A built-in factor space by name.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in SPACES:
        raise UsageError(f"There is no factor space {name!r}: choose one of {', '.join(SPACES)}.")
    return SPACES[name]


def parse_factor(text: str) -> Factor:
    """A factor from `NAME=LOW:HIGH` or `NAME=VALUE`, either with a unit behind ("deg", "rad", or "turn" for hues).

    Examples: "rotation_z=-180:180deg", "floor_hue=0.3".

    Raises:
        UsageError: the text has another form, a unit that is not the factor's, or a hue outside [0, 1].
    """
    name, _, value = text.partition("=")
    number, unit = _split_unit(value.strip())
    if unit and unit not in (("turn",) if name.strip() in HUES else ("deg", "rad")):
        raise UsageError(
            f"--factor {text!r}: hues are in turns, angles in deg or rad; write no unit for anything else."
        )
    scale = math.pi / 180 if unit == "deg" else 1.0
    ends = number.split(":")
    try:
        low, high = (float(end) * scale for end in (ends if len(ends) == 2 else ends * 2))
    except ValueError:
        raise UsageError(
            f"--factor {text!r} is not understood: write NAME=LOW:HIGH or NAME=VALUE, such as rotation_z=-180:180deg."
        ) from None
    factor = Factor(name.strip(), low, high)
    if factor.name in HUES and not 0 <= low <= high <= 1:
        raise UsageError(f"--factor {text!r}: a hue lies between 0 and 1.")
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
    try:
        value = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"--space {path} cannot be read ({error}): give a TOML file with name, base and [factors]."
        ) from None
    unknown = set(value) - {"name", "base", "factors"}
    if unknown:
        raise UsageError(f"--space {path} has {min(unknown)!r}: only name, base and [factors] are known.")
    base, factors = value.get("base", "3diebench"), value.get("factors", {})
    if not isinstance(base, str) or not isinstance(factors, dict):
        raise UsageError(f"--space {path}: base is the name of a space, and [factors] a table of NAME = VALUE.")
    texts = [f"{name}={text}" for name, text in factors.items()]
    return replace(custom_space(base, texts), name=str(value.get("name", path.stem)))


def custom_space(base: str, factors: Sequence[str]) -> FactorSpace:
    """A space, by name or TOML file, with the ranges of some factors replaced, as `--space` and `--factor` ask."""
    space = read_space(Path(base)) if base.endswith(".toml") else get_space(base)
    for text in factors:
        space = space.with_factor(parse_factor(text))
    return space
