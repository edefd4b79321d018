"""Names of others do nothing to the terminal or the table in which a command shows them."""

import csv
import io
import json
import sys

import pytest
from click.testing import CliRunner

from iebench.cli import main as command_line
from iebench.cli.main import cli
from iebench.dataset.card import CARD

EVIL = "\x1b]52;c;cm0gLXJm\x07=cmd|' /C calc'!A0\x9b31m\u202e\\input{x}<script>alert(1)</script>|\n$x$"
SCORES = {"classification/whole/top1": {"values": [0.5], "low": None, "high": None}}


@pytest.fixture
def results(tmp_path):
    """Results in which every name is hostile."""
    value = {
        "format": 2,
        "name": EVIL,
        "method": EVIL,
        "training": {"method_settings": {"backbone": EVIL, "transform": EVIL}},
        "data": {"name": EVIL},
        "protocol": {"probes": {"epochs": 3}, "seeds": [0]},
        "versions": {},
        "parts": {},
        "scores": SCORES | {"own/x": SCORES["classification/whole/top1"]},
        "baselines": {"constant": SCORES},
        "details": {"own/by_class": {EVIL: 0.5}},
        "columns": [{"title": EVIL, "key": "own/x", "unit": EVIL}],
        "figures": [{"section": EVIL, "key": "own/by_class", "kind": "classes", "caption": EVIL, "dashed": []}],
    }
    (tmp_path / "results.json").write_text(json.dumps(value))
    return tmp_path / "results.json"


@pytest.mark.parametrize("form", ["text", "markdown", "latex", "csv"])
def test_a_table_of_hostile_names_is_a_table(results, form):
    done = CliRunner().invoke(cli, ["table", str(results), "--format", form])
    assert done.exit_code == 0, done.exception
    assert done.output.replace("\n", "").isprintable() and "alert(1)" in done.output
    if form == "csv":
        assert {len(row) for row in csv.reader(io.StringIO(done.output))} == {4}
        assert not [cell for row in csv.reader(io.StringIO(done.output)) for cell in row if cell.startswith("=")]
    if form == "markdown":
        assert "<script" not in done.output
    if form == "latex":
        assert "\\input" not in done.output and "$x$" not in done.output


def test_a_page_of_hostile_names_has_no_script(results, tmp_path):
    done = CliRunner().invoke(cli, ["report", str(results), "-o", str(tmp_path / "page.html")])
    assert done.exit_code == 0, done.exception
    assert "<script>alert" not in (tmp_path / "page.html").read_text()


def test_info_of_a_hostile_card_is_text(make_dataset):
    root = make_dataset().root
    value = json.loads((root / CARD).read_text())
    value["name"] = value["quality"] = EVIL
    (root / CARD).write_text(json.dumps(value))
    done = CliRunner().invoke(cli, ["info", str(root)])
    assert done.exit_code == 0 and done.output.replace("\n", "").isprintable()


ERRORS = {
    "memory": (MemoryError(), "not enough memory"),
    "files": (OSError(24, "Too many open files", "/data/train-000000.tar"), "ulimit -n"),
    "escape": (OSError(5, "Input/output error", "/data/\x1b[2J"), "\\x1b[2J"),
    "unforeseen": (KeyError("\x1b[2J"), "KeyError"),
}


@pytest.mark.parametrize(("error", "words"), ERRORS.values(), ids=ERRORS)
def test_an_error_is_one_sentence_that_says_the_mend(monkeypatch, capsys, error, words):
    def fail(**_):
        raise error

    monkeypatch.setattr(command_line.cli, "main", fail)
    monkeypatch.setattr(command_line.signal, "signal", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["iebench"])
    with pytest.raises(SystemExit) as stop:
        command_line.main()
    told = capsys.readouterr().err
    assert stop.value.code == 1 and words in told and "restore" not in told and told.strip().isprintable()
