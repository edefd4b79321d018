"""What the predictor has learned: its error by angle, how far it is from a group's action, and where steering leads."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor
from torch.nn import functional as F

from iebench.evals.metrics import mean_by_angle
from iebench.evals.model import Predict, check_predictions
from iebench.evals.probe_fitting import validation_samples
from iebench.evals.representations import Representations
from iebench.factors.rotations import IDENTITY, angle_between, compose, euler_to_quaternion, relative_rotation
from iebench.factors.space import ROTATION
from iebench.factors.transforms import make_transform

VERTICAL = np.array([0.0, 0.0, 1.0])  # the object's z axis
STEERING_DEGREES = (-90, -60, -30, 0, 30, 60, 90)


@dataclass(frozen=True)
class Steering:
    """One view of an object, turned step by step.

    Attributes:
        degrees: the wanted rotations.
        wanted: the real view of the object that is nearest to each.
        views: the real view nearest to each predicted embedding.
        gaps: degrees between each wanted rotation and that of the view found.
    """

    degrees: tuple[int, ...]
    wanted: Int[ndarray, " steps"]
    views: Int[ndarray, " steps"]
    gaps: Float[ndarray, " steps"]


class PredictorAnalysis:
    """What a predictor does on a split with embeddings; all distances are 1 - cosine.

    Args:
        predict: as in `Retrieval`.
        representations: with embeddings.
        transform: which transform the predictor takes.
        device: where `predict` runs.
        pairs_per_object: fixed pairs on which it is judged.
        repeatable: whether `predict` may start at a prediction too.
    """

    def __init__(
        self,
        predict: Predict,
        representations: Representations,
        transform: str = "rotation",
        device: str | torch.device = "cpu",
        pairs_per_object: int = 5,
        repeatable: bool = True,
    ):
        assert representations.embeddings is not None
        self.repeatable = repeatable
        self._predict, self.representations, self.device = predict, representations, torch.device(device)
        samples = validation_samples(representations, 2, pairs_per_object)
        chosen = torch.from_numpy(samples.of(representations.embeddings)).float()
        self.source, self.target = chosen[:, 0], chosen[:, 1]
        latents = samples.of(representations.latents)
        self.transform = make_transform(transform, representations.space)
        self.transforms = self.transform(latents[:, 0], latents[:, 1])
        angles = samples.of(representations.factor(*ROTATION))
        self.degrees = np.degrees(angle_between(IDENTITY, relative_rotation(angles[:, 0], angles[:, 1])))

    @torch.no_grad()
    def move(self, embeddings: Tensor, transforms: Float[ndarray, "n t"]) -> Tensor:
        """The whole embeddings after a transform; only their last, equivariant part is predicted."""
        moved = torch.from_numpy(transforms.astype(np.float32))
        blocks = [
            check_predictions(self._predict(e.to(self.device), t.to(self.device)), e).cpu()
            for e, t in zip(embeddings.split(4096), moved.split(4096), strict=True)
        ]
        predicted = torch.cat(blocks)
        self.width = predicted.shape[1]
        return torch.cat([embeddings[:, : embeddings.shape[1] - self.width], predicted], dim=1)

    def group_laws(self) -> dict[str, float]:
        """How far the learned action is from a group's, beside the distance between a pair's views as a measure.

        identity: the identity transform against the embedding itself; inverse: a transform and its inverse against it;
        composition: two transforms against their composition; prediction: against the target; spread: source against target;
        motion: the prediction against the source, 0 where the predictor is the identity whatever the transform. Inverse and
        composition take two steps, and are left out where predictions are no place to start at.
        """
        there = self.move(self.source, self.transforms)
        second = np.roll(self.transforms, 1, axis=0)
        pairs = {"identity": (self.move(self.source, self.transform.identity(len(self.transforms))), self.source)}
        if self.repeatable:
            pairs |= {
                "inverse": (self.move(there, self.transform.invert(self.transforms)), self.source),
                "composition": (
                    self.move(there, second),
                    self.move(self.source, self.transform.compose(self.transforms, second)),
                ),
            }
        pairs |= {
            "prediction": (there, self.target),
            "spread": (self.source, self.target),
            "motion": (there, self.source),
        }
        return {name: float(self._distance(*pair).mean()) for name, pair in pairs.items()}

    def angle_curves(self) -> dict[str, dict[str, float]]:
        """Distance from the prediction, and from the source as it is, to the target, by the angle of the rotation."""
        predicted = self._distance(self.move(self.source, self.transforms), self.target)
        unmoved = self._distance(self.source, self.target)
        return {"predicted": mean_by_angle(self.degrees, predicted), "unmoved": mean_by_angle(self.degrees, unmoved)}

    def steer(self, object_index: int, source: int = 0) -> Steering:
        """Turn a view of an object about the object's z axis, and find the real view nearest to each predicted embedding."""
        embeddings = torch.from_numpy(np.array(self.representations.embeddings[object_index])).float()  # type: ignore[index]
        angles = np.radians(STEERING_DEGREES)
        moved = self.move(
            embeddings[source, None].expand(len(angles), -1), self.transform.rotate_about(VERTICAL, angles)
        )
        similarity = F.normalize(moved[:, -self.width :], dim=1) @ F.normalize(embeddings[:, -self.width :], dim=1).T
        views = similarity.argmax(1).numpy()
        rotations = euler_to_quaternion(self.representations.factor(*ROTATION)[object_index])
        turns = euler_to_quaternion(angles[:, None] * VERTICAL)
        turned = compose(rotations[source, None], turns)
        wanted = angle_between(turned[:, None], rotations[None]).argmin(axis=1)
        gaps = np.degrees(angle_between(turned, rotations[views]))
        return Steering(STEERING_DEGREES, wanted, views, gaps)

    def neighbours(self, object_index: int, view: int, count: int = 5) -> Int[ndarray, " count"]:
        """The object's own views nearest to the embedding predicted for `view` from view 0."""
        embeddings = torch.from_numpy(np.array(self.representations.embeddings[object_index])).float()  # type: ignore[index]
        latents = self.representations.latents[object_index]
        moved = self.move(embeddings[:1], self.transform(latents[:1], latents[view : view + 1]))
        similarity = F.normalize(embeddings[:, -self.width :], dim=1) @ F.normalize(moved[0, -self.width :], dim=0)
        return similarity.argsort(descending=True)[:count].numpy()

    def summary(self) -> dict[str, Any]:
        """Plain values for `results.json`."""
        return {"group_laws": self.group_laws(), "distance_by_angle": self.angle_curves()}

    def _distance(self, first: Tensor, second: Tensor) -> Float[ndarray, " n"]:
        return (1 - F.cosine_similarity(first[:, -self.width :], second[:, -self.width :])).numpy()
