"""Scores as pure functions of predictions and truths; every function takes float arrays and gives plain numbers."""

import numpy as np
from jaxtyping import Complex, Float, Int
from numpy import ndarray

from iebench.factors.rotations import IDENTITY, angle_between

LEAST_VARIANCE = 1e-12  # of what varies


def hit_chances(scores: Float[ndarray, "n classes"], labels: Int[ndarray, " n"], k: int) -> Float[ndarray, " n"]:
    """For each row, the chance that its label is among the k highest scores; its mean is the top-k accuracy.

    Equal scores are taken to be in random order, so constant scores give k / classes. NaN is the lowest score.
    """
    scores = np.where(np.isnan(scores), -np.inf, scores)
    own = np.take_along_axis(scores, labels[:, None], axis=1)
    higher, tied = (scores > own).sum(1), (scores == own).sum(1)
    return np.clip((k - higher) / tied, 0, 1)


def accuracy_by_class(scores: Float[ndarray, "n classes"], labels: Int[ndarray, " n"]) -> dict[int, float]:
    """Top-1 accuracy for each label that occurs."""
    hits = hit_chances(scores, labels, 1)
    return {int(label): float(hits[labels == label].mean()) for label in np.unique(labels)}


def r2_pooled(target: Float[ndarray, "n d"], prediction: Float[ndarray, "n d"]) -> float:
    """1 - mean((y - ŷ)²) / mean((y - ȳ)²) with *one* mean ȳ over all components.

    The R² of the SIE paper, CapsIE, EquiCaps and ContextSSL. A constant prediction scores above 0 where the components'
    means differ: 0.229 for the relative quaternions of 3DIEBench.
    """
    return 1 - float(np.mean((target - prediction) ** 2)) / float(np.var(target))


def r2_uniform(target: Float[ndarray, "n d"], prediction: Float[ndarray, "n d"]) -> float:
    """The mean of each component's own R² (scikit-learn's "uniform_average"): the best constant scores 0.

    Components that do not vary are left out.
    """
    return float(np.mean(r2_by_component(target, prediction)))


def r2_by_component(target: Float[ndarray, "n d"], prediction: Float[ndarray, "n d"]) -> Float[ndarray, " varying"]:
    """R² of each component that varies."""
    variance = target.var(axis=0)
    varying = variance > LEAST_VARIANCE
    return 1 - np.mean((target - prediction) ** 2, axis=0)[varying] / variance[varying]


def pooled_from_uniform(r2: float, constant: float = 0.229) -> float:
    """An estimate of the pooled R² of a predictor with this uniform R².

    Exact where every component leaves the same share of its variance unexplained.

    Args:
        r2: uniform R².
        constant: pooled R² of the constant predictor on this distribution, 0.229 for 3DIEBench's quaternions.
    """
    return constant + (1 - constant) * r2


def align_signs(target: Float[ndarray, "*n 4"], prediction: Float[ndarray, "*n 4"]) -> Float[ndarray, "*n 4"]:
    """The predictions with the sign that is nearer to the target, as q and -q are one rotation."""
    return np.where(np.sum(target * prediction, axis=-1, keepdims=True) < 0, -prediction, prediction)


def rotation_errors(target: Float[ndarray, "*n 4"], prediction: Float[ndarray, "*n 4"]) -> Float[ndarray, " *n"]:
    """Angles between the target rotations and the predicted ones, in degrees in [0, 180].

    Predictions of any length are normalised; a zero prediction counts as the identity.
    """
    return np.degrees(angle_between(target, _normalise(prediction)))


def rotation_errors_up_to_turns(
    target: Float[ndarray, "*n 4"], prediction: Float[ndarray, "*n 4"], turns: int, arity: int
) -> Float[ndarray, " *n"]:
    """Errors in degrees for objects that look the same after some turns S about their z axis: the least over these turns.

    The rotation R of such an object is seen as R·S, and the relative rotation r of two of its views as S⁻¹·r·S'. With
    q = u + v·i, where u = w + z·k and v = x + y·k, a turn only changes the arguments of u and v.

    Args:
        target, prediction: quaternions; predictions of any length.
        turns: how many turns there are: 1, 2, …, or 0 for any turn at all.
        arity: 1 for the rotation of one view, 2 for the relative rotation of two.
    """
    unit = _normalise(prediction)
    upright = np.conj(_pair(target, 3, 2)) * _pair(unit, 3, 2)
    lying = _pair(target, 0, 1) * np.conj(_pair(unit, 0, 1))
    if turns == 0:
        cosine = np.abs(upright) + np.abs(lying) if arity == 2 else np.abs(upright + lying)
    else:
        half_turns = [np.exp(1j * np.pi * number / turns) for number in range(turns)]
        before = [upright * turn + lying * np.conj(turn) for turn in (half_turns if arity == 2 else half_turns[:1])]
        cosine = np.max([np.abs((rotated * turn).real) for rotated in before for turn in half_turns], axis=0)
    return np.degrees(2 * np.arccos(np.minimum(cosine, 1)))


def _pair(quaternion: Float[ndarray, "*n 4"], real: int, imaginary: int) -> Complex[ndarray, " *n"]:
    return quaternion[..., real] + 1j * quaternion[..., imaginary]


def _normalise(prediction: Float[ndarray, "*n 4"]) -> Float[ndarray, "*n 4"]:
    norm = np.linalg.norm(prediction, axis=-1, keepdims=True)
    return np.where(norm > 1e-12, prediction / np.maximum(norm, 1e-12), IDENTITY)


def circular_errors(target: Float[ndarray, " *n"], prediction: Float[ndarray, " *n"]) -> Float[ndarray, " *n"]:
    """Distances of hues around the circle, in [0, 0.5], where the whole circle is 1."""
    difference = np.abs(target - prediction) % 1.0
    return np.minimum(difference, 1 - difference)


def mean_by_angle(degrees: Float[ndarray, " n"], values: Float[ndarray, " n"], width: float = 15.0) -> dict[str, float]:
    """Means of values in bins of an angle in [0, 180]; a bin is named by its middle, empty bins are left out."""
    bins = np.minimum(degrees // width, 180 // width - 1)
    return {str((number + 0.5) * width): float(values[bins == number].mean()) for number in np.unique(bins)}
