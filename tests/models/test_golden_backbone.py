"""SIE's ResNet-18 computes what the authors' does: representations, and gradients of all parameters, in float64."""

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from iebench.models.backbones import build_backbone

CASES = json.loads((Path(__file__).parent / "golden-resnet18-sie.json").read_text())["cases"]
MEETS = {"rel": 1e-9, "abs": 1e-14}


@lru_cache(maxsize=128)  # a series has its parameters twice, for both modes
def draw(seed: int, shape: tuple[int, ...]) -> Tensor:
    return torch.tensor(np.random.RandomState(seed).standard_normal(shape))


def fill(network: nn.Module, params: list) -> None:
    """Give a network the case's parameters, which must be just its own."""
    own = dict(network.named_parameters())
    assert {name: list(value.shape) for name, value in own.items()} == {name: shape for name, shape, _, _ in params}
    for name, shape, seed, scale in params:
        is_gain = len(shape) == 1 and name.endswith("weight")
        own[name].data.copy_(draw(seed, tuple(shape)) * scale + is_gain)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_golden_backbone(case: str) -> None:
    golden, (name, _, mode) = CASES[case], case.split("/")
    network = build_backbone(f"{name}-sie").double().train(mode == "train")
    fill(network, golden["params"])
    seed, size = 1000 * golden["series"], golden["size"]
    images = draw(seed + 901, (golden["batch"], 3, size, size)).clone().requires_grad_()

    found = network(images)
    loss = (found * draw(seed + 906, tuple(found.shape))).sum()
    loss.backward()

    np.testing.assert_allclose(found[:, :8].detach(), golden["first"], rtol=1e-9, atol=1e-14)
    assert found.sum().item() == pytest.approx(golden["sum"], **MEETS)
    assert found.norm().item() == pytest.approx(golden["norm"], **MEETS)
    assert loss.item() == pytest.approx(golden["loss"], **MEETS)
    assert images.grad.norm().item() == pytest.approx(golden["grad_norm_x"], **MEETS)
    norms = {name: parameter.grad.norm().item() for name, parameter in network.named_parameters()}
    assert norms == pytest.approx(golden["grad_norm_params"], **MEETS)
