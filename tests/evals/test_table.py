import csv
import io
from dataclasses import replace

import pytest
from click.testing import CliRunner

from iebench.cli.main import cli
from iebench.evals.columns import Cell, Column
from iebench.evals.results import Results, ScoreBook, SeedScores, read_results
from iebench.evals.table import build_rows, format_table, published_rows, share_protocols, to_grid
from iebench.evals.table_formats import FORMATS
from iebench.evals.table_metrics import select_main


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


def network(name, weights, top1, baseline=0.1):
    """Results of a network of which no training is known."""
    books = {"random init": ScoreBook({"classification/whole/top1": SeedScores([baseline])})}
    scores, protocol = ScoreBook({"classification/whole/top1": SeedScores([top1])}), results().protocol
    told = {"method": name, "training": {}, "protocol": {**protocol, "weights": weights}}
    return replace(results(), name=name, scores=scores, baselines=books, **told)


def test_networks_of_unknown_training_are_no_runs_of_one():
    found = [network("resnet18", "a", 0.9), network("resnet18", "b", 0.1), network("backbone", "a", 0.5)]
    rows = [row for row in build_rows(found) if row.kind == "ours"]
    assert [(row.name, row.cells["top-1"].value) for row in rows] == [
        ("resnet18", 0.9),
        ("resnet18", 0.1),
        ("backbone", 0.5),
    ]


def test_each_network_has_its_own_random_init():
    rows = build_rows([network("resnet18", "a", 0.9), network("resnet18", "b", 0.8), network("vit", "c", 0.8, 0.3)])
    told = {row.name: row.cells["top-1"].value for row in rows if row.kind == "baseline"}
    assert told == {"random init, resnet18": 0.1, "random init, vit": 0.3}
    assert [row.name for row in build_rows([network("vit", "c", 0.8)])] == ["vit", "random init"]


def test_a_run_that_was_scored_twice_is_one_run():
    first, other = (
        replace(results(seed=seed), protocol={**results().protocol, "weights": str(seed)}) for seed in (0, 1)
    )
    again = replace(first, scores=ScoreBook({**first.scores.scores, "knn/whole/top1": SeedScores([0.7])}))
    rows = [row for row in build_rows([first, again, other]) if row.kind == "ours"]
    assert [row.protocol.endswith("2 runs, some scores of fewer") for row in rows] == [True]
    assert rows[0].cells["top-1, nearest neighbors"].value == 0.7


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


def wide_results():
    """Nine columns of ours, and eight of two parts with names of their own."""
    names = ("classification/{}/top1", "classification/{}/top5", "rotation/{}/r2_pooled", "rotation/{}/r2_uniform")
    parts = {name.format(part): SeedScores([0.5]) for name in names for part in ("whole", "encoder", "context")}
    others = ("dci/whole/disentanglement", "dci/whole/completeness", "retrieval/val-val/mrr", "retrieval/val-val/pre")
    scores = parts | {name: SeedScores([0.5]) for name in (*others, "spectrum/whole/rankme")}
    return replace(results("contextssl"), parts={"encoder": [0, 8], "context": [8, 16]}, scores=ScoreBook(scores))


MAIN = ["top-1", "rotation R², pooled", "rotation R², uniform", "DCI disentanglement", "MRR", "RankMe"]


def test_a_wide_table_shows_the_main_scores_of_each_task_or_its_first():
    rows, left = select_main(build_rows([wide_results(), results()]))
    assert to_grid(rows)[0] == ["method", "top-1, %", *MAIN[1:], "protocol"]
    assert left == 17 - len(MAIN)
    assert [row.name for row in rows] == ["contextssl (rotation)", "sie (rotation)", "constant"]


def test_a_narrow_table_is_whole():
    rows = build_rows([results(), results("vicreg")])
    assert select_main(rows) == (rows, 0)


def test_a_row_without_main_scores_keeps_one_of_its_own():
    rows = build_rows([wide_results(), replace(results(), scores=ScoreBook({"knn/whole/top1": SeedScores([0.4])}))])
    cells = {row.name: list(row.cells) for row in select_main(rows)[0]}
    assert cells["sie"] == ["top-1, nearest neighbors"]
    every = published_rows()
    assert all(row.cells for row in select_main(every)[0]) and len(select_main(every)[0]) == len(every)


def test_what_all_runs_share_is_taken_out_of_their_protocols():
    rows, shared = share_protocols(build_rows([results(seed=0), results(seed=1), results("vicreg", epochs=20)]))
    assert shared == "demo 64px, probes 300 epochs"
    told = {row.name: row.protocol for row in rows}
    assert told == {
        "sie (rotation)": "trained 10 epochs, 2 runs",
        "vicreg (rotation)": "trained 20 epochs, 1 probe seed",
        "constant": "baseline",
    }


def test_one_run_and_published_rows_keep_their_protocols():
    papers = published_rows("128 px, seq-JEPA")
    rows, shared = share_protocols(build_rows([results()]) + papers)
    assert shared == "" and rows[-len(papers) :] == papers
    rows, shared = share_protocols(build_rows([results(), results("vicreg")]) + papers)
    assert shared == "demo 64px, probes 300 epochs, trained 10 epochs, 1 probe seed"
    assert rows[-len(papers) :] == papers and rows[0].protocol == ""
    _, shared = share_protocols(papers)
    assert "128 px" in shared.split(", ")


def test_a_protocol_that_nobody_has_is_no_column():
    rows = [replace(row, protocol="") for row in build_rows([results()])]
    head = format_table(rows, "markdown", shared="demo 64px").splitlines()[0]
    assert head == "| method | top-1, % | rotation R², pooled | rotation R², uniform | MRR |"


def test_a_score_just_below_zero_is_zero():
    assert Column("R²", "r2").show(Cell(-0.0004, 0.0001)) == "0.000 ± 0.000"
    assert Column("R²", "r2").show(Cell(-0.0006)) == "-0.001"


@pytest.mark.parametrize(
    ("options", "columns"), [((), len(MAIN)), (("--all-columns",), 17), (("--metric", "encoder"), 4)]
)
def test_the_command_tells_how_many_columns_it_leaves_out(tmp_path, options, columns):
    for number, result in enumerate((wide_results(), results())):
        result.write(tmp_path / str(number) / "results.json")
    paths = [str(tmp_path / "0"), str(tmp_path / "1")]
    told = CliRunner().invoke(cli, ["table", *paths, "--format", "markdown", *options])
    assert told.exit_code == 0 and told.stdout.splitlines()[0].count("|") - 1 == columns + 2
    assert told.stderr == (
        "" if options else "11 more columns: --all-columns shows them, --metric NAMES some of them.\n"
    )
    if "--metric" not in options:
        assert "All runs: demo 64px, probes 300 epochs" in told.stdout
    whole = CliRunner().invoke(cli, ["table", *paths, "--format", "csv"]).stdout
    assert whole == format_table(build_rows(read_results([tmp_path / "0", tmp_path / "1"])), "csv")
