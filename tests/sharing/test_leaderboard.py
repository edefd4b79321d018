"""Entries of the leaderboard: a forged one of each kind is refused, and ours stand as they were measured."""

import copy
import html
import json
import math
import re
import shutil
import subprocess
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import iebench
from iebench.cli.main import cli
from iebench.errors import IebenchError, UsageError
from iebench.evals.measure import ERRORS, mean_of
from iebench.evals.results import Results
from iebench.models import checkpoints
from iebench.models.registry import find_method
from iebench.models.runs import METHOD_PREFIX, RunConfig, identify_dataset
from iebench.models.settings import TrainerSettings
from iebench.sharing.boards import Board, find_board, read_boards, shared_protocol
from iebench.sharing.entry import digest_entry, make_entry, read_entry
from iebench.sharing.entry_checks import check_all, check_entry, check_means
from iebench.sharing.leaderboard import PAGE, SORTABLE, read_board_entries, write_html, write_markdown
from iebench.sharing.submit import rerun, submit

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
ROOT = Path(__file__).parent.parent.parent
OURS = ROOT / "results" / "mini" / "sie-0" / "results.json"
BOARD = read_boards()[0]
TOP1, R2, MRR = "classification/whole/top1", "rotation/whole/r2_uniform", "retrieval/val-val/mrr"
TOP5 = "classification/whole/top5"


@pytest.fixture
def raw():
    """What the results of one of our runs say."""
    return json.loads(OURS.read_text())


def to_entry(raw, tmp_path):
    path = tmp_path / "results.json"
    path.write_text(json.dumps(raw))
    results = Results.read(path)
    check_means(raw["scores"], str(path))
    board = find_board(results.data, results.protocol, [BOARD], str(path))
    entry = make_entry(results, board, "a" * 64, "b" * 64, "hash")
    check_entry(entry, board)
    return entry


def set_score(raw, key, value, whole=True):
    score = raw["scores"][key]
    if whole:  # with all that stands beside it
        shift = value - score["values"][0]
        score.update(values=[value], mean=value, low=score["low"] + shift, high=score["high"] + shift)
    else:
        score["mean"] = value


FORGED = {
    "a mean alone": (lambda raw: set_score(raw, MRR, 0.99, whole=False), "mean and spread of retrieval/val-val/mrr"),
    "a score": (lambda raw: raw["scores"][MRR].update(values=[0.9], mean=0.9), "and its interval"),
    "top-1 with its interval": (lambda raw: set_score(raw, TOP1, 0.9), "its objects' errors give 0.7755"),
    "rotation with its interval": (lambda raw: set_score(raw, R2, 0.9), "its objects' errors give 0.2807"),
    "an interval": (lambda raw: raw["scores"][TOP1].update(low=0.775, high=0.776), "the interval of .*top1 is not that"),
    "more than all": (lambda raw: set_score(raw, MRR, 1.2), "mrr is not within 0 to 1"),
    "no number": (lambda raw: set_score(raw, MRR, math.nan), "mrr is not within 0 to 1"),
    "hits that fall": (lambda raw: set_score(raw, "retrieval/val-val/hit_at_5", 0.1), "falls where it can only grow"),
    "no interval": (lambda raw: raw["scores"][MRR].update(low=None, high=None), "has no interval"),
    "a score left out": (lambda raw: raw["scores"].pop(R2), "rotation/whole/r2_uniform is missing"),
    "a bad score left out": (lambda raw: raw["scores"].pop("retrieval/val-val/pre"), "pre is missing, and others"),
    "other objects": (lambda raw: raw["details"][f"classification/whole/{ERRORS}"].pop("1930"), "errors of 469 objects"),
    "no errors": (lambda raw: raw["details"].pop(f"rotation/whole/{ERRORS}"), "errors of 0 objects"),
    "seeds": (lambda raw: raw["protocol"].update(seeds=[0, 0]), "seeds are no distinct"),
    "more seeds": (lambda raw: raw["protocol"].update(seeds=[0, 1]), "1 values for 2 seeds"),
    "data": (lambda raw: raw["data"].update(identity="0" * 16), "which no board has"),
    "easier data": (lambda raw: raw["data"]["splits"]["val"].update(objects=47), r"data splits val objects 470, now 47"),
    "protocol": (lambda raw: raw["protocol"]["probes"].update(epochs=1000), r"protocol probes epochs 100, now 1000"),
    "versions": (lambda raw: raw["versions"].pop("torch"), "version of torch"),
    "weights": (lambda raw: raw["protocol"].update(weights=""), "a hash of its weights"),
    "training": (lambda raw: raw["training"].pop("dataset"), "does not say dataset"),
    "all of the training": (lambda raw: raw["training"].clear(), "does not say method"),
    "a better name": (lambda raw: raw.update(method="vicreg"), "is called 'vicreg', and trained by 'sie'"),
}  # fmt: skip


@pytest.mark.parametrize(("forge", "told"), FORGED.values(), ids=FORGED)
def test_forged_results_are_refused(raw, tmp_path, forge, told):
    forge(raw)
    with pytest.raises(IebenchError, match=told) as found:
        to_entry(raw, tmp_path)
    assert "\n" not in str(found.value)


def write_json(path, value, digest=True):
    path.write_text(json.dumps({**value, "digest": digest_entry(value)} if digest else value))
    return path


def test_an_entry_is_read_as_it_was_written(raw, tmp_path):
    entry = to_entry(raw, tmp_path)
    path = entry.write(tmp_path / "board")
    assert read_entry(path) == entry and path.stat().st_size < 20_000
    check_entry(read_entry(path), BOARD)


ALTERED = {
    "a score": lambda value: value["scores"][TOP1].update(values=[0.9]),
    "protocol": lambda value: value.update(protocol_hash="0" * 64),
    "weights": lambda value: value["weights"].update(tensors="0" * 64),
}


@pytest.mark.parametrize("alter", ALTERED.values(), ids=ALTERED)
def test_an_entry_that_was_changed_is_refused(raw, tmp_path, alter):
    value = to_entry(raw, tmp_path).to_json()
    alter(value)
    with pytest.raises(IebenchError, match="changed after it was written"):
        read_entry(write_json(tmp_path / "entry.json", value, digest=False))


def test_with_its_digest_made_anew_an_entry_still_has_to_fit_itself(raw, tmp_path):
    value = to_entry(raw, tmp_path).to_json()
    for alter, told in (("a score", "and its interval"), ("protocol", "was not taken on the data")):
        forged = copy.deepcopy(value)
        ALTERED[alter](forged)
        with pytest.raises(IebenchError, match=told):
            check_entry(read_entry(write_json(tmp_path / "entry.json", forged)), BOARD)


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value.update(surprise=1),
        lambda value: value.pop("versions"),
        lambda value: value.update(name=5),
        lambda value: value["scores"].update({TOP1: {"values": ["1"], "low": 0, "high": 1}}),
        lambda value: value["versions"].update(torch=[]),
        lambda value: value["training"].update(dataset="d"),
        lambda value: value["errors_by_object"].update({"rotation/whole": 5}),
        lambda value: value.update(format=9),
    ],
)
def test_what_is_no_entry_is_refused(raw, tmp_path, change):
    value = to_entry(raw, tmp_path).to_json()
    change(value)
    with pytest.raises(IebenchError, match=r"entry\.json is damaged"):
        read_entry(write_json(tmp_path / "entry.json", value))


@pytest.mark.parametrize("at", ["/etc", "https://host/run", "hf://org/run@main", "hf://datasets/o/n@" + "a" * 40])
def test_an_entry_does_not_lead_to_what_may_change(raw, tmp_path, at):
    value = to_entry(raw, tmp_path).to_json()
    value["weights"]["at"] = at
    path = write_json(tmp_path / "entry.json", value)
    with pytest.raises(IebenchError, match="no commit of a run"):
        rerun(path, "nowhere")


def test_scores_on_other_data_stay_out(raw, tmp_path):
    raw["data"]["ood"] = {"name": "easier"}
    raw["scores"]["ood/rotation/whole/r2_uniform"] = raw["scores"][R2]
    path = tmp_path / "results.json"
    path.write_text(json.dumps(raw))
    assert not [key for key in make_entry(Results.read(path), BOARD, "", "", "hash").scores if key.startswith("ood/")]


def test_one_run_does_not_stand_under_two_names(raw, tmp_path):
    entry = to_entry(raw, tmp_path)
    with pytest.raises(IebenchError, match="its weights are those of 'sie-0'"):
        check_all([(entry, BOARD), (replace(entry, name="better"), BOARD)])


def test_names_of_others_are_text_on_the_pages(raw, tmp_path):
    entry = replace(to_entry(raw, tmp_path), name="<script>|x", method="<b>[a](javascript:b)\u202e\ud800")
    assert read_entry(entry.write(tmp_path)) == entry
    page, sortable = write_markdown([(entry, BOARD)]), write_html([(entry, BOARD)])
    assert "<script>|" not in page and "<b>" not in page and "\\[a\\](javascript" in page
    assert "<b>" not in sortable and "&lt;b&gt;" in sortable
    assert not {"\u202e", "\ud800"} & {*page, *sortable}
    assert re.fullmatch(r"iebench-mini--script-x--a{8}\.json", entry.file_name)


def test_our_entries_are_true_and_the_pages_are_of_them():
    entries = read_board_entries(ROOT / "leaderboard")
    mend = "run `iebench leaderboard`"
    assert (ROOT / "docs" / PAGE).read_text(encoding="utf-8") == write_markdown(entries), mend
    assert (ROOT / "docs" / SORTABLE).read_text(encoding="utf-8") == write_html(entries), mend
    for entry, _ in entries:
        kept = Results.read(ROOT / "results" / "mini" / entry.name)
        assert all(kept.scores.scores[key].values == score["values"] for key, score in entry.scores.items())


INSPECT = """<script>
  const table = document.querySelector("table"), told = [];
  for (const name of ["top-1, %", "top-1, %", "MRR"]) {
    const column = [...table.tHead.rows[0].cells].findIndex(cell => cell.textContent === name);
    table.tHead.rows[0].cells[column].querySelector("button").click();
    told.push([...table.tBodies[0].rows].map(row => row.cells[column].textContent));
  }
  document.title = JSON.stringify([told, performance.getEntriesByType("resource").length]);
</script>"""


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt-get install chromium")
def test_the_page_sorts_in_a_browser_and_asks_for_nothing(tmp_path):
    page = tmp_path / "page.html"
    page.write_text((ROOT / "docs" / SORTABLE).read_text().replace("</body>", INSPECT + "</body>"))
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--virtual-time-budget=2000"]
    command = [CHROMIUM, *flags, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", page.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120).stdout
    (falling, growing, mrr), requests = json.loads(html.unescape(re.search("<title>(.*?)</title>", dom)[1]))
    first, second = ([float(cell.split()[0]) for cell in cells] for cells in (falling, growing))
    assert first == sorted(first, reverse=True) and second == first[::-1] and len(first) > 5
    assert mrr == sorted(filter(None, mrr), reverse=True) + [""] * mrr.count("") and requests == 0


def test_an_entry_whose_weights_are_nowhere_needs_them_named():
    path = next((ROOT / "leaderboard").glob("iebench-mini--sie-0*.json"))
    found = CliRunner().invoke(cli, ["rerun", str(path), "--data", "nowhere"])
    assert isinstance(found.exception, UsageError) and "give --run" in str(found.exception)


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory, drawn_dataset):
    """An evaluated run on the drawn dataset, and the board of that."""
    root = tmp_path_factory.mktemp("runs") / "small"
    settings = find_method("sie").settings(backbone="resnet18-narrow", projector="8-8")
    config = RunConfig("sie", settings, TrainerSettings(), identify_dataset(iebench.Dataset(drawn_dataset)), 4, 55, 32)
    config.write(root)
    method = config.build_method()
    module = {METHOD_PREFIX + name: value for name, value in method.state_dict().items()}
    checkpoints.save(root / "last.ckpt", {"module": module, "step": 0})
    results = iebench.evaluate(
        root, drawn_dataset, tasks="classification,rotation", epochs=2, baselines="none", num_workers=0, out=root
    )
    data = json.loads(json.dumps(results.data))
    return root, Board("drawn", "drawn, 32 px", data, shared_protocol(results.protocol), (TOP1, TOP5, R2))


def forge_consistently(path, board):
    """An entry that no file check can tell from a true one: other errors of the objects, and all that follows from them."""
    entry = read_entry(path)
    errors = [0.0] * board.num_objects
    drawn = mean_of("top1", 1 - np.array(errors)).interval(board.protocol["bootstrap_draws"])
    scores = {**entry.scores, TOP1: {"values": [1.0], "low": drawn[0], "high": drawn[1]}}
    scores[TOP5] = scores[TOP1]
    told = {**entry.errors_by_object, "classification/whole": errors}
    return replace(entry, scores=scores, errors_by_object=told)


@pytest.mark.slow
def test_a_run_is_submitted_and_taken_again_and_an_invented_one_found_out(evaluated, tmp_path, drawn_dataset):
    run, board = evaluated
    path = submit(run, tmp_path / "board", boards=[board])
    assert read_entry(path).bound_by == "hash"
    scores = rerun(path, drawn_dataset, run, boards=[board])
    assert len(scores) == len(read_entry(path).scores) and all(score.is_equal for score in scores)

    forged = forge_consistently(path, board)
    check_entry(forged, board)  # which its file does not tell
    outside = {
        score.key for score in rerun(forged.write(tmp_path), drawn_dataset, run, boards=[board]) if not score.is_inside
    }
    assert outside == {TOP1, TOP5}

    invented = "classification/equivariant/top1000"
    more = replace(
        read_entry(path), scores={**read_entry(path).scores, invented: {"values": [1.0], "low": 1, "high": 1}}
    )
    with pytest.raises(IebenchError, match="have no classification/equivariant/top1000, which the entry tells of"):
        rerun(more.write(tmp_path), drawn_dataset, run, boards=[replace(board, together=((invented,),))])


@pytest.mark.slow
def test_other_weights_trainings_and_data_are_refused(evaluated, tmp_path, drawn_dataset, make_dataset):
    run, board = evaluated
    path = submit(run, tmp_path / "board", boards=[board])
    with pytest.raises(UsageError, match="does not say where its weights are"):
        rerun(path, drawn_dataset, boards=[board])
    with pytest.raises(IebenchError, match="is not the dataset of drawn, 32 px"):
        rerun(path, make_dataset(seed=1).root, run, boards=[board])

    other = tmp_path / "other"
    other.mkdir()
    for name in ("config.json", "results.json"):
        (other / name).write_bytes((run / name).read_bytes())
    module = checkpoints.load(run / "last.ckpt")["module"]
    changed = {name: value * 1.5 if value.is_floating_point() else value for name, value in module.items()}
    checkpoints.save(other / "last.ckpt", {"module": changed, "step": 0})
    with pytest.raises(IebenchError, match=r"other has other weights than"):
        rerun(path, drawn_dataset, other, boards=[board])
    with pytest.raises(UsageError, match=r"are not those of its results\.json"):
        submit(other, tmp_path / "board", boards=[board])

    config = json.loads((run / "config.json").read_text())
    config["method_settings"]["equivariance_weight"] = 9.0
    (other / "config.json").write_text(json.dumps(config))
    with pytest.raises(IebenchError, match=r"of another training than .*equivariance_weight 4\.5, now 9\.0"):
        submit(other, tmp_path / "board", boards=[board])


@pytest.mark.parametrize("at", ["https://x/y", "hf://org/name", "hf://org/name@main", "hf://datasets/o/n@" + "a" * 40])
def test_where_weights_are_must_be_a_commit(tmp_path, at):
    with pytest.raises(UsageError, match="names no commit of a run"):
        submit(tmp_path, tmp_path, at=at)


def test_the_boards_of_this_iebench_have_what_they_ask_for():
    for board in read_boards():
        assert board.num_objects > 0 and "identity" in board.data and asdict(board)["required"]
