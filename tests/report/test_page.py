"""The report, read as text and in a real browser."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from iebench.catalogue import CLASSES
from iebench.errors import IebenchError
from iebench.evals.columns import Cell, Column, Figure
from iebench.evals.evaluator import Score
from iebench.evals.gallery import Gallery
from iebench.evals.results import Results, ScoreBook, SeedScores
from iebench.report import sections
from iebench.report.evaluated_runs import load_runs, read_metrics
from iebench.report.page import write_report
from iebench.report.plots import COLORS, Curve, _reach, _spread, plot_classes, plot_curves

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
MEASURED = Path(__file__).parents[2] / "results" / "mini"
FACTORS = ("rotation_x", "rotation_y", "rotation_z", "floor_hue", "light_theta", "light_phi", "light_hue")
ANGLES = [7.5 + 15 * number for number in range(12)]


def make_scores(rng, level):
    parts = {"whole": 1.0, "invariant": 0.7, "equivariant": 0.9}
    scores = {}
    for part, share in parts.items():
        scores[f"classification/{part}/top1"] = SeedScores([0.8 * share + 0.01 * level])
        scores[f"classification/{part}/top5"] = SeedScores([0.95 * share])
        scores[f"rotation/{part}/r2_uniform"] = SeedScores([0.5 * share + 0.02 * level])
        scores[f"rotation/{part}/r2_pooled"] = SeedScores([0.6 * share + 0.02 * level])
        scores[f"rotation/{part}/median_degrees"] = SeedScores([40 / share - level])
    scores |= {
        f"retrieval/val-val/{name}": SeedScores([rng.uniform(0.1, 0.4)])
        for name in ("mrr", "hit_at_1", "hit_at_5", "pre")
    }
    return ScoreBook(scores)


def make_results(method, level, with_predictor):
    rng = np.random.default_rng(level)
    details = {
        "classification/whole/top1_by_class": {entry.name: rng.uniform(0.5, 1) for entry in CLASSES},
        "rotation/whole/median_degrees_by_class": {entry.name: rng.uniform(10, 90) for entry in CLASSES},
        "rotation/whole/degrees_by_angle": {str(angle): 20 + angle / 3 + level for angle in ANGLES},
        "factors": {
            part: {name: {"linear": rng.uniform(-0.2, 1), "mlp": rng.uniform(0, 1)} for name in FACTORS}
            for part in ("whole", "invariant", "equivariant")
        },
    }
    if with_predictor:
        laws = ("identity", "inverse", "composition", "prediction", "spread")
        curve = {str(angle): 0.1 + angle / 400 for angle in ANGLES}
        details["predictor"] = {
            "group_laws": {name: rng.uniform(0, 1) for name in laws},
            "distance_by_angle": {"predicted": curve, "unmoved": {key: 2 * value for key, value in curve.items()}},
        }
    baselines = {
        name: ScoreBook(
            {
                "rotation/whole/r2_uniform": SeedScores([value]),
                "classification/whole/top1": SeedScores([0.02 + value / 5]),
            }
        )
        for name, value in {"constant": 0.0, "random init": 0.1}.items()
    }
    return Results(
        name=f"{method}-{level}",
        method=method,
        training={
            "method_settings": {"transform": "rotation", "backbone": "resnet18"},
            "trainer": {"seed": level, "epochs": 100},
        },
        data={"name": "demo <data> & more", "evaluated_size": 64},
        protocol={"seeds": [0], "probes": {"epochs": 300}},
        versions={"iebench": "1"},
        parts={"invariant": [0, 256], "equivariant": [256, 512]},
        scores=make_scores(rng, level),
        baselines=baselines,
        details=details,
    )


def write_run(root, method, level, with_predictor=False):
    folder = root / f"{method}-{level}"
    make_results(method, level, with_predictor).write(folder / "results.json")
    lines = [f"{step},{100 / step + level},{min(0.9, step / 500)}," for step in range(10, 500, 10)]
    (folder / "metrics.csv").write_text("step,train/loss,val/class_whole,odd\n" + "\n".join(lines) + "\n")
    if with_predictor:
        rng = np.random.default_rng(0)

        def images(*shape):
            return rng.integers(0, 255, (*shape, 64, 64, 3), dtype=np.uint8)

        found = np.zeros((2, 5), bool)
        found[:, 1] = True
        degrees = np.array([-90, -60, -30, 0, 30, 60, 90])
        Gallery(
            np.array(["airplane", "bathtub"]),
            images(2),
            images(2),
            images(2, 5),
            found,
            np.array(["bathtub", "clock"]),
            images(2),
            images(2, 7),
            images(2, 7),
            degrees,
            np.ones((2, 7)),
        ).save(folder)
    return folder


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    root = tmp_path_factory.mktemp("report")
    runs = [write_run(root, "sie", 0, True), write_run(root, "sie", 1, True), write_run(root, "vicreg", 0)]
    write_report(runs, root / "report.html", title="Runs <of> today", published=True)
    return root / "report.html"


def test_the_page_is_self_contained(report):
    page = report.read_text(encoding="utf-8")
    loaded = re.findall(r'(?:src|href)="([^"]*)"', page) + re.findall(r"url\(([^)]*)\)", page)
    assert loaded
    assert all(address.startswith(("data:", "#")) for address in loaded)
    assert "@import" not in page


def test_names_of_users_are_escaped(report):
    page = report.read_text(encoding="utf-8")
    assert "Runs &lt;of&gt; today" in page
    assert "demo &lt;data&gt; &amp; more" in page


def test_every_picture_says_what_it_shows(report):
    page = report.read_text(encoding="utf-8")
    pictures = re.findall(r"<(?:img|svg)\b[^>]*>", page)
    assert len(pictures) > 30
    assert all(re.search(r'(?:alt|aria-label)="[^"]{5,}"', picture) for picture in pictures)


def test_no_two_elements_share_a_name(report):
    names = re.findall(r'\bid="([^"]*)"', report.read_text(encoding="utf-8"))
    assert len(names) == len(set(names))


def test_plots_take_the_color_of_the_page(report):
    page = report.read_text(encoding="utf-8")
    assert "#010203" not in page
    assert "currentColor" in page


@pytest.mark.slow
def test_plots_are_files_of_their_own(report, tmp_path):
    runs = [report.parent / name for name in ("sie-0", "vicreg-0")]
    write_report(runs, tmp_path / "report.html", plots=tmp_path / "plots")
    trees = {path.name: ElementTree.parse(path).getroot() for path in (tmp_path / "plots").iterdir()}
    assert {"tradeoff.svg", "rotation-whole-degrees-by-angle.svg", "predictor-distance-by-angle.svg"} <= set(trees)
    assert all(tree.tag == "{http://www.w3.org/2000/svg}svg" and tree.get("aria-label") for tree in trees.values())


@pytest.mark.slow
def test_the_same_runs_give_the_same_page(report, tmp_path):
    runs = [report.parent / name for name in ("sie-0", "sie-1", "vicreg-0")]
    write_report(runs, tmp_path / "again.html", title="Runs <of> today", published=True)
    assert (tmp_path / "again.html").read_text() == report.read_text()


def test_a_run_that_is_named_twice_is_shown_once(report):
    run = report.parent / "vicreg-0"
    assert [shown.folder for shown in load_runs([run, run / "results.json"])] == [run]


def test_a_run_of_scores_alone_is_enough(tmp_path):
    results = make_results("vicreg", 0, False)
    results.details = {}
    results.write(tmp_path / "run" / "results.json")
    write_report([tmp_path / "run"], tmp_path / "report.html")
    assert 'id="gallery"' not in (tmp_path / "report.html").read_text()


def test_figures_of_others_are_shown_without_their_code(tmp_path):
    results = make_results("theirs", 0, False)
    results.details = {"speed": {"1": 2.0, "2": 3.0}, "rates": {"fast": 0.25}}
    results.figures = (
        Figure("Speed & more", "speed", "curve", "How fast it is.", x="step", y="speed"),
        Figure("Speed & more", "rates", "table", "Its rates."),
    )
    results.columns = (Column("their score", "theirs/whole/score"),)
    results.scores.add(Score("theirs/whole/score", 0.5))
    results.write(tmp_path / "run" / "results.json")
    write_report([tmp_path / "run"], tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    for words in ('<section id="speed-more">', "How fast it is.", "Its rates.", "0.2500", "their score", "0.500"):
        assert words in page


def test_symmetric_classes_are_marked_as_the_dataset_states_them(tmp_path):
    results = make_results("sie", 0, False)
    results.data["classes"] = [
        {"label": 0, "synset": "a", "name": "airplane", "turns": 1},
        {"label": 1, "synset": "b", "name": "bowl", "turns": 0},
        {"label": 2, "synset": "c", "name": "table"},
    ]
    assert results.symmetric_classes == {"bowl"}
    results.write(tmp_path / "run" / "results.json")
    write_report([tmp_path / "run"], tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "bowl *" in page and "table *" not in page and "airplane *" not in page


def test_a_run_without_results_is_named(tmp_path):
    with pytest.raises(IebenchError, match=r"iebench eval"):
        write_report([tmp_path], tmp_path / "report.html")


def test_metrics_leave_out_what_is_no_number(tmp_path):
    (tmp_path / "metrics.csv").write_text("step,a,b\n1,2.0,\n2,nan,5\n")
    assert read_metrics(tmp_path) == {"a": [(1, 2)], "b": [(2, 5)]}


# Runs inside the page: notes errors from the start, then sizes, requests, and the order of the table after clicks.
WATCH = "<script>window.errors = []; addEventListener('error', event => errors.push(event.message), true);</script>"
INSPECT = """<script>addEventListener("load", () => {
  const table = document.querySelector("table.sortable");
  const column = [...table.tHead.rows[0].cells].findIndex(cell => cell.textContent.startsWith("rotation R², uniform"));
  const order = () => [...table.tBodies[0].rows].map(row => row.cells[column].dataset.value).filter(text => text).map(Number);
  const click = () => { table.tHead.rows[0].cells[column].querySelector("button").click(); return order(); };
  const scrolls = table.parentElement.scrollWidth - table.parentElement.clientWidth;
  const columns = () => [...table.tHead.rows[0].cells].filter(cell => cell.offsetWidth).length, folded = columns();
  document.querySelectorAll("#table-part .folds input").forEach(box => box.click());
  const findings = {
    folded, scrolls, unfolded: columns(),
    errors, first: click(), second: click(), rows: table.tBodies[0].rows.length,
    sizes: [...document.querySelectorAll("img, main svg")]
      .map(item => item.getBoundingClientRect()).map(box => [box.width, box.height]),
    broken: [...document.images].filter(image => !image.naturalWidth).length,
    requests: performance.getEntriesByType("resource").map(entry => entry.name).filter(name => !name.startsWith("data:")),
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth, width: innerWidth,
    dark: getComputedStyle(document.body).backgroundColor,
  };
  const note = document.createElement("pre");
  note.id = "findings";
  note.textContent = JSON.stringify(findings);
  document.body.append(note);
});</script>"""


def browse(page: Path, *options: str) -> str:
    command = [
        str(CHROMIUM),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--virtual-time-budget=4000",
    ]
    profile = f"--user-data-dir={page.parent / 'profile'}"
    return subprocess.run(
        [*command, profile, *options, page.as_uri()], capture_output=True, text=True, timeout=120
    ).stdout


def inspect_page(report: Path, folder: Path, *options: str) -> dict:
    text = (
        report.read_text(encoding="utf-8").replace("<head>", "<head>" + WATCH).replace("</body>", INSPECT + "</body>")
    )
    (folder / "inspected.html").write_text(text, encoding="utf-8")
    found = re.search(
        r'<pre id="findings">(.*?)</pre>', browse(folder / "inspected.html", "--dump-dom", *options), re.DOTALL
    )
    assert found, "the page's script did not run"
    return json.loads(found.group(1))


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt-get install chromium")
@pytest.mark.parametrize("size", ["1280,900", "500,900"])
def test_in_a_browser(report, tmp_path, size):
    findings = inspect_page(report, tmp_path, f"--window-size={size}")
    assert findings["errors"] == []
    assert findings["requests"] == []
    assert findings["broken"] == 0
    assert min(min(pair) for pair in findings["sizes"]) > 20
    assert findings["overflow"] == 0
    assert findings["first"] == sorted(findings["first"], reverse=True)
    assert findings["second"] == sorted(findings["second"])
    assert len(findings["first"]) == 4  # two methods and two baselines; papers stand apart
    assert findings["folded"] == 7 and findings["unfolded"] == 15


@pytest.fixture(scope="module")
def measured_report(tmp_path_factory):
    root = tmp_path_factory.mktemp("measured")
    runs = [MEASURED / name for name in ("sie-0", "sie-1", "supervised-0", "simclr-0", "byol-conditioned-0")]
    write_report(runs, root / "report.html")
    return root / "report.html"


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt-get install chromium")
@pytest.mark.parametrize("width", [1200, 1300, 1450, 1900])
def test_the_table_of_measured_runs_fits_the_page(measured_report, tmp_path, width):
    findings = inspect_page(measured_report, tmp_path, f"--window-size={width},900")
    assert findings["folded"] == 8 and findings["scrolls"] == 0 and findings["errors"] == []


def test_what_all_runs_share_is_told_once(measured_report):
    page = measured_report.read_text(encoding="utf-8")
    shared = "iebench-mini 48px, probes 100 epochs, resnet18-narrow, trained 2000 steps"
    told = re.findall(r'<td class="words" data-value="([^"]*)"', page)
    assert f"All runs: {shared}." in page
    assert set(told) == {"2 runs", "1 probe seed", "baseline"}


def test_the_legend_names_each_run_and_each_kind_of_line_once():
    curves = [
        Curve(name, [(0, 1), (1, 2)], style, dashed, kind)
        for style, name in ((0, "sie"), (1, "vicreg"), (0, "sie"))
        for kind, dashed in (("unmoved", True), ("predicted", False))
    ]
    texts = re.findall(r">([a-z]+)</text>", plot_curves("curves", curves, "x", "y", "z").svg)
    assert [text for text in texts if text not in "xy"] == ["sie", "vicreg", "predicted", "unmoved"]


def test_classes_stand_apart_below_a_long_legend():
    classes = {name: 0.1 * number for number, name in enumerate(("sofa", "chair", "mug", "car"))}
    runs = {f"run {number}": number for number in range(20)}
    svg = plot_classes("classes", dict.fromkeys(runs, classes), runs, "x", "z").svg
    heights = {name: float(y) for y, name in re.findall(r'y="([\d.]+)"[^>]*>([a-z]+)</text>', svg) if name in classes}
    gaps = np.diff([heights[name] for name in reversed(classes)])
    assert len(heights) == 4 and gaps.min() > 12  # points, of letters of 9.5


def test_a_run_keeps_its_color_where_those_before_it_have_no_classes():
    svg = plot_classes("classes", {"vicreg": {"sofa": 0.1}}, {"sie": 0, "vicreg": 1}, "x", "z").svg
    assert COLORS[1] in svg and COLORS[0] not in svg


def test_labels_stand_apart_in_the_order_of_their_points():
    far = _spread([0.9, 0.1, 0.5], 0.1)
    assert [far[number] for number in range(3)] == pytest.approx([0.9, 0.1, 0.5])
    near = _spread([0.5, 0.9, 0.52, 0.51, 0.0], 0.1)
    assert [near[number] for number in (4, 0, 3, 2, 1)] == pytest.approx([0, 0.41, 0.51, 0.61, 0.9])
    low = _spread([0.0, 0.01, 0.02], 0.1)  # never below the axes
    assert [low[number] for number in range(3)] == pytest.approx([0, 0.1, 0.2])


def test_the_bars_of_the_trade_off_are_intervals_or_deviations():
    one = Cell(0.5, None, 0.4, 0.7)
    assert np.allclose(_reach(one), [[0.1], [0.2]])
    assert _reach(Cell(0.5, 0.05)) == [[0.05], [0.05]] and _reach(Cell(0.5)) is None


def test_runs_that_differ_in_their_seed_are_one_series():
    runs = load_runs(sorted(MEASURED.glob("*/results.json")))
    of_sie = [run for run in runs if run.name.startswith("sie (rotation)")]
    assert len(of_sie) == 3 and len({run.name for run in of_sie}) == 3
    assert {run.series for run in of_sie} == {"sie (rotation)"} and len({run.style for run in of_sie}) == 1
    assert len({run.style for run in runs}) == len({run.series for run in runs})
    curves = [Curve(run.series, [(0, 1), (1, 2)], run.style) for run in runs]
    assert plot_curves("curves", curves, "x", "y", "z").svg.count(">sie (rotation)<") == 1


@pytest.mark.parametrize("detail", [3, {"mug": "x"}, {"mug": {}}, {"mug": None}])
def test_of_two_runs_the_damaged_one_is_named(tmp_path, detail):
    for number, name in enumerate(("whole", "broken")):
        results = make_results(name, number, with_predictor=False)
        if name == "broken":
            results.details["classification/whole/top1_by_class"] = detail
        results.write(tmp_path / name / "results.json")
    with pytest.raises(IebenchError, match=r"^\S+/broken/results\.json is damaged") as found:
        write_report([tmp_path / "whole", tmp_path / "broken"], tmp_path / "page.html")
    assert "whole/results" not in str(found.value)


def test_faults_of_our_own_are_not_the_runs(tmp_path, monkeypatch):
    make_results("whole", 0, with_predictor=False).write(tmp_path / "whole" / "results.json")
    monkeypatch.setattr(sections, "plot_classes", lambda *_: [][0])
    with pytest.raises(IndexError):
        write_report([tmp_path / "whole"], tmp_path / "page.html")
