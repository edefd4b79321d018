"""`iebench demo`: the whole path from objects to scores, on built-in objects, on a CPU, in minutes."""

import time
from pathlib import Path

import click

from iebench.cli.eval import eval_command

OBJECTS_PER_CLASS, VIEWS, SIZE, QUALITY = 16, 6, 64, "preview"
BACKBONE, PROJECTOR = "resnet18-narrow", "256-256-64"
STEPS, BATCH_SIZE, PROBE_EPOCHS = 800, 64, 100


@click.command(short_help="The whole path on built-in objects, on a CPU, in minutes.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("demo"), show_default=True, help="Folder for all it makes."
)
@click.option("--classes", default="55", show_default=True, metavar="N|NAMES", help="Which classes to render.")
@click.pass_context
def demo(context: click.Context, out: Path, classes: str) -> None:
    """Render built-in objects at 64 px, train SIE on them, evaluate it, and show the scores.

    A run of minutes on a few objects of each class: it shows that the path works, not what the method can do, which takes a
    hundred times as many steps. Classes begin to tell apart; rotations are hardly better known than by the constant prediction.
    The same command again goes on, or shows what is there.
    """
    data, run, sheet = out / "data", out / "run", out / "pairs.png"
    start = time.monotonic()

    def tell(what: str) -> None:
        click.echo(f"[{time.monotonic() - start:4.0f} s] {what}")

    tell(f"rendering {OBJECTS_PER_CLASS} objects of each class, {VIEWS} views of each object")
    _render(data, classes)
    _draw_pairs(data, sheet)
    tell(f"training SIE for {STEPS} steps")
    _train(data, run)
    tell("evaluating its representation")
    context.invoke(
        eval_command, run=run, data=data, tasks="classification,rotation", epochs=PROBE_EPOCHS, num_workers=1
    )
    tell("done; what was made:")
    for what, path in {"dataset": data, "pairs": sheet, "run": run, "scores": run / "results.json"}.items():
        click.echo(f"  {what:8s} {path}")


def _render(data: Path, classes: str) -> None:
    from iebench.render.farm import render_dataset
    from iebench.render.launch import choose_engine
    from iebench.render.plan import RenderRequest, plan_job
    from iebench.render.worker_process import Limits

    request = RenderRequest(
        classes=classes, objects_per_class=OBJECTS_PER_CLASS, views=VIEWS, size=SIZE, quality=QUALITY
    )
    job, limits = plan_job(request), Limits()
    # Images are so small that one worker leaves a second core idle.
    render_dataset(job, data, choose_engine(job, limits, workers=2))


def _draw_pairs(data: Path, sheet: Path) -> None:
    from iebench.dataset.reader import Dataset
    from iebench.report.show import draw_sheet, pick_pairs

    draw_sheet(pick_pairs(Dataset(data), count=8, split="val"), side=2 * SIZE).save(sheet)


def _train(data: Path, run: Path) -> None:
    from iebench.models.method_sie import SieSettings
    from iebench.models.settings import TrainerSettings
    from iebench.models.training import train

    settings = TrainerSettings(steps=STEPS, batch_size=BATCH_SIZE, num_workers=1, schedule="cosine", warmup_epochs=2)
    train("sie", SieSettings(backbone=BACKBONE, projector=PROJECTOR), settings, data, run)
