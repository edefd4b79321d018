"""A run that somebody else made: its code is not run unasked, and its config takes no memory that no method needs."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import iebench
from iebench.cli.main import cli
from iebench.errors import IebenchError, UsageError
from iebench.evals import gallery
from iebench.evals.gallery import GALLERY, Gallery
from iebench.evals.results import Results
from iebench.models import checkpoints
from iebench.models.registry import find_method
from iebench.models.runs import METHOD_PREFIX, RunConfig, check_backbone, export_backbone, load
from iebench.models.settings import TrainerSettings

SMALL = find_method("vicreg").settings(backbone="resnet18-narrow", projector="8-8")
EVIL = "from pathlib import Path\nPath({mark!r}).write_text('ran')\nfrom iebench.models.backbones import RESNETS\n"
EVIL += "def make():\n    return RESNETS['resnet18-narrow']()\n"


@pytest.fixture
def run(tmp_path):
    """A run without training."""
    config = RunConfig("vicreg", SMALL, TrainerSettings(), {"name": "d", "sha256": "0" * 64}, 4, 55, 32)
    config.write(tmp_path / "run")
    method = config.build_method()
    module = {METHOD_PREFIX + name: value for name, value in method.state_dict().items()}
    checkpoints.save(tmp_path / "run" / "last.ckpt", {"module": module, "step": 0})
    return tmp_path / "run"


def edit(run, change):
    value = json.loads((run / "config.json").read_text())
    change(value)
    (run / "config.json").write_text(json.dumps(value))


@pytest.fixture
def evil(run, tmp_path, monkeypatch):
    """A run whose config names code that leaves a mark when it is imported."""
    mark = tmp_path / "mark"
    (tmp_path / "evil_package.py").write_text(EVIL.format(mark=str(mark)))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    edit(run, lambda value: value["method_settings"].update(backbone="evil_package:make"))
    yield mark
    sys.modules.pop("evil_package", None)


@pytest.mark.parametrize("use", ["load", "evaluate", "export", "command"])
def test_code_that_a_run_names_is_not_imported_unasked(run, evil, drawn_dataset, use):
    if use == "command":
        result = CliRunner().invoke(cli, ["eval", str(run), "--data", str(drawn_dataset)])
        assert isinstance(result.exception, UsageError) and "evil_package:make" in str(result.exception)
    else:
        act = {
            "load": lambda: iebench.load(run),
            "evaluate": lambda: iebench.evaluate(run, drawn_dataset),
            "export": lambda: export_backbone(run, run / "w.pth"),
        }[use]
        with pytest.raises(UsageError, match=r"evil_package:make.*--trust"):
            act()
    assert not evil.exists()


def test_a_method_that_a_run_names_is_not_imported_unasked(run, evil):
    edit(run, lambda value: value.update(method="evil_package:Method"))
    with pytest.raises(UsageError, match="evil_package:Method"):
        iebench.load(run, trust="evil_package:make")
    assert not evil.exists()


@pytest.mark.parametrize("trust", [True, "evil_package:make", {"evil_package:make"}])
def test_code_that_the_user_trusts_or_names_is_run(run, evil, trust):
    assert isinstance(load(run, trust=trust), torch.nn.Module) and evil.exists()


def test_naming_another_backbone_trusts_nothing(run, evil, drawn_dataset):
    result = CliRunner().invoke(cli, ["eval", str(run), "--backbone", "resnet18", "--data", str(drawn_dataset)])
    assert isinstance(result.exception, UsageError) and "has the backbone evil_package:make" in str(result.exception)
    assert not evil.exists()


CONFIGS = {
    "projector-bytes": ("method_settings", "projector", "900000000-900000000"),
    "invariant-part": ("method_settings", "num_views", -1),
    "projector-layers": ("method_settings", "projector", "-".join(["8"] * 100_000)),
    "projector-digits": ("method_settings", "projector", "²-8"),
    "projector-number": ("method_settings", "projector", 8),
    "projector-long": ("method_settings", "projector", "9" * 5000),
    "backbone-list": ("method_settings", "backbone", ["resnet18"]),
    "weight-text": ("method_settings", "variance_weight", "1"),
    "transform": ("method_settings", "transform", "everything"),
    "unknown": ("method_settings", "surprise", 1),
    "settings-list": ("method_settings", None, []),
    "trainer-size": ("trainer", "size", "64"),
    "trainer-seed": ("trainer", "seed", 10**400),
    "labels": ("num_labels", None, 10**12),
    "labels-text": ("num_labels", None, "55"),
    "transform-size": ("transform_size", None, -4),
    "image-size": ("image_size", None, 10**9),
    "method": ("method", None, ["vicreg"]),
    "dataset": ("dataset", None, "d"),
    "space": ("space", None, {"name": "x"}),
}


@pytest.mark.parametrize(("group", "name", "value"), CONFIGS.values(), ids=CONFIGS)
def test_a_config_that_no_training_wrote_is_refused_before_memory_is_taken(run, group, name, value):
    edit(run, lambda values: values.update({group: value}) if name is None else values[group].update({name: value}))
    with pytest.raises(IebenchError) as found:
        load(run)
    assert "config.json" in str(found.value) and "\n" not in str(found.value)


@pytest.mark.slow
@pytest.mark.parametrize("sizes", ["40000-40000", "-".join(["8000"] * 40)])
def test_parameters_are_counted_before_memory_is_taken(run, sizes):
    edit(run, lambda values: values["method_settings"].update(projector=sizes))
    with pytest.raises(IebenchError, match=r"config\.json is damaged \(it asks for \d+ parameters"):
        load(run)


def test_counting_parameters_draws_no_number_and_takes_nothing_from_a_run(run):
    torch.manual_seed(0)
    first = load(run), torch.rand(1)
    torch.manual_seed(0)
    config = replace(RunConfig("vicreg", SMALL, TrainerSettings(), {"name": "d"}, 4, 55, 32))
    config.build_method()
    assert torch.equal(first[1], torch.rand(1))


SCORES = {"classification/whole/top1": {"values": [0.5], "low": None, "high": None}}
PROTOCOL = {"probes": {"epochs": 1}, "seeds": [0]}
RESULTS = {
    "format": 2, "name": "a", "method": "vicreg", "training": {}, "data": {"name": "d"}, "protocol": PROTOCOL,
    "versions": {}, "parts": {"whole": [0, 8]}, "scores": SCORES, "baselines": {}, "details": {}, "columns": [], "figures": [],
}  # fmt: skip
BAD_RESULTS = {
    "name": ("name", 5),
    "scores-list": ("scores", []),
    "score-text": ("scores", {"a": {"values": ["0.5"], "low": None, "high": None}}),
    "score-huge": ("scores", {"a": {"values": [10**400], "low": None, "high": None}}),
    "score-none": ("scores", {"a": {"values": [], "low": None, "high": None}}),
    "protocol": ("protocol", None),
    "probes": ("protocol", {"probes": [], "seeds": [0]}),
    "seeds": ("protocol", {"probes": {"epochs": 1}}),
    "digits": ("columns", [{"title": "a", "key": "a", "digits": 10**6}]),
    "baselines": ("baselines", {"constant": 1}),
    "deep": ("details", json.loads("[" * 300 + "]" * 300)),
    "column": ("columns", [{"title": 5}]),
    "unknown": ("surprise", 1),
}


@pytest.mark.parametrize(("name", "value"), BAD_RESULTS.values(), ids=BAD_RESULTS)
def test_results_that_no_evaluation_wrote_are_refused(tmp_path, name, value):
    path = tmp_path / "results.json"
    path.write_text(json.dumps({**RESULTS, name: value}))
    with pytest.raises(IebenchError, match=r"results\.json is damaged"):
        Results.read(path)


def test_whole_results_are_read_and_not_a_number_too(tmp_path):
    path = tmp_path / "results.json"
    path.write_text(json.dumps({**RESULTS, "details": {"spread": float("nan")}}))
    assert Results.read(path).get("classification/whole/top1") == 0.5


def make_gallery(**changed):
    picture = np.zeros((2, 8, 8, 3), np.uint8)
    tables = {
        "names": np.array(["a", "b"]), "queries": picture, "truths": picture, "neighbours": np.stack([picture] * 3, 1),
        "found": np.zeros((2, 3), bool), "turned_names": np.array(["c", "d"]), "sources": picture,
        "wanted": np.stack([picture] * 4, 1), "steered": np.stack([picture] * 4, 1),
        "degrees": np.arange(4), "gaps": np.zeros((2, 4)),
    }  # fmt: skip
    return {**tables, **changed}


GALLERIES = {
    "bomb": {"queries": np.zeros((100, 600, 600, 3), np.uint8)},
    "shape": {"queries": np.zeros((2, 8, 8), np.uint8)},
    "type": {"truths": np.zeros((2, 8, 8, 3))},
    "names": {"names": np.array([1, 2])},
    "count": {"gaps": np.zeros((3, 4))},
}


@pytest.mark.parametrize("changed", GALLERIES.values(), ids=GALLERIES)
def test_galleries_that_no_evaluation_wrote_are_refused(tmp_path, changed, monkeypatch):
    monkeypatch.setattr(gallery, "MAX_GALLERY_BYTES", 2**20)
    np.savez_compressed(tmp_path / GALLERY, **make_gallery(**changed))
    with pytest.raises(IebenchError, match="gallery"):
        Gallery.load(tmp_path)


def test_a_whole_gallery_is_read(tmp_path):
    np.savez_compressed(tmp_path / GALLERY, **make_gallery())
    found = Gallery.load(tmp_path)
    assert found is not None and found.names.tolist() == ["a", "b"]


@pytest.mark.parametrize("place", [(), ("method_settings",), ("trainer",)])
def test_a_run_of_a_later_version_is_not_called_damaged(run, place):
    def change(value):
        value["iebench"] = "9.1"
        for name in place:
            value = value[name]
        value["colour"] = 3

    edit(run, change)
    with pytest.raises(
        IebenchError, match=r"json has settings .* \(colour\): install the iebench that wrote it \(9\.1\)"
    ):
        load(run)


def test_a_run_without_a_backbone_has_its_methods(run):
    edit(run, lambda value: value["method_settings"].pop("backbone"))
    check_backbone(run, "resnet18")
    with pytest.raises(UsageError, match="has the backbone resnet18, not --backbone resnet50"):
        check_backbone(run, "resnet50")
