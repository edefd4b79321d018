"""Transforms: what takes the source's latents to the target's, as numbers for a predictor or a probe."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray

from iebench.errors import UsageError
from iebench.factors.rotations import (
    ROTATION_SIZES,
    RotationFormat,
    euler_to_matrix,
    format_rotation,
    relative_rotation,
)
from iebench.factors.space import HUES, ROTATION, TRANSLATION, FactorSpace

Frame = Literal["object", "base"]
LatentsFunction = Callable[[ndarray, ndarray], ndarray]
TransformSpec = str | Sequence[str] | LatentsFunction


@dataclass(frozen=True)
class Transform:
    """A function of the latents of source and target: the chosen parts, one after the other.

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
        sizes = {"rotation": ROTATION_SIZES[self.rotation_format], "translation": 3}
        return sum(sizes.get(part, 1) for part in self.parts)

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
            return self._place(target) - self._place(source)
        column = self.space.columns([part])
        return target[..., column] - source[..., column]

    def _rotation(self, source: ndarray, target: ndarray) -> ndarray:
        angles = self.space.columns(ROTATION)
        relative = relative_rotation(source[..., angles], target[..., angles], self.canonical)
        return format_rotation(relative, self.rotation_format)

    def _place(self, latents: ndarray) -> ndarray:
        translation = latents[..., self.space.columns(TRANSLATION)]
        if self.translation_frame == "object":
            return translation
        matrix = euler_to_matrix(latents[..., self.space.columns(ROTATION)])
        return np.einsum("...ij,...j->...i", matrix, translation)


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
