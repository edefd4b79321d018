"""Rotation: the relative rotation of a pair's two views, by an MLP."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from iebench.evals import metrics
from iebench.evals.columns import Column, Figure
from iebench.evals.evaluator import Context, Score
from iebench.evals.measure import Measure, mean_of, median_of
from iebench.evals.probe_task import Regression, needs_pair, pooled_r2, uniform_r2
from iebench.evals.representations import Representations
from iebench.factors.rotations import IDENTITY, relative_rotation
from iebench.factors.space import ROTATION


class RotationRegression(Regression):
    """A regression of unit quaternions (x, y, z, w): both R², angles, and angles up to the objects' symmetries."""

    out_dim = 4

    def measures(self, targets: ndarray, predictions: ndarray, representations: Representations) -> Iterator[Measure]:
        """R² with the sign that scipy gives and sign-free; angles in degrees."""
        yield from super().measures(targets, predictions, representations)
        signed = metrics.align_signs(targets, predictions)
        yield Measure("r2_pooled_sign_free", pooled_r2, (targets, signed))
        yield Measure("r2_uniform_sign_free", uniform_r2, (targets, signed))
        errors = metrics.rotation_errors(targets, predictions)
        yield median_of("median_degrees", errors)
        yield mean_of("mean_degrees", errors)
        for degrees in (15, 30):
            yield mean_of(f"share_under_{degrees}", (errors < degrees).astype(np.float64))
        turns = _turns_of_objects(representations)
        if (turns != 1).any():
            least = self._errors_up_to_symmetry(targets, predictions, errors, turns)
            yield median_of("median_degrees_up_to_symmetry", least)

    def details(
        self, targets: ndarray, predictions: ndarray, representations: Representations
    ) -> Iterator[tuple[str, dict[str, float]]]:
        """The median error of each class, and the mean error by the angle of the true rotation."""
        errors, labels = metrics.rotation_errors(targets, predictions), representations.labels
        by_class = {label: float(np.median(errors[labels == label])) for label in np.unique(labels)}
        names = representations.class_names
        yield "median_degrees_by_class", {names[int(label)]: value for label, value in by_class.items()}
        angles = metrics.rotation_errors(targets, IDENTITY * np.ones_like(targets))
        yield "degrees_by_angle", metrics.mean_by_angle(angles.reshape(-1), errors.reshape(-1))

    def errors_by_object(self, targets: ndarray, predictions: ndarray) -> Float[ndarray, " objects"]:
        """Squared errors as shares of the components' variances: 1 minus their mean is `r2_uniform`."""
        variance = np.var(targets, axis=(0, 1), dtype=np.float64)
        varying = variance > metrics.LEAST_VARIANCE
        shares = (targets - predictions)[..., varying] ** 2 / variance[varying]
        return shares.mean(axis=(1, 2), dtype=np.float64)

    def _errors_up_to_symmetry(
        self, targets: ndarray, predictions: ndarray, errors: ndarray, turns: ndarray
    ) -> Float[ndarray, "objects k"]:
        least = errors.copy()
        for number in np.unique(turns[turns != 1]).tolist():
            rows = turns == number
            least[rows] = metrics.rotation_errors_up_to_turns(targets[rows], predictions[rows], number, self.num_views)
        return least


def _turns_of_objects(representations: Representations) -> ndarray:
    """How many turns leave each object as it is; 1 where the dataset does not state it."""
    stated = {entry.label: 1 if entry.turns is None else entry.turns for entry in representations.classes}
    return np.array([stated[label] for label in representations.labels.tolist()])


class Rotation(RotationRegression):
    """The relative rotation of a pair, r = R(source)⁻¹ R(target), as a quaternion with scipy's sign."""

    name = "rotation"
    order = 10
    needs = needs_pair(*ROTATION)
    columns: tuple[Column, ...] = (
        Column("rotation R², pooled", "rotation/whole/r2_pooled", "rotation_r2:pooled"),
        Column("rotation R², uniform", "rotation/whole/r2_uniform", "rotation_r2:uniform"),
        Column("rotation R², uniform, invariant part", "rotation/invariant/r2_uniform"),
        Column("rotation R², uniform, equivariant part", "rotation/equivariant/r2_uniform"),
        Column("rotation error, median", "rotation/whole/median_degrees", "", 1, 1, "°", "down"),
        Column("rotation R², uniform, out of distribution", "ood/rotation/whole/r2_uniform", "rotation_r2:uniform:ood"),
        Column(
            "rotation error, median, out of distribution", "ood/rotation/whole/median_degrees", "", 1, 1, "°", "down"
        ),
    )
    figures: tuple[Figure, ...] = (
        Figure(
            "Error by angle",
            "rotation/whole/degrees_by_angle",
            "curve",
            "Mean error of the rotation probe by the angle between the two views.",
            x="angle between the views, °",
            y="error, °",
        ),
        Figure(
            "Class by class",
            "rotation/whole/median_degrees_by_class",
            "classes",
            "Median rotation error of each class; * marks classes whose objects look the same after some turn.",
            x="median rotation error, °",
            mark_symmetric=True,
        ),
    )

    def relate(self, latents: Float[ndarray, "n 2 3"]) -> Float[ndarray, "n 4"]:
        """The relative rotation."""
        return relative_rotation(latents[:, 0], latents[:, 1])

    def constant(self, context: Context) -> Iterator[Score]:
        """The best constant quaternion, and, as `rotation/identity`, always predicting that nothing was rotated."""
        yield from super().constant(context)
        yield from self.score_constant("identity", IDENTITY, context)
