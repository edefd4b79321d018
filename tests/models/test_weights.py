"""Weights of others come in whole, or an error lists what does not fit."""

import argparse
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from iebench.errors import IebenchError
from iebench.models import checkpoints
from iebench.models.backbones import build_backbone
from iebench.models.resnet import BasicBlock, convolution
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


LAYOUTS = {
    "MoCo": (
        "state_dict",
        {"module.encoder_q.": 1, "module.encoder_k.": 2},
        {"module.encoder_q.fc.0.weight": 8, "module.queue": 9},
    ),
    "MoCo v3": (
        "state_dict",
        {"module.base_encoder.": 1, "module.momentum_encoder.": 2},
        {"module.predictor.0.weight": 8},
    ),
    "DINO": ("", {"student.module.backbone.": 2, "teacher.backbone.": 1}, {"teacher.head.mlp.0.weight": 8}),
    "BYOL": ("", {"online_encoder.": 1, "target_encoder.": 2}, {"online_projector.0.weight": 8}),
    "Lightning": ("state_dict", {"model.backbone.": 1}, {"model.projection_head.0.weight": 8}),
    "a compiled part": ("model", {"backbone._orig_mod.": 1}, {}),
    "DDP around a part": ("", {"backbone.module.": 1}, {"projector.weight": 8}),
    "deep": ("checkpoint.model", {"net.trunk.encoder.resnet.": 1}, {}),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_of_others(layout: str, tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
    """Of two networks, the one that its authors evaluate is taken: here the one that is multiplied by 1."""
    container, prefixes, others = LAYOUTS[layout]
    names = {prefix + name: value * factor for prefix, factor in prefixes.items() for name, value in weights.items()}
    content: dict = names | {name: torch.zeros(size) for name, size in others.items()}
    if layout == "DINO":  # a dictionary of dictionaries
        parts = [name.partition(".") for name in content]
        content = {
            top: {rest: content[f"{top}.{rest}"] for t, _, rest in parts if t == top} for top in ("student", "teacher")
        }
    for key in filter(None, reversed(container.split("."))):
        content = {key: content, "epoch": 3}
    loads(content, tmp_path / "weights.pt", weights)


@pytest.mark.parametrize("positions", [(0, 1, 4), (0, 1, 2)], ids=["torchvision's children", "ours"])
@pytest.mark.parametrize("prefix", ["", "backbone.", "state_dict.backbone."])
def test_layers_by_position(positions: tuple, prefix: str, tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
    """lightly's `nn.Sequential(*list(resnet.children())[:-1])`, with and without the last linear layer."""
    places = dict(zip(("conv1", "bn1", "layer1"), positions, strict=True))
    parts = [(value, *name.partition(".")) for name, value in weights.items()]
    numbered = {f"{prefix}{places[top]}.{rest}": value for value, top, _, rest in parts}
    numbered |= {f"{prefix}9.weight": torch.zeros(10, 64), "projection_head.layers.0.weight": torch.zeros(3, 64)}
    loads(numbered, tmp_path / "weights.pt", weights)


def test_a_passed_over_network_is_told(tmp_path: Path, weights: dict[str, torch.Tensor], capsys) -> None:
    networks = {"teacher": dict(weights), "student": {name: value * 2 for name, value in weights.items()}}
    loads(networks, tmp_path / "weights.pt", weights)
    assert "took the weights under 'teacher.', and not those under 'student.'" in capsys.readouterr().err
    loads({"teacher": dict(weights), "student": dict(weights)}, tmp_path / "weights.pt", weights)
    assert not capsys.readouterr().err
    torch.save({"left": dict(weights), "right": networks["student"]}, tmp_path / "two.pt")
    with pytest.raises(IebenchError, match=r"several networks that fit, 'left\.', 'right\.': save one"):
        load_backbone(SmallBackbone(), tmp_path / "two.pt")


def test_safetensors(tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
    save_file = pytest.importorskip("safetensors.torch").save_file
    save_file({f"backbone.{name}": value for name, value in weights.items()}, tmp_path / "weights.safetensors")
    backbone = SmallBackbone()
    load_backbone(backbone, tmp_path / "weights.safetensors")
    assert all(torch.equal(value, weights[name]) for name, value in backbone.state_dict().items())
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "weights.safetensors").read_bytes()[:1000])
    for name in ("cut", "absent"):
        with pytest.raises(IebenchError, match=rf"{name}\.safetensors cannot be read as safetensors"):
            load_backbone(backbone, tmp_path / f"{name}.safetensors")


def test_counts_of_batches_may_lack(tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
    loads({name: value for name, value in weights.items() if "num_batches" not in name}, tmp_path / "w.pt", weights)


# As the authors save them: the whole method, wrapped for many processes, with its heads.
PUBLISHED = {
    "SIE": ("model", {"projector_inv.0.weight": 8, "predictor.hypernet.net.0.weight": 4}),
    "EquiCaps": ("model", {"projector.conv_a.weight": 8, "projector.fc.W1": 9, "projector.bn_a.running_mean": 3}),
}


def save_published(method: str, backbone: str, path: Path) -> dict[str, torch.Tensor]:
    """A checkpoint as published, with weights of a backbone of ours."""
    container, heads = PUBLISHED[method]
    weights = build_backbone(backbone).state_dict()
    named = {f"module.backbone.{name}": value for name, value in weights.items()}
    named |= {f"module.{name}": torch.zeros(size) for name, size in heads.items()}
    torch.save({container: named, "epoch": 3}, path)
    return weights


@pytest.mark.slow
@pytest.mark.parametrize("method", PUBLISHED)
def test_published_checkpoints_load_into_sies_resnet(
    method: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    weights = save_published(method, "resnet18-sie", tmp_path / "published.pth")
    for as_map in (False, True):
        backbone = build_backbone("resnet18-sie", as_map=as_map)
        load_backbone(backbone, tmp_path / "published.pth")
        assert all(torch.equal(value, weights[name]) for name, value in backbone.state_dict().items())
    assert not capsys.readouterr().err


@pytest.mark.parametrize(
    ("made_for", "given"),
    [("resnet18-sie", "resnet18"), ("resnet18", "resnet18-sie"), ("resnet18-sie", "resnet18-narrow")],
)
def test_the_refusal_names_the_right_backbone(made_for: str, given: str, tmp_path: Path) -> None:
    """All else has torchvision's names and shapes; dropping the surplus would give other outputs without a word."""
    save_published("SIE", made_for, tmp_path / "w.pth")
    with pytest.raises(
        IebenchError, match=rf"w\.pth holds weights of {made_for} under .*: give --backbone {made_for}"
    ) as told:
        load_backbone(build_backbone(given), tmp_path / "w.pth")
    assert "'model.module.backbone.'" in str(told.value) and len(str(told.value)) < 300


@pytest.mark.slow
def test_what_no_tensor_tells_is_said(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """torchvision's ResNet-50 begins its first stage with a projection too."""
    save_published("SIE", "resnet50-sie", tmp_path / "w.pth")
    load_backbone(build_backbone("resnet50"), tmp_path / "w.pth")
    assert "resnet50 and resnet50-sie have the same tensors and compute something else" in capsys.readouterr().err
    with pytest.raises(
        IebenchError, match=r"weights of resnet50 or resnet50-sie under .*: give --backbone resnet50 or"
    ):
        load_backbone(build_backbone("resnet18"), tmp_path / "w.pth")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (
            {"module.encoder.conv1.weight": torch.zeros(64, 3, 3, 3)},
            r"\(64, 3, 3, 3\) instead of \(64, 3, 7, 7\); choose the --backbone",
        ),
        (
            {f"module.encoder.layer{i}.0.conv1.weight": torch.zeros(1) for i in range(2, 30)},
            "and 26 more are left over",
        ),
        ({"module.encoder.se.weight": torch.zeros(1)}, "se.weight is left over"),
    ],
)
def test_what_does_not_fit_is_one_short_sentence(wrong: dict, words: str, tmp_path: Path, weights) -> None:
    torch.save(
        {"model": {f"module.encoder.{name}": value for name, value in weights.items()} | wrong}, tmp_path / "w.pt"
    )
    with pytest.raises(IebenchError, match=words) as error:
        load_backbone(SmallBackbone(), tmp_path / "w.pt")
    assert "'model.module.encoder.'" in str(error.value) and len(str(error.value)) < 400


def test_weights_of_another_kind_of_network_are_named(tmp_path: Path) -> None:
    torch.save(
        {"blocks.0.attn.qkv.weight": torch.zeros(3), "patch_embed.proj.weight": torch.zeros(3)}, tmp_path / "vit.pt"
    )
    with pytest.raises(IebenchError, match="begin with 'blocks', 'patch_embed', and the network's with 'conv1', 'bn1'"):
        load_backbone(SmallBackbone(), tmp_path / "vit.pt")


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
    """Damage could be in any of them, so they are named and never unpickled, harmless as they seem."""
    tensors = {"state_dict": {"conv1.weight": torch.zeros(3)}}
    for name, value in {"argparse.Namespace": argparse.Namespace(lr=1), "scalar": np.float64(1)}.items():
        torch.save({**tensors, "args": value}, tmp_path / "pickled.pt")
        with pytest.raises(IebenchError, match=rf"pickled\.pt holds '\S*{name}' beside its tensors") as told:
            checkpoints.load(tmp_path / "pickled.pt")
        assert str(told.value).count("\n") == 0 and len(str(told.value)) < 300


@pytest.mark.parametrize("content", [b"", b"x", b"hello", b"PK\x03\x04 and no more"])
def test_damaged_and_absent_files_are_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "cut.pt").write_bytes(content)
    with pytest.raises(IebenchError, match=r"cut\.pt is cut short, or no checkpoint") as told:
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

    states = checkpoints.get_generators()
    first = torch.rand(1).item(), np.random.rand(), random.random()
    checkpoints.set_generators(states)
    assert (torch.rand(1).item(), np.random.rand(), random.random()) == first
