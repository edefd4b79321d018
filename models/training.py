"""The training loop: dataset → run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from iebench.errors import IebenchError
from iebench.models import checkpoints
from iebench.models.distributed import mean_over_processes
from iebench.models.interruption import Interruption, signals_blocked
from iebench.models.metrics import Averages, Clock, Metrics, peak_memory_mib
from iebench.models.runs import CHECKPOINT, CONFIG, check_same, read_config
from iebench.models.session import Session, set_up
from iebench.models.settings import MethodSettings, TrainerSettings
from iebench.models.validation import validate
from iebench.pairs import Pair

VIEWS_PER_PAIR = 2


def train(name: str, method_settings: MethodSettings, trainer: TrainerSettings, data: Path, out: Path) -> None:
    """Trains a method into a run, or continues the run that is there.

    Raises:
        IebenchError: if the run is of something else, a loss is not finite, or a signal ended it (after saving).
    """
    session = set_up(name, method_settings, trainer, data)
    if (out / CONFIG).exists():
        check_same(read_config(out), session.config, out)
    if session.fabric.is_global_zero:
        session.config.write(out)
    step = resume(session, out / CHECKPOINT) if (out / CHECKPOINT).exists() else 0
    metrics = Metrics(out, step) if session.fabric.is_global_zero else None
    with Interruption() as interruption:
        run_loop(session, out, step, metrics, interruption)
    if metrics:
        metrics.close()


def run_loop(session: Session, out: Path, step: int, metrics: Metrics | None, interruption: Interruption) -> None:
    """Steps until the last one, or until a signal comes."""
    trainer, device = session.trainer, session.fabric.device
    averages, clock, first_step = Averages(), Clock(), step
    batches = cycle(session.loader)
    bar = tqdm(total=session.num_steps, initial=step, unit="step", disable=None if metrics else True)
    while True:
        last_step = step >= session.num_steps
        interrupted = interruption.came(device)
        fresh = step > first_step

        if (
            session.val_loader
            and fresh
            and (last_step or step % (trainer.validate_every * session.steps_per_epoch) == 0)
        ):
            with clock.paused():
                held_out = validate(session.watched, session.val_loader, session.fabric)
            if metrics:
                metrics.write(step, held_out)

        if fresh and (last_step or interrupted or step % trainer.checkpoint_every == 0):
            with clock.paused():
                save(session, out / CHECKPOINT, step)

        if last_step or interrupted:
            break

        with clock.waiting():
            pair = to_device(next(batches), device)
        logged = (step + 1) % trainer.log_every == 0 or step + 1 == session.num_steps
        terms, scores = take_step(session, pair, step, describe=logged)
        step += 1
        check_finite(terms, step)
        averages.add({f"train/{name}": term for name, term in terms.items()} | scores)
        bar.update()

        if logged:
            means = {name: value.item() for name, value in mean_over_processes(averages.take()).items()}
            rates = clock.take(VIEWS_PER_PAIR * trainer.batch_size)
            rates |= {"learning_rate": session.learning_rate(step - 1), "memory_mib": peak_memory_mib(device)}
            bar.set_postfix_str(f"loss {means['train/loss']:.4f}, {rates['images_per_second']:.0f} images/s")
            if metrics:
                metrics.write(step, {**means, **rates})
    bar.close()
    if not last_step:
        raise IebenchError(
            f"{interruption.signal or 'a signal'} ended the run after step {step}; it is saved, and the same command resumes it"
        )


def cycle(loader: Any) -> Iterator[Pair]:
    """Batches without end; each pass over the loader is the next epoch."""
    while True:
        batches = iter(loader)
        # The first batch starts the workers and takes their seed from torch's generator: a resume, which starts them once
        # more, must not shift it. And a signal to all processes of a job must leave the workers alive until we have saved.
        with torch.random.fork_rng(devices=[]), signals_blocked():
            first = next(batches)
        yield first
        yield from batches


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


def resume(session: Session, path: Path) -> int:
    """Puts everything back as the checkpoint has it, and returns its step."""
    content = checkpoints.load(path)
    session.watched.load_state_dict(content["module"])
    session.optimizer.load_state_dict(content["optimizer"])
    session.fabric.strategy.precision.load_state_dict(content["precision"])
    session.loader.load_state_dict(content["loader"])
    rank = session.fabric.global_rank
    if rank < len(content["generators"]):
        checkpoints.set_generators(content["generators"][rank])
    return content["step"]
