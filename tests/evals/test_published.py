"""What papers report arrives whole, each R² in the column of its kind, and told apart by protocol."""

import runpy
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from iebench.errors import UsageError
from iebench.evals.published import read_published
from iebench.evals.table import OUR_COLUMNS, Row, build_rows, published_rows
from iebench.evals.table_metrics import select_metrics

DOCS = Path(__file__).parents[2] / "docs"


def names_of(protocol: str) -> list[str]:
    return [result.source for result in read_published(protocol)]


def test_every_published_number_stands_in_one_cell_of_its_row():
    results, rows = read_published(), published_rows()
    assert len(results) == len(rows) == 127
    for result, row in zip(results, rows, strict=True):
        assert row.name == result.name
        scale = {column.title: column.scale for column in OUR_COLUMNS}
        shown = Counter(round(cell.value * scale[title], 6) for title, cell in row.cells.items())
        assert shown == Counter(float(number) for number in result.numbers.values()), result


def test_no_column_mixes_kinds_of_r2_or_of_data():
    for column in OUR_COLUMNS:
        found = [result for result in read_published() if result.get(column.published)]
        assert len({result.is_ood for result in found}) <= 1
        if "R²" in column.title and column.published:
            assert {result.r2_kind for result in found} <= {column.title.split("R², ")[1].split(",")[0]}


def test_rows_of_one_protocol_stand_together():
    protocols = [result.protocol for result in read_published()]
    assert len(set(protocols)) == 1 + sum(a != b for a, b in pairwise(protocols))


def test_words_of_a_protocol_are_whole():
    assert {"seq-JEPA (arXiv 2505.03176), table 1"} == set(names_of("table 1, seq-jepa"))
    assert len(names_of("3DIEBench-T")) == 3 and len(names_of("3DIEBench")) == 124
    assert len(names_of("OOD")) == 10
    assert names_of("128px, Table 12") == names_of("128 px, table 12") != []
    every_word = "ResNet-18, 256 px, 2000 epochs, batch 1024"
    assert len(names_of(every_word)) == 5


def test_words_that_no_protocol_has_are_told_with_those_there_are():
    with pytest.raises(UsageError, match=r"--protocol '64 px'.* 128 px, 1000 epochs, batch 512"):
        read_published("64 px")


def test_a_metric_is_a_key_or_parts_of_one():
    rows = published_rows("seq-JEPA, 256 px")
    titles = {title for row in select_metrics(rows, "rotation/r2_uniform, mrr") for title in row.cells}
    assert titles == {"rotation R², uniform", "MRR"}
    assert select_metrics(rows, "mrr,") == select_metrics(rows, "mrr")
    assert [row.name for row in select_metrics(rows, "mrr")] == [
        "SIE (rotation)",
        "EquiMod (rotation)",
        "seq-JEPA (1,1) (rotation)",
        "seq-JEPA (3,3) (rotation)",
    ]


@pytest.mark.parametrize(
    ("names", "words"), [("rotaton", "did you mean 'rotation'"), ("pose", "no row of this table"), ("", "top1, ")]
)
def test_a_metric_that_is_not_there_is_told(names: str, words: str):
    rows: list[Row] = [*build_rows([]), *published_rows("seq-JEPA, table 10")]
    with pytest.raises(UsageError, match=words):
        select_metrics(rows, names)


def test_the_page_is_what_its_command_writes():
    written = runpy.run_path(str(DOCS / "write_published.py"))["make_page"]()
    assert (DOCS / "published.md").read_text(encoding="utf-8") == written, "run: python docs/write_published.py"
