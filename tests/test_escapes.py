"""Names of others do nothing where they are shown."""

import csv
import io

import pytest

from iebench.escapes import csv_cell, for_terminal, latex_cell, markdown_cell, printable

# Clipboard (OSC 52), title, colors, clear screen, C1's CSI, a carriage return, a bell, text turned around, a hidden letter.
OBEYED = [
    "\x1b]52;c;cm0gLXJm\x07",
    "\x1b]0;x\x07",
    "\x1b[31mred",
    "\x1b[2J",
    "\x9b31m",
    "ok\rnot",
    "\a",
    "\u202egpj",
    "a\u200bb",
]
FORMULAS = ["=cmd|' /C calc'!A0", "+1+cmd", "-2+3+cmd|' /C calc'!A0", "@SUM(1)", "\t=1", "\r=1", "%0A=1", "|calc"]


@pytest.mark.parametrize("text", OBEYED)
def test_nothing_that_a_terminal_obeys_is_left(text):
    for shown in (for_terminal(text), printable(text)):
        assert shown.isprintable() and shown.isascii()


def test_lines_stay_lines_on_a_terminal_and_a_name_stays_on_one():
    assert for_terminal("a\tb\nc é 桌 ²") == "a\tb\nc é 桌 ²"
    assert printable("a\tb\nc é") == "a\\x09b\\x0ac é"


@pytest.mark.parametrize("text", FORMULAS)
def test_no_formula_reaches_a_spreadsheet(text):
    assert csv_cell(text)[0] in "'\\"  # a quotation mark, or the escape of a control character


@pytest.mark.parametrize("text", ["-0.123", "0.5 ± 0.1", "-3.2 [-4.0, -1.1]", "+1e-3", "sie (rotation)", "≈ 0.5", ""])
def test_numbers_and_names_stay_as_they_are_in_csv(text):
    assert csv_cell(text) == text


def test_a_markdown_cell_holds_no_markup_and_does_not_end():
    name = "<img src=x onerror=alert(1)>|[a](javascript:x)`code`*b* https://x.y\n| new row"
    shown = markdown_cell(name)
    assert "<" not in shown and "\n" not in shown and "://" not in shown
    assert all(shown[place - 1] == "\\" for place, sign in enumerate(shown) if sign in "|[]*`")
    assert markdown_cell("resnet18_narrow, 0.5 ± 0.1") == "resnet18_narrow, 0.5 ± 0.1"


def test_a_latex_cell_holds_no_command():
    shown = latex_cell(r"\input{/etc/passwd} & a_b$x$ \\ ^^5c 50% #1 ~ {")
    assert r"\input" not in shown and r"\\" not in shown and "^^" not in shown
    assert latex_cell("0.5 ± 0.1 °") == r"0.5 $\pm$ 0.1 $^\circ$"


def test_csv_of_hostile_cells_has_as_many_cells_as_it_was_given():
    text = io.StringIO()
    csv.writer(text).writerow(map(csv_cell, OBEYED + FORMULAS))
    assert [len(row) for row in csv.reader(io.StringIO(text.getvalue()))] == [len(OBEYED + FORMULAS)]
