"""Every method of ours stands in the list, in the table of docs/methods.md, and on a card that is true."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import CliRunner

from iebench.cli.train import methods_command, train_command
from iebench.models.method import Entry
from iebench.models.predictors import PredictorSettings
from iebench.models.registry import METHODS
from iebench.models.settings import AllPairsSettings, Setting, TrainerSettings, list_settings

PAGE = (Path(__file__).parents[2] / "docs" / "methods.md").read_text(encoding="utf-8")
OURS = [name for name, entry in METHODS.items() if entry.method.__module__.startswith("iebench.models.")]
SHARED = {(field.name, field.default) for base in (PredictorSettings, AllPairsSettings) for field in fields(base)}
LABELS = ("Idea", "Loss", "Paper", "Settings", "Verified", "Departs", "Cost", "Command")


def card_of(name: str) -> str:
    cards = PAGE.partition("\n## Cards\n")[2]
    return cards.partition(f"\n### `{name}`\n")[2].partition("\n### ")[0]


def show(setting: Setting, value: object) -> str:
    """A setting with its default, as a card has it: `--variance-weight 10`, `--bias`, `--no-bias`, `--backbone-weights`."""
    if setting.kind is bool:
        return f"`{setting.option}`" if value else f"`--no-{setting.option[2:]}`"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return f"`{setting.option} {text}`" if text else f"`{setting.option}`"


def settings_of(entry: Entry) -> list[str]:
    """What is a method's own, with defaults: not what all have, and of the trainer only what differs."""
    own = [show(s, s.default) for s in list_settings(entry.settings) if (s.name, s.default) not in SHARED]
    plain = TrainerSettings()
    for setting in list_settings(TrainerSettings):
        value = getattr(entry.trainer, setting.name)
        own += [show(setting, value)] if value != getattr(plain, setting.name) else []
    return own


@pytest.mark.parametrize("name", OURS)
def test_a_method_has_a_row_and_a_card(name: str) -> None:
    entry, card = METHODS[name], card_of(name)
    row = re.search(rf"^\| `{name}` \|.*\| (yes)? ?\|$", PAGE.partition("\n## Cards\n")[0], re.MULTILINE)
    assert row, f"docs/methods.md has no row for {name}"
    assert (row[1] == "yes") == entry.predicts
    missing = [label for label in LABELS if f"\n- **{label}**" not in card]
    assert not missing, f"the card of {name} in docs/methods.md, under `## Cards`, lacks {missing}"
    assert f"`iebench train {name} " in card
    assert entry.paper is None or entry.paper.link in card


@pytest.mark.parametrize("name", OURS)
def test_a_card_has_the_settings_with_their_defaults(name: str) -> None:
    missing = [text for text in settings_of(METHODS[name]) if text not in card_of(name)]
    assert not missing, f"the card of {name} lacks {', '.join(missing)}"


def test_methods_are_listed_a_line_each() -> None:
    told = CliRunner().invoke(methods_command).output.partition("\n\n")[0].splitlines()
    lines = {line.split()[0]: line for line in told}
    assert list(lines) == list(METHODS)
    for name in OURS:
        entry, line = METHODS[name], lines[name]
        assert entry.summary and entry.summary in line
        assert (" predicts " in line.partition(entry.summary)[0]) == entry.predicts
        assert entry.paper is None or entry.paper.link in line


def test_a_method_s_help_names_its_paper() -> None:
    assert "https://arxiv.org/abs/2302.10283" in CliRunner().invoke(train_command, ["sie", "--help"]).output
