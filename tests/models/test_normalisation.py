"""Normalisation, and target networks that follow."""

import copy

import pytest
import torch
from torch import nn

from iebench.models.distributed import GlobalBatchNorm
from iebench.models.ema import cosine_momentum, update_ema
from iebench.models.normalisation import IMAGE_MEAN, IMAGE_STD, Normalisation


def test_normalised_images_are_standardised_and_channels_last() -> None:
    images = torch.randint(0, 256, (5, 3, 8, 6), dtype=torch.uint8)
    normalised = Normalisation()(images)
    expected = (images / 255 - torch.tensor(IMAGE_MEAN)[:, None, None]) / torch.tensor(IMAGE_STD)[:, None, None]
    torch.testing.assert_close(normalised, expected, rtol=1e-5, atol=1e-5)
    assert normalised.is_contiguous(memory_format=torch.channels_last)
    assert not Normalisation().state_dict()


def test_parameters_follow_and_batch_statistics_do_not() -> None:
    online = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    target = copy.deepcopy(online).requires_grad_(False)
    with torch.no_grad():
        online[0].weight += 1
    online(torch.randn(8, 3))
    before = target[0].weight.clone()
    update_ema(target, online, 0.75)
    torch.testing.assert_close(target[0].weight, 0.75 * before + 0.25 * online[0].weight)
    assert int(target[1].num_batches_tracked) == 0


def test_momentum_ends_at_one() -> None:
    assert cosine_momentum(0.99, 0.0) == pytest.approx(0.99)
    assert cosine_momentum(0.99, 0.5) == pytest.approx(0.995)
    assert cosine_momentum(0.99, 1.0) == 1


@pytest.mark.parametrize("settings", [{}, {"affine": False}, {"momentum": None}, {"momentum": 0.0}])
def test_global_batch_norm_is_torchs(monkeypatch: pytest.MonkeyPatch, settings: dict) -> None:
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda total: None)
    norm = nn.BatchNorm1d(4, **settings)
    expected = copy.deepcopy(norm)
    ours = GlobalBatchNorm(norm)
    for x in torch.randn(3, 6, 4):
        torch.testing.assert_close(ours(x), expected(x))
    torch.testing.assert_close(norm.running_mean, expected.running_mean)
    torch.testing.assert_close(norm.running_var, expected.running_var)
