"""The factorised hypernetwork is the matrix it stands for."""

import pytest
import torch
from torch import nn

from iebench.models.predictors import HypernetworkPredictor, PredictorSettings, build_predictor
from iebench.models.settings import list_settings

KINDS = next(entry.choices for entry in list_settings(PredictorSettings) if entry.name == "predictor")


def built_weights(predictor: HypernetworkPredictor, transform: torch.Tensor) -> torch.Tensor:
    """W(t) of every row, built as a hypernetwork with a linear last layer builds it."""
    num_matrices, size, _ = predictor.matrices.shape
    last = nn.Linear(num_matrices, size * size, bias=False).to(transform.dtype)
    last.weight.data = predictor.matrices.data.reshape(num_matrices, -1).T.contiguous()
    return last(predictor.coefficients(transform)).view(-1, size, size)


@pytest.mark.parametrize("batch", [1, 6])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("hidden", [(), (3,), (5, 7)])
def test_equals_built_weights(batch: int, bias: bool, hidden: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    predictor = HypernetworkPredictor(16, 4, hidden, bias).double()
    embedding, transform = torch.randn(batch, 16).double(), torch.randn(batch, 4).double()
    expected = torch.bmm(built_weights(predictor, transform), embedding.unsqueeze(2)).squeeze(2)
    torch.testing.assert_close(predictor(embedding, transform), expected)


def test_gradients_equal_built_weights() -> None:
    torch.manual_seed(0)
    predictor = HypernetworkPredictor(8, 4).double()
    embedding, transform = torch.randn(5, 8).double().requires_grad_(), torch.randn(5, 4).double()
    ours = torch.autograd.grad(predictor(embedding, transform).square().sum(), [embedding, predictor.matrices])
    weights = torch.einsum("bk,kij->bij", transform, predictor.matrices)
    plain = torch.bmm(weights, embedding.unsqueeze(2)).squeeze(2).square().sum()
    for mine, theirs in zip(ours, torch.autograd.grad(plain, [embedding, predictor.matrices]), strict=True):
        torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_takes_a_batch_of_one(kind: str) -> None:
    assert build_predictor(kind, 8, 4).eval()(torch.randn(1, 8), torch.randn(1, 4)).shape == (1, 8)


def test_transform_decides() -> None:
    predictor = build_predictor("hypernetwork", 8, 4)
    embedding = torch.randn(3, 8)
    first, second = (predictor(embedding, torch.randn(3, 4)) for _ in range(2))
    assert not torch.allclose(first, second)
