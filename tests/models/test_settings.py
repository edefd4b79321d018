"""Settings become options, and unknown or impossible ones are told."""

import json
import math
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pytest
from click.testing import CliRunner
from torch import nn

from iebench.cli.eval import eval_command
from iebench.cli.train import make_command, train_command
from iebench.errors import IebenchError, UsageError
from iebench.evals.series import MAY_DIFFER
from iebench.models import precision
from iebench.models.backbones import RESNETS
from iebench.models.heads import parse_sizes
from iebench.models.method import Method, Sizes
from iebench.models.method_sie import Sie, SieSettings
from iebench.models.precision import choose_precision
from iebench.models.recipes import make_training
from iebench.models.registry import METHODS
from iebench.models.settings import (
    BACKBONES,
    TrainerSettings,
    list_settings,
    make_settings,
    setting,
    settings_to_json,
)

RESULTS = Path(__file__).parents[2] / "results" / "mini"


@dataclass(frozen=True)
class Example:
    count: int = setting(3, "How many.", changes_results=False, minimum=1)
    kind: Literal["a", "b"] = setting("a", "Which.")


def test_fields_are_listed() -> None:
    count, kind = list_settings(Example)
    assert (count.option, count.kind, count.default, count.changes_results) == ("--count", int, 3, False)
    assert (kind.kind, kind.choices) == (str, ("a", "b"))


@pytest.mark.parametrize("name", METHODS)
def test_every_setting_is_an_option_with_help(name: str) -> None:
    options = {option.name: option for option in make_command(name).params}
    for defaults in (METHODS[name].settings(), METHODS[name].trainer):
        for entry in list_settings(type(defaults)):
            assert options[entry.name].default == getattr(defaults, entry.name)
            assert entry.help.endswith(".")


@pytest.mark.parametrize(
    ("method", "given", "message"),
    [
        ("sie", {"learning_rate": math.nan}, "--learning-rate nan is no number that training can use"),
        ("sie", {"equivariance_weight": math.inf}, "--equivariance-weight inf is no number"),
        ("sie", {"seed": 2**63}, "--seed 9223372036854775808 does not fit in 64 bits"),
        ("simclr", {"temperature": 0.0}, "--temperature 0.0 is less than 0.0001"),
        ("contextssl", {"temperature": 0.0}, "--temperature 0.0 is less than 0.0001"),
    ],
)
def test_numbers_that_end_in_no_training_are_refused(method: str, given: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_training(method, "mini", given)


@pytest.mark.parametrize("method", ["sie", "vicreg", "byol", "equimod", "simclr-equivariant"])
def test_a_projector_has_a_layer(method: str) -> None:
    backbone = nn.Sequential(nn.Flatten(), nn.Linear(12, 8))
    with pytest.raises(UsageError, match="--projector has no layer"):
        METHODS[method].method(METHODS[method].settings(projector=""), backbone, Sizes(8, 4, 5, 2))


def test_defaults_are_the_papers() -> None:
    sie, trainer = SieSettings(), TrainerSettings()
    assert (sie.invariance_weight, sie.equivariance_weight, sie.variance_weight, sie.covariance_weight) == (
        10,
        4.5,
        10,
        1,
    )
    assert (sie.prediction_variance_weight, sie.projector) == (10, "1024-1024-1024")
    assert (trainer.batch_size, trainer.epochs, trainer.learning_rate, trainer.weight_decay) == (1024, 2000, 1e-3, 1e-6)


def test_a_near_option_and_method_are_suggested() -> None:
    result = CliRunner().invoke(train_command, ["sie", "--data", "x", "--batchsize", "3"])
    assert result.exit_code == 2
    assert "--batch-size" in result.output
    with pytest.raises(UsageError, match="did you mean 'vicreg'"):
        CliRunner().invoke(train_command, ["vicregg"], catch_exceptions=False)


def test_runs_of_one_row_may_differ_in_whatever_changes_no_result() -> None:
    assert set(MAY_DIFFER) == {"seed"} | {s.name for s in list_settings(TrainerSettings) if not s.changes_results}


def test_impossible_settings_are_told() -> None:
    with pytest.raises(UsageError, match="--steps -1"):
        TrainerSettings(steps=-1)
    with pytest.raises(UsageError, match="--learning-rate nan"):
        TrainerSettings(learning_rate=float("nan"))
    for name, values, words in (
        ("seqjepa", {"momentum": 1.5}, r"--momentum 1\.5 is more than 1\."),
        ("byol", {"momentum": 2.0}, r"--momentum 2\.0 is more than 1\."),
        ("seqjepa", {"dropout": 1.0}, r"--dropout 1\.0 is more than 0\.99"),
    ):
        with pytest.raises(UsageError, match=words):
            make_training(name, given=values)
    with pytest.raises(UsageError, match="Layer sizes '64-x'"):
        parse_sizes("64-x")
    with pytest.raises(IebenchError, match=r"does not know \(colour\): install the iebench that wrote it \(9\.1\)"):
        make_settings(Example, {"colour": 3}, "run.json", "9.1")


def test_the_help_of_backbone_names_each_one_and_no_other() -> None:
    assert sorted(re.findall(r"resnet[\w-]+", BACKBONES)) == sorted(RESNETS)
    for option in (*make_command("equicaps").params, *make_command("sie").params):
        assert option.name != "backbone" or BACKBONES in option.help
    assert BACKBONES in next(option.help for option in eval_command.params if option.name == "model")


def test_missing_out_is_told() -> None:
    with pytest.raises(UsageError, match="--out is missing"):
        CliRunner().invoke(train_command, ["sie", "--data", "x"], catch_exceptions=False)


@pytest.mark.parametrize(("flags", "expected"), [("fpu avx512_bf16", "bf16"), ("fpu amx_bf16", "bf16"), ("avx2", "32")])
def test_precision_follows_the_cpu(flags: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cpuinfo").write_text(f"flags\t\t: {flags}\n")
    monkeypatch.setattr(precision, "CPU_FLAGS", tmp_path / "cpuinfo")
    assert choose_precision("auto", "cpu") == expected
    assert choose_precision("32", "cpu") == "32"


@pytest.fixture
def method() -> Method:
    return Sie(SieSettings(projector="8-8"), nn.Identity(), Sizes(8, 4, 55))


def test_cosine_schedule(method: Method) -> None:
    trainer = TrainerSettings(schedule="cosine", warmup_epochs=2, learning_rate=1.0)
    rates = [method.learning_rate(trainer, step, steps_per_epoch=5, num_steps=110) for step in range(110)]
    assert rates[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert rates[60] == pytest.approx(0.5)
    assert rates[109] < 1e-3
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert method.learning_rate(TrainerSettings(), 77, 5, 100) == 1e-3
    in_steps = TrainerSettings(schedule="cosine", warmup_epochs=7, warmup_steps=10, learning_rate=1.0)
    assert rates == [method.learning_rate(in_steps, step, steps_per_epoch=3, num_steps=110) for step in range(110)]


def test_cosine_schedule_is_bitwise_the_formula(method: Method) -> None:
    trainer = TrainerSettings(schedule="cosine", warmup_epochs=3, learning_rate=7e-4)
    for step in range(101):
        warm = trainer.learning_rate * (step + 1) / 21
        cosine = trainer.learning_rate * (1 + math.cos(math.pi * ((step - 21) / 80))) / 2
        assert method.learning_rate(trainer, step, 7, 101) == (warm if step < 21 else cosine)


@pytest.mark.parametrize("method", ["sie", "vicreg", "supervised"])
def test_runs_of_before_have_the_settings_of_today(method: str) -> None:
    """What was added since is not written down at its default, so that measured rows and new seeds are one row of the table."""
    before = json.loads((RESULTS / f"{method}-0" / "config.json").read_text())
    settings, trainer = make_training(method, "mini")
    assert settings_to_json(settings) == before["method_settings"]
    assert settings_to_json(replace(trainer, precision=before["trainer"]["precision"])) == before["trainer"]
    assert settings_to_json(replace(trainer, warmup_steps=7))["warmup_steps"] == 7
