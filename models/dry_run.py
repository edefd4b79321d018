"""The dry run of a training: its settings, parameters, and one step's time and memory."""

import json
import time
from pathlib import Path

from iebench.models.advice import advise
from iebench.models.prefetch import to_device
from iebench.models.run_log import peak_memory_mib
from iebench.models.session import Session, set_up
from iebench.models.settings import MethodSettings, TrainerSettings
from iebench.models.training import take_step

WARM_UP_STEPS = 1


def dry_run(name: str, method_settings: MethodSettings, trainer: TrainerSettings, data: Path) -> str:
    """The resolved settings, the number of parameters of each part, and one step's time and memory, as text."""
    session = set_up(name, method_settings, trainer, data)
    lines = [json.dumps(session.config.to_json(), indent=2), "", "parameters"]
    parts = {name: list(module.parameters()) for name, module in session.method.named_children()}
    counts = {name: sum(parameter.numel() for parameter in parameters) for name, parameters in parts.items()}
    lines += [f"  {name:24} {count:>12,}" for name, count in counts.items() if count]
    seconds = time_step(session)
    rate = session.images_per_step / seconds
    memory = peak_memory_mib(session.fabric.device)
    batch = f"{session.trainer.batch_size:,} objects, {session.method.num_views} views of each"
    lines += [
        "",
        f"{session.num_steps:,} steps of {batch}; {session.steps_per_epoch:,} steps in an epoch",
        *(f"Warning: {told}" for told in advise(session.method, trainer, session.steps_per_epoch, session.num_steps)),
        f"one step: {seconds:.3f} s, {rate:,.0f} images/s, {memory:,.0f} MiB; all: {seconds * session.num_steps / 3600:.1f} h",
    ]
    return "\n".join(lines)


def time_step(session: Session) -> float:
    """Seconds of one step of the optimiser, after one to warm up."""
    views = to_device(next(iter(session.loader)), session.fabric.device)
    for step in range(WARM_UP_STEPS + 1):
        start = time.perf_counter()
        terms, _ = take_step(session, views, step)
        terms["loss"].item()  # waits for the device
    return time.perf_counter() - start
