"""The terms of the losses, as pure functions of embeddings.

Each takes the global batch (see `distributed.gather`) and works in float32 at least, whatever the precision around it.
"""

import math
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional as F

Embeddings = Float[Tensor, "batch size"]
Scalar = Float[Tensor, ""]
Result = TypeVar("Result")

VARIANCE_EPSILON = 1e-4  # VICReg, equation 1


def in_full_precision(function: Callable[..., Result]) -> Callable[..., Result]:
    """Run a loss without autocast and with half-precision arguments widened: variances need the digits."""

    @wraps(function)
    def widened(*args: object) -> Result:
        device = next(arg.device for arg in args if isinstance(arg, Tensor))
        with torch.autocast(device.type, enabled=False):
            return function(*(_widen(arg) for arg in args))

    return widened


def _widen(value: object) -> object:
    halves = (torch.float16, torch.bfloat16)
    return value.float() if isinstance(value, Tensor) and value.dtype in halves else value


@in_full_precision
def squared_distance(prediction: Embeddings, target: Embeddings) -> Scalar:
    """Mean over the batch and the coordinates of (prediction - target)²: the invariance and equivariance terms."""
    return F.mse_loss(prediction, target)


@in_full_precision
def variance(embeddings: Embeddings) -> Scalar:
    """Mean over the coordinates of max(0, 1 - √(Var + ε)): zero once each coordinate has unit standard deviation."""
    deviation = torch.sqrt(embeddings.var(dim=0) + VARIANCE_EPSILON)
    return F.relu(1 - deviation).mean()


@in_full_precision
def covariance(embeddings: Embeddings) -> Scalar:
    """Sum of the squared off-diagonal entries of the covariance matrix, divided by the number of coordinates.

    XᵀX and XXᵀ have the same sum of squares, so the smaller of the two is built.
    """
    num_samples, size = embeddings.shape
    centred = embeddings - embeddings.mean(dim=0)
    matrix = centred @ centred.T if num_samples < size else centred.T @ centred
    diagonal = centred.square().sum(dim=0)
    return (matrix.square().sum() - diagonal.square().sum()) / (size * (num_samples - 1) ** 2)


def variance_of_both(source: Embeddings, target: Embeddings) -> Scalar:
    """`variance`, averaged over the two views."""
    return (variance(source) + variance(target)) / 2


def covariance_of_both(source: Embeddings, target: Embeddings) -> Scalar:
    """`covariance`, summed over the two views."""
    return covariance(source) + covariance(target)


@in_full_precision
def info_nce(source: Embeddings, target: Embeddings, temperature: float) -> Scalar:
    """SimCLR's loss (NT-Xent): each of the 2·batch embeddings finds its partner among all others by cosine.

    The mean of -log softmax over the 2·batch rows, a row's similarity to itself left out.
    """
    both = F.normalize(torch.cat([source, target]), dim=1)
    similarity = both @ both.T / temperature
    similarity = similarity.masked_fill(torch.eye(len(both), dtype=torch.bool, device=both.device), -torch.inf)
    partner = torch.arange(len(both), device=both.device).roll(len(source))
    return F.cross_entropy(similarity, partner)


@in_full_precision
def clamped_contrast(outputs: Embeddings, temperature: float) -> Scalar:
    """ContextSSL's contrast: each row finds its partner, 2k and 2k + 1, among all others; cosines below zero count as zero.

    The mean of -log softmax(max(cosine, 1e-7) / temperature) over the rows, a row's similarity to itself left out. A negative
    beyond the clamp gives no gradient.
    """
    unit = F.normalize(outputs, dim=1)
    similarity = (unit @ unit.T).clamp(min=1e-7) / temperature
    row = torch.arange(len(outputs), device=outputs.device)
    return F.cross_entropy(similarity.masked_fill(row[:, None] == row, -torch.inf), row ^ 1)


@in_full_precision
def cosine_distance(prediction: Embeddings, target: Embeddings) -> Scalar:
    """Mean over the batch of 2 - 2·cos(prediction, target): BYOL's loss."""
    return (2 - 2 * F.cosine_similarity(prediction, target, dim=1)).mean()


@in_full_precision
def curvature(left: Embeddings, centre: Embeddings, right: Embeddings) -> Scalar:
    """Minus the mean cosine of two steps, left → centre and centre → right, without their parts along the centre: -1 if straight.

    A step v loses (v·y) y, where y is the centre's embedding as it is, not a unit vector (hafezgh/seq-jepa 73e0550).
    """
    steps = (centre - left, right - centre)
    first, second = (step - (step * centre).sum(dim=1, keepdim=True) * centre for step in steps)
    return -F.cosine_similarity(first, second, dim=1).mean()


@in_full_precision
def cross_entropy(logits: Float[Tensor, "batch classes"], label: Int64[Tensor, " batch"]) -> Scalar:
    """Mean over the batch of -log softmax at the label."""
    return F.cross_entropy(logits, label)


@in_full_precision
def soft_cross_entropy(source: Embeddings, target: Embeddings) -> Scalar:
    """Mean over the batch of -Σⱼ qⱼ log pⱼ, with each row of the source a distribution p and of the target q; into both.

    Where p has underflowed to 0, the smallest normal number stands for it.
    """
    return -(target * source.clamp(min=torch.finfo(source.dtype).tiny).log()).sum(dim=1).mean()


@in_full_precision
def entropy_gap(distributions: Embeddings) -> Scalar:
    """Log size - H(mean over the batch): what the mean distribution lacks of the highest entropy (mean-entropy maximisation)."""
    mean = distributions.mean(dim=0)
    return math.log(len(mean)) - torch.special.entr(mean).sum()
