"""seq-JEPA and VICRegTraj on the real loop, and what holds of seq-JEPA's tokens, schedule and sets of views."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from runs import assert_same_ending, read_metrics, train_until_killed
from torch import nn

import iebench
from iebench.dataset.reader import Dataset
from iebench.errors import UsageError
from iebench.loader.multiview import MultiViewDataset, Views
from iebench.models import checkpoints
from iebench.models.method import METHODS, Sizes
from iebench.models.method_seqjepa import SeqJepa, SeqJepaSettings
from iebench.models.recipes import make_training
from iebench.models.settings import TrainerSettings
from iebench.models.training import train

pytestmark = pytest.mark.usefixtures("one_thread")
SMALL = {"observed": 2, "transform_width": 4, "layers": 1, "predictor_hidden": 16}


def make_method(**settings: object) -> SeqJepa:
    torch.manual_seed(0)
    backbone = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return SeqJepa(SeqJepaSettings(**{**SMALL, **settings}), backbone, Sizes(8, 4, 55))


def make_views(num_views: int) -> Views:
    torch.manual_seed(1)
    images = torch.randint(0, 256, (5, num_views, 3, 1, 1), dtype=torch.uint8).expand(-1, -1, -1, 8, 8)
    index = torch.zeros(5, dtype=torch.int64)
    latents, views = torch.zeros(5, num_views, 7, dtype=torch.float64), torch.zeros(5, num_views, dtype=torch.int64)
    return Views(images, latents, torch.randn(5, num_views - 1, 4), index, index, views)


@torch.no_grad()
def test_a_set_has_no_order_but_that_of_its_transforms() -> None:
    views = make_views(4)
    turned = views._replace(images=views.images.flip(1))
    untold, told = make_method(transforms_as="none").eval(), make_method().eval()
    nn.init.normal_(told.aggregator.token)  # of zeros, it would attend to all views alike in its only layer
    assert torch.allclose(untold.represent_set(views), untold.represent_set(turned), atol=1e-6)
    assert not torch.allclose(told.represent_set(views), told.represent_set(turned), atol=1e-3)


@torch.no_grad()
@pytest.mark.parametrize("told", ["embedded", "raw", "none"])
def test_a_prediction_is_made_from_a_set_of_one(told: str) -> None:
    method, views = make_method(transforms_as=told).eval(), make_views(2)
    alone = Views(
        views.images[:, :1], views.latents[:, :1], views.transforms[:, :0], *views[3:5], views.view_index[:, :1]
    )
    summed = method.represent_set(alone)
    known = {
        "embedded": method.transform_embedding(views.transforms[:, 0]),
        "raw": views.transforms[:, 0],
        "none": torch.zeros(5, 0),
    }
    expected = method.predictor(torch.cat([summed, known[told]], dim=1))
    assert torch.allclose(method.predict(method.represent(views.images[:, 0]), views.transforms[:, 0]), expected)


def test_the_learning_rate_of_paper_and_code() -> None:
    method, (_, paper) = make_method(), make_training("seqjepa")
    assert (paper.learning_rate, paper.weight_decay, paper.batch_size, paper.epochs) == (4e-4, 1e-3, 512, 1000)
    assert make_training("seqjepa", "seqjepa")[1] == replace(paper, size=128)
    assert make_training("byol", "seqjepa")[1].learning_rate == 1e-3
    code = replace(paper, schedule="constant")
    rates = {
        name: [method.learning_rate(trainer, step, 10, 1000) for step in (0, 100, 200, 600, 1000)]
        for name, trainer in {"paper": paper, "code": code}.items()
    }
    assert rates["paper"] == pytest.approx([1e-5, 2.05e-4, 4e-4, 2.05e-4, 1e-5])
    assert rates["code"] == pytest.approx([1e-5, 2.05e-4, 4e-4, 4e-4, 4e-4])


def test_heads_that_do_not_divide_a_token_are_told() -> None:
    with pytest.raises(UsageError, match=r"--heads 5 do not divide a token of 8 \+ 4 numbers"):
        make_method(heads=5)
    with pytest.raises(UsageError, match=r"a token of 8 \+ 0 numbers: take other --heads"):
        make_method(heads=3, transforms_as="none")
    assert make_method(heads=5, transforms_as="raw").told_width == 7  # zeros fill it up


TRAINER = TrainerSettings(
    steps=6, batch_size=4, precision="32", num_workers=1, log_every=1, checkpoint_every=3, validate_every=1, size=16
)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "settings"), [("seqjepa", SMALL), ("vicreg-traj", {"projector": "16-16"})])
def test_killed_and_resumed_bitwise(name: str, settings: dict, drawn_dataset: Path, tmp_path: Path) -> None:
    settings = {**settings, "backbone": "resnet18-narrow"}
    train(name, METHODS[name].settings(**settings), TRAINER, drawn_dataset, tmp_path / "whole")
    train_until_killed(name, settings, TRAINER, drawn_dataset, tmp_path / "killed", step=5)
    assert checkpoints.load(tmp_path / "killed" / "last.ckpt")["step"] == 3
    train(name, METHODS[name].settings(**settings), TRAINER, drawn_dataset, tmp_path / "killed")
    assert_same_ending(tmp_path / "whole", tmp_path / "killed")


@pytest.mark.slow
def test_it_learns_without_collapse_and_is_scored_from_sets(
    make_dataset: Callable[..., Dataset], tmp_path: Path
) -> None:
    data = make_dataset(classes="4", objects_per_class=20, num_views=4)
    settings, trainer = make_training("seqjepa", "mini", {"observed": 2, "layers": 1})
    short = {"steps": 60, "batch_size": 16, "warmup_epochs": 1, "validate_every": 100, "num_workers": 0, "log_every": 6}
    trainer = replace(trainer, precision="32", **short)
    train("seqjepa", settings, trainer, data.root, tmp_path / "run")

    rows = [row for row in read_metrics(tmp_path / "run") if row["train/loss"]]
    losses = [float(row["train/agreement"]) for row in rows]
    assert losses[-1] < 0.6 * losses[0]
    assert float(rows[-1]["rank/representation"]) > 8  # of 16 at most
    assert float(rows[-1]["spread/representation"]) > 0.5

    method = iebench.load(tmp_path / "run")
    assert int(method.target_network.bn1.num_batches_tracked) == 60  # its own statistics, in train mode
    views = MultiViewDataset(data, "val", num_views=3, anchor="previous").read_batch(torch.arange(4).numpy())
    with torch.no_grad():
        assert method.represent_set(views).shape == (4, 256 + 32)
    tasks = "classification-from-views,retrieval"
    results = iebench.evaluate(method, data, tasks=tasks, epochs=20, device="cpu", num_workers=0, baselines=())
    assert set(results.details["classification-from-views/top1"]) == {"mean", "set"}
    assert results.get("retrieval/val-val/mrr") > 0


@pytest.mark.slow
def test_a_trajectory_is_learned_without_collapse_and_straightened(
    make_dataset: Callable[..., Dataset], tmp_path: Path
) -> None:
    data = make_dataset(classes="4", objects_per_class=20, num_views=4).root
    settings = METHODS["vicreg-traj"].settings(backbone="resnet18-narrow", projector="64-8")
    bends = {}
    for weight in (0.01, 10.0):
        run = tmp_path / str(weight)
        trainer = replace(TRAINER, steps=60, batch_size=16, learning_rate=1e-3, log_every=6, validate_every=100)
        train("vicreg-traj", replace(settings, trajectory_weight=weight), trainer, data, run)
        rows = [row for row in read_metrics(run) if row["train/loss"]]
        losses = [float(row["train/loss"]) for row in rows]
        assert np.mean(losses[-3:]) < losses[0] - 0.5
        assert float(rows[-1]["rank/representation"]) > 5 and float(rows[-1]["spread/embedding"]) > 0.3
        bends[weight] = np.mean([float(row["train/trajectory"]) for row in rows[-3:]])
    assert bends[10.0] < 0.5 * bends[0.01]
