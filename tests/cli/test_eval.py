"""The commands, as a user gives them."""

import json

import pytest
from click.testing import CliRunner

from iebench.cli.eval import TASK_HELP, eval_command, report_command, table_command
from iebench.errors import IebenchError, UsageError
from iebench.evals.registry import TASKS

QUICK = ["--epochs", "1", "--workers", "0", "--device", "cpu"]


def invoke(command, *arguments):
    result = CliRunner().invoke(command, [str(argument) for argument in arguments], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "RUN or a --model"),
        (["nowhere", "--model", "resnet18"], "either the run nowhere or"),
        (["nowhere", "--backbone", "resnet18"], "nowhere is no run"),
        (["--backbone", "resnet18"], "by --model resnet18"),
        (["hf:./tiny"], "by --model hf:./tiny"),
        (["--model", "resnet18"], "--out"),
        (["nowhere"], "nowhere is no run"),
        (["runs/pushed@v1"], "runs/pushed@v1 is no run"),
        (["hf://org/small"], "hf://org/small needs --out"),
        (["hf://small", "--out", "o"], "hf://small is no address of the hub"),
        (["hf://datasets/org/small", "--out", "o"], "hf://datasets/org/small is no run"),
        (["--model", "resnet18", "--out", "o", "--tasks", "rotaton"], "'rotation'"),
        (["--model", "resnet18", "--out", "o", "--baselines", "constnt"], "'constant'"),
        (["--model", "resnet18", "--out", "o", "--device", "cuda:77"], "cuda:77"),
        (["--model", "resnet18", "--out", "o", "--pool", "mean"], "leave --pool out"),
        (["--model", "resnet19", "--out", "o"], "resnet19"),
        (["--model", "hf:./none", "--out", "o"], "hf:./none is no folder"),
        (["--model", "hf:", "--out", "o"], "hf: names no model"),
        (["--model", "hf:a/b", "--weights", "w", "--out", "o"], "brings its own weights"),
    ],
)
def test_wrong_usage_is_named(drawn_dataset, arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=words):
        invoke(eval_command, *arguments, "--data", drawn_dataset)


def test_a_damaged_file_of_results_is_named(tmp_path):
    (tmp_path / "results.json").write_text("{")
    with pytest.raises(IebenchError, match=r"results\.json is damaged"):
        invoke(table_command, tmp_path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "or give --published"),
        (["--published", "--protocol", "64 px"], "in no published row"),
        (["--published", "--metric", "rotaton"], "'rotation'"),
        (["--published", "--protocol", "table 10", "--metric", "pose"], "no row of this table"),
        (["run", "--protocol", "OOD"], "add --published"),
    ],
)
def test_wrong_usage_of_the_table_is_named(arguments, words):
    with pytest.raises(UsageError, match=words):
        invoke(table_command, *arguments)


def test_papers_are_listed_without_a_run():
    told = invoke(
        table_command, "--published", "--protocol", "256 px, table 11", "--metric", "rotation", "--format", "csv"
    )
    head, *lines = told.splitlines()
    assert head == 'method,"rotation R², uniform","rotation R², pooled, estimated",protocol'
    assert lines[0].startswith("SIE (rotation),0.721,≈ 0.78,") and len(lines) == 5


@pytest.mark.slow
def test_somebodys_backbone_is_evaluated_from_its_weights(drawn_dataset, tmp_path):
    import torch

    from iebench.models.backbones import build_backbone

    torch.manual_seed(3)
    torch.save(
        {f"module.backbone.{k}": v for k, v in build_backbone("resnet18").state_dict().items()}, tmp_path / "w.pth"
    )
    network = ["--model", "resnet18", "--weights", tmp_path / "w.pth", "--tasks", "classification,rotation"]
    output = invoke(eval_command, *network, "--data", drawn_dataset, "--out", tmp_path / "out", *QUICK)
    assert "rotation R², pooled" in output
    results = json.loads((tmp_path / "out/results.json").read_text())
    trained, fresh = results["scores"], results["baselines"]["random init"]
    assert trained["rotation/whole/r2_pooled"]["mean"] != fresh["rotation/whole/r2_pooled"]["mean"]
    assert set(results["baselines"]) == {"constant", "ground-truth latents", "random init"}


def test_results_are_not_put_into_a_dataset(drawn_dataset):
    with pytest.raises(UsageError, match="is a dataset: name another folder"):
        invoke(eval_command, "--model", "resnet18", "--data", drawn_dataset, "--out", drawn_dataset)


@pytest.mark.slow
def test_from_a_run_to_its_report(drawn_dataset, tmp_path):
    from iebench.models.registry import find_method
    from iebench.models.settings import TrainerSettings
    from iebench.models.training import train

    settings = find_method("sie").settings(projector="32-32")
    trainer = TrainerSettings(steps=2, batch_size=8, num_workers=0, precision="32", accelerator="cpu", log_every=1)
    train("sie", settings, trainer, drawn_dataset, tmp_path / "sie")
    output = invoke(eval_command, tmp_path / "sie", "--data", drawn_dataset, "--ood", drawn_dataset, *QUICK)
    for words in ("sie (rotation)", "invariant part", "MRR", "constant", "ground-truth latents", "random init"):
        assert words in output
    first = (tmp_path / "sie/results.json").read_text()
    assert invoke(table_command, tmp_path / "sie", "--published", "--format", "markdown").count("|\n") > 20
    invoke(report_command, tmp_path / "sie", "-o", tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    for section in ("training", "what-each-part-knows-of-each-factor", "error-by-angle", "gallery", "settings"):
        assert f'<section id="{section}">' in page
    anew = [*QUICK, "--workers", "1", "--cache", tmp_path / "anew"]
    invoke(eval_command, tmp_path / "sie", "--data", drawn_dataset, "--ood", drawn_dataset, *anew)
    assert (tmp_path / "sie/results.json").read_text() == first


def test_help_names_every_task():
    assert sorted(TASK_HELP.split(", ")) == sorted(TASKS)
