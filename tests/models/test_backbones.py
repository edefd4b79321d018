from pathlib import Path

import pytest
import torch
from torch import nn

from iebench.errors import IebenchError, UsageError
from iebench.models.backbones import build_backbone, measure_width
from iebench.models.weights import load_backbone


def linear_backbone() -> nn.Module:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 7))


def image_backbone() -> nn.Module:
    return nn.Conv2d(3, 3, 1)


def no_backbone() -> int:
    return 3


@pytest.mark.parametrize(
    ("name", "width", "num_parameters"),
    # Of torchvision's resnet18, 34 and 50: 11 689 512, 21 797 672 and 25 557 032, less the classifier's.
    [
        ("resnet18", 512, 11_689_512 - 513_000),
        ("resnet34", 512, 21_797_672 - 513_000),
        ("resnet50", 2048, 25_557_032 - 2_049_000),
    ],
)
def test_sizes_are_torchvisions(name: str, width: int, num_parameters: int) -> None:
    backbone = build_backbone(name)
    assert sum(parameter.numel() for parameter in backbone.parameters()) == num_parameters
    assert measure_width(backbone, 32) == width


def test_the_narrow_resnet_is_half_as_wide_with_the_same_names() -> None:
    narrow, whole = build_backbone("resnet18-narrow"), build_backbone("resnet18")
    assert measure_width(narrow, 32) == 256
    assert list(narrow.state_dict()) == list(whole.state_dict())


@pytest.mark.parametrize("name", ["resnet18", "resnet18-narrow"])
def test_a_small_stem_gives_maps_of_twice_the_side_and_takes_no_other_weights(name: str, tmp_path: Path) -> None:
    usual, small = build_backbone(name, as_map=True), build_backbone(f"{name}-small-stem", as_map=True)
    images = torch.randn(2, 3, 48, 48)
    assert usual(images).shape[1:] == (small(images).shape[1], 2, 2)
    assert small(images).shape[2:] == (3, 3)
    torch.save(usual.state_dict(), tmp_path / "usual.pt")
    with pytest.raises(IebenchError, match=r"conv1\.weight"):
        load_backbone(small, tmp_path / "usual.pt")


def test_names_are_torchvisions() -> None:
    names = set(build_backbone("resnet50").state_dict())
    assert {"conv1.weight", "bn1.running_mean", "layer1.0.downsample.0.weight", "layer1.0.downsample.1.bias"} <= names
    assert {"layer1.0.conv3.weight", "layer4.2.bn3.num_batches_tracked", "layer3.5.conv2.weight"} <= names
    assert len(names) == 318


def test_stride_is_in_the_middle_of_a_bottleneck() -> None:
    block = build_backbone("resnet50").get_submodule("layer2.0")
    assert [block.get_submodule(f"conv{i}").stride for i in (1, 2, 3)] == [(1, 1), (2, 2), (1, 1)]


def test_dotted_name(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "mine", sys.modules[__name__])
    assert measure_width(build_backbone("mine:linear_backbone")) == 7
    with pytest.raises(UsageError, match="must give"):
        measure_width(build_backbone("mine:image_backbone"))
    with pytest.raises(UsageError, match="must return"):
        build_backbone("mine:no_backbone")


@pytest.mark.parametrize("name", ["resnet19", "no_such_module:function", "torch.nn:NoSuchThing"])
def test_unknown_names_are_told(name: str) -> None:
    with pytest.raises(UsageError, match=name):
        build_backbone(name)


def test_dry_run_leaves_the_mode_and_the_statistics() -> None:
    backbone = build_backbone("resnet18")
    before = backbone.get_buffer("bn1.running_mean").clone()
    measure_width(backbone)
    assert backbone.training
    assert torch.equal(backbone.get_buffer("bn1.running_mean"), before)
