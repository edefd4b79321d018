"""The wings stand on one another: every import goes down, and the picture in docs shows it."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
wings = runpy.run_path(str(ROOT / "docs" / "draw_wings.py"))

# From the ground up. A wing may import those before it, but for the exceptions beside it.
FLOORS = {
    "ground": (),
    "factors": ("ground",),
    "dataset": ("factors", "ground"),
    "loader": ("dataset", "factors", "ground"),
    "render": ("dataset", "factors", "ground"),
    "evals": ("loader", "dataset", "factors", "ground"),
    "models": ("evals", "loader", "dataset", "factors", "ground"),
    "report": ("evals", "loader", "dataset", "factors", "ground"),
    "sharing": ("models", "evals", "loader", "dataset", "factors", "ground"),
    "explore": ("evals", "loader", "render", "dataset", "factors", "ground"),
    "cli": ("explore", "sharing", "report", "models", "render", "evals", "loader", "dataset", "factors", "ground"),
}
FOREIGN = {
    "bpy": {"render"},
    "mathutils": {"render"},
    "torch": {"loader", "evals", "explore", "models"},
    "lightning": {"models"},
}


def test_every_import_goes_down():
    wrong = {
        (importer, target)
        for importer, target in wings["find_arrows"]()
        if (above := wings["wing_of"](importer)) != (below := wings["wing_of"](target)) and below not in FLOORS[above]
    }
    assert not wrong


@pytest.mark.parametrize("wing", FLOORS)
def test_no_circle_inside_a_wing(wing):
    inside = {arrow for arrow in wings["find_arrows"]() if {wings["wing_of"](module) for module in arrow} == {wing}}
    wings["floors_of"](inside)  # raises where there is one


def test_heavy_packages_stay_in_their_wings():
    for module, path in wings["list_modules"]().items():
        names = {name.split(".")[0] for name in wings["read_imports"](path)}
        for package in names & set(FOREIGN):
            assert wings["wing_of"](module) in FOREIGN[package], f"{module} imports {package}"


def test_few_files_speak_to_blender():
    modules = wings["list_modules"]()
    users = {
        module for module, path in modules.items() if "bpy" in {n.split(".")[0] for n in wings["read_imports"](path)}
    }
    assert users == {f"iebench.render.blender{part}" for part in ("", "_export", "_geometry", "_import", "_looks")}


def test_the_picture_and_the_tree_are_of_this_code():
    mend = "run `python docs/draw_wings.py`"
    assert wings["PICTURE"].read_text(encoding="utf-8") == wings["draw"](), mend
    assert wings["PAGE"].read_text(encoding="utf-8") == wings["page_with_tree"](), mend


def test_every_wing_says_what_lives_in_it():
    modules = wings["list_modules"]()
    for wing in set(FLOORS) - {"ground"}:
        text = " ".join(modules[f"iebench.{wing}"].read_text(encoding="utf-8").split())
        assert "import" in text and "Begin reading" in text, (
            f"iebench.{wing} does not say what it may import, or where to begin"
        )
