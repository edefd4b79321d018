"""A pushed run is the run: equal outputs, equal scores, and nothing in it is trusted."""

import json
import shutil
from pathlib import Path

import pytest
import torch
import yaml
from click.testing import CliRunner
from safetensors.torch import save_file

import iebench
from iebench.cli.main import cli
from iebench.errors import IebenchError, UsageError
from iebench.models import checkpoints
from iebench.models.registry import find_method
from iebench.models.runs import METHOD_PREFIX, RunConfig
from iebench.models.settings import TrainerSettings
from iebench.sharing.runs import push_run

ADDRESS = "hf://org/small"
NAMES = ["README.md", "config.json", "model.safetensors", "results.json"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run with random weights."""
    root = tmp_path_factory.mktemp("runs") / "small"
    settings = find_method("sie").settings(backbone="resnet18-narrow", projector="8-8")
    config = RunConfig("sie", settings, TrainerSettings(), {"name": "d|`x`", "sha256": "0" * 64}, 4, 55, 32)
    config.write(root)
    method = config.build_method()
    module = {METHOD_PREFIX + name: value for name, value in method.state_dict().items()}
    checkpoints.save(root / "last.ckpt", {"module": module, "step": 0})
    return root


@pytest.fixture(scope="module")
def evaluated(run, tmp_path_factory, drawn_dataset):
    """The run with its results."""
    root = Path(shutil.copytree(run, tmp_path_factory.mktemp("runs") / "evaluated"))
    evaluate(root, drawn_dataset, out=root)
    return root


def evaluate(model, data, **options):
    return iebench.evaluate(
        model, data, tasks="classification,retrieval", epochs=1, baselines="none", num_workers=0, **options
    )


def assert_same_outputs(one, other):
    images = torch.randint(256, (3, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(one.represent(images), other.represent(images))
        assert torch.equal(one.embed(one.represent(images)), other.embed(other.represent(images)))
    for name, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]) and value.dtype == other.state_dict()[name].dtype


def test_a_pushed_run_gives_equal_outputs(run, tmp_path):
    folder = tmp_path / "pushed"
    assert push_run(run, str(folder)) == str(folder)
    assert_same_outputs(iebench.load(run), iebench.load(folder))


@pytest.mark.slow
def test_a_pushed_run_gives_equal_scores_and_tells_them(evaluated, tmp_path, drawn_dataset):
    folder = tmp_path / "pushed"
    push_run(evaluated, str(folder))
    assert sorted(path.name for path in folder.iterdir()) == NAMES
    results = evaluate(folder, drawn_dataset)
    written = json.loads((evaluated / "results.json").read_text())
    assert results.scores.to_json() == written["scores"] and results.protocol == written["protocol"]
    _, header, body = (folder / "README.md").read_text().split("---\n", 2)
    assert yaml.safe_load(header)["library_name"] == "iebench"
    assert "on `d/'x'`" in body and "| top-1, % |" in body and "| `equivariance_weight` | 4.5 |" in body
    push_run(folder, str(tmp_path / "again"))
    assert all((tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes() for name in NAMES[1:])


@pytest.mark.slow
def test_a_run_on_the_hub_is_the_run_and_pinned(evaluated, hub, drawn_dataset):
    first = push_run(evaluated, ADDRESS)
    assert_same_outputs(iebench.load(ADDRESS), iebench.load(evaluated))
    written = json.loads((evaluated / "results.json").read_text())
    assert evaluate(first, drawn_dataset).scores.to_json() == written["scores"]
    files = hub.find("models/org/small", "main")[1]
    hub.commit("models/org/small", {**files, "model.safetensors": b"later"})
    assert_same_outputs(iebench.load(first), iebench.load(evaluated))
    with pytest.raises(IebenchError, match=r"model\.safetensors is damaged"):
        iebench.load(ADDRESS)


def test_code_that_a_pushed_run_names_is_not_imported_unasked(run, tmp_path):
    values = json.loads((run / "config.json").read_text())
    values["method_settings"]["backbone"] = "evil_package:make"
    own = tmp_path / "own"
    own.mkdir()
    (own / "config.json").write_text(json.dumps(values))
    (own / "last.ckpt").write_bytes((run / "last.ckpt").read_bytes())
    push_run(own, str(tmp_path / "pushed"))  # which needs no code
    with pytest.raises(UsageError, match=r"evil_package:make.*--trust"):
        iebench.load(tmp_path / "pushed")


HOSTILE = {
    "cut": lambda content: content[:-10],
    "header": lambda content: (2**40).to_bytes(8, "little") + content[8:],
    "empty": lambda content: b"",
    "pickle": lambda content: b"\x80\x04\x95\x00cos\nsystem\n",
}


@pytest.mark.parametrize("damage", HOSTILE.values(), ids=HOSTILE)
def test_weights_that_no_push_wrote_are_refused(run, tmp_path, damage):
    folder = tmp_path / "pushed"
    push_run(run, str(folder))
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").write_bytes(damage(content))
    with pytest.raises(IebenchError, match=r"model\.safetensors is damaged"):
        iebench.load(folder)


def test_weights_of_another_network_are_refused(run, tmp_path):
    push_run(run, str(tmp_path / "pushed"))
    save_file({"backbone.conv1.weight": torch.zeros(3)}, tmp_path / "pushed" / "model.safetensors")
    with pytest.raises(IebenchError, match="does not fit the network"):
        iebench.load(tmp_path / "pushed")


@pytest.mark.parametrize(
    ("target", "told"),
    {
        "hf://datasets/org/small": "no place for a run",
        "hf://small": "no address",
        "hf://org/small@v1": "leave @v1",
    }.items(),
)
def test_targets_that_mean_something_else_are_refused(run, target, told):
    with pytest.raises(UsageError, match=told):
        push_run(run, target)


def run_command(*words):
    """What a command prints; its error is raised."""
    result = CliRunner().invoke(cli, [str(word) for word in words], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.output


@pytest.mark.slow
def test_the_shell_scores_what_was_pushed(evaluated, hub, tmp_path, drawn_dataset):
    """By its folder, by its address, and by the revision that the push named when a later one is there."""
    how = ["--data", drawn_dataset, "--tasks", "classification,retrieval", "--epochs", 1, "--baselines", "none"]
    how += ["--workers", 0, "--device", "cpu"]
    written = json.loads((evaluated / "results.json").read_text())
    run_command("push", evaluated, tmp_path / "pushed")
    run_command("eval", tmp_path / "pushed", *how, "--out", tmp_path / "folder")
    first = push_run(evaluated, ADDRESS)
    run_command("eval", ADDRESS, *how, "--out", tmp_path / "main")
    other = json.loads((evaluated / "config.json").read_text()) | {"method": "vicreg"}
    hub.commit(
        "models/org/small", hub.find("models/org/small", "main")[1] | {"config.json": json.dumps(other).encode()}
    )
    run_command("eval", first, *how, "--out", tmp_path / "pinned")
    for name in ("folder", "main", "pinned"):
        found = json.loads((tmp_path / name / "results.json").read_text())
        assert found["scores"] == written["scores"] and found["protocol"] == written["protocol"], name
    with pytest.raises(IebenchError, match=r"hf://org/small@v9 cannot be reached.*its name and revision"):
        run_command("eval", "hf://org/small@v9", *how, "--out", tmp_path / "none")


@pytest.mark.slow
def test_a_network_of_another_library_is_told_before_its_weights_are_fetched(hub):
    hub.commit("models/org/vit", {"config.json": b'{"model_type": "vit"}', "model.safetensors": b"long"})
    with pytest.raises(UsageError, match=r"hf://org/vit@\w+ is no run of iebench.*--model hf:org/vit"):
        iebench.load("hf://org/vit")
    assert {path for path, _ in hub.asked} == {"config.json"}


@pytest.mark.slow
def test_a_dataset_is_no_run(hub):
    with pytest.raises(UsageError, match="is no run"):
        iebench.load("hf://datasets/org/drawn")
    with pytest.raises(IebenchError, match=r"hf://org/nobody cannot be reached.*hf auth login"):
        iebench.load("hf://org/nobody")


def test_a_pushed_folder_may_be_edited_and_read_by_others(run, tmp_path):
    push_run(run, str(tmp_path / "pushed"))
    for path in (tmp_path / "pushed").iterdir():
        assert path.stat().st_nlink == 1 and path.stat().st_mode & 0o044 == 0o044
