"""`iebench eval`, `iebench table` and `iebench report`: the only place where evaluation and models meet."""

import hashlib
import json
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from iebench.errors import IebenchError, UsageError

if TYPE_CHECKING:
    from torch import Tensor

    from iebench.evals.subject import Subject

FOLDER = click.Path(path_type=Path)
TASK_HELP = "classification, rotation, colour, pose, translation, translation-world, factors, retrieval, predictor"


@click.command("eval", short_help="Score a run, or any network, on a dataset.")
@click.argument("run", type=FOLDER, required=False)
@click.option("--data", type=FOLDER, required=True, help="Dataset with the splits train and val.")
@click.option("--ood", type=FOLDER, help="Dataset of another factor space, on which the same probes are scored.")
@click.option(
    "--backbone", help="Evaluate a network of your own: package.module:function, or resnet18, 34, 50, 18-narrow."
)
@click.option("--weights", type=FOLDER, help="Weights of --backbone; its fresh random ones when absent.")
@click.option("--tasks", default="all", show_default=True, help=f"Names with commas between, out of {TASK_HELP}.")
@click.option("--seeds", default=1, show_default=True, type=click.IntRange(1), help="Number of probes of each kind.")
@click.option("--epochs", default=300, show_default=True, type=click.IntRange(1), help="Epochs of the probes.")
@click.option(
    "--size", type=click.IntRange(8), help="Side in pixels of the images; that of the run's training by default."
)
@click.option("--embeddings", is_flag=True, help="Probe the embeddings too.")
@click.option(
    "--baselines",
    default="constant,oracle,random weights",
    show_default=True,
    help="What stands beside every score: names with commas between, or none.",
)
@click.option("--half", is_flag=True, help="Keep representations in float16: half the space.")
@click.option(
    "--cache", type=FOLDER, help="Where representations are kept between calls; beside the results by default."
)
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, or auto.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(0), help="Processes that decode images.")
@click.option("--out", type=FOLDER, help="Folder of the results; the run by default.")
def eval_command(run: Path | None, backbone: str | None, weights: Path | None, **options: Any) -> None:
    """Score RUN, or any --backbone with its --weights, on a dataset: writes results.json and shows its table.

    Every image goes through the frozen backbone once; all probes train on what is kept of it.
    """
    if (run is None) == (backbone is None):
        raise UsageError("Give either a RUN or a --backbone to evaluate.")
    folder = options["out"] or run
    if folder is None:
        raise UsageError("--backbone needs --out, a folder for the results.")
    click.echo(evaluate_to_folder(run, backbone, weights, folder, **options), nl=False)
    click.echo(f"Wrote {folder / 'results.json'}.")


@click.command("table", short_help="Set results side by side: text, Markdown, LaTeX or CSV.")
@click.argument("results", type=FOLDER, nargs=-1, required=True)
@click.option("--published", is_flag=True, help="Set published rows beside, each with its protocol and kind of R².")
@click.option(
    "--format", "form", default="text", show_default=True, type=click.Choice(["text", "markdown", "latex", "csv"])
)
def table_command(results: tuple[Path, ...], published: bool, form: str) -> None:
    """Put RESULTS (runs, or results.json files) into one table; runs that differ only in their seed become mean ± std."""
    from iebench.evals.results import Results
    from iebench.evals.table import build_rows, format_table, published_rows

    rows = build_rows([Results.read(path) for path in results])
    click.echo(format_table(rows + (published_rows() if published else []), form), nl=False)


@click.command("report", short_help="Show results in one HTML page.")
@click.argument("results", type=FOLDER, nargs=-1, required=True)
@click.option("-o", "--out", type=FOLDER, default=Path("report.html"), show_default=True, help="The page to write.")
@click.option("--published", is_flag=True, help="Set published rows into the table.")
@click.option("--title", default="iebench report", show_default=True, help="Head of the page.")
@click.option("--plots", type=FOLDER, help="Folder for the page's plots as SVG files too.")
def report_command(results: tuple[Path, ...], out: Path, published: bool, title: str, plots: Path | None) -> None:
    """Show RESULTS (evaluated runs) in one HTML page that needs no network: tables, plots and pictures."""
    from iebench.report.page import write_report

    write_report(list(results), out, title=title, published=published, plots=plots)
    click.echo(f"Wrote {out}.")


def evaluate_to_folder(
    run: Path | None, backbone: str | None, weights: Path | None, folder: Path, **options: Any
) -> str:
    """Evaluate a run or a backbone, write results and pictures into `folder`, and return the table as text."""
    from dataclasses import replace

    from iebench.evals.gallery import save_gallery
    from iebench.evals.results import RESULTS
    from iebench.evals.source import DatasetSource
    from iebench.evals.subject import BASELINES, EvalSettings
    from iebench.evals.suite import TASKS, Suite
    from iebench.evals.table import build_rows, format_table
    from iebench.evals.training import ProbeSettings

    config = _read_config(run) if run is not None else {}
    size = options["size"] or config.get("trainer", {}).get("size") or None
    device = _choose_device(options["device"])
    subject, fresh = _run_subject(run, device) if run is not None else _backbone_subject(str(backbone), weights, device)
    settings = EvalSettings(
        seeds=tuple(range(options["seeds"])),
        probes=ProbeSettings(epochs=options["epochs"]),
        embeddings=options["embeddings"],
        baselines=_choose("--baselines", options["baselines"], BASELINES),
        dtype="float16" if options["half"] else "float32",
        device=device,
        cache=options["cache"] or folder / "features",
    )
    source = DatasetSource(options["data"], size, num_workers=options["workers"])
    ood = options["ood"] and DatasetSource(options["ood"], size, num_workers=options["workers"])
    tasks = _choose("--tasks", options["tasks"], TASKS)
    suite = Suite(subject, source, tasks, settings, ood)
    results = suite.run((run or folder).name, fresh)
    results = replace(results, method=config.get("method", str(backbone)), training=config)
    results.write(folder / RESULTS)
    save_gallery(suite, folder)
    return format_table(build_rows([results]))


def _choose(option: str, text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """The names that an option asks for: "all", "none", or some with commas between."""
    names = {"all": known, "none": ()}.get(text, tuple(name.strip() for name in text.split(",")))
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"choose among {', '.join(known)}, all or none."
            raise UsageError(f"{option} has no {name!r}: {hint}")
    return names


def _choose_device(name: str) -> str:
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError):
        raise UsageError(f"--device {name} is not on this machine: give cpu, or auto.") from None
    return name


def _read_config(run: Path) -> dict[str, Any]:
    path = run / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(config, dict):
            raise ValueError("it is no table of settings")
        return config
    except OSError:
        raise UsageError(f"{run} is no run: it has no config.json; give what `iebench train --out` wrote.") from None
    except ValueError as error:
        raise IebenchError(f"{path} is damaged ({error}): train again.") from None


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _run_subject(run: Path, device: str) -> "tuple[Subject, Callable[[Tensor], Tensor]]":
    """The trained method of a run, and its backbone with fresh weights."""
    import iebench.models.runs as runs
    from iebench.evals.subject import Subject

    method: Any = runs.load(run).to(device)
    fresh: Any = _seeded(lambda: runs.read_config(run).build_method()).to(device).eval()
    subject = Subject(
        represent=method.represent,
        embed=method.embed,
        predict=getattr(method, "predict", None),
        parts=method.parts,
        transform=method.settings.transform,
        key=_hash_file(run / runs.CHECKPOINT),
    )
    return subject, fresh.represent


def _backbone_subject(name: str, weights: Path | None, device: str) -> "tuple[Subject, Callable[[Tensor], Tensor]]":
    """Somebody's network with its weights, and with fresh ones."""
    from iebench.evals.subject import Subject
    from iebench.models.backbones import build_backbone
    from iebench.models.weights import load_backbone

    network, fresh = (_seeded(lambda: build_backbone(name)) for _ in range(2))
    if weights is not None:
        load_backbone(network, weights)
    key = f"{name}:{_hash_file(weights) if weights is not None else 'fresh'}"
    return Subject(_frozen(network, device), key=key), _frozen(fresh, device)


def _frozen(network: Any, device: str) -> "Callable[[Tensor], Tensor]":
    """A network in eval mode behind the normalisation of 3DIEBench's images."""
    from torch import nn

    from iebench.models.normalisation import Normalisation

    return nn.Sequential(Normalisation(), network).to(device).eval()


def _seeded(build: Callable[[], Any]) -> Any:
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build()
