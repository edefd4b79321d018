"""The Lightning callback, in trainings by the real Lightning."""

import csv
import pickle
import re

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import EarlyStopping
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.strategies import SingleDeviceStrategy
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

import iebench
from iebench.callbacks import ScoreOnIebench
from iebench.errors import IebenchError, UsageError
from iebench.loader.views import ViewDataset

CLASS = "iebench/classification/whole/top1"
pytestmark = pytest.mark.usefixtures("one_thread")


class Classifier(pl.LightningModule):
    """A network that learns classes, with statistics, dropout and noise, through which others could disturb it."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        layers = (nn.Flatten(), nn.Linear(3 * 8 * 8, 2), nn.BatchNorm1d(2), nn.Dropout(0.1))
        self.backbone = nn.Sequential(nn.AdaptiveAvgPool2d(8), *layers)
        self.head = nn.Linear(2, 55)

    def training_step(self, views, _):
        images = views.image.float() / 255 + 0.01 * torch.randn(1) + 0.01 * np.random.normal()
        assert all(module.training for module in self.modules())
        return F.cross_entropy(self.head(self.backbone(images)), views.label)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=0.02)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    from drawing import write_dataset

    return write_dataset(tmp_path_factory.mktemp("callbacks") / "drawn", objects_per_class=12)


def train(data, module, folder, *callbacks, epochs=2, **settings):
    torch.manual_seed(1)
    np.random.seed(1)
    silent = {"enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False}
    settings = {"logger": CSVLogger(folder), "log_every_n_steps": 1, "devices": 1, **silent, **settings}
    trainer = pl.Trainer(max_epochs=epochs, accelerator="cpu", callbacks=list(callbacks), **settings)
    trainer.fit(module, DataLoader(ViewDataset(data), batch_size=32, shuffle=True))
    return trainer


def small(data, **settings):
    return ScoreOnIebench(data, normalise="unit", **{"epochs": 3, "max_objects": 12, **settings})


def test_a_training_is_bitwise_what_it_is_without(data, tmp_path):
    alone, scored = Classifier(), Classifier()
    train(data, alone, tmp_path / "alone")
    train(data, scored, tmp_path / "scored", small(data))
    for (name, value), other in zip(alone.state_dict().items(), scored.state_dict().values(), strict=True):
        assert torch.equal(value, other), name


@pytest.mark.slow
def test_scores_come_to_the_loggers_and_to_what_monitors_them(data, tmp_path):
    """Every second epoch and the last, without a validation loop; `strict` stops where a name is missing."""
    watching = EarlyStopping(CLASS, mode="max", patience=9, check_on_train_epoch_end=True)
    callback = small(data, every_n_epochs=2)
    trainer = train(data, Classifier(), tmp_path, callback, epochs=3, logger=CSVLogger(tmp_path))
    with (tmp_path / "lightning_logs" / "version_0" / "metrics.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row[CLASS]]
    assert [row["epoch"] for row in rows] == ["1", "2"]
    told = callback.score(trainer.lightning_module.backbone)
    assert {key: f"{value:.4f}" for key, value in told.items()} == {
        key.removeprefix("iebench/"): f"{float(value):.4f}" for key, value in rows[-1].items() if "iebench/" in key
    }
    train(data, Classifier(), tmp_path, small(data), watching, epochs=2)
    assert watching.best_score is not None and watching.best_score > 0


@pytest.mark.slow
def test_a_network_that_learns_gets_a_higher_score(data, tmp_path):
    module, callback = Classifier(), small(data, every_n_epochs=30, max_objects=None, tasks="knn")
    before = callback.score(module.backbone)["knn/whole/top1"]
    trainer = train(data, module, tmp_path, callback, epochs=30)
    assert trainer.callback_metrics["iebench/knn/whole/top1"] > before + 0.2


@pytest.mark.slow
def test_scores_are_those_of_an_evaluation(data):
    module = Classifier().backbone
    callback = small(data, epochs=2, max_objects=None)
    told = callback.score(module)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):  # as in a validation step
        assert callback.score(module) == told
    tasks = ("classification", "rotation")
    results = iebench.evaluate(module, data, tasks=tasks, normalise="unit", epochs=2, baselines="none", num_workers=0)
    assert told and all(results.get(key) == value for key, value in told.items())


def test_a_few_objects_are_spread_over_the_split(data):
    chosen = data.split_indices("train", 12)
    assert len(chosen) == 12 and set(chosen) < set(data.split_indices("train"))
    assert np.ptp(np.diff(np.searchsorted(data.split_indices("train"), chosen))) <= 1
    assert np.array_equal(data.split_indices("val", 10**6), data.split_indices("val"))
    assert torch.equal(
        ViewDataset(data, max_objects=12)[5].image, ViewDataset(data, "all")[int(chosen[1]) * 4 + 1].image
    )


class Wrong(nn.Module):
    def forward(self, images):
        return torch.full((len(images), 2), torch.nan)


REFUSED = {
    "network": ({"network": "encoder"}, "The module has no part 'encoder': network= is one of backbone, head."),
    "function": ({"network": lambda module: module.backbone.forward}, "network= gives a method"),
    "task": ({"tasks": ("classification", "predictor")}, "Dataset or network lack what predictor needs"),
    "finite": ({"network": lambda _: Wrong()}, "finite"),
}


@pytest.mark.parametrize(("settings", "told"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_told_before_the_first_epoch(data, tmp_path, settings, told):
    with pytest.raises(IebenchError, match=re.escape(told)):
        train(data, Classifier(), tmp_path, small(data, every_n_epochs=100, **settings))


@pytest.mark.parametrize(
    "settings", [{"every_n_epochs": 0}, {"max_objects": 0}, {"tasks": "clasification"}, {"pool": "x"}]
)
def test_arguments_that_mean_nothing_are_refused(data, settings):
    with pytest.raises(UsageError):
        ScoreOnIebench(data, **settings)


@pytest.mark.slow
def test_all_tasks_run_in_the_trial(data, tmp_path):
    trainer = train(data, Classifier(), tmp_path, small(data, tasks="all"), epochs=1)
    assert {name.split("/")[1] for name in trainer.callback_metrics} >= {
        "classification",
        "color",
        "equivariance",
        "knn",
    }


class Counted(ScoreOnIebench):
    """Notes which processes score."""

    def __init__(self, folder, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.folder = folder

    def score(self, network):
        (self.folder / f"rank-{torch.distributed.get_rank()}").touch()
        return super().score(network)


@pytest.mark.slow
def test_one_of_several_processes_scores_and_all_know(data, tmp_path, monkeypatch):
    """What monitors a score stops with an error in each process that does not know it."""
    monkeypatch.setenv("MASTER_PORT", "")
    monkeypatch.delenv("MASTER_PORT")  # Lightning sets it, and no later test is to meet at that port
    scored = Counted(tmp_path, data, normalise="unit", epochs=2, max_objects=12)
    watching = EarlyStopping(CLASS, mode="max", check_on_train_epoch_end=True)
    settings = {"devices": 2, "strategy": "ddp_fork", "logger": False}
    trainer = train(data, Classifier(), tmp_path, pickle.loads(pickle.dumps(scored)), watching, **settings)
    assert CLASS in trainer.callback_metrics
    assert [path.name for path in tmp_path.glob("rank-*")] == ["rank-0"]


class FSDPStrategyInName(SingleDeviceStrategy):
    """Stands for one that needs GPUs."""


def test_a_divided_network_is_refused(data, tmp_path):
    with pytest.raises(UsageError, match="FSDPStrategyInName divides the network"):
        train(data, Classifier(), tmp_path, small(data), strategy=FSDPStrategyInName("cpu"))
