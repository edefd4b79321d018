"""Commands that make datasets: render, merge, doctor."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from iebench.cli.options import FOLDER, POSITIVE, NumberRange
from iebench.cli.terminal import echo, tell_count

if TYPE_CHECKING:
    from iebench.render.farm import Summary
    from iebench.render.job import RenderJob
    from iebench.render.worker import WorkerSettings
    from iebench.render.worker_process import Limits

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
BLENDER_PYTHON = click.option(
    "--blender-python",
    metavar="PATH",
    help="Python with Blender that runs the workers, where this one has none.  [default: the one `iebench doctor` finds]",
)


@click.command()
@click.option("--out", type=FOLDER, help="Folder of the dataset; it appears when the dataset is complete.")
@click.option(
    "--preset",
    metavar="NAME",
    help="Fill the options below as a benchmark has them: mini (for a laptop), 3diebench or 3diebench-t; those given come first.",
)
@click.option(
    "--objects",
    metavar="PATH",
    help="'procedural' for the built-in objects, ShapeNetCore as a folder or as zip files, a folder of classes "
    "with OBJ, GLB, glTF, PLY, STL or OFF files, or your own source as package.module:name.  [default: procedural]",
)
@click.option(
    "--class", "one_class", metavar="NAME", help="The class of all objects in a folder without classes, or of a file."
)
@click.option(
    "--up",
    type=click.Choice(["y", "z"]),
    help="Axis that points up in OBJ, PLY, STL and OFF files; z in CAD and BOP. In glTF it is always y.  [default: y]",
)
@click.option(
    "--classes",
    metavar="N|NAMES",
    help="How many classes, or names and synsets with commas between.  [default: all]",
)
@click.option(
    "--objects-per-class", type=POSITIVE, help="At most so many of each class.  [default: all, or 20 procedural ones]"
)
@click.option(
    "--object-list", type=FILE, help="Render only the objects named in this file (text, or the release's .npy)."
)
@click.option(
    "--exclude", type=FILE, help="Leave out the objects named in this file; known bad ones are left out always."
)
@click.option("--val-list", type=FILE, help="The objects that validate; all others train.  [default: 20 % by a hash]")
@click.option("--views", type=POSITIVE, help="Views of each object.  [default: 50]")
@click.option("--size", type=click.IntRange(16, 4096), help="Side of the images in pixels.  [default: 256]")
@click.option(
    "--space",
    metavar="NAME|FILE",
    help="Factor space: 3diebench, 3diebench-t, so3, ood-rotation, or a TOML file.  [default: 3diebench]",
)
@click.option(
    "--factor",
    "factors",
    multiple=True,
    metavar="NAME=LOW:HIGH|VALUE",
    help="Replace the range of a factor, such as rotation_z=-180:180deg or floor_hue=0.3; may be repeated.",
)
@click.option(
    "--sweep",
    metavar="NAME=FROM:TO:N",
    help="N views in which one factor moves and all others stay; OUT.webp shows it, as it does a trajectory.",
)
@click.option(
    "--design",
    metavar="crossed|FILE",
    help="Views as a grid of --vary and --hold, in which everything else stays, or as a TOML file says.",
)
@click.option(
    "--vary",
    metavar="NAME[:LEVELS]",
    help="The factor or group that moves in the grid, such as rotation:8.  [levels: 4]",
)
@click.option(
    "--hold",
    metavar="NAME[:LEVELS],…",
    help="What is held meanwhile, on each of its levels in turn, such as light_hue,floor_hue:2.  [levels: 4]",
)
@click.option(
    "--trajectory",
    metavar="slerp:N",
    help="Clips of N views that turn smoothly from one rotation to another; more --views are more clips.",
)
@click.option(
    "--quality",
    help="trained, reference (as published), fast (with Open Image Denoise's own network), or preview.  [default: trained]",
)
@click.option(
    "--focal-length",
    type=NumberRange(1, 300),
    metavar="MM",
    help="Of the camera in millimetres, on a sensor of 36; a longer one brings the object nearer.  [default: 50]",
)
@click.option(
    "--passes",
    metavar="NAMES",
    help="Geometry of every view beside its JPEG: some of mask,depth,normal,position (coordinates in the object's frame).",
)
@click.option("--seed", type=int, help="Seed of the latents.  [default: 0]")
@click.option(
    "--latents",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Take the latents from a folder in the published layout instead of drawing them.",
)
@click.option("--workers", type=POSITIVE, help="Processes that render.  [default: one for each GPU, or one]")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, optix, hip, metal or oneapi.")
@click.option(
    "--engine", type=click.Choice(["local", "ray"]), default="local", show_default=True, help="Who runs the workers."
)
@click.option("--ray-address", help="Ray cluster to join.  [default: start one here]")
@BLENDER_PYTHON
@click.option("--part", metavar="I/N", help="Render only this machine's share of the shards.  [default: 1/1]")
@click.option("--objects-per-shard", type=POSITIVE, help="Objects in one tar file.  [default: 256]")
@click.option(
    "--object-timeout",
    type=NumberRange(min=0, min_open=True),
    default=300.0,
    show_default=True,
    help="Seconds after which an object is given up.",
)
@click.option(
    "--worker-memory",
    type=NumberRange(min=0.1),
    default=8.0,
    show_default=True,
    help="GiB of memory at which a worker is replaced.",
)
@click.option(
    "--max-failures",
    type=NumberRange(0, 1),
    default=0.01,
    show_default=True,
    help="Part of the objects that may fail before the exit code is 1.",
)
@click.option("--retry-failed", is_flag=True, help="Try the objects again that failed before.")
@click.option("--log-json", is_flag=True, help="Report progress as JSON lines on standard output.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Say what was found, and the time and disk that the render will take; keep nothing.",
)
def render(
    out: Path | None,
    workers: int | None,
    device: str,
    engine: str,
    ray_address: str | None,
    blender_python: str | None,
    object_timeout: float,
    worker_memory: float,
    max_failures: float,
    retry_failed: bool,
    log_json: bool,
    preset: str | None,
    dry_run: bool,
    **options: Any,
) -> None:
    """Render objects to a dataset.

    The same command again continues an interrupted render. Whatever the workers and interruptions, the same settings
    give the same bytes.

    \b
    iebench render --preset mini --out data/mini
    iebench render --classes 55 --out data/full
    iebench render --objects ShapeNetCore.v2 --out data/shapenet --workers 2
    iebench render --classes chair,mug --objects-per-class 5 --views 10 --size 128 --out data/small
    """  # noqa: D301 - click reads the backspace
    from iebench.cli.render_progress import RenderProgress
    from iebench.render.farm import count_objects, render_dataset
    from iebench.render.launch import choose_engine, local_settings
    from iebench.render.plan import plan_render
    from iebench.render.request import RenderRequest
    from iebench.render.worker_process import Limits

    if out is None and not dry_run:
        raise click.UsageError("Missing option '--out'.")
    given = {name: value for name, value in options.items() if value not in (None, ())}
    plan = plan_render(RenderRequest.after(preset, given))
    for sentence in plan.sentences():
        echo(sentence, err=True)
    job, limits = plan.job, Limits(object_timeout, int(worker_memory * 2**30))
    if out is None or dry_run:
        settings = local_settings(job, workers, device, blender_python)
        _tell_dry_run(job, settings, limits, out or Path("dataset"), log_json)
        return
    with RenderProgress(count_objects(job), job.num_views, log_json) as progress:
        run = progress.over(choose_engine(job, limits, workers, device, engine, ray_address, blender_python))
        summary = render_dataset(job, out, run, retry_failed, progress.watch)
    _report(summary, log_json)
    if given.keys() & {"sweep", "trajectory"}:
        _animate(out)
    if summary.failed_fraction > max_failures:
        sys.exit(1)


def _tell_dry_run(
    job: "RenderJob", settings: "list[WorkerSettings]", limits: "Limits", out: Path, log_json: bool
) -> None:
    from iebench.render.dry_run import estimate_render, tell_classes, tell_estimate

    if not log_json:
        echo("\n".join(tell_classes(job)))
    estimate = estimate_render(job, settings, limits, out)
    echo(json.dumps(asdict(estimate)) if log_json else "\n".join(tell_estimate(estimate, out)))
    if estimate.total is None:
        sys.exit(1)


def _animate(out: Path) -> None:
    from iebench.dataset.reader import Dataset
    from iebench.report.animate import animate_views

    picture = out.with_name(out.name + ".webp")
    animate_views(Dataset(out), picture)
    echo(f"{picture}: the views as an animated picture.", err=True)


def _report(summary: "Summary", log_json: bool) -> None:
    from iebench.dataset.appearance import tell_lost

    if log_json:
        echo(
            json.dumps(
                {
                    "dataset": str(summary.root),
                    "objects": summary.objects,
                    "views": summary.views,
                    "failures": len(summary.failures),
                    "lost": summary.lost,
                    "fresh": summary.fresh,
                }
            )
        )
        return
    already = "" if summary.fresh else " (nothing was left to do)"
    echo(f"{summary.root}: {summary.objects} objects, {summary.views} views{already}.")
    if summary.lost:
        echo(f"  {tell_lost(summary.lost)}")
    for failure in summary.failures[:10]:
        echo(f"  failed: {'/'.join(failure.object_name)}: {failure.reason}")
    if len(summary.failures) > 10:
        echo(f"  and {len(summary.failures) - 10} more, in {summary.root / 'failures.csv'}")
    if any(failure.log for failure in summary.failures):
        echo(f"  what was printed meanwhile: {summary.root / 'failures.log'}")


@click.command(short_help="Join the parts that several machines rendered.")
@click.argument("parts", type=FOLDER, nargs=-1, required=True)
@click.argument("out", type=FOLDER)
def merge(parts: tuple[Path, ...], out: Path) -> None:
    """Join PARTS, rendered with --part 1/n to n/n, to the dataset OUT.

    The result is the one that a single machine would have made.
    """
    from iebench.dataset.appearance import tell_lost
    from iebench.render.merge import merge_parts

    dataset = merge_parts(parts, out)
    views = tell_count(dataset.num_objects * dataset.num_views, "view")
    echo(f"{out}: {tell_count(dataset.num_objects, 'object')}, {views}.")
    if dataset.num_lost:
        echo(f"  {tell_lost(dataset.num_lost)}")


@click.command()
@BLENDER_PYTHON
def doctor(blender_python: str | None) -> None:
    """Say what this machine can do, and what is missing."""
    from iebench.render.doctor import examine

    healthy = True
    for finding in examine(blender_python):
        healthy &= finding.good
        echo(f"{'ok     ' if finding.good else 'MISSING'}  {finding.what}: {finding.value}")
        if finding.mend:
            echo(f"         {finding.mend}")
    sys.exit(0 if healthy else 1)
