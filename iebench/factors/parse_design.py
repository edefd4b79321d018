"""Designs as users write them: on the command line, and in TOML files."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from iebench.errors import UsageError, suggest
from iebench.factors.designs import Axis, Crossed, Trajectory
from iebench.factors.parse import parse_factor, read_toml
from iebench.factors.space import FACTORS, ROTATION, FactorSpace, Group
from iebench.limits import MAX_VIEWS

LEVELS = 4  # of an axis of which the number is not said
Wanted = int | Sequence[Any]  # how many levels, or which
_GROUPS: dict[str, Group] = {kind.group: kind.group for kind in FACTORS.values()}


def parse_crossed(vary: str, hold: str, space: FactorSpace, seed: int) -> Crossed:
    """A crossed design from `NAME[:LEVELS]` of what is varied, and the same with commas between of what is held.

    Raises:
        UsageError: see `make_crossed`.
    """
    varied, held = (_split(text, option) for text, option in ((vary, "--vary"), (hold, "--hold")))
    return make_crossed(varied, held, space, seed)


def read_crossed(path: Path, space: FactorSpace, seed: int) -> Crossed:
    """A crossed design from a TOML file, which may say how many levels a factor or group has, or which.

    Example:
        [vary]
        rotation = 8
        [hold]
        light_hue = [0.0, 0.25, 0.5]
        rotation_z = ["-45deg", "45deg"]

    Raises:
        UsageError: the file cannot be read, or holds something else; or see `make_crossed`.
    """
    value = read_toml(path, "--design", "[vary] and [hold]")
    if set(value) != {"vary", "hold"} or not all(isinstance(table, dict) and table for table in value.values()):
        raise UsageError(f"--design {path}: only the tables [vary] and [hold] are known, and both are needed.")
    return make_crossed(value["vary"], value["hold"], space, seed)


def make_crossed(vary: Mapping[str, Wanted], hold: Mapping[str, Wanted], space: FactorSpace, seed: int) -> Crossed:
    """The grid of what is varied with everything that is held.

    Args:
        vary: one factor or group of factors, with the number of its levels or their values.
        hold: one or more others.
        space: whose factors they are. Levels of one factor are equally spaced over its range, both ends included but where
            they are one value; those of a group are drawn together as the space draws them.
        seed: of levels that are drawn.

    Raises:
        UsageError: an axis that cannot be, two of one factor, or too many views.
    """
    if len(vary) != 1:
        raise UsageError(f"--vary {', '.join(vary)}: one factor or group is varied; move the others to --hold.")
    if both := sorted(vary.keys() & hold.keys()):
        raise UsageError(f"--design: {both[0]} is varied and held: leave it out of one of the two.")
    axes = tuple(_make_axis(name, wanted, space, seed) for name, wanted in [*hold.items(), *vary.items()])
    named: dict[str, str] = {}
    for axis in axes:
        for factor in axis.factors:
            if named.setdefault(factor, axis.name) != axis.name:
                raise UsageError(f"--design: {factor} is in {named[factor]} and in {axis.name}: leave one of them out.")
    design = Crossed(axes)
    if design.num_views > MAX_VIEWS:
        raise UsageError(f"--design: {design} has {design.num_views} views of each object: take fewer levels.")
    return design


def parse_trajectory(text: str, num_views: int | None, space: FactorSpace) -> Trajectory:
    """A trajectory from `slerp:N`, with as many clips as views of each object allow; None asks for one.

    Raises:
        UsageError: the text has another form, the views are no whole number of clips, or no rotation moves.
    """
    path, _, frames = text.partition(":")
    if path != "slerp" or not frames.isdecimal() or not 2 <= int(frames) <= MAX_VIEWS:
        raise UsageError(f"--trajectory {text!r} is not understood: write slerp:N with N frames, such as slerp:16.")
    clips, left = divmod(num_views or int(frames), int(frames))
    if left or not clips:
        raise UsageError(f"--views {num_views} are no whole number of clips of {frames}: give a multiple of {frames}.")
    if all(space.factors[column].low == space.factors[column].high for column in space.columns(ROTATION)):
        raise UsageError(f"--trajectory {text}: the rotation is fixed in {space.name}, so nothing would move.")
    return Trajectory(int(frames), clips)


def _split(text: str, option: str) -> dict[str, int]:
    wanted: dict[str, int] = {}
    for word in text.split(","):
        name, colon, count = word.strip().partition(":")
        if not name or (colon and not count.isdecimal()) or name in wanted:
            raise UsageError(f"{option} {text!r} is not understood: write NAME or NAME:LEVELS, such as rotation:8.")
        wanted[name] = int(count) if colon else LEVELS
    return wanted


def _make_axis(name: str, wanted: Wanted, space: FactorSpace, seed: int) -> Axis:
    factors = _find_factors(name, space)
    if isinstance(wanted, int) and not 2 <= wanted <= MAX_VIEWS:
        raise UsageError(f"--design: {name} cannot have {wanted} levels: take 2 to {MAX_VIEWS}.")
    levels = _spread(name, factors, wanted, space, seed) if isinstance(wanted, int) else _read(name, factors, wanted)
    for values in levels:
        _check_inside(name, factors, values, space)
    if len(set(levels)) < max(len(levels), 2):
        raise UsageError(f"--design: {name} needs 2 or more levels, all different, and has {_tell(levels)}.")
    return Axis(name, factors, levels)


def _find_factors(name: str, space: FactorSpace) -> tuple[str, ...]:
    factors = space.group(_GROUPS[name]) if name in _GROUPS and name else (name,)
    if not factors or not set(factors) <= set(space.names):
        known = [*(group for group in _GROUPS if group and space.group(_GROUPS[group])), *space.names]
        hint = suggest(name, known, f"choose among {', '.join(known)}.")
        raise UsageError(f"--design: factor space {space.name} has no factor or group {name!r}: {hint}")
    if space.law != "box" and factors[0] in ROTATION and factors != ROTATION:
        raise UsageError(f"--design: {space.name} draws the three angles together: take rotation in place of {name}.")
    return factors


def _spread(
    name: str, factors: tuple[str, ...], count: int, space: FactorSpace, seed: int
) -> tuple[tuple[float, ...], ...]:
    """Equally spaced levels of one factor; drawn ones of several, of which the first stay however many follow."""
    if len(factors) == 1:
        factor = space.factors[space.names.index(name)]
        return tuple(
            (v,) for v in np.linspace(factor.low, factor.high, count, endpoint=not factor.is_circular).tolist()
        )
    draws = space.sample(seed, "", f"levels of {name}", count)[
        :, space.columns(factors)
    ]  # of a synset that no object has
    return tuple(map(tuple, draws.tolist()))


def _read(name: str, factors: tuple[str, ...], values: Iterable[Any]) -> tuple[tuple[float, ...], ...]:
    if not isinstance(values, list):
        raise UsageError(f"--design: {name} = {values!r} is no number of levels and no list of them.")
    levels = [value if isinstance(value, list) else [value] for value in values]
    for level in levels:
        if len(level) != len(factors):
            raise UsageError(f"--design: a level of {name} has one number each for {', '.join(factors)}, not {level}.")
    return tuple(tuple(_parse_value(*pair) for pair in zip(factors, level, strict=True)) for level in levels)


def _parse_value(name: str, text: Any) -> float:
    factor = parse_factor(f"{name}={text}", "--design")
    if factor.low != factor.high:
        raise UsageError(f"--design: a level of {name} is one number, not {text!r}.")
    return factor.low


def _check_inside(name: str, factors: tuple[str, ...], values: tuple[float, ...], space: FactorSpace) -> None:
    for factor, value in zip((space.factors[column] for column in space.columns(factors)), values, strict=True):
        if not factor.low <= value <= factor.high:
            raise UsageError(
                f"--design: {factor.name} {value:g} of {name} is outside {factor.low:g} to {factor.high:g}: "
                f"widen it with --factor {factor.name}=LOW:HIGH."
            )


def _tell(levels: Sequence[tuple[float, ...]]) -> str:
    return ", ".join(" ".join(f"{value:g}" for value in level) for level in levels[:4]) or "none"
