"""Designs: how the views of an object are laid out where they are no independent draws, as crossed grids and as trajectories.

A design is a pure function of the latents that the object would have without it, its draws. So the first view of a design has
what the first view of an ordinary dataset of the same seed has, but for what the design itself sets.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from iebench.factors.rotations import (
    angle_between,
    euler_to_quaternion,
    quaternion_to_euler,
    relative_rotation,
    slerp,
)
from iebench.factors.space import ROTATION, FactorSpace

_STEADY = 1e-6  # radians by which the steps of a trajectory may differ

Latents = Float[ndarray, "views factors"]


class Design(ABC):
    """How the views of each object are laid out.

    Attributes:
        kind: by which a card names it.
    """

    kind: ClassVar[str]

    @property
    @abstractmethod
    def num_views(self) -> int:
        """Views of each object."""

    @property
    @abstractmethod
    def num_draws(self) -> int:
        """Ordinary views whose latents it is made of."""

    @property
    @abstractmethod
    def run_length(self) -> int:
        """Views that follow each other as an ordered clip; `num_views` is a multiple."""

    @abstractmethod
    def arrange(self, space: FactorSpace, draws: Float[ndarray, "draws factors"]) -> Latents:
        """The latents of an object's views, from those of its first `num_draws` ordinary views."""

    @abstractmethod
    def is_kept_by(self, space: FactorSpace, latents: Latents) -> bool:
        """Whether the latents of an object's views are such as `arrange` makes."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Plain values for a dataset's card."""

    def cover(self, space: FactorSpace) -> FactorSpace:
        """The space that holds the design's latents, where the draws are of the given one."""
        return space


@dataclass(frozen=True)
class Axis:
    """One axis of a crossed design: factors that change together, and the values which they take.

    Attributes:
        name: of the factor, or of the group of factors, such as "rotation".
        factors: names of the factors.
        levels: the values of these factors on each level, the same for all objects.
    """

    name: str
    factors: tuple[str, ...]
    levels: tuple[tuple[float, ...], ...]

    @property
    def size(self) -> int:
        """How many levels there are."""
        return len(self.levels)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"name": self.name, "factors": list(self.factors), "levels": [list(level) for level in self.levels]}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Axis":
        """The inverse of `to_json`."""
        levels = tuple(tuple(float(number) for number in level) for level in value["levels"])
        return cls(str(value["name"]), tuple(map(str, value["factors"])), levels)


@dataclass(frozen=True)
class Crossed(Design):
    """A full factorial grid: every level of each axis together with every level of all others.

    All factors that are on no axis have in each view what the object's first ordinary view has, bit for bit.

    Attributes:
        axes: from the slowest to the fastest: view i stands at `numpy.unravel_index(i, shape)`. The last is the one that is
            varied; while it goes through its levels, those before it are held.
    """

    axes: tuple[Axis, ...]
    kind: ClassVar[str] = "crossed"

    @property
    def shape(self) -> tuple[int, ...]:
        """Levels of each axis."""
        return tuple(axis.size for axis in self.axes)

    @property
    def num_views(self) -> int:
        """Cells of the grid."""
        return math.prod(self.shape)

    @property
    def num_draws(self) -> int:
        """The base alone."""
        return 1

    @property
    def run_length(self) -> int:
        """Levels of the factor that is varied."""
        return self.axes[-1].size

    def arrange(self, space: FactorSpace, draws: Float[ndarray, "1 factors"]) -> Latents:
        """The base in every cell, with the factors of the axes on their levels."""
        latents = np.repeat(draws[:1], self.num_views, axis=0)
        places = np.unravel_index(np.arange(self.num_views), self.shape)
        for axis, place in zip(self.axes, places, strict=True):
            latents[:, space.columns(axis.factors)] = np.array(axis.levels)[place]
        return latents

    def is_kept_by(self, space: FactorSpace, latents: Latents) -> bool:
        """Whether all views have their levels, and everything else of the first one, bit for bit."""
        return np.array_equal(self.arrange(space, latents[:1]), latents)

    def to_json(self) -> dict[str, Any]:
        """Plain values for a dataset's card."""
        return {"kind": self.kind, "axes": [axis.to_json() for axis in self.axes]}

    def __str__(self) -> str:
        return "crossed " + " x ".join(f"{axis.name}:{axis.size}" for axis in self.axes)


@dataclass(frozen=True)
class Trajectory(Design):
    """Clips in which the object turns on the shortest way from one drawn rotation to the next, at a constant speed.

    Clip c begins at the rotation of the ordinary view 2c and ends at that of 2c + 1; all other factors stay in all its frames
    as they are in view 2c, bit for bit. Rotations are written as their canonical Euler triples.

    Attributes:
        frames: views of a clip, both ends among them.
        clips: of each object, one after the other.
    """

    frames: int
    clips: int = 1
    kind: ClassVar[str] = "trajectory"

    @property
    def num_views(self) -> int:
        """Frames of all clips."""
        return self.frames * self.clips

    @property
    def num_draws(self) -> int:
        """A beginning and an end for each clip."""
        return 2 * self.clips

    @property
    def run_length(self) -> int:
        """Frames of a clip."""
        return self.frames

    def arrange(self, space: FactorSpace, draws: Float[ndarray, "draws factors"]) -> Latents:
        """The frames of all clips."""
        columns = space.columns(ROTATION)
        start, end = (euler_to_quaternion(draws[first : self.num_draws : 2, columns]) for first in (0, 1))
        latents = np.repeat(draws[: self.num_draws : 2], self.frames, axis=0)
        turned = slerp(start, end, np.linspace(0, 1, self.frames))
        latents[:, columns] = quaternion_to_euler(turned).reshape(-1, 3)
        return latents

    def is_kept_by(self, space: FactorSpace, latents: Latents) -> bool:
        """Whether all steps of a clip are one rotation, and all else of a frame is that of the clip's first, bit for bit."""
        columns = space.columns(ROTATION)
        clips = latents.reshape(self.clips, self.frames, -1)
        others = np.delete(clips, columns, axis=-1)
        steps = _steps(clips[..., columns])
        is_steady = angle_between(steps, steps[:, :1]).max(initial=0) < _STEADY
        return bool(is_steady and (others == others[:, :1]).all())

    def to_json(self) -> dict[str, Any]:
        """Plain values for a dataset's card."""
        return {"kind": self.kind, "path": "slerp", "frames": self.frames, "clips": self.clips}

    def cover(self, space: FactorSpace) -> FactorSpace:
        """The space with every rotation in it: the shortest way between two of a box may leave the box."""
        return space.with_all_rotations()

    def __str__(self) -> str:
        return f"trajectory slerp:{self.frames}" + (f", {self.clips} clips" if self.clips > 1 else "")


def _steps(angles: Float[ndarray, "clips frames 3"]) -> Float[ndarray, "clips steps 4"]:
    """The rotations from each frame to the next."""
    return relative_rotation(angles[:, :-1], angles[:, 1:])


def design_from_json(value: dict[str, Any] | None) -> Design | None:
    """The inverse of a design's `to_json`; None for the ordinary layout, independent draws.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it is no design's.
    """
    if value is None:
        return None
    if value["kind"] == Crossed.kind:
        return Crossed(tuple(map(Axis.from_json, value["axes"])))
    if value["kind"] == Trajectory.kind and value["path"] == "slerp":
        return Trajectory(value["frames"], value["clips"])
    raise ValueError(f"the design {str(value['kind'])!r:.60} is not known here")
