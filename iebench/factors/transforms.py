"""Transforms: what takes the source's latents to the target's, as numbers for a predictor or a probe, and as a group."""

from collections.abc import Callable, Iterable, Sequence
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
    quaternion_to_matrix,
    relative_rotation,
)
from iebench.factors.space import HUES, ROTATION, TRANSLATION, FactorSpace

Frame = Literal["object", "base"]
LatentsFunction = Callable[[ndarray, ndarray], ndarray]
TransformSpec = str | Sequence[str] | LatentsFunction
# How the source has to move along its own axes, by the frame of the two positions.
DISPLACEMENTS: dict[str, Frame] = {"displacement-object": "object", "displacement-base": "base"}


@dataclass(frozen=True)
class Transform:
    """A function of the latents of source and target: the chosen parts, one after the other.

    Its values form a group: rotations multiply, in the object's frame from the right, and differences add. A displacement d is
    the column that makes a rotation r a rigid motion [[r, d], [0, 1]], and motions multiply as these matrices.

    Attributes:
        space: whose latents it takes.
        parts: "rotation" is the relative rotation r = R(source)⁻¹ R(target); "translation" the difference of positions;
            "displacement-base" and "displacement-object" R(source)⁻¹ times that difference in either frame, along the source's
            axes; any factor's name the difference target - source of that factor, unwrapped (two hues differ by -1 to 1).
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
        return self._join(self._compose(part, first, second) for part in self.parts)

    def invert(self, transform: Float[ndarray, "*b t"]) -> Float[ndarray, "*b t"]:
        """The transform that takes back: from the target's latents to the source's."""
        return self._join(self._invert(part, transform) for part in self.parts)

    def identity(self, count: int) -> Float[ndarray, "count t"]:
        """So many transforms that change nothing."""
        still = np.zeros((count, self.size))
        if "rotation" in self.parts:
            still[:, self.columns("rotation")] = self._write(IDENTITY)
        return still

    def rotate_about(self, axis: Float[ndarray, "3"], angles: Float[ndarray, " n"]) -> Float[ndarray, "n t"]:
        """Transforms that only rotate about one of the object's axes, a vector of any length in its own frame, by radians.

        Raises:
            UsageError: the transform has no rotation.
        """
        axis, half = axis / np.linalg.norm(axis), np.asarray(angles)[:, None] / 2
        turned = self.identity(len(half))
        turned[:, self.columns("rotation")] = self._write(np.concatenate([np.sin(half) * axis, np.cos(half)], axis=1))
        return turned

    def displacement(
        self, source: Float[ndarray, "*b factors"], target: Float[ndarray, "*b factors"], frame: Frame
    ) -> Float[ndarray, "*b 3"]:
        """R(source)⁻¹ (p(target) - p(source)) with positions p in a frame, float64."""
        moved = self._position(target, frame) - self._position(source, frame)
        return np.einsum("...ji,...j->...i", self._orientation(source), moved)

    def _size_of(self, part: str) -> int:
        return {"rotation": ROTATION_SIZES[self.rotation_format], **dict.fromkeys(_VECTORS, 3)}.get(part, 1)

    def _compose(self, part: str, first: ndarray, second: ndarray) -> ndarray:
        before, after = first[..., self.columns(part)], second[..., self.columns(part)]
        if part == "rotation":
            return self._write(compose(self._read(before), self._read(after)))
        return before + (self._turn(first, after) if part in DISPLACEMENTS else after)

    def _invert(self, part: str, transform: ndarray) -> ndarray:
        values = transform[..., self.columns(part)]
        if part == "rotation":
            return self._write(invert(self._read(values)))
        return -(self._turn(transform, values, back=True) if part in DISPLACEMENTS else values)

    def _turn(self, transform: ndarray, vectors: ndarray, back: bool = False) -> ndarray:
        """Vectors turned by a transform's rotation."""
        rotation = self._read(transform[..., self.columns("rotation")])
        return np.einsum("...ij,...j->...i", quaternion_to_matrix(invert(rotation) if back else rotation), vectors)

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
            return self._position(target, self.translation_frame) - self._position(source, self.translation_frame)
        if part in DISPLACEMENTS:
            return self.displacement(source, target, DISPLACEMENTS[part])
        column = self.space.columns([part])
        return target[..., column] - source[..., column]

    def _rotation(self, source: ndarray, target: ndarray) -> ndarray:
        angles = self.space.columns(ROTATION)
        return self._write(relative_rotation(source[..., angles], target[..., angles]))

    def _position(self, latents: ndarray, frame: Frame) -> ndarray:
        translation = latents[..., self.space.columns(TRANSLATION)]
        if frame == "object":
            return translation
        return np.einsum("...ij,...j->...i", self._orientation(latents), translation)

    def _orientation(self, latents: ndarray) -> ndarray:
        return euler_to_matrix(latents[..., self.space.columns(ROTATION)])


_VECTORS = ("translation", *DISPLACEMENTS)


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
    known = [*space.names, "rotation"] + (list(_VECTORS) if set(TRANSLATION) <= set(space.names) else [])
    for part in parts:
        if part not in known:
            mend = f"it has {', '.join(known)}"
            if part in (*_VECTORS, *TRANSLATION):
                mend = "its objects stay where they are; take a dataset of --space 3diebench-t, or --transform rotation"
            raise UsageError(f"There is no transform {part!r} in factor space {space.name}: {mend}.")
    if not parts:
        raise UsageError("The transform has no parts: name one or more, such as 'rotation'.")
    moved = [part for part in parts if part in DISPLACEMENTS]
    if moved and "rotation" not in parts:
        raise UsageError(f"A {moved[0]} without a rotation is no motion: write rotation+{moved[0]}.")
    return tuple(parts)


def _all_parts(space: FactorSpace) -> list[str]:
    moved = set(TRANSLATION) <= set(space.names)
    grouped = (*ROTATION, *TRANSLATION) if moved else ROTATION
    return ["rotation"] + ["translation"] * moved + [name for name in space.names if name not in grouped]
