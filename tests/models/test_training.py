"""A training ends the same whatever happens on its way, and says what is wrong."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from processes import Processes, as_here, wait_until
from runs import assert_same_ending, read_metrics, train_until_killed

from iebench import load
from iebench.cli.train import export_backbone_command, train_command
from iebench.dataset.reader import Dataset
from iebench.errors import IebenchError, UsageError
from iebench.models import checkpoints
from iebench.models.method_sie import Sie, SieSettings
from iebench.models.registry import METHODS
from iebench.models.settings import TrainerSettings, list_settings
from iebench.models.training import train

SETTINGS = SieSettings(projector="16-16-16")
SMALL = {  # all others have a projector
    "supervised": {},
    "contextssl": {"width": 32, "block_size": 8},
    "equicaps": {"backbone": "resnet18-narrow", "capsules": 4},
}
pytestmark = pytest.mark.usefixtures("one_thread")
TRAINER = TrainerSettings(
    steps=12, batch_size=4, precision="32", num_workers=1, log_every=1, checkpoint_every=3, validate_every=2
)


@pytest.fixture(scope="module")
def data(drawn_dataset: Path) -> Path:
    return drawn_dataset  # 16 objects to train on: four steps in an epoch


@pytest.fixture(scope="module")
def whole_run(one_thread: None, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "whole"
    train("sie", SETTINGS, TRAINER, data, out)
    return out


@pytest.mark.slow
def test_a_run_holds_what_it_should(whole_run: Path) -> None:
    rows = read_metrics(whole_run)
    steps = [int(row["step"]) for row in rows if row["train/loss"]]
    assert steps == list(range(1, 13))
    names = {
        "train/invariance",
        "train/equivariance",
        "probe/class_invariant",
        "probe/rotation_r2",
        "val/class_equivariant",
    }
    names |= {"spread/embedding", "correlation/representation_invariant", "images_per_second", "waiting_for_data"}
    assert names | {"memory_mib", "learning_rate"} <= set(rows[0])
    assert json.loads((whole_run / "config.json").read_text())["method"] == "sie"
    assert list((whole_run / "tensorboard").iterdir())

    method = load(whole_run)
    assert isinstance(method, Sie)
    assert not method.training
    embedding = method.embed(method.represent(torch.zeros(2, 3, 32, 32, dtype=torch.uint8)))
    assert embedding.shape == (2, 32)
    assert method.predict(embedding, torch.randn(2, 4)).shape == (2, 16)


@pytest.fixture
def train_in_process(data: Path, tmp_path: Path, start: Processes) -> Callable[..., subprocess.Popen]:
    """Start the training of `whole_run` as a command that writes to tmp_path / "run", with other options."""

    def begin(*options: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "iebench", "train", "sie", "--data", data, "--out", tmp_path / "run"]
        command += ["--projector", "16-16-16", "--precision", "32", "--steps", "12", "--batch-size", "4"]
        command += ["--num-workers", "1", "--log-every", "1", "--checkpoint-every", "3", "--validate-every", "2"]
        return start([*command, *options], as_here(), start_new_session=True, stderr=subprocess.PIPE, text=True)

    return begin


@pytest.mark.slow
def test_killed_in_mid_epoch(whole_run: Path, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    train_until_killed("sie", {"projector": "16-16-16"}, TRAINER, data, out, step=7)
    assert checkpoints.load(out / "last.ckpt")["step"] == 6
    train("sie", SETTINGS, TRAINER, data, out)
    assert_same_ending(whole_run, out)


@pytest.mark.slow
def test_preempted_with_all_its_workers(train_in_process: Callable[..., subprocess.Popen], tmp_path: Path) -> None:
    out = tmp_path / "run"
    process = train_in_process("--validate-every", "1", "--steps", "4000")
    metrics = out / "metrics.csv"
    wait_until(lambda: metrics.exists() and len(read_metrics(out)) > 6, process)  # by then val has workers too
    os.killpg(process.pid, signal.SIGTERM)
    _, message = process.communicate()
    step = checkpoints.load(out / "last.ckpt")["step"]
    assert process.returncode == 1
    assert f"SIGTERM ended the run after step {step}; it is saved" in message


@pytest.mark.slow
def test_two_devices_train_as_one(
    whole_run: Path, train_in_process: Callable[..., subprocess.Popen], tmp_path: Path
) -> None:
    process = train_in_process("--devices", "2")
    _, message = process.communicate()
    assert process.returncode == 0, message
    one, two = read_metrics(whole_run), read_metrics(tmp_path / "run")
    assert len(one) == len(two)
    # Later steps drift apart: Adam divides by what were roundings at first.
    assert float(two[0]["train/loss"]) == pytest.approx(float(one[0]["train/loss"]), rel=1e-5)
    assert load(tmp_path / "run").parts == load(whole_run).parts


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "name"), [(signal.SIGTERM, "SIGTERM"), (signal.SIGUSR1, "SIGUSR1"), (signal.SIGINT, "Ctrl-C")]
)
def test_preempted(
    number: signal.Signals, name: str, whole_run: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send_signal(self: Sie, progress: float) -> None:
        if progress == 7 / 12:
            os.kill(os.getpid(), number)

    monkeypatch.setattr(Sie, "after_step", send_signal)
    with pytest.raises(IebenchError, match=f"{name} ended the run after step 7"):
        train("sie", SETTINGS, TRAINER, data, tmp_path / "run")
    assert checkpoints.load(tmp_path / "run" / "last.ckpt")["step"] == 7
    monkeypatch.undo()
    train("sie", SETTINGS, TRAINER, data, tmp_path / "run")
    assert_same_ending(whole_run, tmp_path / "run")


@pytest.mark.slow
def test_resident_views_train_as_streamed_ones(
    whole_run: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send_signal(self: Sie, progress: float) -> None:
        if progress == 7 / 12:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Sie, "after_step", send_signal)
    with pytest.raises(IebenchError, match="ended the run after step 7"):
        train("sie", SETTINGS, replace(TRAINER, resident=True), data, tmp_path / "run")
    monkeypatch.undo()
    train("sie", SETTINGS, replace(TRAINER, resident=True), data, tmp_path / "run")
    assert_same_ending(whole_run, tmp_path / "run")


@pytest.mark.slow
def test_a_run_of_something_else_is_refused(whole_run: Path, data: Path, make_dataset: Callable[..., Dataset]) -> None:
    with pytest.raises(UsageError, match="is a run of sie, not of vicreg"):
        train("vicreg", METHODS["vicreg"].settings(), TRAINER, data, whole_run)
    with pytest.raises(UsageError, match=r"was trained with --covariance-weight 1\.0, not 2\.0"):
        train("sie", replace(SETTINGS, covariance_weight=2.0), TRAINER, data, whole_run)
    with pytest.raises(UsageError, match="trained on another dataset"):
        train("sie", SETTINGS, TRAINER, make_dataset("other", seed=1).root, whole_run)
    train("sie", SETTINGS, replace(TRAINER, num_workers=0, log_every=5), data, whole_run)


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_every_method_trains(name: str, data: Path, tmp_path: Path) -> None:
    entry = METHODS[name]
    has_projector = any(setting.name == "projector" for setting in list_settings(entry.settings))
    settings = entry.settings(**SMALL.get(name, {"projector": "16-16"} if has_projector else {}))
    trainer = replace(TRAINER, steps=2, size=16, num_workers=0, schedule="cosine")
    train(name, settings, trainer, data, tmp_path / name)
    method = load(tmp_path / name)
    assert type(method) is entry.method
    images = torch.randint(0, 256, (2, 3, 16, 16), dtype=torch.uint8)
    representation, embedding = method.represent(images), method.embed_images(images)
    if hasattr(method, "predict"):
        prediction = method.predict(embedding, torch.randn(2, method.sizes.transform))
        assert prediction.shape == embedding[:, method.embedding_parts["equivariant"]].shape
    for part in method.parts.values():
        assert 0 < representation[:, part].shape[1] <= 512


@pytest.mark.slow
def test_a_loss_that_is_not_finite_names_its_term(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Sie.terms

    def break_covariance(self: Sie, *args: torch.Tensor) -> dict[str, torch.Tensor]:
        return {name: term / (name != "covariance") for name, term in plain(self, *args).items()}

    monkeypatch.setattr(Sie, "terms", break_covariance)
    with pytest.raises(IebenchError, match="Step 1: covariance is inf; lower --learning-rate"):
        train("sie", SETTINGS, replace(TRAINER, num_workers=0), data, tmp_path / "run")
    assert not (tmp_path / "run" / "last.ckpt").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 1}, "--batch-size 1"),
        ({"batch_size": 4096}, "--batch-size 4096 is more than the"),
        ({"precision": "16"}, "--precision 16"),
        ({"devices": 99}, "--batch-size 4 cannot be divided among 99 processes"),
        ({"size": 4096}, "4096"),
        ({"backbone_weights": "nowhere.pt"}, "nowhere.pt is no file"),
    ],
    ids=lambda value: "",
)
def test_bad_settings_are_told(changes: dict, message: str, data: Path, tmp_path: Path) -> None:
    with pytest.raises(IebenchError, match=message):
        train("sie", SETTINGS, replace(TRAINER, accelerator="cpu", **changes), data, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_folder_of_other_things_is_refused(data: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UsageError, match="holds other things than a run"):
        train("sie", SETTINGS, TRAINER, data, tmp_path)


def test_a_missing_gpu_is_told(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--accelerator cuda"):
        train("sie", SETTINGS, replace(TRAINER, accelerator="cuda"), data, tmp_path / "run")


def test_one_class_is_too_few_for_supervision(make_dataset: Callable[..., Dataset], tmp_path: Path) -> None:
    data = make_dataset(classes="1", objects_per_class=12).root
    with pytest.raises(UsageError, match="supervised needs 2 classes"):
        train("supervised", METHODS["supervised"].settings(), TRAINER, data, tmp_path / "run")


@pytest.mark.slow
def test_dry_run_trains_nothing(data: Path, tmp_path: Path) -> None:
    arguments = ["sie", "--data", str(data), "--batch-size", "8", "--size", "16", "--num-workers", "0", "--dry-run"]
    result = CliRunner().invoke(train_command, [*arguments, "--out", str(tmp_path / "run")], catch_exceptions=False)
    assert result.exit_code == 0
    for part in ('"equivariance_weight": 4.5', "backbone", "11,176,512", "predictor", "4,194,304", "images/s", "MiB"):
        assert part in result.output
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_backbone_goes_out_and_comes_in(whole_run: Path, data: Path, tmp_path: Path) -> None:
    file = tmp_path / "backbone.pt"
    assert (
        CliRunner().invoke(export_backbone_command, [str(whole_run), str(file)], catch_exceptions=False).exit_code == 0
    )
    trainer = replace(TRAINER, steps=1, num_workers=0, backbone_weights=str(file), learning_rate=0.0)
    train("vicreg", METHODS["vicreg"].settings(projector="16-16"), trainer, data, tmp_path / "run")
    first, second = (path.backbone.state_dict()["conv1.weight"] for path in (load(whole_run), load(tmp_path / "run")))
    assert torch.equal(first, second)


def test_a_folder_that_is_no_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(IebenchError, match=r"is no run: it has no config\.json"):
        load(tmp_path)


def test_a_file_in_the_way_is_told(data: Path) -> None:
    with pytest.raises(UsageError, match="is a file"):
        train("sie", SETTINGS, TRAINER, data, data / "dataset.json")
