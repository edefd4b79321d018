"""seq-JEPA and the baselines of its paper compute what its authors' code computes: losses, outputs, gradient norms, momentum."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from iebench.loader.multiview import Views
from iebench.models.ema import cosine_momentum, update_ema
from iebench.models.method import METHODS, LossOutput, Method, Sizes
from iebench.models.recipes import make_training

GOLDEN = json.loads((Path(__file__).parent / "golden-seqjepa.json").read_text())["cases"]
SEQUENCES = [name for name in GOLDEN if name.startswith("SeqJEPA/")]
TRAJECTORIES = [name for name in GOLDEN if name.startswith("baseline/VICRegTraj")]
PAIRS = [name for name in GOLDEN if name.startswith("baseline/") and name not in TRAJECTORIES]
MOMENTA = [name for name in GOLDEN if name.startswith("momentum")]
IMAGE = (3, 2, 2)

# Our method of each baseline, and our names of the authors' modules where they are not those of `OUR_NAMES`.
BASELINES: dict[str, tuple[str, dict[str, str]]] = {
    "SEN": ("simclr-equivariant", {"projector_equi.": "projector."}),
    "EquiMod": ("equimod", {}),
    "ConditionalBYOL": ("byol-conditioned", {"action_proj.": "transform_embedding.", "predictor.": "predictor."}),
    "BYOL": ("byol", {"predictor.": "predictor."}),
    "SimCLR": ("simclr", {}),
}
# The golden numbers are those of the code's default, where the recipe has the paper's 0.1.
CHANGES = {"EquiMod": {"temperature": 0.5}}
OUR_NAMES = {
    "encoder.proj.": "backbone.1.",
    "target_encoder.proj.": "target_network.0.1.",
    "target_projector.": "target_network.1.",
    "projector_inv.": "invariant_projector.",
    "projector_equi.": "equivariant_projector.",
    "predictor.": "predictor.layers.",
    "action_proj.": "predictor.transform_embedding.",
}
OUR_NAMES_OF_SEQUENCES = {
    "encoder.proj.": "backbone.1.",
    "target_encoder.proj.": "target_network.1.",
    "action_proj.": "transform_embedding.",
    "agg_token": "aggregator.token",
    "transformer_encoder.transformer_encoder.": "aggregator.",
    "transformer_encoder.": "aggregator.",
}

pytestmark = pytest.mark.usefixtures("unchecked")  # images are float64, and have four pixels


def draw(series: int, number: int, *shape: int) -> Tensor:
    return torch.tensor(np.random.RandomState(1000 * series + number).standard_normal(shape))


def make_parameter(name: str, shape: list[int], seed: int, scale: float) -> Tensor:
    values = np.random.RandomState(seed).standard_normal(shape) * scale
    return torch.tensor(values + 1 if len(shape) == 1 and name.endswith("weight") else values)


def build(case: dict, name: str, settings: object, num_transforms: int) -> Method:
    """Our method on the authors' stand-in for a ResNet."""
    backbone = nn.Sequential(nn.Flatten(), nn.Linear(12, case["width"]))
    method = METHODS[name].method(settings, backbone, Sizes(case["width"], num_transforms, 55)).double()
    method.normalisation = nn.Identity()
    return method


def give_parameters(method: Method, case: dict, our_names: dict[str, str]) -> dict[str, nn.Parameter]:
    """Put the authors' parameters into our method; returns ours by their names."""
    parameters = dict(method.named_parameters())
    ours = {}
    for row in case["params"]:
        prefix = max((prefix for prefix in our_names if row[0].startswith(prefix)), key=len, default="")
        ours[row[0]] = parameters[our_names.get(prefix, "") + row[0].removeprefix(prefix)]
        values = make_parameter(*row)
        if row[0] == "predictor.0.weight" and "transform" in case and is_conditioned(case):
            values = values.roll(-case["action_width"], dims=1)  # theirs reads the transform before the embedding
        ours[row[0]].data.copy_(values)
    assert len(ours) == len(parameters)
    return ours


def is_conditioned(case: dict) -> bool:
    return any(row[0].startswith("action_proj.") for row in case["params"])


def run(method: Method, images: Tensor, transforms: Tensor) -> tuple[LossOutput, list[float]]:
    """What a batch gives, and the gradient's norm of each view."""
    images = images.requires_grad_()
    nothing = torch.zeros(len(images), dtype=torch.int64)
    output = method(Views(images, nothing, transforms, nothing, nothing, nothing))
    output.loss.backward()
    return output, [gradient.norm().item() for gradient in images.grad.unbind(1)]


def check_gradients(parameters: dict[str, nn.Parameter], case: dict) -> None:
    norms = {name: 0.0 if ours.grad is None else ours.grad.norm().item() for name, ours in parameters.items()}
    assert norms == near(case["grad_norm_params"], case)


def near(values: object, case: dict) -> object:
    return pytest.approx(values, rel=1e-9, abs=1e-14 * max(1, case["loss"]))


def make_sequence(case: dict, length: int) -> Tensor:
    return draw(case["series"], 901, case["batch"], length, *IMAGE) + draw(
        case["series"], 902, case["batch"], 1, *IMAGE
    )


def make_sequence_method(case: dict) -> Method:
    told = "raw" if "transforms_after_call" in case else "embedded" if is_conditioned(case) else "none"
    settings = METHODS["seqjepa"].settings(
        observed=case["length"],
        transforms_as=told,
        transform_width=case["action_width"],
        layers=case["layers"],
        heads=case["heads"],
        predictor_hidden=case["predictor_hidden"],
        target_network=any(row[0].startswith("target_encoder.") for row in case["params"]),
        dropout=0.0,
    )
    return build(case, "seqjepa", settings, case["latents"])


@pytest.mark.parametrize("name", SEQUENCES)
def test_a_sequence(name: str) -> None:
    case = GOLDEN[name]
    method = make_sequence_method(case).train(case["mode"] == "train")
    parameters = give_parameters(method, case, OUR_NAMES_OF_SEQUENCES)
    aggregates: list[Tensor] = []
    method.aggregator.register_forward_hook(lambda *call: aggregates.append(call[-1]))
    # The authors' code with raw actions writes the zero of the last token into the transforms, before the predictor reads them.
    transforms = torch.tensor(case.get("transforms_after_call", case["transforms"]), dtype=torch.float64)

    output, norms = run(method, make_sequence(case, case["length"] + 1), transforms)

    assert output.loss.item() == near(case["loss"], case)
    assert aggregates[0][:3].tolist() == [near(row, case) for row in case["aggregate"]]
    assert norms == near(case["grad_norm_views"], case)
    check_gradients(parameters, case)
    for key, expected in case.items():
        if key.startswith("target_after_update_"):
            update_ema(method.target_network, method.backbone, float(key.rpartition("_")[2]))
            weight, bias = method.target_network.parameters()
            assert weight.norm().item() == near(expected["weight_norm"], case)
            assert bias.tolist() == near(expected["bias"], case)


@pytest.mark.parametrize("name", MOMENTA)
def test_the_momentum_over_the_epochs(name: str) -> None:
    case = GOLDEN[name]
    found = {epoch: cosine_momentum(case["base"], int(epoch) / case["epochs"]) for epoch in case["at_epoch"]}
    assert found == pytest.approx(case["at_epoch"], rel=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", PAIRS)
def test_a_baseline_of_two_views(name: str) -> None:
    case = GOLDEN[name]
    kind = name.split("/")[1]
    ours, our_names = BASELINES[kind]
    changes = {"transform_width": case["action_width"]} if is_conditioned(case) else {}
    settings, _ = make_training(ours, "seqjepa", changes | CHANGES.get(kind, {}))
    method = build(case, ours, settings, len(case["transform"][0]))
    parameters = give_parameters(method, case, OUR_NAMES | our_names)
    source = draw(case["series"], 901, case["batch"], *IMAGE)
    target = draw(case["series"], 902, case["batch"], *IMAGE) + 0.5 * source
    transforms = torch.tensor(case["transform"], dtype=torch.float64)[:, None]

    output, norms = run(method, torch.stack([source, target], dim=1), transforms)

    assert output.loss.item() == near(case["loss"], case)
    assert norms == near([case["grad_norm_x"], case["grad_norm_y"]], case)
    check_gradients(parameters, case)


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAJECTORIES)
def test_a_trajectory(name: str) -> None:
    case = GOLDEN[name]
    names = {"inv": "invariance", "var": "variance", "cov": "covariance", "traj": "trajectory"}
    weights = {f"{names[term]}_weight": weight for term, weight in case["weights"].items()}
    settings, _ = make_training("vicreg-traj", "seqjepa", weights)
    method = build(case, "vicreg-traj", settings, 4)
    parameters = give_parameters(method, case, OUR_NAMES)
    output, norms = run(method, make_sequence(case, 3), torch.zeros(case["batch"], 2, 4))
    assert output.loss.item() == near(case["loss"], case)
    assert norms == near(case["grad_norm_views"], case)
    check_gradients(parameters, case)
