"""Every method computes what the authors' code computes: loss, terms and gradient norms, in float64."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from iebench.loader.multiview import Views
from iebench.models.method import Method, Sizes
from iebench.models.registry import METHODS

GOLDEN = json.loads((Path(__file__).parent / "golden_sie_losses.json").read_text())
WIDTH, BATCH = 512, 16

# The authors' class → our method, its settings where they are not our defaults, our sums for each of their terms.
SPLIT = {
    "invariance": "repr_loss_inv",
    "equivariance": "repr_loss_equi",
    "variance": "std_loss",
    "covariance": "cov_loss",
}
SIE_TERMS = {**SPLIT, "prediction_variance": "pred_std_loss"}
VICREG_EQUIMOD_TERMS = {**SPLIT, "equivariant_variance": "std_loss", "equivariant_covariance": "cov_loss"}
CASES: dict[str, tuple[str, dict, dict[str, str]]] = {
    "SIE": ("sie", {}, SIE_TERMS),
    "SIENoVar": ("sie", {"prediction_variance_weight": 0.0}, SPLIT),
    "SIEOnlyEqui": ("equivariant-only", {}, SIE_TERMS),
    "VICReg": ("vicreg", {}, SPLIT),
    "VICRegPartInv": ("vicreg-partial", {}, SPLIT),
    "SimCLR": ("simclr", {}, {}),
    "SimCLROnlyEqui": ("simclr-equivariant", {}, {}),
    "SimCLRAugSelf": ("augself", {}, {"invariance": "repr_loss_inv", "regression": "repr_loss_equi"}),
    "SimCLREquiMod": ("equimod", {}, {"equivariance": "repr_loss_equi"}),
    "VICRegEquiMod": ("vicreg-equimod", {}, VICREG_EQUIMOD_TERMS),
}
# Their EquiMod weighs the two contrasts alike once colours are among the transform.
COLOR_SETTINGS = {"SimCLREquiMod": {"equivariance_weight": 1.0}}
# Their MLP has no hidden layers unless told, and reads the transform before the embedding.
PREDICTORS = {"hypernetwork-linear": "hypernetwork", "hypernetwork-deep": "deep-hypernetwork", "mlp": "linear"}


def random(seed: int) -> np.random.RandomState:
    return np.random.RandomState(seed)


def make_parameter(name: str, shape: list[int], seed: int, scale: float) -> Tensor:
    values = random(seed).standard_normal(shape) * scale
    is_gain = len(shape) == 1 and name.endswith("weight")
    return torch.tensor(values + 1 if is_gain else values)


def make_inputs(series: int, color: bool) -> tuple[Tensor, Tensor, Tensor]:
    source = random(1000 * series + 901).standard_normal((BATCH, WIDTH))
    target = random(1000 * series + 902).standard_normal((BATCH, WIDTH)) + 0.5 * source
    quaternion = random(1000 * series + 903).standard_normal((BATCH, 4))
    transform = quaternion / np.linalg.norm(quaternion, axis=1, keepdims=True)
    if color:
        hues = random(1000 * series + 904).uniform(-1, 1, (BATCH, 2))
        transform = np.concatenate([transform, hues], axis=1)
    return torch.tensor(source).requires_grad_(), torch.tensor(target).requires_grad_(), torch.tensor(transform)


def their_name(name: str, has_parts: bool) -> str:
    """The authors' name of one of our parameters."""
    projectors = {"invariant_projector": "projector_inv", "equivariant_projector": "projector_equi"}
    projectors["projector"] = "projector_equi" if has_parts else "projector"
    part, _, rest = name.partition(".")
    if part == "predictor":
        return name.replace("predictor.hidden", "predictor.hypernet.net").replace("predictor.layers", "predictor.pred")
    return f"{'predictor' if part == 'regressor' else projectors[part]}.{rest}"


def last_hypernetwork_layer(names: list[str]) -> str:
    return max(name for name in names if name.startswith("predictor.hypernet"))


def to_ours(
    theirs: dict[str, Tensor], method: Method
) -> Iterator[tuple[str, nn.Parameter, Callable[[Tensor], Tensor]]]:
    """For each of our parameters: the authors' name, the parameter, and what brings their values into our shape."""
    has_parts = any("projector_equi" in name for name in theirs)
    for name, parameter in method.named_parameters():
        if name == "predictor.matrices":
            # Row i·d + j of their last layer makes entry (i, j) of the predictor's weight.
            shape = parameter.shape
            yield last_hypernetwork_layer(list(theirs)), parameter, lambda values, shape=shape: values.T.reshape(shape)
        elif name == "predictor.layers.0.weight":
            size = parameter.shape[0]
            yield their_name(name, has_parts), parameter, lambda values, size=size: values.roll(size, dims=1)
        else:
            yield their_name(name, has_parts), parameter, lambda values: values


def build(case: str) -> tuple[Method, dict[str, nn.Parameter]]:
    """Our method with the authors' weights, and its parameters by their names."""
    name, predictor = case.split("/")
    color = name.endswith("RotColor")
    method, changes, _ = CASES[name.removesuffix("RotColor")]
    entry = METHODS[method]
    projector = "32-24-16" if method == "sie" else "64-48-32"
    settings = {
        "projector": projector,
        **changes,
        **(COLOR_SETTINGS.get(name.removesuffix("RotColor"), {}) if color else {}),
    }
    if "predictor" in entry.settings.__dataclass_fields__:
        settings["predictor"] = PREDICTORS[predictor]
    built = entry.method(entry.settings(**settings), nn.Identity(), Sizes(WIDTH, 6 if color else 4, 55)).double()
    theirs = {item[0]: make_parameter(*item) for item in GOLDEN[case]["params"]}
    ours = {}
    for their, parameter, convert in to_ours(theirs, built):
        parameter.data.copy_(convert(theirs[their]))
        ours[their] = parameter
    assert set(ours) == set(theirs)
    return built, ours


@pytest.mark.parametrize("case", GOLDEN)
def test_golden_setting(case: str) -> None:
    golden = GOLDEN[case]
    series = golden["params"][0][2] // 1000
    method, parameters = build(case)
    source, target, transform = make_inputs(series, "RotColor" in case)
    nothing = torch.zeros(BATCH, dtype=torch.int64)
    views = Views(nothing, nothing, transform[:, None], nothing, nothing, nothing)

    loss, terms = method.train().objective(source, target, views)
    loss.backward()

    meets = {"rel": 1e-9, "abs": 1e-14}
    assert loss.item() == pytest.approx(golden["loss"], **meets)
    theirs = dict.fromkeys(golden["terms"], 0.0)
    for ours, their in CASES[case.split("/")[0].removesuffix("RotColor")][2].items():
        if ours in terms:
            theirs[their] += terms[ours].item()
    assert theirs == pytest.approx(golden["terms"], **meets)
    assert source.grad.norm().item() == pytest.approx(golden["grad_norm_x"], **meets)
    assert target.grad.norm().item() == pytest.approx(golden["grad_norm_y"], **meets)
    norms = {name: parameter.grad.norm().item() for name, parameter in parameters.items()}
    assert norms == pytest.approx(golden["grad_norm_params"], **meets)
