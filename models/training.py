"""The training loop: dataset → run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from iebench.errors import IebenchError, UsageError
from iebench.loader.multiview import Pair
from iebench.models import checkpoints
from iebench.models.interruption import Interruption, one_pass
from iebench.models.reporting import Reporter
from iebench.models.runs import CHECKPOINT, CONFIG, check_same, read_checkpoint, read_config
from iebench.models.session import Session, set_up
from iebench.models.settings import MethodSettings, TrainerSettings
from iebench.models.validation import validate


def train(name: str, method_settings: MethodSettings, trainer: TrainerSettings, data: Path, out: Path) -> None:
    """Trains a method into a run, or continues the run that is there.

    Raises:
        UsageError: if settings, machine, dataset and run do not fit each other.
        IebenchError: if a loss is not finite, or a signal ended it (after saving).
    """
    if out.is_file():
        raise UsageError(f"--out {out} is a file; name a folder")
    if out.is_dir() and any(out.iterdir()) and not (out / CONFIG).exists():
        raise UsageError(f"--out {out} holds other things than a run; name a new folder")
    session = set_up(name, method_settings, trainer, data)
    if (out / CONFIG).exists():
        check_same(read_config(out), session.config, out)
    if session.fabric.is_global_zero:
        session.config.write(out)
    step = resume(session, out) if (out / CHECKPOINT).exists() else 0
    reporter = Reporter(session, out, step)
    with Interruption() as interruption:
        step = run_loop(session, out, step, reporter, interruption)
    reporter.close()
    if step < session.num_steps:
        signal = interruption.signal or "a signal to another process"
        raise IebenchError(f"{signal} ended the run after step {step}; it is saved, and the same command resumes it")


def run_loop(session: Session, out: Path, step: int, reporter: Reporter, interruption: Interruption) -> int:
    """Steps until the last one or until a signal comes; returns the number of steps that are done."""
    trainer, device, clock = session.trainer, session.fabric.device, reporter.clock
    first_step, batches = step, cycle(session.loader)
    while True:
        last_step = step >= session.num_steps
        stops = interruption.came(device) or last_step
        is_new = step > first_step

        if is_new and session.val_loader and (last_step or step % session.validation_steps == 0):
            with clock.paused():
                reporter.write(step, validate(session.watched, session.val_loader, session.fabric))

        if is_new and (stops or step % trainer.checkpoint_every == 0):
            with clock.paused():
                save(session, out / CHECKPOINT, step)

        if stops:
            return step

        with clock.waiting():
            pair = to_device(next(batches), device)
        terms, scores = take_step(session, pair, step, describe=reporter.is_due(step + 1))
        step += 1
        check_finite(terms, step)
        reporter.take_in(step, terms, scores)


def cycle(loader: Any) -> Iterator[Pair]:
    """Batches without end; each pass over the loader is the next epoch."""
    while True:
        yield from one_pass(loader)


def to_device(pair: Pair, device: torch.device) -> Pair:
    """A batch on the device where the method is."""
    return Pair(*[field.to(device, non_blocking=True) for field in pair])


def take_step(
    session: Session, pair: Pair, step: int, describe: bool = False
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """One step of the optimiser: the method's terms with its loss, and the scores of the probes."""
    for group in session.optimizer.param_groups:
        if not group["is_probe"]:
            group["lr"] = session.learning_rate(step)
    loss, terms, scores = session.module(pair, describe)
    session.optimizer.zero_grad()
    session.fabric.backward(loss)
    session.optimizer.step()
    session.watched.method.after_step((step + 1) / session.num_steps)
    return terms, scores


def check_finite(terms: dict[str, Tensor], step: int) -> None:
    """Raises IebenchError if the loss is not finite, naming the first term that is not."""
    if torch.isfinite(terms["loss"]):
        return
    name = next((name for name, term in terms.items() if name != "loss" and not torch.isfinite(term)), "loss")
    raise IebenchError(
        f"step {step}: {name} is {terms[name].item()}; the last checkpoint is whole, go on from it with a lower --learning-rate"
        " or --precision 32 in another --out"
    )


def save(session: Session, path: Path, step: int) -> None:
    """Writes the checkpoint of the state between two steps."""
    generators = session.gather_objects(checkpoints.get_generators())
    if session.fabric.is_global_zero:
        content = {
            "step": step,
            "module": session.watched.state_dict(),
            "optimizer": session.optimizer.state_dict(),
            "precision": session.fabric.strategy.precision.state_dict(),
            "loader": session.loader.state_dict(),
            "generators": generators,
        }
        checkpoints.save(path, content)
    session.fabric.barrier()


def resume(session: Session, run: Path) -> int:
    """Puts everything back as the run's checkpoint has it, and returns its step."""
    content = read_checkpoint(run)
    session.watched.load_state_dict(content["module"])
    session.optimizer.load_state_dict(content["optimizer"])
    session.fabric.strategy.precision.load_state_dict(content["precision"])
    session.loader.load_state_dict(content["loader"])
    rank = session.fabric.global_rank
    if rank < len(content["generators"]):
        checkpoints.set_generators(content["generators"][rank])
    return content["step"]
