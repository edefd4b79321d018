"""The tasks that a probe learns: classification, relative and absolute rotation, colour, translation."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor, nn
from torch.nn import functional as F

from iebench.catalogue import CLASSES
from iebench.evals import metrics
from iebench.evals.features import FeatureSet
from iebench.evals.measure import Measure, mean_of, median_of
from iebench.evals.probes import linear_probe, mlp_probe, pair_probe
from iebench.evals.training import ProbeTask, Samples, sample_targets
from iebench.factors.rotations import euler_to_matrix, euler_to_quaternion, relative_rotation
from iebench.factors.space import ROTATION, TRANSLATION
from iebench.factors.symmetry import known_turns

HUES = ("floor_hue", "light_hue")


class Classification:
    """The class of an object from one view, by a linear probe."""

    name, arity = "classification", 1
    needs: tuple[str, ...] = ()

    def head(self, width: int) -> nn.Module:
        return linear_probe(width, len(CLASSES))

    def targets(self, features: FeatureSet, samples: Samples) -> Int[ndarray, " n"]:
        return features.labels[samples.objects]

    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(prediction, target)

    def constant(self, targets: Int[ndarray, " n"]) -> Float[ndarray, " classes"]:
        return np.bincount(targets, minlength=len(CLASSES)).astype(np.float64)

    def measures(self, targets: ndarray, predictions: ndarray, features: FeatureSet) -> Iterator[Measure]:
        scores, labels = predictions.reshape(-1, len(CLASSES)), targets.reshape(-1)
        for k in (1, 5):
            yield mean_of(f"top{k}", metrics.hit_chances(scores, labels, k).reshape(targets.shape))
        hits = metrics.hit_chances(scores, labels, 1).reshape(targets.shape)
        yield Measure("mean_per_class", _mean_per_class, (hits, targets))

    def details(
        self, targets: ndarray, predictions: ndarray, features: FeatureSet
    ) -> Iterator[tuple[str, dict[str, float]]]:
        accuracy = metrics.accuracy_by_class(predictions.reshape(-1, len(CLASSES)), targets.reshape(-1))
        yield "top1_by_class", {CLASSES[label].name: value for label, value in accuracy.items()}


def _mean_per_class(hits: Float[ndarray, "objects k"], labels: Int[ndarray, "objects k"]) -> float:
    present = np.unique(labels)
    return float(np.mean([hits[labels == label].mean() for label in present]))


class Regression:
    """A regression of factors by an MLP on one view's representation, or on a pair's two."""

    name: str
    arity = 2
    needs: tuple[str, ...]
    out_dim: int

    def head(self, width: int) -> nn.Module:
        return pair_probe(width, self.out_dim) if self.arity == 2 else mlp_probe(width, self.out_dim)

    def targets(self, features: FeatureSet, samples: Samples) -> Float[ndarray, "n c"]:
        return self.relate(samples.of(features.factor(*self.needs))).astype(np.float32)

    def relate(self, latents: Float[ndarray, "n k factors"]) -> Float[ndarray, "n c"]:
        """The targets of samples from the needed factors of their views."""
        raise NotImplementedError

    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(prediction, target)

    def constant(self, targets: Float[ndarray, "n c"]) -> Float[ndarray, " c"]:
        return targets.mean(0, dtype=np.float64)

    def measures(self, targets: ndarray, predictions: ndarray, features: FeatureSet) -> Iterator[Measure]:
        yield Measure("r2_pooled", _pooled, (targets, predictions))
        yield Measure("r2_uniform", _uniform, (targets, predictions))

    def details(
        self, targets: ndarray, predictions: ndarray, features: FeatureSet
    ) -> Iterator[tuple[str, dict[str, float]]]:
        yield from ()


def _pooled(targets: ndarray, predictions: ndarray) -> float:
    return metrics.r2_pooled(_rows(targets), _rows(predictions))


def _uniform(targets: ndarray, predictions: ndarray) -> float:
    return metrics.r2_uniform(_rows(targets), _rows(predictions))


def _rows(array: ndarray) -> ndarray:
    return array.reshape(-1, array.shape[-1]).astype(np.float64)


class Rotation(Regression):
    """The relative rotation of a pair, r = R(source)⁻¹ R(target), as a quaternion with scipy's sign."""

    name, out_dim = "rotation", 4
    needs: tuple[str, ...] = ROTATION

    def relate(self, latents: Float[ndarray, "n 2 3"]) -> Float[ndarray, "n 4"]:
        return relative_rotation(latents[:, 0], latents[:, 1])

    def measures(self, targets: ndarray, predictions: ndarray, features: FeatureSet) -> Iterator[Measure]:
        yield from super().measures(targets, predictions, features)
        signed = metrics.align_signs(targets, predictions)
        yield Measure("r2_pooled_sign_free", _pooled, (targets, signed))
        yield Measure("r2_uniform_sign_free", _uniform, (targets, signed))
        errors = metrics.rotation_errors(targets, predictions)
        yield median_of("median_degrees", errors)
        yield mean_of("mean_degrees", errors)
        for degrees in (15, 30):
            yield mean_of(f"share_under_{degrees}", (errors < degrees).astype(np.float64))
        turns = np.array([known_turns(entry.synset) for entry in CLASSES])[features.labels]
        if (turns != 1).any():
            least = errors.copy()
            for number in np.unique(turns[turns != 1]).tolist():
                rows = turns == number
                least[rows] = metrics.rotation_errors_up_to_turns(targets[rows], predictions[rows], number, self.arity)
            yield median_of("median_degrees_up_to_symmetry", least)

    def details(
        self, targets: ndarray, predictions: ndarray, features: FeatureSet
    ) -> Iterator[tuple[str, dict[str, float]]]:
        errors = metrics.rotation_errors(targets, predictions)
        by_class = {label: float(np.median(errors[features.labels == label])) for label in np.unique(features.labels)}
        yield "median_degrees_by_class", {CLASSES[label].name: value for label, value in by_class.items()}
        asked = metrics.rotation_errors(targets, np.array([0.0, 0.0, 0.0, 1.0]) * np.ones_like(targets))
        yield "degrees_by_angle", metrics.mean_by_angle(asked.reshape(-1), errors.reshape(-1))


class Pose(Rotation):
    """The rotation of a single view in the world's frame, as a quaternion."""

    name, arity = "pose", 1

    def relate(self, latents: Float[ndarray, "n 1 3"]) -> Float[ndarray, "n 4"]:
        return euler_to_quaternion(latents[:, 0])


class Colour(Regression):
    """The differences of floor hue and light hue between a pair's views, in (-1, 1)."""

    name, out_dim = "colour", 2
    needs: tuple[str, ...] = HUES

    def relate(self, latents: Float[ndarray, "n 2 2"]) -> Float[ndarray, "n 2"]:
        return latents[:, 1] - latents[:, 0]

    def measures(self, targets: ndarray, predictions: ndarray, features: FeatureSet) -> Iterator[Measure]:
        yield from super().measures(targets, predictions, features)
        errors = metrics.circular_errors(targets, predictions)
        for column, name in enumerate(HUES):
            yield median_of(f"median_circular_error_{name}", errors[..., column])


class Translation(Regression):
    """The difference of a pair's translations, in the object's frame: target latent minus source latent."""

    name, out_dim = "translation", 3
    needs: tuple[str, ...] = (*ROTATION, *TRANSLATION)

    def relate(self, latents: Float[ndarray, "n 2 6"]) -> Float[ndarray, "n 3"]:
        return latents[:, 1, 3:] - latents[:, 0, 3:]


class WorldTranslation(Translation):
    """The difference of a pair's translations in the world's frame, where the object stands at R·t."""

    name = "translation-world"

    def relate(self, latents: Float[ndarray, "n 2 6"]) -> Float[ndarray, "n 3"]:
        places = np.einsum("nkij,nkj->nki", euler_to_matrix(latents[..., :3]), latents[..., 3:])
        return places[:, 1] - places[:, 0]


PROBE_TASKS: dict[str, ProbeTask] = {
    task.name: task for task in (Classification(), Rotation(), Colour(), Pose(), Translation(), WorldTranslation())
}


def applicable(names: Sequence[str], features: FeatureSet) -> list[ProbeTask]:
    """The named probe tasks whose factors the dataset has, and whose targets vary in it."""
    known = [
        task for name, task in PROBE_TASKS.items() if name in names and set(task.needs) <= set(features.space.names)
    ]
    able = [task for task in known if task.arity <= features.num_views]
    return [task for task in able if np.ptp(sample_targets(task, features, 1), axis=0).max() > 0]
