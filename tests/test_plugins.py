"""Objects of other packages by name."""

import sys

import pytest

from iebench.errors import UsageError
from iebench.plugins import is_dotted, load_object


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package beside the project: `outside.good` has a `thing`, and two other modules break while they are imported."""
    (tmp_path / "outside").mkdir()
    modules = {"__init__": "", "good": "thing = 3", "broken": "import no_such_thing", "wrong": "1 / 0"}
    for name, text in modules.items():
        (tmp_path / "outside" / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.parametrize("text", ["outside.good:thing", "module:Class", "_a.b_1.c:d"])
def test_dotted_names(text):
    assert is_dotted(text)


@pytest.mark.parametrize(
    "text", ["resnet18", "./data:mine", "s3://bucket/data", "a.b", "a:b:c", "a..b:c", "1a:b", ":a", ""]
)
def test_other_words(text):
    assert not is_dotted(text)
    with pytest.raises(UsageError, match=r"--thing .* write package\.module:name"):
        load_object(text, "--thing")


def test_an_object_is_loaded(package):
    assert load_object("outside.good:thing", "--thing") == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "outside.good:things",
            r"--thing outside.good:things: module outside.good, which is /.*good.py, has no 'things'",
        ),
        ("outside.bad:thing", "no module outside.bad"),
        ("outside.good.deep:thing", "no module outside.good.deep"),
        ("inside.good:thing", "no module inside"),
    ],
)
def test_what_is_not_there_is_told_with_the_option(package, text, message):
    with pytest.raises(UsageError, match=message):
        load_object(text, "--thing")


def test_errors_inside_a_module_pass_through(package):
    with pytest.raises(ModuleNotFoundError, match="no_such_thing"):
        load_object("outside.broken:thing", "--thing")
    with pytest.raises(ZeroDivisionError):
        load_object("outside.wrong:thing", "--thing")


def test_the_working_folder_is_looked_in_after_all_else(tmp_path, monkeypatch):
    """As for `iebench` itself, which unlike `python -m` does not begin with the working folder."""
    (tmp_path / "net_of_mine.py").write_text("import colorsys, simplejpeg\nthing = colorsys.hsv_to_rgb")
    for name in ("colorsys", "simplejpeg"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('this is not what was installed')")
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    for name in ("colorsys", "simplejpeg"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.chdir(tmp_path)
    assert load_object("net_of_mine:thing", "--thing")(0, 0, 1) == (1, 1, 1)
