"""What a training would be, without training."""

import json
import time
from dataclasses import asdict
from pathlib import Path

from iebench.models.metrics import peak_memory_mib
from iebench.models.session import Session, set_up
from iebench.models.settings import MethodSettings, TrainerSettings
from iebench.models.training import take_step, to_device

WARM_UP_STEPS = 1


def dry_run(name: str, method_settings: MethodSettings, trainer: TrainerSettings, data: Path) -> str:
    """The resolved settings, the number of parameters of each part, and one step's time and memory, as text."""
    session = set_up(name, method_settings, trainer, data)
    lines = [json.dumps(asdict(session.config), indent=2), "", "parameters"]
    parts = {name: module.parameters() for name, module in session.watched.method.named_children()}
    lines += [f"  {name:24} {sum(p.numel() for p in parameters):>12,}" for name, parameters in parts.items()]
    seconds = time_step(session)
    rate = 2 * session.trainer.batch_size / seconds
    memory = peak_memory_mib(session.fabric.device)
    lines += [
        "",
        f"{session.num_steps:,} steps of {session.trainer.batch_size:,} pairs, {session.steps_per_epoch:,} in an epoch",
        f"one step: {seconds:.3f} s, {rate:,.0f} images/s, {memory:,.0f} MiB; all: {seconds * session.num_steps / 3600:.1f} h",
    ]
    return "\n".join(lines)


def time_step(session: Session) -> float:
    """Seconds of one step of the optimiser, after one to warm up."""
    pair = to_device(next(iter(session.loader)), session.fabric.device)
    for step in range(WARM_UP_STEPS + 1):
        start = time.perf_counter()
        terms, _ = take_step(session, pair, step)
        terms["loss"].item()  # waits for the device
    return time.perf_counter() - start
