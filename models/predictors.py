"""Predictors: the source's embedding and the transform → the target's embedding."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from iebench.models.heads import embedding_of_transforms, perceptron, projector
from iebench.models.settings import MethodSettings, setting


class HypernetworkPredictor(nn.Module):
    """W(t)·x, where a hypernetwork turns the transform t into the matrix W(t).

    The hypernetwork's last layer is linear, so W(t) = Σₖ hₖ(t)·Wₖ with h the output of its hidden layers (t itself when
    there are none), and W(t)·x = Σₖ hₖ(t)·(Wₖ·x): one matrix product and a weighted sum, exact, and never the
    (batch, size, size) weights. A bias of the last layer is one more matrix whose h is 1.
    """

    def __init__(self, size: int, transform_size: int, hidden: Sequence[int] = (), bias: bool = False) -> None:
        super().__init__()
        layers = [transform_size, *hidden]
        self.hidden = nn.Sequential()
        for before, after in pairwise(layers):
            self.hidden.extend([nn.Linear(before, after, bias=bias), nn.ReLU(inplace=True)])
        self.bias = bias
        self.matrices = nn.Parameter(torch.empty(layers[-1] + bias, size, size))
        nn.init.uniform_(self.matrices, -1 / math.sqrt(layers[-1]), 1 / math.sqrt(layers[-1]))  # as nn.Linear does

    def forward(
        self, embedding: Float[Tensor, "batch size"], transform: Float[Tensor, "batch factors"]
    ) -> Float[Tensor, "batch size"]:
        """W(t)·x."""
        num_matrices, size, _ = self.matrices.shape
        images = nn.functional.linear(embedding, self.matrices.view(num_matrices * size, size))
        return torch.einsum("bk,bkd->bd", self.coefficients(transform), images.view(-1, num_matrices, size))

    def coefficients(self, transform: Float[Tensor, "batch factors"]) -> Float[Tensor, "batch matrices"]:
        """h(t), with a column of ones for the bias if there is one."""
        hidden = self.hidden(transform)
        return torch.cat([hidden, torch.ones_like(hidden[:, :1])], dim=1) if self.bias else hidden


class ConcatenationPredictor(nn.Module):
    """A perceptron on the embedding and the transform side by side; linear without hidden layers."""

    def __init__(self, size: int, transform_size: int, hidden: Sequence[int] = ()) -> None:
        super().__init__()
        self.layers = perceptron(size + transform_size, hidden, size)

    def forward(
        self, embedding: Float[Tensor, "batch size"], transform: Float[Tensor, "batch factors"]
    ) -> Float[Tensor, "batch size"]:
        """The perceptron's output."""
        return self.layers(torch.cat([embedding, transform.to(embedding.dtype)], dim=1))


class EmbeddingPredictor(nn.Module):
    """A learned embedding of the transform beside the embedding, then a linear layer and a batch norm without gains.

    The predictor of SEN and EquiMod in the comparison of the seq-JEPA paper (Ghaemi et al., NeurIPS 2025).
    """

    def __init__(self, size: int, transform_size: int, transform_width: int) -> None:
        super().__init__()
        self.transform_embedding = embedding_of_transforms(transform_size, transform_width)
        self.layers = projector(size + transform_width, [size], ends_in_norm=True)

    def forward(
        self, embedding: Float[Tensor, "batch size"], transform: Float[Tensor, "batch factors"]
    ) -> Float[Tensor, "batch size"]:
        """The normalised linear image of both."""
        embedded = self.transform_embedding(transform.to(embedding.dtype))
        return self.layers(torch.cat([embedding, embedded.to(embedding.dtype)], dim=1))


def build_predictor(
    kind: str,
    size: int,
    transform_size: int,
    hidden: Sequence[int] = (),
    bias: bool = False,
    transform_width: int = 128,
) -> nn.Module:
    """A predictor of a kind that `PredictorSettings.predictor` names.

    Args:
        kind: which.
        size: number of coordinates of the embedding.
        transform_size: number of coordinates of the transform.
        hidden: hidden sizes of `deep-hypernetwork` and `mlp`; if empty, two, as wide as the transform and the embedding.
        bias: whether the hypernetwork has biases.
        transform_width: number of coordinates of the transform's embedding of `embedding`.
    """
    if kind == "hypernetwork":
        return HypernetworkPredictor(size, transform_size, bias=bias)
    if kind == "deep-hypernetwork":
        return HypernetworkPredictor(size, transform_size, hidden or (transform_size, transform_size), bias)
    if kind == "embedding":
        return EmbeddingPredictor(size, transform_size, transform_width)
    return ConcatenationPredictor(size, transform_size, () if kind == "linear" else hidden or (size, size))


@dataclass(frozen=True)
class PredictorSettings(MethodSettings):
    """What a method with a predictor is told."""

    predictor: Literal["hypernetwork", "deep-hypernetwork", "mlp", "linear", "embedding"] = setting(
        "hypernetwork", "How the source's embedding and the transform give the target's."
    )
    predictor_hidden: str = setting(
        "", "Hidden sizes of deep-hypernetwork and mlp, as 128-128; empty: two of fitting width."
    )
    predictor_bias: bool = setting(False, "Give the hypernetwork biases.")
    transform_width: int = setting(
        128, "Numbers of the transform's learned embedding of the predictor embedding.", minimum=1, is_later=True
    )
