"""EquiCaps (Konstantinou et al., 2025, arXiv 2506.09895): capsules whose poses turn as the object does, without a predictor."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from iebench.errors import UsageError
from iebench.factors.transforms import DISPLACEMENTS
from iebench.loader.multiview import Views
from iebench.models.backbones import measure_output
from iebench.models.capsules import Activations, CapsuleProjector, Poses, move_poses, normalise_poses
from iebench.models.distributed import gather
from iebench.models.losses import (
    Embeddings,
    covariance_of_both,
    entropy_gap,
    soft_cross_entropy,
    squared_distance,
    variance_of_both,
)
from iebench.models.method import Images, LossOutput, Method, Paper, Sizes, WeighedTerms, halves, register, stack_views
from iebench.models.resnet import Map
from iebench.models.settings import BACKBONES, MethodSettings, TrainerSettings, setting
from iebench.models.torch_rotations import quaternion_to_matrix

PAPER = Paper("Konstantinou et al., 2025", "https://arxiv.org/abs/2506.09895")
ROTATION_SIZE = 4  # of a quaternion
MOTIONS = tuple(f"rotation+{part}" for part in DISPLACEMENTS)


@dataclass(frozen=True)
class EquicapsSettings(MethodSettings):
    """The setting of the paper; poses are 3 x 3, and 4 x 4 where the object is moved too."""

    transform: Literal["rotation", "rotation+displacement-object", "rotation+displacement-base"] = setting(  # type: ignore[assignment]
        "rotation", "How poses move: turned, or moved too by positions in the object's or in the base frame."
    )
    backbone: str = setting("resnet18-sie", BACKBONES)
    capsules: int = setting(32, "Capsules of the projector.", minimum=2)
    invariance_weight: float = setting(0.1, "Weight of the cross-entropy between the two views' activations.")
    equivariance_weight: float = setting(5.0, "Weight of the distance between moved and target poses.")
    variance_weight: float = setting(10.0, "Weight of the variance hinge of activations and poses.")
    covariance_weight: float = setting(1.0, "Weight of the covariance of activations and poses.")
    memax_weight: float = setting(1.0, "Weight of what the batch's mean activations lack of the highest entropy.")


@register("equicaps", EquicapsSettings, TrainerSettings(batch_size=256), PAPER)
class Equicaps(Method[EquicapsSettings]):
    """Capsules whose activations agree between the views and whose poses move by the known transform itself.

    The embedding is the activations, then the poses, each of unit Frobenius norm: their direction is all that the loss compares.
    """

    uses_map = True

    def __init__(self, settings: EquicapsSettings, backbone: nn.Module, sizes: Sizes) -> None:
        super().__init__(settings, backbone, sizes)
        if settings.transform not in ("rotation", *MOTIONS):
            raise UsageError(
                f"equicaps has no --transform {settings.transform}: choose rotation, {', '.join(MOTIONS)}."
            )
        self.m, capsules = 3 if settings.transform == "rotation" else 4, settings.capsules
        self.embedding_parts = halves(capsules, capsules * (1 + self.m**2))
        self.projector = CapsuleProjector(sizes.representation, _measure_side(backbone, sizes), capsules, self.m)

    def forward(self, views: Views) -> LossOutput:
        """The terms of both views' maps, and the pooled maps."""
        source, target = (self.encode(views.images[:, view]) for view in range(2))
        return LossOutput(*self.objective(source, target, views), stack_views(_pool(source), _pool(target)))

    def objective(self, source: Map, target: Map, views: Views) -> WeighedTerms:
        """The loss over the global batch, with its terms, from the maps of both views."""
        (activations, poses), (target_activations, target_poses) = self.projector(source), self.projector(target)
        moved = normalise_poses(move_poses(poses, to_motions(views.transforms[:, 0])))
        found = gather(_join(activations, moved)), gather(_join(target_activations, normalise_poses(target_poses)))
        return self.weigh(self.terms(*found))

    def terms(self, moved: Embeddings, target: Embeddings) -> dict[str, Tensor]:
        """The terms over the global batch, from the embeddings of sources whose poses were moved, and of targets."""
        invariant, equivariant = self.embedding_parts["invariant"], self.embedding_parts["equivariant"]
        return {
            "invariance": soft_cross_entropy(moved[:, invariant], target[:, invariant]),
            "equivariance": squared_distance(moved[:, equivariant], target[:, equivariant]),
            "variance": variance_of_both(moved, target),
            "covariance": covariance_of_both(moved, target),
            "memax": entropy_gap(moved[:, invariant]) + entropy_gap(target[:, invariant]),
        }

    def embed_images(self, images: Images) -> Embeddings:
        """Activations and normalised poses, of each image by itself.

        Raises:
            UsageError: the images are of another size than those of the training.
        """
        if images.shape[2:] != (self.sizes.image,) * 2:
            given, own = " x ".join(map(str, images.shape[2:])), self.sizes.image
            raise UsageError(
                f"Capsules stand at positions, and these are of images of {own} px, not {given}: give --size {own}."
            )
        activations, poses = self.projector(self.encode(images))
        return _join(activations, normalise_poses(poses))

    def predict(self, embedding: Embeddings, transform: Float[Tensor, "batch t"]) -> Float[Tensor, "batch equivariant"]:
        """The target's normalised poses: the source's, times the motion."""
        poses = embedding[:, self.embedding_parts["equivariant"]].unflatten(1, (-1, self.m, self.m))
        return normalise_poses(move_poses(poses, to_motions(transform))).flatten(1)


def to_motions(transforms: Float[Tensor, "batch t"]) -> Float[Tensor, "batch m m"]:
    """What poses are multiplied with: the rotation as a matrix, or with a displacement the motion [[R, d], [0, 1]].

    Args:
        transforms: a unit quaternion (x, y, z, w), and then a displacement or nothing.
    """
    rotations = quaternion_to_matrix(transforms[:, :ROTATION_SIZE])
    if transforms.shape[1] == ROTATION_SIZE:
        return rotations
    motions = torch.cat([rotations, transforms[:, ROTATION_SIZE:, None]], dim=2)
    return torch.cat([motions, motions.new_tensor([0, 0, 0, 1]).expand(len(motions), 1, 4)], dim=1)


def _measure_side(backbone: nn.Module, sizes: Sizes) -> int:
    *_, height, width = shape = measure_output(backbone, sizes.image)
    if height != width:
        raise UsageError(f"--backbone gives a map of {shape} for a square image; equicaps takes one as wide as high.")
    return height


def _join(activations: Activations, poses: Poses) -> Embeddings:
    return torch.cat([activations, poses.flatten(1)], dim=1)


def _pool(features: Map) -> Float[Tensor, "batch channels"]:
    return features.mean(dim=(2, 3))
