"""What was downloaded is read in one place, and docs/security.md says its limits."""

import ast
import re
import runpy
from pathlib import Path

import pytest

from iebench import limits
from iebench.untrusted import parse_json, read_columns, read_rows

ROOT = Path(__file__).parent.parent
wings = runpy.run_path(str(ROOT / "docs" / "draw_wings.py"))

PARSERS = {"json.loads", "json.load", "csv.reader", "csv.DictReader", "np.load", "np.loadtxt", "pickle.load", "pickle.loads",
           "Image.open", "pillow.open", "np.memmap", "zipfile.ZipFile", "torch.load"}  # fmt: skip
# Who may parse by himself: the readers of what was downloaded, and those who read what this very process or its child wrote.
READERS = {
    "iebench.untrusted": {"json.loads", "csv.reader"},
    "iebench.untrusted_arrays": {"np.memmap", "zipfile.ZipFile"},
    "iebench.pictures": {"pillow.open"},
    "iebench.models.checkpoints": {"torch.load"},  # with weights_only=True
    "iebench.dataset.layout_archive": {"zipfile.ZipFile"},  # member by member
    "iebench.render.source_shapenet": {"zipfile.ZipFile"},
    "iebench.files": {"csv.DictReader"},  # tables of the package
    "iebench.child_process": {"json.loads"},
    "iebench.render.blender_python": {"json.loads"},
    "iebench.render.system": {"json.loads"},
    "iebench.render.job": {"json.loads"},  # of what was dumped in the same line
    "iebench.render.worker": {"json.loads"},
    "iebench.render.worker_process": {"json.loads"},
    "iebench.evals.earlier": {"json.loads"},  # of what was dumped in the same line
    "iebench.evals.row_file": {"np.load"},  # the cache of this evaluation
}


def find_parsers(path):
    calls = (node.func for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call))
    return {ast.unparse(call) for call in calls} & PARSERS


def test_nobody_else_parses_what_was_downloaded():
    found = {module: found for module, path in wings["list_modules"]().items() if (found := find_parsers(path))}
    assert found == READERS


def test_the_limits_are_those_of_the_docs():
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    table = text.partition("<!-- limits -->")[2].partition("<!-- end of limits -->")[0]
    told = {
        name: float(number) * (limits.MIB if unit else 1)
        for name, number, unit in re.findall(r"^\| `(\w+)` \| (\d+)( MiB)? \|", table, re.MULTILINE)
    }
    assert told == {name: value for name, value in vars(limits).items() if name.startswith("MAX_")}


@pytest.mark.parametrize(
    "text",
    ["[" * 10**6, '{"a": ' * 10**5, '{"a": 1, "a": 2}', '{"a": 1e999}', '{"a": NaN}', "[]", '{"a": ' + "9" * 30 + "}"],
)
def test_json_that_is_no_plain_object_is_refused(text):
    with pytest.raises((ValueError, RecursionError)):
        parse_json(text)


def test_json_of_very_many_values_is_refused_before_it_is_parsed():
    with pytest.raises(ValueError, match="values, and 4194304 are allowed"):
        parse_json(b'{"a": [' + b"[]," * limits.MAX_VALUES + b"[]]}")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b\n" + "\n" * (limits.MAX_ROWS + 1), "more than 2000000 rows"),
        ("a,b\n1,2\n1\n" + "1,2\n" * 9, "row 2 has 1 cells and not 2"),
        ("a,b\n" + "," * (limits.MAX_ROW + 1), "a row of more than 1048576 characters"),
        ("a,b\n" + '"\n",' * limits.MAX_ROW, "a row of more than 1048576 characters"),
    ],
)
def test_tables_are_refused_at_the_row_where_they_are_wrong(tmp_path, text, told):
    (tmp_path / "table.csv").write_text(text)
    with pytest.raises(ValueError, match=told):
        read_columns(tmp_path / "table.csv", ["a"])


def test_empty_lines_of_a_table_are_no_rows(tmp_path):
    (tmp_path / "table.csv").write_text('a,b,c\n1,"x\ny",3\n\n4,5,6\n\n')
    assert read_columns(tmp_path / "table.csv", ["c", "b"]) == {"c": ["3", "6"], "b": ["x\ny", "5"]}
    assert [row["a"] for row in read_rows(tmp_path / "table.csv", ["a"])] == ["1", "4"]
