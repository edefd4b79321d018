"""ContextSSL computes what its authors' code computes, and what its representations depend on stays with it."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from runs import assert_same_ending, read_metrics, train_until_killed
from torch import Tensor, nn
from torch.nn import functional as F

from iebench import MultiViewDataset, evaluate
from iebench.dataset.reader import Dataset
from iebench.errors import UsageError
from iebench.factors.space import get_space
from iebench.loader.multiview import Views
from iebench.models import checkpoints
from iebench.models.candidates import hash_weights
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
    told = {key: case[key] for key in ("temperature", "regression_weight") if key in case}
    settings = ContextSslSettings(width=16, block_size=case.get("block", 8), **told)
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
    transforms = show(torch.tensor(case["transform"], dtype=torch.float64), their_environment(case))
    queries = method.backbone(torch.tensor(random(case, 908).standard_normal((5, 3, 2, 2))))
    memory = method.transformer.remember(pair_tokens(pairs[::2], pairs[1::2], transforms)[: case["context"]])
    raw = method.transformer.ask(make_tokens(queries), memory)
    predicted = method.transformer.ask(
        make_tokens(queries, torch.tensor(case["query_action"], dtype=torch.float64)), memory
    )
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


def make_small(**settings: object) -> ContextSsl:
    torch.manual_seed(0)
    method = build_method("contextssl", replace(SMALL, **settings), 6, 55, 32, SPACE)
    assert isinstance(method, ContextSsl)
    return method.eval()


def make_images(count: int = 3) -> Tensor:
    return torch.randint(0, 256, (count, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("context", [0, 2, 6])
@torch.no_grad()
def test_a_query_alone_is_the_next_token_of_its_context(context: int) -> None:
    transformer = make_small().double().transformer
    tokens, queries = torch.randn(context, 262, dtype=torch.float64), torch.randn(3, 262, dtype=torch.float64)
    alone = transformer.ask(queries, transformer.remember(tokens))
    whole = torch.stack([transformer(torch.cat([tokens, query[None]])[None])[0, -1] for query in queries])
    torch.testing.assert_close(alone, whole, rtol=1e-12, atol=1e-14)


@torch.no_grad()
def test_a_remembered_context_follows_weights_pairs_and_length() -> None:
    method, images = make_small(), make_images()
    before = method.represent(images)
    assert torch.equal(method.represent(images), before)
    keys = {hash_weights(method)}
    for change in (
        lambda: method.transformer.read_in.weight.mul_(2),
        lambda: method.backbone.conv1.weight.add_(0.1),
        lambda: method.context.images.random_(0, 256),
        lambda: setattr(method, "context_size", 2),
        lambda: setattr(method, "context_size", 0),
    ):
        change()
        after = method.represent(images)
        assert not torch.equal(after[:, 256:], before[:, 256:])
        before = after
        keys.add(hash_weights(method))
    assert len(keys) == 6
    rotation, color = (before[:, method.parts[name]] for name in ("rotation-context", "color-context"))
    assert torch.equal(rotation, color)  # without a context there are no environments


def test_the_context_is_of_the_training_split_whatever_the_seed_of_the_training(drawn_dataset: Path) -> None:
    first, second = make_small(block_size=64), make_small(block_size=64)
    for method, seed in ((first, 1), (second, 2)):
        method.prepare(MultiViewDataset(drawn_dataset, "train", "rotation+color", seed))
    images = first.context.images
    assert torch.equal(images, second.context.images)
    assert len(images) == 31  # of 15 objects, so that they come with other views too
    assert len({image.numpy().tobytes() for image in images.flatten(0, 1)}) > 32
    data = MultiViewDataset(drawn_dataset, "train", num_views=4).read_batch(np.arange(15)).images
    known = {image.numpy().tobytes() for image in data.flatten(0, 1)}
    assert all(image.numpy().tobytes() in known for image in images.flatten(0, 1))

    fresh = make_small(block_size=64)
    fresh.take_over(first)
    assert torch.equal(fresh.context.images, images)
    assert torch.equal(fresh.context.transforms, first.context.transforms)


def test_draws_are_those_of_the_step_whatever_else_is_drawn() -> None:
    torch.manual_seed(0)
    draws = StepDraws()
    numbers = [torch.rand((), generator=draws.take()).item() for _ in range(400)]
    assert len(set(numbers)) == 400
    assert 160 < sum(number < 0.5 for number in numbers) < 240
    resumed = StepDraws()
    resumed.take()
    resumed.load_state_dict({"seed": draws.seed, "step": torch.tensor(7)})
    torch.rand(5)
    assert torch.rand((), generator=resumed.take()).item() == numbers[7]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"transform": "rotation"}, "--transform rotation: contextssl"),
        ({"width": 30}, "--width 30 is not divided among 4 heads"),
        ({"block_size": 9}, "--block-size 9 ends within a pair"),
        ({"context": 7}, "--context 7 ends within a pair"),
        ({"context": 8}, "--context 8 leaves no room in --block-size 8: take 6 or less, or 0 for as many"),
        ({"block_size": 12}, "--batch-size 4 is not cut into sequences of 6 pairs: take 6, or --block-size 4"),
    ],
    ids=lambda value: "",
)
def test_bad_settings_are_told(changes: dict, words: str, drawn_dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words):
        train("contextssl", replace(SMALL, **changes), TRAINER, drawn_dataset, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_context_is_as_long_as_it_is_said_to_be() -> None:
    with pytest.raises(UsageError, match=r"--mask-probability 9\.0 is more than 1"):
        replace(SMALL, mask_probability=9.0)
    assert [make_small(context=tokens).context_size for tokens in (0, 2, 6)] == [6, 2, 6]
    method = make_small(context=4)
    for tokens in (4000, 6, 3, -2):
        with pytest.raises(UsageError, match=f"context_size {tokens} is no even number of the 4 tokens .* take 0 to 4"):
            method.context_size = tokens
    assert method.context_size == 4


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_a_run_is_killed_and_resumed_bitwise(drawn_dataset: Path, tmp_path: Path) -> None:
    train("contextssl", SMALL, TRAINER, drawn_dataset, tmp_path / "whole")
    train_until_killed("contextssl", asdict(SMALL), TRAINER, drawn_dataset, tmp_path / "killed", step=8)
    assert checkpoints.load(tmp_path / "killed" / "last.ckpt")["step"] == 6
    train("contextssl", SMALL, TRAINER, drawn_dataset, tmp_path / "killed")
    assert_same_ending(tmp_path / "whole", tmp_path / "killed")


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_it_learns_and_its_three_parts_are_scored(make_dataset: Callable[..., Dataset], tmp_path: Path) -> None:
    data, run = make_dataset(objects_per_class=10).root, tmp_path / "run"
    trainer = replace(TRAINER, steps=60, batch_size=16, learning_rate=1e-3, checkpoint_every=60, log_every=10)
    train("contextssl", replace(SMALL, block_size=16, width=64), trainer, data, run)
    rows = [row for row in read_metrics(run) if row["train/loss"]]
    for term in ("train/contrast", "train/regression"):
        first, last = (np.mean([float(row[term]) for row in part]) for part in (rows[:1], rows[-1:]))
        assert last < 0.8 * first, term
    assert float(rows[-1]["rank/representation"]) > 5
    assert float(rows[-1]["spread/embedding"]) > 0.3

    results = evaluate(run, data, tasks=("rotation", "retrieval", "predictor"), epochs=2)
    assert list(results.parts) == ["encoder", "rotation-context", "color-context"]
    assert {f"rotation/{part}/r2_pooled" for part in ("whole", *results.parts)} <= set(results.scores.scores)
    assert "rotation/whole/r2_pooled" in results.baselines["random init"].scores
    assert results.get("retrieval/val-val/mrr") > 0
    assert set(results.details["predictor"]["group_laws"]) == {"identity", "prediction", "spread", "motion"}
