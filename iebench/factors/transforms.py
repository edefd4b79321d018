"""Transforms: what takes the source's latents to the target's, as numbers for a predictor or a probe, and as a group."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, overload

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray

from iebench.errors import UsageError
from iebench.factors.rotations import (
    IDENTITY,
    ROTATION_SIZES,
    RotationFormat,
    canonicalise,
    compose,
    euler_to_matrix,
    format_rotation,
    invert,
    parse_rotation,
    relative_rotation,
)
from iebench.factors.space import HUES, ROTATION, TRANSLATION, FactorSpace

Frame = Literal["object", "base"]
LatentsFunction = Callable[[ndarray, ndarray], ndarray]
TransformSpec = str | Sequence[str] | LatentsFunction


@dataclass(frozen=True)
class Transform:
    """A function of the latents of source and target: the chosen parts, one after the other.

    Its values form a group: rotations multiply, in the object's frame from the right, and differences add.

    Attributes:
        space: whose latents it takes.
        parts: "rotation" is the relative rotation r = R(source)⁻¹ R(target); "translation" the difference of positions; any
            factor's name the difference target - source of that factor, unwrapped (two hues differ by -1 to 1).
        rotation_format: how the rotation is written.
        canonical: quaternions with w >= 0.
        translation_frame: "object" is t(target) - t(source), "base" R(target) t(target) - R(source) t(source). Both are in use
            (EquiCaps, 2025, reports both).
    """

    space: FactorSpace
    parts: tuple[str, ...]
    rotation_format: RotationFormat = "quaternion"
    canonical: bool = False
    translation_frame: Frame = "object"

    @property
    def size(self) -> int:
        """Numbers in a transform."""
        return sum(map(self._size_of, self.parts))

    def columns(self, part: str) -> slice:
        """Where a part stands in a transform.

        Raises:
            UsageError: the transform lacks it.
        """
        if part not in self.parts:
            raise UsageError(f"The transform {'+'.join(self.parts)} has no part {part!r}: choose one that it has.")
        start = sum(map(self._size_of, self.parts[: self.parts.index(part)]))
        return slice(start, start + self._size_of(part))

    def compose(self, first: Float[ndarray, "*#b t"], second: Float[ndarray, "*#b t"]) -> Float[ndarray, "*c t"]:
        """The transform that does `first` and then `second`."""
        return self._join(
            self._write(compose(self._read(first[..., columns]), self._read(second[..., columns])))
            if part == "rotation"
            else first[..., columns] + second[..., columns]
            for part, columns in self._slices()
        )

    def invert(self, transform: Float[ndarray, "*b t"]) -> Float[ndarray, "*b t"]:
        """The transform that takes back: from the target's latents to the source's."""
        return self._join(
            self._write(invert(self._read(transform[..., columns]))) if part == "rotation" else -transform[..., columns]
            for part, columns in self._slices()
        )

    def identity(self, count: int) -> Float[ndarray, "count t"]:
        """So many transforms that change nothing."""
        still = np.zeros((count, self.size))
        if "rotation" in self.parts:
            still[:, self.columns("rotation")] = self._write(IDENTITY)
        return still

    def rotate_about(self, axis: Float[ndarray, "3"], angles: Float[ndarray, " n"]) -> Float[ndarray, "n t"]:
        """Transforms that only rotate about one of the object's axes, a unit vector in its own frame, by radians.

        Raises:
            UsageError: the transform has no rotation.
        """
        half = np.asarray(angles)[:, None] / 2
        turned = self.identity(len(half))
        turned[:, self.columns("rotation")] = self._write(np.concatenate([np.sin(half) * axis, np.cos(half)], axis=1))
        return turned

    def _size_of(self, part: str) -> int:
        return {"rotation": ROTATION_SIZES[self.rotation_format], "translation": 3}.get(part, 1)

    def _slices(self) -> Iterator[tuple[str, slice]]:
        return ((part, self.columns(part)) for part in self.parts)

    def _read(self, values: Float[ndarray, "*b n"]) -> Float[ndarray, "*b 4"]:
        return parse_rotation(values, self.rotation_format)

    def _write(self, quaternion: Float[ndarray, "*b 4"]) -> Float[ndarray, "*b n"]:
        return format_rotation(canonicalise(quaternion) if self.canonical else quaternion, self.rotation_format)

    @staticmethod
    def _join(parts: Iterable[ndarray]) -> Float[ndarray, "*b t"]:
        return np.concatenate(list(parts), axis=-1)

    def __call__(
        self, source: Float[ndarray, "*b factors"], target: Float[ndarray, "*b factors"]
    ) -> Float32[ndarray, "*b t"]:
        """The transforms between latents, float32."""
        columns = [self._compute(part, source, target) for part in self.parts]
        return np.concatenate(columns, axis=-1).astype(np.float32)

    def _compute(self, part: str, source: ndarray, target: ndarray) -> ndarray:
        if part == "rotation":
            return self._rotation(source, target)
        if part == "translation":
            return self._position(target) - self._position(source)
        column = self.space.columns([part])
        return target[..., column] - source[..., column]

    def _rotation(self, source: ndarray, target: ndarray) -> ndarray:
        angles = self.space.columns(ROTATION)
        return self._write(relative_rotation(source[..., angles], target[..., angles]))

    def _position(self, latents: ndarray) -> ndarray:
        translation = latents[..., self.space.columns(TRANSLATION)]
        if self.translation_frame == "object":
            return translation
        matrix = euler_to_matrix(latents[..., self.space.columns(ROTATION)])
        return np.einsum("...ij,...j->...i", matrix, translation)


@overload
def make_transform(
    spec: str | Sequence[str],
    space: FactorSpace,
    rotation_format: RotationFormat = "quaternion",
    canonical: bool = False,
    translation_frame: Frame = "object",
) -> Transform: ...


@overload
def make_transform(
    spec: LatentsFunction,
    space: FactorSpace,
    rotation_format: RotationFormat = "quaternion",
    canonical: bool = False,
    translation_frame: Frame = "object",
) -> LatentsFunction: ...


def make_transform(
    spec: TransformSpec,
    space: FactorSpace,
    rotation_format: RotationFormat = "quaternion",
    canonical: bool = False,
    translation_frame: Frame = "object",
) -> LatentsFunction:
    """The transform that a user asks for.

    Args:
        spec: "rotation", "rotation+color", "all" (rotation, translation if the space has it, then every other factor), other sums
            of parts such as "rotation+floor_hue", a list of parts, or a function of source and target latents.
        space: the factor space of the dataset.

    Raises:
        UsageError: a part or a format that does not exist.
    """
    if callable(spec):
        return spec
    if rotation_format not in ROTATION_SIZES:
        raise UsageError(f"rotation_format={rotation_format!r}: choose one of {', '.join(ROTATION_SIZES)}.")
    if translation_frame not in ("object", "base"):
        raise UsageError(f'translation_frame={translation_frame!r}: choose "object" or "base".')
    parts = _parse_parts(spec.split("+") if isinstance(spec, str) else spec, space)
    return Transform(space, parts, rotation_format, canonical, translation_frame)


def _parse_parts(words: Sequence[str], space: FactorSpace) -> tuple[str, ...]:
    parts: list[str] = []
    for word in words:
        parts += {"all": _all_parts(space), "color": list(HUES)}.get(word, [word])
    known = [*space.names, "rotation"] + (["translation"] if set(TRANSLATION) <= set(space.names) else [])
    for part in parts:
        if part not in known:
            raise UsageError(f"There is no transform {part!r} in factor space {space.name}: it has {', '.join(known)}.")
    if not parts:
        raise UsageError("The transform has no parts: name one or more, such as 'rotation'.")
    return tuple(parts)


def _all_parts(space: FactorSpace) -> list[str]:
    moved = set(TRANSLATION) <= set(space.names)
    grouped = (*ROTATION, *TRANSLATION) if moved else ROTATION
    return ["rotation"] + ["translation"] * moved + [name for name in space.names if name not in grouped]
