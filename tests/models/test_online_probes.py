"""What is written down while a method trains: spread, correlation, probes, metrics."""

import csv
from pathlib import Path

import pytest
import torch

from iebench.loader.multiview import Views
from iebench.models.online_probes import OnlineProbes, collapse_metrics, score_rotation
from iebench.models.run_log import Averages, MetricsFile


def test_collapse_to_a_point_is_visible() -> None:
    scores = collapse_metrics("x", torch.ones(64, 16) + 1e-6 * torch.randn(64, 16))
    assert scores["spread/x"] < 1e-4


def test_collapse_to_a_line_is_visible() -> None:
    assert collapse_metrics("x", torch.randn(64, 1) * torch.randn(16))["correlation/x"] > 0.99


def test_uniform_directions_are_spread() -> None:
    torch.manual_seed(0)
    scores = collapse_metrics("x", torch.randn(4096, 16))
    assert scores["spread/x"] == pytest.approx(1, abs=0.02)
    assert scores["correlation/x"] < 0.05


def test_rotation_scores() -> None:
    torch.manual_seed(0)
    target = torch.nn.functional.normalize(torch.randn(100, 4), dim=1)
    assert score_rotation(target, target)["rotation_r2"] == pytest.approx(1)
    assert score_rotation(-2 * target, target)["rotation_degrees"] < 0.1  # q and -q are one rotation
    constant = target.mean(dim=0).expand(100, 4)
    assert score_rotation(constant, target)["rotation_r2"] == pytest.approx(0, abs=1e-5)


def test_components_that_do_not_vary_are_no_part_of_the_rotation_score() -> None:
    """As of a dataset whose objects turn about one axis; the evaluation leaves them out too."""
    torch.manual_seed(0)
    angle = torch.rand(200) * 6
    target = torch.stack([angle * 0, angle * 0, angle.sin(), angle.cos()], dim=1)
    score = score_rotation(target + 0.01 * torch.randn(200, 4), target)["rotation_r2"]
    assert score == pytest.approx(1 - 0.01**2 / 0.5, abs=1e-3)
    assert score_rotation(target, target[:1].expand(200, 4))["rotation_r2"].isnan()


PARTS = {"invariant": slice(0, 3), "equivariant": slice(3, 8)}


def make_views(num_views: int) -> Views:
    images = torch.zeros(6, num_views, 3, 4, 4, dtype=torch.uint8)
    label, index = torch.zeros(6, dtype=torch.int64), torch.zeros(6, num_views, dtype=torch.int64)
    latents = torch.zeros(6, num_views, 7, dtype=torch.float64)
    return Views(images, latents, torch.randn(6, num_views - 1, 6), label, label, index)


def test_every_probe_learns_from_the_first_two_views() -> None:
    probes = OnlineProbes(PARTS, 8, 5, slice(0, 4))
    predictions = probes(torch.randn(6, 3, 8))
    assert {name: logits.shape for name, logits in predictions.logits.items()} == dict.fromkeys(
        ("whole", "invariant", "equivariant"), (6, 5)
    )
    assert predictions.rotation.shape == (6, 4)
    probes.loss(predictions, make_views(3)).backward()
    assert all(parameter.grad is not None for parameter in probes.parameters())


def test_without_a_second_view_no_rotation_is_asked_for() -> None:
    probes, views = OnlineProbes(PARTS, 8, 5, None), make_views(1)
    predictions = probes(torch.randn(6, 1, 8))
    probes.loss(predictions, views).backward()
    assert all(parameter.grad is not None for parameter in probes.parameters())
    assert set(probes.scores(predictions, views.label, views.transforms)) == {
        "class_whole",
        "class_invariant",
        "class_equivariant",
    }


def test_new_metrics_widen_the_table(tmp_path: Path) -> None:
    file = MetricsFile(tmp_path / "metrics.csv")
    file.write(1, {"loss": 3.0})
    file.write(2, {"loss": 2.0, "val": 0.5})
    with (tmp_path / "metrics.csv").open(newline="") as text:
        rows = list(csv.DictReader(text))
    assert rows == [{"step": "1", "loss": "3.0", "val": ""}, {"step": "2", "loss": "2.0", "val": "0.5"}]


def test_rows_after_the_checkpoint_are_dropped(tmp_path: Path) -> None:
    file = MetricsFile(tmp_path / "metrics.csv")
    for step in range(5):
        file.write(step, {"loss": float(step)})
    assert [row["step"] for row in MetricsFile(tmp_path / "metrics.csv", step=2).read()] == ["0", "1", "2"]


def test_averages_start_anew() -> None:
    averages = Averages()
    for value in (1.0, 2.0):
        averages.add({"x": torch.tensor(value)})
    averages.add({"y": torch.tensor(5.0)})
    assert {name: value.item() for name, value in averages.take().items()} == {"x": 1.5, "y": 5.0}
    assert averages.take() == {}
