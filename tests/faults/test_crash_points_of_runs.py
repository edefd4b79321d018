"""Whatever call fails, or kills the process, in a training or an evaluation: the repeated one ends as if nothing had been."""

from dataclasses import replace

import pytest
import torch
from crash_points import check_every_point, read_folder
from drawn_work import score
from runs import read_metrics

from iebench.evals import representations
from iebench.models import checkpoints
from iebench.models.method_vicreg import VicregSettings
from iebench.models.settings import TrainerSettings
from iebench.models.training import train
from iebench.report.page import write_report

pytestmark = pytest.mark.slow


@pytest.fixture
def data(make_dataset):
    return make_dataset("data", classes="2", objects_per_class=5, num_views=2, size=16).root


def test_eval_and_report(data, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(representations, "BLOCK", 1)  # so that a split of 16 views is noted in two steps

    def look(folder):
        return {name: content for name, content in read_folder(folder).items() if not name.endswith(".lock")}

    count = check_every_point(tmp_path / "eval", lambda folder: score(data, folder / "out"), look)
    with capsys.disabled():
        print(f"\neval: {count} crash points, all recovered")
    results = tmp_path / "eval" / "clean" / "out"
    page = lambda folder: write_report([results], folder / "page.html", plots=folder / "plots")  # noqa: E731
    count = check_every_point(tmp_path / "report", page, look)
    with capsys.disabled():
        print(f"report: {count} crash points, all recovered")


def test_train(data, tmp_path, capsys):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so that a process can be forked
    trainer = TrainerSettings(steps=3, batch_size=4, size=16, num_workers=0, precision="32", accelerator="cpu")
    trainer = replace(trainer, checkpoint_every=2, log_every=2)
    settings = VicregSettings(projector="8-8", backbone="crash_backbone:MeanColor")

    def look(folder):
        rows = [(row["step"], row["train/loss"], row["probe/class_whole"]) for row in read_metrics(folder / "out")]
        module = checkpoints.load(folder / "out" / "last.ckpt")["module"]
        names = sorted(name for name in read_folder(folder, but=("tensorboard",)) if not name.endswith(".lock"))
        return rows, names, {name: value.numpy().tobytes() for name, value in module.items()}

    try:
        count = check_every_point(
            tmp_path, lambda folder: train("vicreg", settings, trainer, data, folder / "out"), look
        )
    finally:
        torch.set_num_threads(threads)
    with capsys.disabled():
        print(f"\ntrain: {count} crash points, all recovered")
