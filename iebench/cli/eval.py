"""`iebench eval`, `iebench table`, `iebench compare` and `iebench report`."""

from collections.abc import Callable
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, TypeVar

import click

from iebench.cli.options import FOLDER
from iebench.cli.terminal import echo
from iebench.dataset.hub import is_hub
from iebench.errors import UsageError
from iebench.evals import tasks as tasks_folder
from iebench.evals.settings import BASELINES
from iebench.models.settings import MODELS, NORMALISATIONS, POOLS, TYPES

if TYPE_CHECKING:
    from iebench.evals.table import Row

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])
TASK_HELP = ", ".join(module.name.replace("_", "-") for module in iter_modules(tasks_folder.__path__))

POOL_HELP = (
    "One vector from the tokens or the map of --model: its class token, the mean of its patches, both, or the means of 4 x 4 "
    "cells of the map; auto is the class token, else what the network pools itself."
)


@click.command("eval", short_help="Score a run, or any network, on a dataset.")
@click.argument("run", required=False)
@click.option("--data", required=True, metavar="PATH", help="Dataset with the splits train and val.")
@click.option(
    "--ood",
    metavar="PATH",
    help="Dataset of another factor space: the same probes are scored on its objects outside the split train of --data.",
)
@click.option("--model", help=f"What to score instead of a RUN: {MODELS}")
@click.option("--pool", default="auto", show_default=True, type=click.Choice(POOLS), help=POOL_HELP)
@click.option(
    "--normalise",
    default="model",
    show_default=True,
    type=click.Choice(NORMALISATIONS),
    help="How images are prepared for --model: as its own processor does, or by statistics of a name.",
)
@click.option(
    "--dtype", default="float32", show_default=True, type=click.Choice(TYPES), help="Type that --model computes in."
)
@click.option(
    "--batch-size",
    default=256,
    show_default=True,
    type=click.IntRange(1),
    help="Images that the network sees at a time; halved where they do not fit in memory.",
)
@click.option(
    "--layers",
    metavar="all|0,6,11",
    help="Score layers too: all blocks, or numbers from 0 on (-1: the last) or names of modules, commas between.",
)
@click.option("--weights", type=FOLDER, help="Weights of a --model of package.module:function or ours.")
@click.option(
    "--trust", is_flag=True, help="Import and run code of others that RUN names, or that comes with --model hf:…."
)
@click.option("--backbone", help="The backbone that RUN has, package.module:function, which you thereby trust.")
@click.option(
    "--tasks",
    default="all",
    show_default=True,
    help=f"Names with commas between, out of {TASK_HELP}, or package.module:Class of your own.",
)
@click.option("--seeds", default=1, show_default=True, type=click.IntRange(1), help="Number of probes of each kind.")
@click.option("--epochs", default=300, show_default=True, type=click.IntRange(1), help="Epochs of the probes.")
@click.option(
    "--size", type=click.IntRange(8), help="Side in pixels of the images; that of the run's training by default."
)
@click.option("--embeddings", is_flag=True, help="Probe the embeddings too.")
@click.option(
    "--baselines",
    default=",".join(BASELINES),
    show_default=True,
    help="What stands beside every score: names with commas between, or none.",
)
@click.option("--half", is_flag=True, help="Keep representations in float16: half the space.")
@click.option(
    "--cache", type=FOLDER, help="Where representations are kept between calls; beside the results by default."
)
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, or auto.")
@click.option(
    "--workers", "num_workers", default=2, show_default=True, type=click.IntRange(0), help="Processes that decode."
)
@click.option(
    "--sweep",
    type=FOLDER,
    help="Dataset of `iebench render --sweep`, among whose views the report shows how predictions steer.",
)
@click.option("--out", type=FOLDER, help="Folder of the results; the run's by default.")
def eval_command(
    run: str | None,
    model: str | None,
    backbone: str | None,
    trust: bool,
    weights: Path | None,
    out: Path | None,
    **options: Any,
) -> None:
    """Score RUN, or any --model, on a dataset: writes results.json and shows its table.

    RUN is the folder of a run, or its address on the hub, hf://ORG/NAME@REVISION. Every image goes through the frozen network
    once; all probes train on what is kept of it.

    \b
    iebench eval runs/sie --data data/mini
    iebench eval hf://ORG/NAME@REVISION --data data/mini --out results/theirs
    iebench eval --model hf:facebook/dinov2-base --data data/mini --out results/dinov2
    iebench eval --model package.module:function --weights w.pth --data data/mini --out results/own
    """  # noqa: D301 - click reads the backspace
    _check_choice(run, model, backbone)
    folder = out or _own_folder(run, model)
    from iebench.evals.table import build_rows, format_table
    from iebench.models.evaluation import evaluate
    from iebench.models.runs import check_backbone, find_run

    found = None if run is None else find_run(run)
    if found is not None and backbone:
        check_backbone(found, backbone)
    named = {backbone} if backbone else set()
    results = evaluate(found or str(model), weights=weights, out=folder, trust=trust or named, **options)
    echo(format_table(build_rows([results])), nl=False)
    echo(f"Wrote {folder / 'results.json'}.")


def _own_folder(run: str | None, model: str | None) -> Path:
    """Where results lie unless told: in the folder of what is scored.

    Raises:
        UsageError: it has none.
    """
    if run is not None and not is_hub(run):
        return Path(run)
    if model is not None and Path(model).is_dir():
        return Path(model)
    raise UsageError(f"{run or '--model'} needs --out, a folder for the results.")


def _check_choice(run: str | None, model: str | None, backbone: str | None) -> None:
    """Raise UsageError unless one thing to score is named."""
    if run is not None and model is not None:
        raise UsageError(f"Give either the run {run} or --model {model}.")
    if run is not None and ":" in run and not is_hub(run) and not Path(run).exists():
        raise UsageError(f"{run} is no run: score a network by --model {run}.")
    if run is None and backbone is not None:
        raise UsageError(f"--backbone is of a RUN: score a network by --model {backbone}.")
    if run is None and model is None:
        raise UsageError("Give a RUN or a --model to evaluate.")


def published_options(command: FunctionT) -> FunctionT:
    """The options `--published` and `--protocol`, for commands that set papers' rows beside ours."""
    words = 'Only published rows with all these words in protocol or source: "128 px, seq-JEPA", OOD, 3DIEBench-T.'
    command = click.option("--protocol", default="", metavar="WORDS", help=words)(command)
    text = "Add what papers report, each row with its protocol, every R² in the column of its kind."
    return click.option("--published", is_flag=True, help=text)(command)


def check_protocol(protocol: str, published: bool) -> None:
    """Raise UsageError if published rows are picked and none are asked for."""
    if protocol and not published:
        raise UsageError(f"--protocol {protocol!r} picks among published rows: add --published.")


@click.command("table", short_help="Set results side by side: text, Markdown, LaTeX or CSV.")
@click.argument("results", type=FOLDER, nargs=-1)
@published_options
@click.option(
    "--metric",
    metavar="NAMES",
    help="Only these scores, and rows that have one: rotation, rotation/r2_uniform, top1, mrr; commas between.",
)
@click.option(
    "--all-columns", is_flag=True, help="Every score of every part, where else the main ones of each task stand."
)
@click.option(
    "--format", "form", default="text", show_default=True, type=click.Choice(["text", "markdown", "latex", "csv"])
)
def table_command(
    results: tuple[Path, ...], published: bool, protocol: str, metric: str | None, all_columns: bool, form: str
) -> None:
    """Put RESULTS (runs, or results.json files) into one table; runs that differ only in their seed become mean ± std.

    A table of more than 8 columns shows the main scores of each task, and says how many it leaves out; CSV has all.

    \b
    iebench table runs/* --published --protocol "128 px" --metric top1,rotation
    iebench table --published --metric mrr                     # without RESULTS: what papers report
    """  # noqa: D301 - click reads the backspace
    from iebench.evals.results import read_results
    from iebench.evals.table import build_rows, format_table, published_rows, share_protocols

    check_protocol(protocol, published)
    if not (results or published):
        raise UsageError("Name RESULTS (runs, or results.json files), or give --published for what papers report.")
    rows = build_rows(read_results(results)) + (published_rows(protocol) if published else [])
    rows, left = _choose_columns(rows, metric, all_columns or form == "csv")
    rows, shared = share_protocols(rows) if form in ("text", "markdown") else (rows, "")
    echo(format_table(rows, form, shared), nl=False)
    if left:
        echo(f"{left} more columns: --all-columns shows them, --metric NAMES some of them.", err=True)


def _choose_columns(rows: "list[Row]", metric: str | None, is_whole: bool) -> "tuple[list[Row], int]":
    """The rows with the scores that were asked for, else the main ones, and how many columns are left out unasked."""
    from iebench.evals.table_metrics import select_main, select_metrics

    if metric is not None:
        return select_metrics(rows, metric), 0
    return (rows, 0) if is_whole else select_main(rows)


@click.command("compare", short_help="Test whether one method scores above another.")
@click.argument("first")
@click.argument("second")
@click.argument("results", type=FOLDER, nargs=-1, required=True)
def compare_command(first: str, second: str, results: tuple[Path, ...]) -> None:
    """Test whether FIRST scores above SECOND, two methods among RESULTS, over objects and seeds.

    \b
    iebench compare "sie (rotation)" vicreg runs/*
    iebench compare "sie (rotation):equivariant" "sie (rotation):invariant" runs/*
    """  # noqa: D301 - click reads the backspace
    from iebench.evals.results import read_results
    from iebench.evals.significance import compare_methods

    for found in compare_methods(read_results(results), first, second):
        echo(found.describe())


@click.command("report", short_help="Show results in one HTML page.")
@click.argument("results", type=FOLDER, nargs=-1, required=True)
@click.option("-o", "--out", type=FOLDER, default=Path("report.html"), show_default=True, help="The page to write.")
@published_options
@click.option("--title", default="iebench report", show_default=True, help="Head of the page.")
@click.option("--plots", type=FOLDER, help="Folder for the page's plots as SVG files too.")
def report_command(
    results: tuple[Path, ...], out: Path, published: bool, protocol: str, title: str, plots: Path | None
) -> None:
    """Show RESULTS (evaluated runs) in one HTML page that needs no network: tables, plots and pictures."""
    from iebench.report.page import write_report

    check_protocol(protocol, published)
    write_report(list(results), out, title=title, published=published, plots=plots, protocol=protocol)
    echo(f"Wrote {out}.")
