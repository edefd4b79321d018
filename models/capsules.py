"""Capsules: self-routing in one pass (Hahn et al., NeurIPS 2019), and the projector of EquiCaps, which never build the votes."""

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from iebench.models.losses import in_full_precision
from iebench.models.resnet import Map

Activations = Float[Tensor, "batch capsules"]
Poses = Float[Tensor, "batch capsules m m"]


class _SumVotes(torch.autograd.Function):
    """Σᵢ sⱼᵢ Wⱼᵢ uᵢ, of which forward and backward hold the terms of one output capsule j at a time.

    For each j it is one product of (s_j u), (n, C · inputs), with W_j, (D, C · inputs). Autograd would keep every (s_j u), which
    together are as large as the votes.
    """

    @staticmethod
    def forward(ctx: Any, shares: Tensor, poses: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(shares, poses, weight)
        return torch.stack([_weigh(shares, poses, j) @ weight[j].T for j in range(len(weight))], dim=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        shares, poses, weight = ctx.saved_tensors
        of_shares, of_poses, of_weight = torch.empty_like(shares), torch.zeros_like(poses), torch.empty_like(weight)
        for j, gradient in enumerate(gradients[0].unbind(1)):
            torch.mm(gradient.T, _weigh(shares, poses, j), out=of_weight[j])
            of_weighed = (gradient @ weight[j]).view_as(poses)
            of_shares[:, j] = (of_weighed * poses).sum(1)
            of_poses.addcmul_(of_weighed, shares[:, j, None])
        return of_shares, of_poses, of_weight


def _weigh(shares: Tensor, poses: Tensor, j: int) -> Tensor:
    return (shares[:, j, None] * poses).flatten(1)


def sum_votes(
    shares: Float[Tensor, "n outputs inputs"],
    poses: Float[Tensor, "n c inputs"],
    weight: Float[Tensor, "outputs d c*inputs"],
) -> Float[Tensor, "n outputs d"]:
    """The sum over input capsules i of their votes for each output capsule j, sⱼᵢ Wⱼᵢ uᵢ."""
    return _SumVotes.apply(shares, poses, weight)  # type: ignore[no-untyped-call]


class SelfRouting(nn.Module):
    """A layer of capsules that slides over a map; each input capsule says by itself which outputs it goes to.

    Of a window's input capsules i with activations aᵢ and poses uᵢ, and the output capsules j:

        rᵢⱼ = softmax_j(uᵢ·Vᵢⱼ + bᵢⱼ)     αⱼ = Σᵢ aᵢ rᵢⱼ / Σᵢ aᵢ     Pⱼ = Σᵢ aᵢ rᵢⱼ Wⱼᵢ uᵢ / Σᵢ aᵢ rᵢⱼ

    so that activations of one place sum to one. V and b begin at zero: at first each input goes to all outputs alike.

    Attributes:
        routing_weight: V, (inputs, C, outputs), the inputs in the order (position in the window, capsule).
        routing_bias: b, (outputs, inputs).
        pose_weight: W, (outputs, D, C · inputs); None in a layer that gives activations alone.
    """

    def __init__(
        self,
        in_capsules: int,
        out_capsules: int,
        in_pose: int,
        out_pose: int,
        kernel: int,
        stride: int = 1,
        padding: int = 0,
    ) -> None:
        super().__init__()
        self.in_pose, self.kernel, self.stride, self.padding = in_pose, kernel, stride, padding
        inputs = kernel**2 * in_capsules
        self.routing_weight = nn.Parameter(torch.zeros(inputs, in_pose, out_capsules))
        self.routing_bias = nn.Parameter(torch.zeros(out_capsules, inputs))
        self.pose_weight = nn.Parameter(torch.empty(out_capsules, out_pose, in_pose * inputs)) if out_pose else None
        if self.pose_weight is not None:  # Kaiming's of their (inputs, outputs · D, C), whose fan in is outputs · D · C
            nn.init.normal_(self.pose_weight, std=math.sqrt(2 / (out_capsules * out_pose * in_pose)))

    def forward(
        self, activations: Float[Tensor, "n capsules h w"], poses: Float[Tensor, "n coordinates h w"]
    ) -> tuple[Float[Tensor, "n outputs rows columns"], Float[Tensor, "n coordinates_out rows columns"] | None]:
        """Activations (n, outputs, h', w'), and poses (n, outputs · D, h', w') where it has any.

        Args:
            activations: (n, capsules, h, w), not negative.
            poses: (n, capsules · C, h, w), the coordinates of each capsule side by side.
        """
        count, _, height, width = activations.shape
        rows, columns = ((side + 2 * self.padding - self.kernel) // self.stride + 1 for side in (height, width))
        found, routed = self.route(self._unfold(activations, 1).squeeze(1), self._unfold(poses, self.in_pose))
        activations = found.view(count, rows, columns, -1).permute(0, 3, 1, 2)
        if routed is None:
            return activations, None
        return activations, routed.flatten(1).view(count, rows, columns, -1).permute(0, 3, 1, 2)

    @in_full_precision  # activations near uniform differ in their third digit
    def route(
        self, activations: Float[Tensor, "n inputs"], poses: Float[Tensor, "n c inputs"]
    ) -> tuple[Float[Tensor, "n outputs"], Float[Tensor, "n outputs d"] | None]:
        """Activations and poses of the output capsules of one place."""
        logits = torch.bmm(poses.permute(2, 0, 1), self.routing_weight).permute(1, 2, 0) + self.routing_bias
        shares = logits.softmax(dim=1) * activations[:, None]
        totals = shares.sum(dim=2)
        found = totals / activations.sum(dim=1, keepdim=True)
        if self.pose_weight is None:
            return found, None
        return found, sum_votes(shares, poses, self.pose_weight) / totals[:, :, None]

    def _unfold(self, capsules: Map, size: int) -> Float[Tensor, "windows c inputs"]:
        """The windows of all images, one below the other, their capsules in the order (position, capsule)."""
        windows = F.unfold(capsules, self.kernel, padding=self.padding, stride=self.stride)
        split = windows.unflatten(1, (-1, size, self.kernel**2)).permute(0, 4, 2, 3, 1)
        return split.reshape(-1, size, split.shape[3] * split.shape[4])


class CapsuleProjector(nn.Module):
    """From a backbone's map to the activations of some capsules, a distribution, and to their poses, m x m matrices.

    Convolutions make as many capsules at each position, and those of the whole map are routed to the last ones.

    Args:
        channels: of the map.
        side: height and width of the map.
        capsules: how many.
        m: side of the poses.
    """

    def __init__(self, channels: int, side: int, capsules: int, m: int) -> None:
        super().__init__()
        self.m = m
        self.activation = _convolution_and_norm(channels, capsules)
        self.pose = _convolution_and_norm(channels, capsules * m * m)
        self.routing = SelfRouting(capsules, capsules, m * m, m * m, kernel=side)

    def forward(self, features: Map) -> tuple[Activations, Poses]:
        """Activations and poses."""
        activations, poses = self.routing(torch.sigmoid(self.activation(features)), self.pose(features))
        return activations.flatten(1), poses.flatten(1).unflatten(1, (-1, self.m, self.m))


def _convolution_and_norm(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs))


@in_full_precision
def normalise_poses(poses: Poses) -> Poses:
    """Each matrix divided by its Frobenius norm; zeros stay zero."""
    return F.normalize(poses.flatten(2), dim=2).view_as(poses)


@in_full_precision
def move_poses(poses: Poses, motions: Float[Tensor, "batch m m"]) -> Poses:
    """Each pose times its object's known motion, from the right."""
    return poses @ motions[:, None]
