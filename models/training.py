"""The training loop: dataset → run."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from lightning.fabric import Fabric
from torch import Tensor

from iebench.errors import IebenchError, UsageError
from iebench.loader.multiview import Views
from iebench.locks import locked
from iebench.models import checkpoints
from iebench.models.advice import advise
from iebench.models.finite import FiniteCheck
from iebench.models.interruption import Interruption
from iebench.models.method import LossOutput
from iebench.models.online_probes import Predictions
from iebench.models.prefetch import Prefetcher
from iebench.models.reporting import Reporter
from iebench.models.runs import CHECKPOINT, CONFIG, check_same, read_checkpoint, read_config
from iebench.models.session import Session, set_up
from iebench.models.settings import MethodSettings, TrainerSettings
from iebench.models.validation import validate

Scalars = dict[str, Tensor]
LOCK = f"{CONFIG}.lock"
BEGINNINGS = {LOCK, f"{CONFIG}.partial"}  # of a run whose process was killed before it had settings


def train(name: str, method_settings: MethodSettings, trainer: TrainerSettings, data: Path, out: Path) -> None:
    """Train a method into a run, or continue the run that is there.

    Raises:
        UsageError: if settings, machine, dataset and run do not fit each other, or another training holds the run.
        IebenchError: if a loss is not finite, or a signal ended it (after saving).
    """
    if out.is_file():
        raise UsageError(f"--out {out} is a file; name a folder.")
    if out.is_dir() and not (out / CONFIG).exists() and {path.name for path in out.iterdir()} - BEGINNINGS:
        raise UsageError(f"--out {out} holds other things than a run; name a new folder.")
    session = set_up(name, method_settings, trainer, data)
    with held(out, session.fabric):
        _train(session, out)


def _train(session: Session, out: Path) -> None:
    if (out / CONFIG).exists():
        check_same(
            read_config(out, trust={session.config.method, session.config.method_settings.backbone}),
            session.config,
            out,
        )
    if session.fabric.is_global_zero:
        session.config.write(out)
    step = resume(session, out) if (out / CHECKPOINT).exists() else 0
    reporter = Reporter(session, out, step)
    for sentence in advise(session.method, session.trainer, session.steps_per_epoch, session.num_steps):
        reporter.warn(sentence)
    with closing(reporter), closing(session), Interruption() as interruption:
        step = run_loop(session, out, step, reporter, interruption)
    if step < session.num_steps:
        signal = interruption.signal or "a signal to another process"
        raise IebenchError(f"{signal} ended the run after step {step}; it is saved, and the same command resumes it.")


@contextmanager
def held(out: Path, fabric: Fabric) -> Iterator[None]:
    """Hold a run for this training alone: the first process does, and tells the others whether it could.

    Raises:
        UsageError: another training holds it.
        IebenchError: the run's folder cannot be written to.
    """
    with ExitStack() as stack:
        error = None
        if fabric.is_global_zero:
            try:
                stack.enter_context(locked(out, "train", lock=out / LOCK))
            except IebenchError as refusal:
                error = refusal
        error = fabric.broadcast(error)
        if error is not None:
            raise error
        yield


def nothing() -> None:
    """Do nothing."""


def run_loop(session: Session, out: Path, step: int, reporter: Reporter, interruption: Interruption) -> int:
    """Steps until the last one or until a signal comes; returns the number of steps that are done."""
    trainer, device, clock = session.trainer, session.fabric.device, reporter.clock
    batches, finite = Prefetcher(session.loader, device), FiniteCheck()
    first_step = step

    def fetch_next() -> None:
        with clock.waiting():
            batches.fetch()

    while True:
        last_step = step >= session.num_steps
        stops = interruption.came(device) or last_step
        is_new = step > first_step

        if is_new and session.val_loader and (last_step or step % session.validation_steps == 0):
            with clock.paused():
                finite.check()
                reporter.write(step, validate(session.probed, session.val_loader, session.fabric))

        if is_new and (stops or step % trainer.checkpoint_every == 0):
            with clock.paused():
                finite.check()
                save(session, out / CHECKPOINT, step, batches.state_dict())

        if stops:
            return step

        with clock.waiting():
            views = batches.take()
        is_due, goes_on = reporter.is_due(step + 1), step + 1 < session.num_steps
        meanwhile = fetch_next if goes_on else nothing
        terms, scores = take_step(session, views, step, describe=is_due, meanwhile=meanwhile)
        step += 1
        finite.add(step, terms)
        if is_due:
            finite.check()
        reporter.take_in(step, terms, scores)


def take_step(
    session: Session, views: Views, step: int, describe: bool = False, meanwhile: Callable[[], None] = nothing
) -> tuple[Scalars, Scalars]:
    """One step of the optimiser: the method's terms with its `loss`, and the scores of the probes.

    Args:
        session: what is trained.
        views: uint8 images on the device.
        step: how many steps are done.
        describe: whether to compute collapse metrics too.
        meanwhile: called when the device has its gradients to compute.
    """
    set_learning_rate(session, step)
    output, predictions = session.module(views)
    loss = output.loss + session.probed.probes.loss(predictions, views)
    scores = score(session, output, predictions, views, describe)
    session.optimizer.zero_grad()
    session.fabric.backward(loss)
    meanwhile()
    session.optimizer.step()
    session.method.after_step((step + 1) / session.num_steps)
    return {"loss": output.loss, **output.terms}, scores


def set_learning_rate(session: Session, step: int) -> None:
    """Give the method's groups the learning rate of a step; the probes keep theirs."""
    rate = session.learning_rate(step)
    for group in session.optimizer.param_groups:
        if not group["is_probe"]:
            group["lr"] = rate * group.get("lr_scale", 1.0)


def score(session: Session, output: LossOutput, predictions: Predictions, views: Views, describe: bool) -> Scalars:
    """How well the online probes tell class and rotation, and collapse metrics if `describe`."""
    probed = session.probed
    told = probed.probes.scores(predictions, views.label, views.transforms)
    scores = {f"probe/{name}": value for name, value in told.items()}
    if describe:
        with session.fabric.autocast():
            scores |= probed.describe(views, output.representations)
    return scores


def save(session: Session, path: Path, step: int, loader: dict[str, Any]) -> None:
    """Write the checkpoint of the state between two steps, with the loader's state after the batches that were taken."""
    generators = session.gather_objects(checkpoints.get_generators())
    if session.fabric.is_global_zero:
        content = {
            "step": step,
            "module": session.probed.state_dict(),
            "optimizer": session.optimizer.state_dict(),
            "precision": session.fabric.strategy.precision.state_dict(),
            "loader": loader,
            "generators": generators,
        }
        checkpoints.save(path, content)
    session.fabric.barrier()


def resume(session: Session, run: Path) -> int:
    """Put everything back as the run's checkpoint has it, and return its step."""
    content = read_checkpoint(run)
    session.probed.load_state_dict(content["module"])
    session.optimizer.load_state_dict(content["optimizer"])
    session.fabric.strategy.precision.load_state_dict(content["precision"])
    session.loader.load_state_dict(content["loader"])
    rank = session.fabric.global_rank
    if rank < len(content["generators"]):
        checkpoints.set_generators(content["generators"][rank])
    return content["step"]
