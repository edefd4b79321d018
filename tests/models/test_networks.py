"""The front door: a network by a text is fed as its authors feed it, pooled as asked, and known by its weights."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import iebench
from iebench.errors import IebenchError, UsageError
from iebench.models.candidates import prepare
from iebench.models.network import NetworkSettings
from iebench.models.networks import wrap_network
from iebench.models.pooling import pool_output, pool_state
from iebench.models.preprocessing import named_preprocessing

TIMM_REASON = "timm needs a torchvision that fits this torch"


def noise(count=3, side=48, seed=0):
    draws = np.random.default_rng(seed).integers(0, 256, (count, side, side, 3), dtype=np.uint8)
    return torch.from_numpy(draws).permute(0, 3, 1, 2)


def test_images_are_resized_by_pillow_and_normalised():
    images = noise(5)
    found = named_preprocessing("imagenet", 36)(images)
    for image, one in zip(images, found, strict=True):
        small = Image.fromarray(image.permute(1, 2, 0).numpy()).resize((36, 36), Image.Resampling.BICUBIC)
        wanted = (np.asarray(small) / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
        assert np.allclose(one.permute(1, 2, 0), wanted, atol=1e-5)


def test_normalisations_have_names():
    images = noise()
    assert torch.equal(named_preprocessing("none")(images), images)
    assert torch.allclose(named_preprocessing("unit")(images), images / 255)
    red = (images[:, 0] / 255 - 0.485) / 0.229
    assert torch.allclose(named_preprocessing("imagenet")(images)[:, 0], red, atol=1e-5)
    assert named_preprocessing("unit", 20)(images).shape == (3, 3, 20, 20)


def test_tokens_and_maps_are_pooled_as_asked():
    patches = torch.arange(2 * 64 * 3.0).view(2, 64, 3)
    tokens = torch.cat([torch.full((2, 1, 3), -1.0), torch.full((2, 4, 3), 99.0), patches], 1)  # class, four registers
    assert torch.equal(pool_state(tokens, "cls"), torch.full((2, 3), -1.0))
    assert torch.equal(pool_state(tokens, "mean"), patches.mean(1))
    assert torch.equal(pool_state(tokens, "cls+mean"), torch.cat([torch.full((2, 3), -1.0), patches.mean(1)], 1))
    cells = patches.view(2, 4, 2, 4, 2, 3).mean((2, 4))  # rows and columns of four by four cells
    assert torch.allclose(pool_state(tokens, "map").view(2, 3, 4, 4).permute(0, 2, 3, 1), cells)
    as_map = patches.transpose(1, 2).unflatten(2, (8, 8))
    assert torch.equal(pool_state(as_map, "map"), pool_state(tokens, "map"))
    own = {"last_hidden_state": patches, "pooler_output": torch.ones(2, 5, 1, 1)}
    assert torch.equal(pool_output(own), torch.ones(2, 5))
    assert torch.equal(pool_output({**own, "last_hidden_state": tokens}), torch.full((2, 3), -1.0))


@pytest.mark.parametrize(
    ("output", "pool", "words"),
    [
        (torch.zeros(2, 17, 3), "auto", "choose a --pool"),
        (torch.zeros(2, 16, 3), "cls", "needs a class token"),
        (torch.zeros(2, 16), "mean", "leave --pool out"),
        (torch.zeros(2, 34, 3), "mean", "no square of patches"),
        ((torch.zeros(2, 3), torch.zeros(2, 3)), "auto", "a tuple of 2: return"),
        ({"logits": torch.zeros(2, 3)}, "auto", r"a dict of logits \(2, 3\): return"),
    ],
)
def test_what_cannot_be_pooled_is_told(output, pool, words):
    with pytest.raises(IebenchError, match=words):
        pool_output(output, pool)


class Tokens(nn.Module):
    """A little transformer: a class token and the patches."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 8, 8)
        self.token = nn.Parameter(torch.ones(1, 1, 8))

    def forward(self, images):
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        return torch.cat([self.token.expand(len(images), 1, 8), tokens], 1)


def test_pooling_type_and_normalisation_are_a_part_of_the_key_and_of_the_name():
    body = Tokens()
    settings = [
        NetworkSettings(*words)
        for words in (("mean",), ("cls",), ("mean", "bfloat16"), ("mean", "float32", "imagenet"))
    ]
    candidates = [prepare(body, settings=one) for one in settings]
    assert len({candidate.model.key for candidate in candidates}) == 4
    assert [candidate.method for candidate in candidates[:3]] == [
        "Tokens, mean",
        "Tokens, cls",
        "Tokens, mean, bfloat16",
    ]
    assert candidates[2].model.represent(noise()).dtype == torch.float32
    assert next(body.parameters()).dtype == torch.float32, "somebody's network was changed"
    assert candidates[0].training["network"]["pool"] == "mean"


class Rotary(nn.Module):
    """Features turned by complex numbers, as rotary positions are, and divided by frequencies in float64."""

    def __init__(self):
        super().__init__()
        self.register_buffer("turns", torch.tensor([1j, -1j, 1j]))
        self.register_buffer("frequencies", torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64))

    def forward(self, images):
        return (images.mean((2, 3)) * self.turns).imag / self.frequencies


def test_complex_numbers_stay_complex_and_somebodys_buffers_as_they_are():
    body = Rotary()
    seen = wrap_network(body, "rotary", NetworkSettings(normalise="unit"))(noise())
    assert seen.abs().min() > 0, "the imaginary part was lost"
    assert (body.turns.dtype, body.frequencies.dtype) == (torch.complex64, torch.float64)


@pytest.mark.slow
def test_a_loaded_network_is_scored_as_its_text(drawn_dataset):
    quick = {"tasks": "classification", "epochs": 1, "device": "cpu", "num_workers": 0, "baselines": ()}
    network = iebench.load_network("resnet18-narrow", normalise="imagenet")
    first = iebench.evaluate(network, drawn_dataset, **quick)
    second = iebench.evaluate("resnet18-narrow", drawn_dataset, normalise="imagenet", **quick)
    assert first.scores.to_json() == second.scores.to_json() and first.protocol == second.protocol
    with pytest.raises(UsageError, match="of its own"):
        iebench.evaluate(network, drawn_dataset, pool="mean", **quick)


def test_timm_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(IebenchError, match=r"needs timm.*iebench\[timm\]"):
        iebench.load_network("timm:resnet18")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Folders of tiny random networks with their processors, as transformers saves them."""
    hf = pytest.importorskip("transformers")
    small = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "image_size": 32, "patch_size": 8}
    both = {**small, "intermediate_size": 64}
    square, edge = {"height": 32, "width": 32}, {"shortest_edge": 40}
    text = {
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "vocab_size": 64,
    }
    made = {
        "vit": (hf.ViTConfig(**both), hf.ViTImageProcessor(size=square, resample=2)),
        "dinov2": (hf.Dinov2WithRegistersConfig(**small), hf.BitImageProcessor(size=edge, crop_size=square)),
        "clip": (
            hf.CLIPConfig(text_config=text, vision_config=both),
            hf.CLIPImageProcessor(size=edge, crop_size=square),
        ),
        "siglip": (hf.SiglipVisionConfig(**both), hf.SiglipImageProcessor(size=square)),
        "resnet": (
            hf.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 2]),
            hf.ConvNextImageProcessor(size=edge),
        ),
    }
    root = tmp_path_factory.mktemp("saved")
    for name, (config, processor) in made.items():
        torch.manual_seed(1)
        hf.AutoModel.from_config(config).save_pretrained(root / name)
        processor.save_pretrained(root / name)
    return root


WIDTHS = {"vit": 32, "dinov2": 32, "clip": 32, "siglip": 32, "resnet": 16}


@pytest.mark.slow
@pytest.mark.parametrize("name", WIDTHS)
@pytest.mark.filterwarnings("default")
def test_a_model_of_transformers_sees_what_its_processor_makes_and_is_not_its_twin(saved, name):
    from transformers import AutoImageProcessor

    network = iebench.load_network(f"hf:{saved / name}")
    processor = AutoImageProcessor.from_pretrained(saved / name, backend="pil")
    for side in (24, 48, 64):
        images = noise(side=side)
        wanted = processor(images=list(images.permute(0, 2, 3, 1).numpy()), return_tensors="pt")["pixel_values"]
        assert torch.allclose(network.preprocessing(images), wanted, rtol=0, atol=1e-5)
    with torch.no_grad():
        output = network.body.model(pixel_values=wanted)
        found, fresh = network(images), network.untrained()(images)
    has_token = name in ("vit", "dinov2", "clip")
    own = output.last_hidden_state[:, 0] if has_token else output.pooler_output.flatten(1)
    assert torch.allclose(found, own, atol=1e-5) and found.shape == (3, WIDTHS[name])
    assert fresh.shape == found.shape and not torch.allclose(found, fresh)
    assert torch.equal(fresh, iebench.load_network(f"hf:{saved / name}").untrained()(images)), "the twin is seeded"


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_changed_weights_change_the_key(saved, tmp_path):
    import shutil

    from safetensors.torch import load_file, save_file

    keys = set()
    for number in range(2):
        folder = tmp_path / str(number) / "vit"
        shutil.copytree(saved / "vit", folder)
        weights = load_file(folder / "model.safetensors")
        weights[next(iter(weights))] += 1e-3 * number
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        keys.add(prepare(f"hf:{folder}").model.key)
    again = prepare(f"hf:{saved / 'vit'}").model.key
    assert len(keys) == 2 and again in keys


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_folder_is_scored_from_the_command_line_as_from_python(saved, drawn_dataset, tmp_path, monkeypatch):
    from click.testing import CliRunner

    from iebench.cli.main import cli

    monkeypatch.setattr("socket.socket.connect", lambda *args: pytest.fail("a local model needs no network"))
    out, quick = (
        tmp_path / "out",
        ["--epochs", "1", "--workers", "0", "--device", "cpu", "--tasks", "classification,rotation"],
    )
    words = [
        "eval",
        "--model",
        f"hf:{saved / 'dinov2'}",
        "--pool",
        "cls+mean",
        "--data",
        str(drawn_dataset),
        "--out",
        str(out),
    ]
    result = CliRunner().invoke(cli, [*words, *quick, "--batch-size", "7"], standalone_mode=False)
    assert result.exception is None, result.output
    told = json.loads((out / "results.json").read_text())
    assert (
        told["method"] == "hf:dinov2, cls+mean"
        and told["protocol"]["batch_size"] == 7
        and "random init" in told["baselines"]
    )
    network = iebench.load_network(f"hf:{saved / 'dinov2'}", pool="cls+mean")
    quick = {"epochs": 1, "num_workers": 0, "device": "cpu", "tasks": "classification,rotation", "batch_size": 7}
    results = iebench.evaluate(network, drawn_dataset, **quick)
    assert results.scores.to_json() == told["scores"] and results.protocol == told["protocol"]


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_what_transformers_cannot_load_is_told(saved, tmp_path, monkeypatch):
    import shutil
    import socket

    def load(name, **changes):
        folder = tmp_path / name
        shutil.copytree(saved / "vit", folder, dirs_exist_ok=True)
        for file, text in changes.items():
            path = next(folder.glob(f"{file}.*"))
            path.unlink() if text is None else path.write_text(text)
        return iebench.load_network(f"hf:{folder}")

    def refuse(*_args, **_settings):
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(IebenchError, match=r"hf:a/b has not been fetched before.*cannot be reached.*hf:\./folder"):
        iebench.load_network("hf:a/b")
    with pytest.raises(UsageError, match=r"is a folder of transformers: write hf:"):
        prepare(saved / "vit")
    with pytest.raises(UsageError, match=r"no preprocessor_config\.json.*--normalise imagenet"):
        load("bare", preprocessor_config=None)
    assert iebench.load_network(f"hf:{tmp_path / 'bare'}", normalise="imagenet")(noise()).shape == (3, 32)
    with pytest.raises(IebenchError, match=r"cannot be read by transformers \(.*model.safetensors"):
        load("empty", model=None)
    with pytest.raises(IebenchError, match=r"cannot be read by transformers \("):
        load("cut", model="xx")
    with pytest.raises(IebenchError, match=r"cannot be read by transformers \(.*valid JSON"):
        load("json", config="{")
    with pytest.raises(IebenchError, match=r"cannot be read by transformers \("):
        load("odd", config=(saved / "vit/config.json").read_text().replace('"patch_size": 8', '"patch_size": "eight"'))
    with pytest.raises(IebenchError, match=r"cannot be read by transformers \(|has no weights for"):
        load("wide", config=(saved / "vit/config.json").read_text().replace('"hidden_size": 32', '"hidden_size": 64'))
    code = {"model_type": "odd", "auto_map": {"AutoConfig": "code.Config", "AutoModel": "code.Net"}}
    mark = tmp_path / "mark"
    with pytest.raises(UsageError, match=r"brings code of its own.*--trust"):
        load("code", config=json.dumps(code))
    (tmp_path / "code/code.py").write_text(f"open({str(mark)!r}, 'w')\n")
    with pytest.raises(UsageError, match=r"brings code of its own.*--trust"):
        iebench.load_network(f"hf:{tmp_path / 'code'}")
    assert not mark.exists()


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_model_that_wants_more_than_images_is_told(tmp_path):
    """As Siglip2's NaFlex models, which are told of each patch whether it is one."""
    hf = pytest.importorskip("transformers")
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = hf.Siglip2VisionConfig(**small, num_patches=16, patch_size=8)
    hf.AutoModel.from_config(config).save_pretrained(tmp_path / "naflex")
    with pytest.raises(UsageError, match=r"hf:.*naflex takes pixel_attention_mask beside images: choose a model"):
        iebench.load_network(f"hf:{tmp_path / 'naflex'}", normalise="unit")


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_weights_that_a_model_lacks_are_not_drawn_in_silence(saved, tmp_path):
    import shutil

    from safetensors.torch import load_file, save_file

    shutil.copytree(saved / "vit", tmp_path / "vit")
    weights = load_file(tmp_path / "vit/model.safetensors")
    lost = next(name for name in weights if "layer.1." in name)
    save_file(
        {k: v for k, v in weights.items() if k != lost}, tmp_path / "vit/model.safetensors", metadata={"format": "pt"}
    )
    with pytest.raises(IebenchError, match=r"has no weights for .*layer.*fetch the whole model again"):
        iebench.load_network(f"hf:{tmp_path / 'vit'}")


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_network_of_timm_is_fed_as_its_transform_does():
    timm = pytest.importorskip("timm", reason=TIMM_REASON, exc_type=ImportError)
    from iebench.models.network_timm import _preprocessing

    model = timm.create_model("vit_tiny_patch16_224", pretrained=False, num_classes=0)
    config = timm.data.resolve_model_data_config(model)
    transform = timm.data.create_transform(**config, is_training=False)
    images = noise()
    wanted = torch.stack([transform(Image.fromarray(image.permute(1, 2, 0).numpy())) for image in images])
    assert torch.allclose(
        _preprocessing(config, timm.data.create_transform, "model")(images), wanted, rtol=0, atol=1e-5
    )
    assert wrap_network(model, "timm", NetworkSettings(normalise="imagenet"))(wanted.to(torch.uint8)).shape == (3, 192)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_the_notebook_runs_from_its_first_cell_to_its_last(saved, drawn_dataset, tmp_path, monkeypatch, capsys):
    notebook = json.loads((Path(__file__).parents[2] / "examples/score_a_network.ipynb").read_text())
    first, *cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(first, names)
    names.update(DATA=str(drawn_dataset), MODEL=f"hf:{saved / 'dinov2'}", OUT="out", EPOCHS=1)
    for cell in cells:
        exec(cell, names)
    assert "(4, 3, 32, 32) → (4, 32)" in capsys.readouterr().out
    assert "Score by layer" in (tmp_path / "out/report.html").read_text()
    assert sorted(path.name for path in (tmp_path / "out/layers").iterdir()) == ["0", "1", "2"]
