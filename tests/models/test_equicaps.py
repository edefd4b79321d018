"""EquiCaps: its poses move as told, it learns without collapse, and it resumes as if it had never stopped."""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from runs import assert_same_ending, read_metrics, train_until_killed
from torch import nn

import iebench
from iebench.cli.train import train_command
from iebench.dataset.reader import Dataset
from iebench.errors import UsageError
from iebench.factors.space import get_space
from iebench.factors.transforms import make_transform
from iebench.models import checkpoints
from iebench.models.method import Sizes
from iebench.models.method_equicaps import MOTIONS, Equicaps, EquicapsSettings
from iebench.models.registry import build_method
from iebench.models.settings import TrainerSettings
from iebench.models.training import train

pytestmark = pytest.mark.usefixtures("one_thread")
TRAINER = TrainerSettings(batch_size=16, precision="32", num_workers=0, log_every=1, validate_every=10)
transforms = pytest.mark.parametrize("transform", ["rotation", *MOTIONS])


def make_settings(transform: str = "rotation", **settings: object) -> EquicapsSettings:
    return EquicapsSettings(transform=transform, backbone="resnet18-narrow", capsules=8, **settings)


def make_method(transform: str) -> Equicaps:
    torch.manual_seed(0)
    backbone = nn.Sequential(nn.Conv2d(3, 6, 4, 4), nn.BatchNorm2d(6))
    return Equicaps(make_settings(transform), backbone, Sizes(6, 4 if transform == "rotation" else 7, 55, 8)).eval()


@transforms
def test_predictions_are_an_action_of_the_motions(transform: str) -> None:
    """Without a weight: one motion and then another is both at once, in the embedding as in the scene."""
    method, space = make_method(transform), get_space("3diebench-t")
    motion = make_transform(transform, space)
    views = [np.stack([space.sample(0, "a", str(index), 3)[view] for index in range(20)]) for view in range(3)]
    there, on = motion(views[0], views[1]), motion(views[1], views[2])
    whole, still = motion(views[0], views[2]), motion.identity(20).astype(np.float32)
    with torch.no_grad():
        images = torch.randint(0, 256, (20, 3, 8, 8), dtype=torch.uint8)
        embedding = method.embed_images(images)
        moved = method.predict(embedding, torch.from_numpy(there))
        twice = method.predict(torch.cat([embedding[:, :8], moved], dim=1), torch.from_numpy(on))
        close = {"rtol": 1e-5, "atol": 1e-5}
        torch.testing.assert_close(twice, method.predict(embedding, torch.from_numpy(whole)), **close)
        poses = embedding[:, method.embedding_parts["equivariant"]]
        torch.testing.assert_close(method.predict(embedding, torch.from_numpy(still)), poses, **close)
    torch.testing.assert_close(poses.unflatten(1, (8, -1)).norm(dim=2), torch.ones(20, 8))
    torch.testing.assert_close(embedding[:, method.embedding_parts["invariant"]].sum(dim=1), torch.ones(20))
    assert (moved - poses).abs().max() > 0.1
    assert method.represent(images).shape == (20, 6) and not method.parts


def test_activations_sum_to_one_in_half_precision() -> None:
    method = make_method("rotation")
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        embedding = method.embed_images(torch.randint(0, 256, (20, 3, 8, 8), dtype=torch.uint8))
    torch.testing.assert_close(embedding[:, :8].sum(dim=1), torch.ones(20))


@pytest.mark.usefixtures("unchecked")
def test_what_it_cannot_take_is_told(drawn_dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no --transform all: choose rotation, rotation\+displacement-object"):
        build_method("equicaps", make_settings("all"), 4, 55, 32)
    with pytest.raises(
        UsageError, match=r"no transform 'displacement-base' in factor space 3diebench: .*--space 3diebench-t, or"
    ):
        train("equicaps", make_settings(MOTIONS[1]), replace(TRAINER, batch_size=4), drawn_dataset, tmp_path / "run")
    with pytest.raises(UsageError, match=r"multiples of 32, not 48 x 48"):
        build_method("equicaps", EquicapsSettings(), 4, 55, 48)
    with pytest.raises(UsageError, match="images of 8 px, not 16 x 16: give --size 8"):
        make_method("rotation").embed_images(torch.zeros(2, 3, 16, 16, dtype=torch.uint8))
    help = CliRunner().invoke(train_command, ["equicaps", "--help"]).output
    assert "[rotation|rotation+displacement-object|rotation+displacement-base]" in "".join(help.split())


@pytest.mark.slow
@pytest.mark.parametrize("transform", ["rotation", MOTIONS[1]])
def test_it_learns_without_collapse(transform: str, make_dataset: Callable[..., Dataset], tmp_path: Path) -> None:
    data = make_dataset(size=48, space="3diebench-t", objects_per_class=10, num_views=8).root  # a map of 2 x 2
    train("equicaps", make_settings(transform), replace(TRAINER, steps=30), data, tmp_path / "run")
    rows = [row for row in read_metrics(tmp_path / "run") if row["train/loss"]]
    curves = {name: np.array([float(row[name]) for row in rows]) for name in rows[0] if name.startswith("train/")}
    assert curves["train/loss"][-10:].mean() < curves["train/loss"][:10].mean() - 0.1
    assert curves["train/equivariance"][-10:].mean() < 0.75 * curves["train/equivariance"][:10].mean()
    assert float(rows[-1]["spread/embedding"]) > 0.6 and float(rows[-1]["rank/representation"]) > 4

    found = iebench.evaluate(tmp_path / "run", data, tasks="retrieval,predictor", baselines="none", num_workers=0)
    assert found.get("retrieval/val-val/mrr") > 0.6  # of eight views, where chance is 0.34
    laws = found.details["predictor"]["group_laws"]
    assert max(abs(laws[name]) for name in ("identity", "inverse", "composition")) < 1e-5
    assert laws["prediction"] < 0.75 * laws["spread"]


@pytest.mark.slow
def test_it_is_killed_and_resumed_bitwise(make_dataset: Callable[..., Dataset], tmp_path: Path) -> None:
    data, settings = make_dataset(space="3diebench-t").root, make_settings(MOTIONS[1])
    trainer = replace(TRAINER, batch_size=4, steps=8, checkpoint_every=3, num_workers=1, validate_every=1)
    train("equicaps", settings, trainer, data, tmp_path / "whole")
    train_until_killed("equicaps", asdict(settings), trainer, data, tmp_path / "killed", step=5)
    assert checkpoints.load(tmp_path / "killed" / "last.ckpt")["step"] == 3
    train("equicaps", settings, trainer, data, tmp_path / "killed")
    assert_same_ending(tmp_path / "whole", tmp_path / "killed")
