"""EquiCaps computes what its authors' code does: loss, terms, gradients, capsules and frames, in float64."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from iebench.factors.rotations import relative_rotation
from iebench.factors.space import ROTATION, TRANSLATION, get_space
from iebench.factors.transforms import make_transform
from iebench.loader.multiview import Views
from iebench.models.capsules import SelfRouting
from iebench.models.method import METHODS, Sizes
from iebench.models.method_equicaps import Equicaps, to_motions

CASES = json.loads((Path(__file__).parent / "golden-equicaps.json").read_text())["cases"]
SPACE = get_space("3diebench-t")
MEETS = {"rel": 1e-9, "abs": 1e-13}
TERMS = {
    "invariance": "repr_loss_inv",
    "equivariance": "repr_loss_equi",
    "variance": "std_loss",
    "covariance": "cov_loss",
    "memax": "MEMAX_loss",
}
WEIGHTS = {"invariance": "sim", "equivariance": "equi", "variance": "std", "covariance": "cov"}
NAMES = {"activation.0": "conv_a", "activation.1": "bn_a", "pose.0": "conv_pose", "pose.1": "bn_pose"}


def names(beginning: str) -> list[str]:
    return [name for name in CASES if name.startswith(beginning)]


def random(case: dict, seed: int) -> np.random.RandomState:
    return np.random.RandomState(1000 * case["series"] + seed)


def make_parameters(case: dict) -> dict[str, Tensor]:
    values = {}
    for name, shape, seed, scale in case["params"]:
        is_gain = len(shape) == 1 and name.endswith("weight")
        values[name] = torch.tensor(np.random.RandomState(seed).standard_normal(shape) * scale + is_gain)
    return values


def fill_routing(layer: SelfRouting, theirs: dict[str, Tensor], prefix: str = "") -> dict[str, nn.Parameter]:
    """Give a layer their W1 (inputs, outputs · D, C), W2 (inputs, outputs, C) and b2; ours by their names."""
    layer.routing_weight.data = theirs[f"{prefix}W2"].transpose(1, 2).contiguous()
    layer.routing_bias.data = theirs[f"{prefix}b2"][0, 0].T.contiguous()
    ours = {f"{prefix}W2": layer.routing_weight, f"{prefix}b2": layer.routing_bias}
    if layer.pose_weight is None:
        return ours
    split = theirs[f"{prefix}W1"].unflatten(1, (len(layer.pose_weight), -1))
    layer.pose_weight.data = split.permute(1, 2, 3, 0).flatten(2)
    return {**ours, f"{prefix}W1": layer.pose_weight}


def fill(method: Equicaps, theirs: dict[str, Tensor]) -> dict[str, nn.Parameter]:
    ours = fill_routing(method.projector.routing, theirs, "projector.fc.")
    for name, parameter in method.projector.named_parameters():
        layer, _, kind = name.rpartition(".")
        if layer in NAMES:
            their = f"projector.{NAMES[layer]}.{kind}"
            parameter.data.copy_(theirs[their])
            ours[their] = parameter
    assert set(ours) == set(theirs)
    return ours


def make_transforms(angles: np.ndarray, positions: np.ndarray, frame: str) -> Tensor:
    """As `Views` have them, but in float64; without a frame only the rotation."""
    rotation = relative_rotation(angles[:, 0], angles[:, 1])
    if not frame:
        return torch.tensor(rotation)
    latents = np.zeros((*angles.shape[:2], len(SPACE.names)))
    latents[..., SPACE.columns(ROTATION)], latents[..., SPACE.columns(TRANSLATION)] = angles, positions
    transform = make_transform(f"rotation+displacement-{frame}", SPACE)
    moved = transform.displacement(latents[:, 0], latents[:, 1], frame)
    transforms = np.concatenate([rotation, moved], axis=1)
    np.testing.assert_allclose(transform(latents[:, 0], latents[:, 1]), transforms, atol=1e-6)
    return torch.tensor(transforms)


def build(case: dict, frame: str) -> Equicaps:
    entry, side = METHODS["equicaps"], case["map"][0]
    weights = {f"{ours}_weight": case["weights"][their] for ours, their in WEIGHTS.items()}
    transform = f"rotation+displacement-{frame}" if frame else "rotation"
    settings = entry.settings(capsules=case["capsules"], transform=transform, **weights)
    backbone = nn.Sequential(nn.AdaptiveAvgPool2d(side), nn.Conv2d(3, case["channels"], 1))
    return entry.method(settings, backbone, Sizes(case["channels"], 7 if frame else 4, 55, 64)).double()


@pytest.mark.parametrize("name", names("EquiCaps"))
def test_golden_loss(name: str) -> None:
    case = CASES[name]
    frame = next((frame for frame in ("object", "base") if f"{frame}-frame" in name), "")
    method, nothing = build(case, frame), torch.zeros(0)
    parameters = fill(method, make_parameters(case))
    shape, batch = (case["batch"], case["channels"], *case["map"]), case["batch"]
    source = random(case, 901).standard_normal(shape)
    target = torch.tensor(random(case, 902).standard_normal(shape) + 0.5 * source).requires_grad_()
    source = torch.tensor(source).requires_grad_()
    angles = random(case, 903).uniform(-np.pi / 2, np.pi / 2, (batch, 2, 3))
    transforms = make_transforms(angles, random(case, 905).uniform(-0.5, 0.5, (batch, 2, 3)), frame)
    motions = to_motions(transforms)
    np.testing.assert_allclose(motions, case["transform_matrix"], rtol=1e-9, atol=1e-12)

    activations, poses = method.projector(source)
    np.testing.assert_allclose(activations[:2].detach(), case["activations_x"], rtol=1e-9)
    np.testing.assert_allclose(poses[:2].flatten(1).detach(), case["poses_x"], rtol=1e-9, atol=1e-12)
    views = Views(nothing, nothing, transforms[:, None], nothing, nothing, nothing)
    loss, terms = method.objective(source, target, views)
    loss.backward()

    assert loss.item() == pytest.approx(case["loss"], **MEETS)
    assert {TERMS[ours]: term.item() for ours, term in terms.items()} == pytest.approx(case["terms"], **MEETS)
    assert source.grad.norm().item() == pytest.approx(case["grad_norm_x"], **MEETS)
    assert target.grad.norm().item() == pytest.approx(case["grad_norm_y"], **MEETS)
    norms = {their: parameter.grad.norm().item() for their, parameter in parameters.items()}
    assert norms == pytest.approx(case["grad_norm_params"], **MEETS)


@pytest.mark.parametrize("name", names("SelfRouting2d"))
def test_golden_self_routing(name: str) -> None:
    case = CASES[name]
    sizes = {key: case[key] for key in ("in_capsules", "out_capsules", "in_pose", "kernel", "stride", "padding")}
    theirs, capsules, side = make_parameters(case), case["in_capsules"], case["size"]
    layer = SelfRouting(**sizes, out_pose=case["out_pose"] if "W1" in theirs else 0).double()
    parameters = fill_routing(layer, theirs)
    activations = torch.tensor(random(case, 901).uniform(0.05, 0.95, (2, capsules, side, side))).requires_grad_()
    poses = random(case, 902).standard_normal((2, capsules * case["in_pose"], side, side))
    poses = torch.tensor(poses).requires_grad_()

    found = [value for value in layer(activations, poses) if value is not None]
    weights = [torch.tensor(random(case, 906 + i).standard_normal(value.shape)) for i, value in enumerate(found)]
    loss = torch.stack([(value * weight).sum() for value, weight in zip(found, weights, strict=True)]).sum()
    loss.backward()

    expected = [case[key] for key in ("activation", "pose") if case[key] is not None]
    for value, golden in zip(found, expected, strict=True):
        np.testing.assert_allclose(value.detach(), golden, rtol=1e-9, atol=1e-12)
    assert loss.item() == pytest.approx(case["loss"], **MEETS)
    assert activations.grad.norm().item() == pytest.approx(case["grad_norm_activation"], **MEETS)
    assert poses.grad.norm().item() == pytest.approx(case["grad_norm_pose"], **MEETS)
    norms = {their: parameter.grad.norm().item() for their, parameter in parameters.items()}
    assert norms == pytest.approx(case["grad_norm_params"], **MEETS)


@pytest.mark.parametrize("name", names("frames"))
def test_golden_frames(name: str) -> None:
    case = CASES[name]
    angles, positions = np.array(case["angles"]), np.array(case["translations"])
    for frame, golden in (("", "rotation"), ("object", "object"), ("base", "base")):
        motions = to_motions(make_transforms(angles, positions, frame))
        np.testing.assert_allclose(motions, case[golden], rtol=1e-9, atol=1e-12)
