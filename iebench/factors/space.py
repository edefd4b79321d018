"""Factors, factor spaces, and the latents drawn from them.

A latent is a pure function of (factor space, seed, synset, object_id, view index). Each factor of each object has a stream
of its own, a Philox generator keyed by a hash, of which view i takes the i-th number. So no order of work changes a number,
the first n views are the same however many follow, and narrowing one factor leaves all others as they were.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from iebench.errors import UsageError, suggest
from iebench.factors.draws import draw_uniform, haar_angles, ood_angles

Law = Literal["box", "haar", "ood"]
Unit = Literal["rad", "turn", "diagonal", ""]
Group = Literal["rotation", "translation", "color", "light", ""]


class FactorKind(NamedTuple):
    """What all factors of one name have in common.

    Attributes:
        low, high: the default range.
        unit: "rad" for angles, "turn" for hues as parts of a turn of the colour circle, "diagonal" for lengths of which the
            object's diagonal is 1; "" where it is not known.
        period: after how much a value is the same again; None for never.
        group: the factors that are told, drawn or transformed together; "" for none.
    """

    low: float
    high: float
    unit: Unit
    period: float | None
    group: Group


_TURN = 2 * math.pi
_ANGLE = FactorKind(-math.pi / 2, math.pi / 2, "rad", _TURN, "rotation")
_HUE = FactorKind(0.0, 1.0, "turn", 1.0, "color")
_SHIFT = FactorKind(-0.5, 0.5, "diagonal", None, "translation")
_UNKNOWN = FactorKind(0.0, 1.0, "", None, "")
# All factors, in the order of the release and then of the translated benchmark.
FACTORS: dict[str, FactorKind] = {
    "rotation_x": _ANGLE,
    "rotation_y": _ANGLE,
    "rotation_z": _ANGLE,
    "floor_hue": _HUE,
    "light_theta": FactorKind(0.0, math.pi / 4, "rad", _TURN, "light"),
    "light_phi": FactorKind(0.0, _TURN, "rad", _TURN, "light"),
    "light_hue": _HUE,
    "translation_x": _SHIFT,
    "translation_y": _SHIFT,
    "translation_z": _SHIFT,
}
ROTATION, TRANSLATION, HUES = (
    tuple(name for name, kind in FACTORS.items() if kind.group == group)
    for group in ("rotation", "translation", "color")
)


@dataclass(frozen=True)
class Factor:
    """One named coordinate of a view, between `low` and `high` (the same number twice for a fixed factor).

    Its unit, period and group are those of `FACTORS[name]`.
    """

    name: str
    low: float
    high: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low <= self.high):
            raise UsageError(
                f"Factor {self.name} cannot go from {self.low} to {self.high}: give LOW:HIGH with LOW <= HIGH."
            )

    @property
    def unit(self) -> Unit:
        """Of its values: "rad", "turn" or "diagonal"."""
        return self._kind.unit

    @property
    def period(self) -> float | None:
        """After how much a value is the same again; None for never."""
        return self._kind.period

    @property
    def group(self) -> Group:
        """Name of the factors that it belongs to."""
        return self._kind.group

    @property
    def is_circular(self) -> bool:
        """Whether its range is a whole period, so that both ends are one value."""
        return self.period is not None and math.isclose(self.high - self.low, self.period)

    @property
    def num_encoded(self) -> int:
        """How many numbers `encode` makes of a value."""
        return 2 if self.is_circular else 1

    def unit_interval(self, values: Float[ndarray, "*b"]) -> Float[ndarray, "*b"]:
        """Values as shares of the range, 0 at `low` and 1 at `high`; 0 for a fixed factor."""
        width = self.high - self.low
        return (values - self.low) / width if width else np.zeros_like(values)

    def encode(self, values: Float[ndarray, "*b"]) -> Float[ndarray, "*b c"]:
        """Values for a regression: cosine and sine of a circular factor, another scaled to [-1, 1]."""
        share = self.unit_interval(values)
        if self.is_circular:
            return np.stack([np.cos(2 * np.pi * share), np.sin(2 * np.pi * share)], axis=-1)
        return 2 * share[..., None] - 1

    @property
    def _kind(self) -> FactorKind:
        return FACTORS.get(self.name, _UNKNOWN)


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

    def group(self, name: Group) -> tuple[str, ...]:
        """Names of this space's factors of a group, in order: ("floor_hue", "light_hue") for "color"."""
        return tuple(factor.name for factor in self.factors if factor.group == name)

    def sample(self, seed: int, synset: str, object_id: str, num_views: int) -> Float[ndarray, "views factors"]:
        """The latents of an object's views 0..num_views-1, float64."""
        uniform = {name: draw_uniform(seed, synset, object_id, name, num_views) for name in self.names}
        latents = {f.name: f.low + (f.high - f.low) * uniform[f.name] for f in self.factors}
        if self.law != "box":
            triple = [uniform[name] for name in ROTATION]
            latents |= dict(zip(ROTATION, (haar_angles if self.law == "haar" else ood_angles)(*triple), strict=True))
        return np.stack([latents[name] for name in self.names], axis=-1)

    def with_factor(self, factor: Factor) -> "FactorSpace":
        """The space with one factor's range replaced.

        Raises:
            UsageError: no such factor, or a rotation angle where all three are drawn together.
        """
        if factor.name not in self.names:
            if factor.name in TRANSLATION:
                hint = "take --space 3diebench-t."
            else:
                hint = suggest(factor.name, self.names, f"it has {', '.join(self.names)}.")
            raise UsageError(f"Factor space {self.name} has no factor {factor.name!r}: {hint}")
        if self.law != "box" and factor.name in ROTATION:
            raise UsageError(
                f"{factor.name} cannot be set in {self.name}, which draws the three angles together: take --space 3diebench."
            )
        factors = tuple(factor if old.name == factor.name else old for old in self.factors)
        return replace(self, name=self.name if factors == self.factors else _custom(self.name), factors=factors)

    def with_all_rotations(self) -> "FactorSpace":
        """The space with the ranges of the canonical Euler triple, in which every rotation stands."""
        full = {factor.name: factor for factor in _FULL_ANGLES if factor.group == "rotation"}
        factors = tuple(full.get(factor.name, factor) for factor in self.factors)
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


def _default(*names: str) -> tuple[Factor, ...]:
    return tuple(Factor(name, FACTORS[name].low, FACTORS[name].high) for name in names)


_BENCHMARK = (*ROTATION, "floor_hue", "light_theta", "light_phi", "light_hue")  # as published: no new factor joins
_FULL_TURN = {name: Factor(name, -math.pi, math.pi) for name in ("rotation_x", "rotation_z")}
_FULL_ANGLES = tuple(_FULL_TURN.get(factor.name, factor) for factor in _default(*_BENCHMARK))
SPACES: dict[str, FactorSpace] = {
    space.name: space
    for space in (
        FactorSpace("3diebench", _default(*_BENCHMARK)),
        FactorSpace("3diebench-t", _default(*_BENCHMARK, *TRANSLATION)),
        FactorSpace("so3", _FULL_ANGLES, "haar"),
        FactorSpace("ood-rotation", _FULL_ANGLES, "ood"),
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
