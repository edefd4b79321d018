"""Methods of others train on the real loop: views from the previous anchor, optimiser and schedule of their own, the map."""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from runs import assert_same_ending, read_metrics, train_until_killed

from iebench import MultiViewDataset, load
from iebench.cli.train import train_command
from iebench.errors import IebenchError, UsageError
from iebench.models import checkpoints
from iebench.models.registry import build_method, find_method
from iebench.models.runs import read_config
from iebench.models.settings import TrainerSettings
from iebench.models.training import train

pytestmark = pytest.mark.usefixtures("one_thread")
PACKAGE = "own_package.methods"
TRAINER = TrainerSettings(
    steps=10, batch_size=4, precision="32", num_workers=1, log_every=1, checkpoint_every=3, validate_every=1
)


@pytest.fixture(scope="module", autouse=True)
def own_package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The methods in a package outside of the project."""
    root = tmp_path_factory.mktemp("elsewhere")
    (root / "own_package").mkdir()
    (root / "own_package" / "__init__.py").touch()
    text = (Path(__file__).parent / "methods_of_others.py").read_text()
    (root / "own_package" / "methods.py").write_text(text)
    sys.path.insert(0, str(root))
    yield root
    sys.path.remove(str(root))


def train_own(name: str, trainer: TrainerSettings, data: Path, out: Path, **settings: object) -> None:
    entry = find_method(f"{PACKAGE}:{name}")
    train(f"{PACKAGE}:{name}", entry.settings(backbone="resnet18-narrow", **settings), trainer, data, out)


def test_a_method_of_a_package_is_found_with_its_own_defaults() -> None:
    entry = find_method(f"{PACKAGE}:Sequence")
    assert entry.trainer.learning_rate == 4e-4
    help = CliRunner().invoke(train_command, [f"{PACKAGE}:Sequence", "--help"]).output
    for part in ("--observed", "an EMA target network", "0.0004"):
        assert part in help


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("own_package.methods:NotRegistered", "@register"),
        ("own_package.methods:map_backbone", "no class that derives"),
        ("own_package.methods:Sequenze", "Sequenze"),
        ("own_package.nothing:Sequence", r"own_package\.nothing"),
    ],
)
def test_what_is_no_method_is_told(name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        find_method(name)


def test_a_name_that_is_taken_is_told() -> None:
    from iebench.models.method import register
    from iebench.models.settings import MethodSettings

    find_method(f"{PACKAGE}:Sequence")
    with pytest.raises(UsageError, match="There is a method 'sie' already"):
        register("sie", MethodSettings)(find_method(f"{PACKAGE}:Sequence").method)


@pytest.mark.slow
def test_a_sequence_is_killed_and_resumed_bitwise(drawn_dataset: Path, tmp_path: Path) -> None:
    train_own("Sequence", TRAINER, drawn_dataset, tmp_path / "whole")
    steps = [row for row in read_metrics(tmp_path / "whole") if row["train/distance"]]
    assert [int(row["step"]) for row in steps] == list(range(1, 11))
    assert {"probe/class_equivariant", "probe/rotation_r2", "spread/embedding"} <= set(steps[0])

    train_until_killed(
        f"{PACKAGE}:Sequence", {"backbone": "resnet18-narrow"}, TRAINER, drawn_dataset, tmp_path / "killed", 8
    )
    assert checkpoints.load(tmp_path / "killed" / "last.ckpt")["step"] == 6
    train_own("Sequence", TRAINER, drawn_dataset, tmp_path / "killed")

    assert_same_ending(tmp_path / "whole", tmp_path / "killed")
    first, second = (checkpoints.load(tmp_path / run / "last.ckpt") for run in ("whole", "killed"))
    assert first["loader"] == second["loader"]


@pytest.mark.slow
def test_optimiser_schedule_and_target_network_are_the_methods_own(drawn_dataset: Path, tmp_path: Path) -> None:
    trainer = replace(TRAINER, num_workers=0, learning_rate=1e-3)
    train_own("Sequence", trainer, drawn_dataset, tmp_path / "run", observed=3)
    config = read_config(tmp_path / "run", trust=True)
    assert config.method == f"{PACKAGE}:Sequence"
    assert config.image_size == 32
    rates = [float(row["learning_rate"]) for row in read_metrics(tmp_path / "run") if row["learning_rate"]]
    assert rates[0] == pytest.approx(1e-5)
    assert rates[3] == pytest.approx(1e-3)  # after the three steps of an epoch
    assert rates == sorted(rates[:3]) + sorted(rates[3:], reverse=True)
    groups = checkpoints.load(tmp_path / "run" / "last.ckpt")["optimizer"]["param_groups"]
    assert [group["is_probe"] for group in groups] == [False, False, True]
    assert [group["weight_decay"] for group in groups] == [trainer.weight_decay, 0.0, 0]
    assert groups[1]["lr"] == pytest.approx(0.1 * groups[0]["lr"])

    method = load(tmp_path / "run", trust=True)
    states = [network.state_dict() for network in (method.backbone, method.target_network)]
    assert not torch.equal(states[0]["conv1.weight"], states[1]["conv1.weight"])
    assert int(states[1]["bn1.num_batches_tracked"]) == 10  # it stays in train mode
    assert method.first_seen.float().mean() > 0

    views = MultiViewDataset(drawn_dataset, "val", num_views=4, anchor="previous").read_batch(np.arange(3))
    with torch.no_grad():
        assert method.represent_set(views).shape == (3, 264)
        embedding = method.embed_images(views.images[:, 0])
        assert method.predict(embedding, views.transforms[:, 0]).shape == (3, 256)


@pytest.mark.slow
def test_one_encoded_view_has_no_online_rotation(drawn_dataset: Path, tmp_path: Path) -> None:
    train_own("Sequence", replace(TRAINER, steps=2, num_workers=0), drawn_dataset, tmp_path / "run", observed=1)
    columns = set(read_metrics(tmp_path / "run")[0])
    assert "val/class_whole" in columns
    assert not [name for name in columns if "rotation" in name]


@pytest.mark.slow
def test_a_method_on_the_map(drawn_dataset: Path, tmp_path: Path) -> None:
    train_own("OnTheMap", replace(TRAINER, steps=3, num_workers=0), drawn_dataset, tmp_path / "run")
    method = load(tmp_path / "run", trust=True)
    images = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    with torch.no_grad():
        assert method.encode(images).shape == (2, 256, 1, 1)
        assert method.represent(images).shape == (2, 256)
        assert method.embed_images(images).shape == (2, 9)


def test_a_backbone_of_ones_own_must_give_the_map() -> None:
    entry = find_method(f"{PACKAGE}:OnTheMap")
    own = build_method(f"{PACKAGE}:OnTheMap", entry.settings(backbone=f"{PACKAGE}:map_backbone"), 4, 55, 64)
    assert own.sizes.representation == 6
    with pytest.raises(UsageError, match=r"must give \(1, width\)"):
        build_method("vicreg", find_method("vicreg").settings(backbone=f"{PACKAGE}:map_backbone"), 4, 55)


@pytest.mark.slow
@pytest.mark.parametrize(("log_every", "found"), [(1, 5), (100, 6)])
def test_a_loss_that_is_not_finite_leaves_the_last_checkpoint(
    log_every: int, found: int, drawn_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    method, taken = find_method(f"{PACKAGE}:Sequence").method, []
    plain = method.forward

    def break_fifth(self: torch.nn.Module, views: tuple) -> object:
        output = plain(self, views)
        taken.append(1)
        term = output.terms["distance"] / (0 if len(taken) == 5 else 1)
        return output._replace(loss=output.loss + 0 * term, terms={"fine": output.loss, "distance": term})

    monkeypatch.setattr(method, "forward", break_fifth)
    trainer = replace(TRAINER, log_every=log_every, validate_every=100)
    with pytest.raises(IebenchError, match="Step 5: distance is inf"):
        train_own("Sequence", trainer, drawn_dataset, tmp_path / "run")
    assert not multiprocessing.active_children()
    assert len(taken) == found  # where metrics are written, or a checkpoint is due
    content = checkpoints.load(tmp_path / "run" / "last.ckpt")
    assert content["step"] == 3
    assert all(torch.isfinite(value).all() for value in content["module"].values() if value.is_floating_point())


@pytest.mark.slow
def test_the_example_of_the_docs_trains(own_package: Path, drawn_dataset: Path, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "methods.md").read_text(encoding="utf-8")
    example = page.partition("```python\n")[2].partition("```")[0]
    (own_package / "own_package" / "steps.py").write_text(example)
    command = [sys.executable, "-m", "iebench", "train", "own_package.steps:Steps", "--data", str(drawn_dataset)]
    command += ["--out", str(tmp_path / "run"), "--backbone", "resnet18-narrow", "--batch-size", "4", "--steps", "3"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run([*command, "--num-workers", "0"], env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert float(read_metrics(tmp_path / "run")[0]["train/step"]) > 0
