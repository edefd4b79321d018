"""Weights of others come in whole, or an error lists what does not fit."""

import argparse
from pathlib import Path

import pytest
import torch
from torch import nn

from iebench.errors import IebenchError
from iebench.models import checkpoints
from iebench.models.backbones import BasicBlock, convolution
from iebench.models.runs import read_checkpoint
from iebench.models.weights import load_backbone


class SmallBackbone(nn.Module):
    """Names and shapes as at the beginning of a ResNet."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = convolution(3, 64, 7), nn.BatchNorm2d(64)
        self.layer1 = nn.Sequential(BasicBlock(64, 64, 1))


@pytest.fixture(scope="module")
def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    return SmallBackbone().state_dict()


def loads(content: dict, path: Path, weights: dict[str, torch.Tensor]) -> None:
    torch.save(content, path)
    backbone = SmallBackbone()
    load_backbone(backbone, path)
    assert all(torch.equal(value, weights[name]) for name, value in backbone.state_dict().items())


@pytest.mark.parametrize(
    "prefix",
    ["", "module.backbone.", "backbone.", "encoder.", "module.encoder.", "enc.", "module._orig_mod.backbone."],
    ids=lambda prefix: prefix or "bare",
)
@pytest.mark.parametrize("container", ["", "model", "state_dict"])
def test_layouts(prefix: str, container: str, tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
    named = {prefix + name: value for name, value in weights.items()}
    if prefix:
        named[prefix.removesuffix(prefix.split(".")[-2] + ".") + "projector.0.weight"] = torch.zeros(3)
    loads({container: named, "epoch": 3} if container else named, tmp_path / "weights.pt", weights)


def test_torchvisions_classifier_is_left_out(tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
    classifier = {"fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}
    loads({**weights, **classifier}, tmp_path / "weights.pt", weights)


def test_missing_surplus_and_misshapen_are_listed(tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
    wrong = {f"enc.{name}": value for name, value in weights.items() if name != "bn1.bias"}
    wrong["enc.conv1.weight"] = torch.zeros(64, 3, 3, 3)
    wrong["enc.layer5.weight"] = torch.zeros(1)
    torch.save(wrong, tmp_path / "wrong.pt")
    with pytest.raises(IebenchError) as error:
        load_backbone(SmallBackbone(), tmp_path / "wrong.pt")
    for part in (
        "wrong.pt",
        "bn1.bias is missing",
        "layer5.weight is left over",
        "(64, 3, 3, 3) instead of (64, 3, 7, 7)",
    ):
        assert part in str(error.value)


def test_pickled_objects_are_refused(tmp_path: Path) -> None:
    torch.save({"args": argparse.Namespace(lr=1)}, tmp_path / "pickled.pt")
    with pytest.raises(IebenchError, match=r"pickled\.pt cannot be read as a checkpoint of tensors"):
        checkpoints.load(tmp_path / "pickled.pt")


@pytest.mark.parametrize("content", [b"", b"x", b"hello", b"PK\x03\x04 and no more"])
def test_damaged_and_absent_files_are_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "cut.pt").write_bytes(content)
    with pytest.raises(IebenchError, match=r"cut\.pt cannot be read as a checkpoint") as told:
        checkpoints.load(tmp_path / "cut.pt")
    assert "weights_only" not in str(told.value)  # torch's own advice is to switch the safety off
    with pytest.raises(IebenchError, match=r"absent\.pt is no file"):
        checkpoints.load(tmp_path / "absent.pt")


def test_weights_alone_are_no_checkpoint_of_a_run(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(1)}, tmp_path / "last.ckpt")
    with pytest.raises(IebenchError, match=r"last\.ckpt is no checkpoint of a run"):
        read_checkpoint(tmp_path)


def test_a_failed_save_keeps_the_last_good_one(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    checkpoints.save(path, {"step": 1})
    with pytest.raises(AttributeError):
        checkpoints.save(path, {"step": 2, "bad": lambda: 0})
    assert checkpoints.load(path) == {"step": 1}


def test_generators_come_back() -> None:
    import random

    import numpy as np

    states = checkpoints.get_generators()
    first = torch.rand(1).item(), np.random.rand(), random.random()
    checkpoints.set_generators(states)
    assert (torch.rand(1).item(), np.random.rand(), random.random()) == first
