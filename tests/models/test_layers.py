"""Layers: found, caught in one pass as a hook by hand catches them, and each scored by every task."""

import json

import pytest
import torch
from torch import nn

import iebench
from iebench.errors import IebenchError, UsageError
from iebench.evals.earlier import join_results
from iebench.evals.registry import find_evaluators
from iebench.evals.results import Results, ScoreBook
from iebench.evals.settings import RANDOM_INIT
from iebench.models.backbones import build_backbone
from iebench.models.candidates import prepare
from iebench.models.evaluation import name_scored
from iebench.models.layers import LayerReader, choose_layers, find_blocks
from iebench.models.network import NetworkSettings
from iebench.models.networks import wrap_network
from iebench.models.registry import build_method, find_method

QUICK = {"epochs": 2, "device": "cpu", "num_workers": 0, "baselines": ()}


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 6))

    def forward(self, tokens):
        return tokens + self.inner(tokens)


class Transformer(nn.Module):
    """A class token and 16 patches through blocks."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 6, 8, 8)
        self.token = nn.Parameter(torch.ones(1, 1, 6))
        self.blocks = nn.ModuleList(Block() for _ in range(3))
        self.norm = nn.LayerNorm(6)

    def forward(self, images):
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(len(images), 1, 6), tokens], 1)
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens)


def noise(count=5, side=32):
    return torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8)


def test_blocks_are_found_and_chosen_by_number_or_name():
    network, resnet = Transformer(), build_backbone("resnet18-narrow")
    assert find_blocks(network) == list(network.blocks)
    assert find_blocks(resnet) == [resnet.layer1, resnet.layer2, resnet.layer3, resnet.layer4]
    assert find_blocks(nn.Sequential(nn.Linear(2, 2), nn.ReLU())) == []
    assert list(choose_layers(network)) == ["0", "1", "2"]
    assert choose_layers(network, "0, -1") == {"0": network.blocks[0], "2": network.blocks[2]}
    assert choose_layers(network, ["blocks.1.inner", 1]) == {
        "blocks.1.inner": network.blocks[1].inner,
        "1": network.blocks[1],
    }
    for wrong, words in (("7", "has 3 blocks"), ("blok", "has no 'blok'"), ("", "has no ''")):
        with pytest.raises(UsageError, match=words):
            choose_layers(network, wrong)
    with pytest.raises(UsageError, match="no list of blocks"):
        choose_layers(nn.Linear(2, 2))


@pytest.mark.parametrize("pool", ["cls", "mean"])
def test_a_layer_is_bitwise_what_a_hook_by_hand_catches(pool):
    torch.manual_seed(0)
    candidate, images, caught = prepare(network := Transformer(), settings=NetworkSettings(pool)), noise(), {}
    layered = candidate.find_layers("all")
    reader = LayerReader(candidate.model.represent, layered.layers, layered.pool)
    with torch.no_grad():
        found = reader(images)
        for number, block in enumerate(network.blocks):
            block.register_forward_hook(lambda _m, _i, output, n=number: caught.update({n: output}))
        final = candidate.model.represent(images)
    first, *columns = reader.measure(images)
    assert torch.equal(found[:, first], final)
    for number, part in enumerate(columns):
        token, patches = caught[number][:, 0], caught[number][:, 1:].transpose(1, 2).unflatten(2, (4, 4))
        assert torch.equal(found[:, part], token if pool == "cls" else patches.mean((2, 3)))


def test_a_layer_that_shows_nothing_is_named():
    network = nn.Sequential(nn.Identity(), nn.Flatten(), nn.Linear(27, 2))
    network.add_module("idle", nn.Identity())
    network.forward = lambda images: network[2](network[1](images.float()))
    with pytest.raises(IebenchError, match="Layer idle gives a NoneType: name another"):
        LayerReader(network, choose_layers(network, "idle"))(noise(side=3))


@pytest.mark.slow
def test_every_layer_is_scored_from_one_pass_and_the_picture_is_shown(drawn_dataset, tmp_path, capsys):
    torch.manual_seed(0)
    network, seen = Transformer(), []
    network.patches.register_forward_hook(lambda _m, inputs, _o: seen.append(len(inputs[0])))
    out = tmp_path / "out"
    settings = {**QUICK, "tasks": "classification,rotation", "pool": "cls"}
    results = iebench.evaluate(network, drawn_dataset, layers="all", out=out, **settings)
    told = capsys.readouterr().err
    assert "3 layers and the representation: 24 numbers of each of 80 views" in told and "MB in" in told
    assert sum(size for size in seen if size > 16) == 80, "the images went through the network more than once"
    seen.clear()
    for label in "012":
        layer = json.loads((out / "layers" / label / "results.json").read_text())
        assert layer["method"] == f"Transformer, cls, layer {label}" and layer["training"]["layer"] == label
        body = network.blocks[int(label)]
        by_hand = wrapped(network, body)
        alone = iebench.evaluate(by_hand, drawn_dataset, **{**settings, "pool": "auto"})
        assert layer["scores"] == alone.scores.to_json()
        assert results.details["layers/rotation"][label] == alone.get("rotation/whole/r2_uniform")
    assert iebench.evaluate(network, drawn_dataset, **settings).scores.to_json() == results.scores.to_json()
    again = iebench.evaluate(network, drawn_dataset, layers="all", out=out, **settings)
    assert again.scores.to_json() == results.scores.to_json()
    other = iebench.evaluate(network, drawn_dataset, layers="all", out=out, **{**settings, "epochs": 1})
    assert other.protocol["probes"]["epochs"] == 1, "layers that are scored again are not lost"


@pytest.mark.slow
def test_score_by_layer_stands_beside_that_of_random_init(drawn_dataset):
    torch.manual_seed(0)
    network, told = Transformer(), {**QUICK, "tasks": "classification,knn", "layers": "0,-1"}
    found = iebench.evaluate(network, drawn_dataset, pool="cls", **{**told, "baselines": (RANDOM_INIT,)}).details
    fresh = wrap_network(network, "Transformer", NetworkSettings("cls")).untrained()
    assert (
        found["layers/classification/untrained"]
        == iebench.evaluate(fresh, drawn_dataset, **told).details["layers/classification"]
    )


def wrapped(network, block):
    """A module that gives the class token of a block, caught by hand."""
    normalised, states = prepare(network, settings=NetworkSettings("cls")).model.represent, []
    handle = block.register_forward_hook(lambda _m, _i, output: states.append(output))

    def represent(images):
        states.clear()
        with torch.no_grad():
            normalised(images)
        return states[0][:, 0]

    represent.handle = handle
    return lambda images: represent(images)


@pytest.mark.slow
def test_the_report_draws_score_by_layer_for_every_network(drawn_dataset, tmp_path):
    from iebench.report.page import write_report

    torch.manual_seed(0)
    settings = {**QUICK, "tasks": "classification,rotation,color", "pool": "mean"}
    for name in "ab":
        iebench.evaluate(Transformer(), drawn_dataset, layers="0,2", out=tmp_path / name, **settings)
    write_report([tmp_path / "a", tmp_path / "b"], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert '<section id="score-by-layer">' in page
    assert all(words in page for words in ("Top-1 accuracy of class by layer", "rotation by layer", "hues by layer"))


def test_a_function_has_no_layers(drawn_dataset):
    with pytest.raises(UsageError, match="a function does not show its layers"):
        iebench.evaluate(
            lambda images: images.float().mean((2, 3)), drawn_dataset, layers="all", tasks="classification", **QUICK
        )


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("kind", ["dinov2", "clip"])
def test_layers_of_transformers_are_the_hidden_states_of_its_blocks(kind):
    hf = pytest.importorskip("transformers")
    from iebench.models.network import Network
    from iebench.models.network_hf import _Body
    from iebench.models.preprocessing import named_preprocessing

    small = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "image_size": 32, "patch_size": 8}
    config = hf.Dinov2Config(**small) if kind == "dinov2" else hf.CLIPVisionConfig(**small, intermediate_size=64)
    network = Network(kind, _Body(hf.AutoModel.from_config(config)), named_preprocessing("unit"))
    reader, images = LayerReader(network, choose_layers(network.body)), noise()
    with torch.no_grad():
        states = network.body.model(images / 255, output_hidden_states=True).hidden_states
        found = reader(images)
    assert reader.labels == ("0", "1", "2")
    for part, state in zip(reader.measure(images)[1:], states[1:], strict=True):
        assert torch.equal(found[:, part], state[:, 0])


def test_curves_of_other_tasks_stay_beside_new_ones():
    def found(*tasks):
        curves = {f"layers/{task}": {"0": 0.5} for task in tasks}
        return Results("", "", {}, {}, {}, {}, {}, ScoreBook(), {}, curves)

    scored = name_scored(find_evaluators(("classification",)), with_layers=True)
    earlier = found("classification", "classification/untrained", "rotation", "rotation/untrained")
    details = join_results(earlier, found("classification"), scored).details
    assert set(details) == {"layers/classification", "layers/rotation", "layers/rotation/untrained"}


@pytest.mark.slow
def test_curves_of_other_tasks_stay_and_what_would_be_lost_is_told_before_the_pass(drawn_dataset, tmp_path):
    torch.manual_seed(0)
    network, seen = Transformer(), []
    told = {**QUICK, "layers": "0", "pool": "cls", "epochs": 1, "out": tmp_path}
    first = iebench.evaluate(network, drawn_dataset, **{**told, "tasks": "classification"})
    results = iebench.evaluate(network, drawn_dataset, **{**told, "tasks": "knn"})
    assert results.details["layers/classification"] == first.details["layers/classification"]

    (tmp_path / "results.json").unlink()
    network.patches.register_forward_hook(lambda *_: seen.append(1))
    with pytest.raises(UsageError, match=r"layers/0/results\.json holds scores of knn .*\(--tasks\)"):
        iebench.evaluate(network, drawn_dataset, **{**told, "tasks": "classification", "epochs": 2})
    assert not seen


def test_scores_of_the_predictor_are_kept_when_layers_are_scored_too(drawn_dataset, tmp_path):
    torch.manual_seed(0)
    settings = find_method("sie").settings(backbone="resnet18-narrow", projector="8-8")
    method = build_method("sie", settings, 4, 55, 32)
    told = {**QUICK, "tasks": "retrieval", "embeddings": True}
    alone = iebench.evaluate(method, drawn_dataset, **told)
    results = iebench.evaluate(method, drawn_dataset, layers="0", out=tmp_path, **{**told, "tasks": "retrieval,knn"})
    assert {key: results.scores.to_json()[key] for key in alone.scores.scores} == alone.scores.to_json()
    assert (tmp_path / "gallery.npz").exists()
    layer = json.loads((tmp_path / "layers" / "0" / "results.json").read_text())
    assert {key.split("/")[1] for key in layer["scores"]} == {"whole"}, "a layer has no predictor, parts or embeddings"

    layer["protocol"]["probes"]["epochs"] = 99
    (tmp_path / "layers" / "0" / "results.json").write_text(json.dumps(layer))
    before = (tmp_path / "results.json").read_bytes()
    with pytest.raises(UsageError, match=r"layers/0/results\.json"):
        iebench.evaluate(method, drawn_dataset, layers="0", out=tmp_path, **{**told, "tasks": "spectrum"})
    assert (tmp_path / "results.json").read_bytes() == before, "it was told after the work"
