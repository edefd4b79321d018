"""Each loss against a transcription of its formula in numpy, entry by entry."""

import math

import numpy as np
import pytest
import torch

from iebench.models import losses


@pytest.fixture
def views() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    source, target = torch.randn(2, 7, 5, dtype=torch.float64, generator=generator)
    return source, 0.5 * target + source


def test_variance_hinges_at_one(views: tuple[torch.Tensor, torch.Tensor]) -> None:
    x = views[0].numpy() * [0.1, 0.5, 1.0, 2.0, 0.0]
    deviations = [math.sqrt(np.var(x[:, j], ddof=1) + 1e-4) for j in range(5)]
    expected = sum(max(0.0, 1 - deviation) for deviation in deviations) / 5
    assert losses.variance(torch.tensor(x)).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("num_samples", "size"), [(7, 5), (4, 9)])
def test_covariance_is_off_diagonal(num_samples: int, size: int) -> None:
    x = np.random.RandomState(0).standard_normal((num_samples, size))
    matrix = np.cov(x, rowvar=False)
    expected = sum(matrix[i, j] ** 2 for i in range(size) for j in range(size) if i != j) / size
    assert losses.covariance(torch.tensor(x)).item() == pytest.approx(expected, rel=1e-12)


def test_info_nce(views: tuple[torch.Tensor, torch.Tensor]) -> None:
    both = np.concatenate([views[0], views[1]])
    cosine = [[a @ b / np.linalg.norm(a) / np.linalg.norm(b) for b in both] for a in both]
    total = 0.0
    for i in range(14):
        others = sum(math.exp(cosine[i][j] / 0.2) for j in range(14) if j != i)
        total -= math.log(math.exp(cosine[i][(i + 7) % 14] / 0.2) / others)
    assert losses.info_nce(*views, 0.2).item() == pytest.approx(total / 14, rel=1e-12)


def test_cosine_distance_of_opposites_is_four(views: tuple[torch.Tensor, torch.Tensor]) -> None:
    assert losses.cosine_distance(views[0], -3 * views[0]).item() == pytest.approx(4)


def test_bf16_embeddings_are_widened(views: tuple[torch.Tensor, torch.Tensor]) -> None:
    x = (views[0] + 100).to(torch.bfloat16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = losses.covariance(x)
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(losses.covariance(x.double()).item(), rel=1e-4)


def test_an_underflown_probability_costs_much_and_leaves_gradients_finite() -> None:
    source = torch.tensor([[0.0, 1.0], [0.5, 0.5]], requires_grad=True)
    loss = losses.soft_cross_entropy(source, torch.tensor([[0.0, 1.0], [0.5, 0.5]]))
    assert loss.item() == pytest.approx(math.log(2) / 2)
    loss.backward()
    assert source.grad is not None and source.grad.isfinite().all()
    assert losses.soft_cross_entropy(source, torch.tensor([[1.0, 0.0], [0.5, 0.5]])).item() > 40
