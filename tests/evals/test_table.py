import csv
import io
from dataclasses import replace

import pytest

from iebench.evals.results import Results, ScoreBook, SeedScores, read_results
from iebench.evals.table import FORMATS, build_rows, format_table, published_rows, to_grid


def results(method="sie", seed=0, r2=0.5, epochs=10):
    scores = {
        "classification/whole/top1": SeedScores([0.8]),
        "rotation/whole/r2_pooled": SeedScores([r2 + 0.1]),
        "rotation/whole/r2_uniform": SeedScores([r2]),
        "retrieval/val-val/mrr": SeedScores([0.4]),
    }
    constant = {"rotation/whole/r2_pooled": SeedScores([0.229]), "rotation/whole/r2_uniform": SeedScores([0.0])}
    return Results(
        name=f"run-{seed}",
        method=method,
        training={"method_settings": {"transform": "rotation"}, "trainer": {"seed": seed, "epochs": epochs}},
        data={"name": "demo", "evaluated_size": 64},
        protocol={"seeds": [0], "probes": {"epochs": 300}},
        versions={},
        parts={},
        scores=ScoreBook(scores),
        baselines={"constant": ScoreBook(constant)},
        details={},
    )


def grid_as_dicts(grid):
    return {line[0]: dict(zip(grid[0], line, strict=True)) for line in grid[1:]}


def test_runs_with_other_seeds_become_mean_and_deviation():
    rows = build_rows([results(seed=0, r2=0.4), results(seed=1, r2=0.6), results("vicreg")])
    table = grid_as_dicts(to_grid(rows))
    assert table["sie (rotation)"]["rotation R², uniform"] == "0.500 ± 0.141"
    assert "2 runs" in table["sie (rotation)"]["protocol"]
    assert table["constant"]["rotation R², pooled"] == "0.229"


def test_runs_with_other_settings_stay_apart():
    assert len([row for row in build_rows([results(epochs=10), results(epochs=20)]) if row.kind == "ours"]) == 2


def test_parts_of_other_names_stand_in_columns_of_their_own():
    scores = {f"rotation/{part}/r2_uniform": SeedScores([r2]) for part, r2 in (("encoder", 0.2), ("equivariant", 0.3))}
    found = replace(results(), parts={"encoder": [0, 8], "equivariant": [8, 16]}, scores=ScoreBook(scores))
    (row,) = (row for row in build_rows([found, results("vicreg")]) if row.name == "sie")
    cells = {title: cell.value for title, cell in row.cells.items()}
    assert cells == {"rotation R², uniform, encoder": 0.2, "rotation R², uniform, equivariant part": 0.3}


def test_published_rows_fill_only_the_column_of_their_kind():
    rows = published_rows()
    assert len(rows) == 127
    for row in rows:
        assert not {"rotation R², pooled", "rotation R², uniform"} <= set(row.cells)
    by_source = {row.name: row for row in rows if "seq-JEPA" in row.protocol and "table 11" in row.protocol}
    assert by_source["SIE (rotation)"].cells["rotation R², uniform"][0] == 0.721
    assert by_source["SIE (rotation)"].cells["top-1"][0] == pytest.approx(0.82652)


def test_the_estimate_is_marked_and_explained():
    text = format_table(build_rows([results()]) + published_rows(), "markdown")
    assert "≈ 0.78" in text  # 0.229 + 0.771 · 0.721
    assert "0.229 + 0.771" in text and "same data and protocol" in text
    assert "same data and protocol" not in format_table(build_rows([results()]), "markdown")
    ours = next(line for line in text.splitlines() if line.startswith("| sie"))
    assert "≈" not in ours


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_holds_every_row(form):
    text = format_table(build_rows([results(), results("vicreg")]) + published_rows(), form)
    for name in ("vicreg", "ContextSSL", "constant"):
        assert name in text


def test_csv_is_a_rectangle():
    lines = list(csv.reader(io.StringIO(format_table(build_rows([results()]) + published_rows(), "csv"))))
    assert len({len(line) for line in lines}) == 1


def test_latex_escapes_its_signs():
    text = format_table(build_rows([results(r2=0.4), results(seed=1)]), "latex")
    assert r"\%" in text and r"$\pm$" in text and "±" not in text


def test_a_single_run_shows_its_interval_and_several_their_deviation():
    single = results()
    single.scores.scores["retrieval/val-val/mrr"] = SeedScores([0.4], 0.35, 0.45)
    assert "0.400 [0.350, 0.450]" in format_table(build_rows([single]), "text")
    assert "[" not in format_table(build_rows([single, results(seed=1)]), "text")


def test_a_run_that_is_named_twice_counts_once(tmp_path):
    results().write(tmp_path / "run" / "results.json")
    assert len(read_results([tmp_path / "run", tmp_path / "run" / "results.json"])) == 1
