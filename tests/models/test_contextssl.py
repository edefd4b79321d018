"""ContextSSL computes what its authors' code computes, and what its representations depend on stays with it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from runs import assert_same_ending, read_metrics
from torch import Tensor, nn
from torch.nn import functional as F

from iebench import MultiViewDataset, evaluate, load
from iebench.errors import UsageError
from iebench.factors.space import get_space
from iebench.loader.multiview import Views
from iebench.models import checkpoints
from iebench.models.context_pairs import Environment, make_tokens, pair_tokens, show
from iebench.models.context_transformer import context_masks, pair_mask
from iebench.models.losses import clamped_contrast
from iebench.models.method import Sizes
from iebench.models.method_contextssl import ContextSsl, ContextSslSettings
from iebench.models.registry import build_method
from iebench.models.settings import TrainerSettings
from iebench.models.step_draws import StepDraws
from iebench.models.training import train

CASES = json.loads((Path(__file__).parent / "golden-contextssl.json").read_text())["cases"]
SPACE = get_space("3diebench")
SMALL = ContextSslSettings(backbone="resnet18-narrow", width=32, block_size=8)
TRAINER = TrainerSettings(
    steps=10, batch_size=4, precision="32", num_workers=0, log_every=1, checkpoint_every=3, validate_every=2
)
THEIR_BLOCK = {
    "attention_norm": "ln_1",
    "attention.queries_keys_values": "attn.c_attn",
    "attention.out": "attn.c_proj",
    "mlp_norm": "ln_2",
    "mlp.0": "mlp.c_fc",
    "mlp.2": "mlp.c_proj",
}
THEIR_REST = {"backbone.1": "enc.proj", "transformer.read_in": "predictor._read_in"}
THEIR_REST |= {"transformer.norm": "predictor.transformer.ln_f", "transformer.read_out": "predictor._read_out"}


def cases(kind: str) -> list[str]:
    return [name for name in CASES if name.partition("/")[0] == kind]


def random(case: dict, stream: int) -> np.random.RandomState:
    return np.random.RandomState(1000 * case["series"] + stream)


def assert_near(ours: Tensor, theirs: list) -> None:
    torch.testing.assert_close(ours, torch.tensor(theirs, dtype=torch.float64), rtol=1e-9, atol=1e-12)


def their_name(name: str) -> str:
    layer, _, kind = name.rpartition(".")
    if layer.startswith("transformer.blocks."):
        number, part = layer.removeprefix("transformer.blocks.").split(".", 1)
        return f"predictor.transformer.h.{number}.{THEIR_BLOCK[part]}.{kind}"
    return f"{THEIR_REST.get(layer, layer.replace('regressor', 'aug_predictor'))}.{kind}"


def build(case: dict) -> ContextSsl:
    """Our method with the authors' weights; the backbone is flatten + linear."""
    settings = ContextSslSettings(
        width=16, block_size=8, temperature=case.get("temperature", 0.1), regression_weight=case.get("regression_weight", 5)
    )
    method = ContextSsl(settings, nn.Sequential(nn.Flatten(), nn.Linear(12, 12)), Sizes(12, 6, 55, 2, SPACE)).double()
    ours = {their_name(name): parameter for name, parameter in method.named_parameters()}
    assert set(ours) == {name for name, *_ in case["params"]}
    for name, shape, seed, scale in case["params"]:
        values = torch.tensor(np.random.RandomState(seed).standard_normal(shape) * scale)
        ours[name].data.copy_(values + (len(shape) == 1 and name.endswith("weight")))
    return method


def their_environment(case: dict) -> Environment:
    return "rotation" if case["environment"] == "rot" else "color"


def make_latents(case: dict, pairs: int) -> Tensor:
    angles = random(case, 903).uniform(-np.pi / 2, np.pi / 2, (pairs, 2, 3))
    hues = random(case, 904).uniform(0, 1, (pairs, 2, 2))
    latents = np.zeros((pairs, 2, 7))
    latents[..., :3], latents[..., 3], latents[..., 6] = angles, hues[..., 0], hues[..., 1]
    return torch.tensor(latents)


@pytest.mark.parametrize("name", cases("train"))
def test_golden_training_step(name: str) -> None:
    case = CASES[name]
    pairs, block = case["pairs"], case["block"]
    method, latents = build(case), make_latents(case, pairs)
    for environment, key in (("rotation", "target_pose"), ("color", "target_hues")):
        ours = method._describe_targets(latents[:, 1], environment)
        assert_near(ours, case[key])
    images = random(case, 901).standard_normal((pairs, 2, 3, 2, 2)) + random(case, 902).standard_normal(
        (pairs, 1, 3, 2, 2)
    )
    seen = [torch.tensor(images[:, view]).requires_grad_() for view in range(2)]
    nothing, transforms = torch.zeros(pairs, dtype=torch.int64), torch.tensor(case["transform"], dtype=torch.float64)
    views = Views(nothing, latents, transforms[:, None], nothing, nothing, nothing)
    draws = [random(case, 950 + layer).uniform(size=(block, block // 2)) for layer in range(3)]
    hidden = case["mask_probability"]
    masks = None if hidden is None else context_masks(torch.tensor(np.stack(draws)), hidden)

    environment = their_environment(case)
    encoded = [method.backbone(view) for view in seen]
    loss, terms = method.objective(*encoded, views, environment, masks)
    loss.backward()

    meets = {"rel": 1e-9, "abs": 1e-13}
    assert loss.item() == pytest.approx(case["loss"], **meets)
    assert {key: value.item() for key, value in terms.items()} == pytest.approx(case["terms"], **meets)
    outputs = method.read_sequences(pair_tokens(*encoded, show(transforms, environment)), masks)
    assert_near(outputs[:4], case["prediction"])
    assert [view.grad.norm().item() for view in seen] == pytest.approx(case["grad_norm_views"], **meets)
    norms = {their_name(key): value.grad.norm().item() for key, value in method.named_parameters()}
    assert norms == pytest.approx(case["grad_norm_params"], **meets)


@pytest.mark.parametrize("name", cases("context"))
def test_golden_context(name: str) -> None:
    case = CASES[name]
    method = build(case)
    pairs = method.backbone(torch.tensor(random(case, 901).standard_normal((4, 2, 3, 2, 2))).flatten(0, 1))
    actions = show(torch.tensor(case["transform"], dtype=torch.float64), their_environment(case))
    queries = method.backbone(torch.tensor(random(case, 908).standard_normal((5, 3, 2, 2))))
    memory = method.transformer.remember(pair_tokens(pairs[::2], pairs[1::2], actions)[: case["context"]])
    raw = method.transformer.ask(make_tokens(queries), memory)
    predicted = method.transformer.ask(make_tokens(queries, torch.tensor(case["query_action"], dtype=torch.float64)), memory)
    for ours, key in ((raw, "raw"), (F.normalize(raw, dim=1), "representation"), (predicted, "predicted")):
        assert_near(ours, case[key])


@pytest.mark.parametrize("name", cases("contrast"))
def test_golden_contrast(name: str) -> None:
    case = CASES[name]
    rows = torch.tensor(random(case, 901).standard_normal(np.shape(case["grad"]))).requires_grad_()
    loss = clamped_contrast(rows, case["temperature"])
    loss.backward()
    assert loss.item() == pytest.approx(case["loss"], rel=1e-9)
    assert_near(rows.grad, case["grad"])


@pytest.mark.parametrize("name", cases("mask"))
def test_golden_mask(name: str) -> None:
    case = CASES[name]
    assert pair_mask(case["tokens"]).int().tolist() == case["may_attend"]
