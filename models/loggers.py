"""Where a training's metrics go beside `metrics.csv`: loggers by name, or of others by `package.module:name`.

Services are told what they need by their own variables, such as WANDB_MODE=offline or TRACKIO_DIR.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from iebench.errors import UsageError, suggest
from iebench.plugins import is_dotted, load_object

PROJECT = "iebench"


@dataclass(frozen=True)
class LoggedRun:
    """What a logger is told of the training whose metrics it takes.

    Attributes:
        out: folder of the run.
        step: that the training goes on from; 0 for a fresh one.
        config: its settings, as in `config.json`.
    """

    out: Path
    step: int
    config: dict[str, Any]

    @property
    def id(self) -> str:
        """The same for a run that is resumed, another for any other folder."""
        return hashlib.sha256(str(self.out.resolve()).encode()).hexdigest()[:16]


class Logger(Protocol):
    """Takes scalars of steps, which come in order; a run that was cut off repeats the last steps before it."""

    def write(self, step: int, metrics: dict[str, float]) -> None:
        """Take the metrics of one step in."""

    def close(self) -> None:
        """Bring to its place what is not there yet."""


class TensorBoardLogger:
    """Event files in the run's folder `tensorboard`; steps that come again replace those of before."""

    def __init__(self, run: LoggedRun) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._board = SummaryWriter(run.out / "tensorboard", purge_step=run.step + 1 if run.step else None)

    def write(self, step: int, metrics: dict[str, float]) -> None:
        """Add a scalar for each metric."""
        for name, value in metrics.items():
            self._board.add_scalar(name, value, step)

    def close(self) -> None:
        """Flush."""
        self._board.close()


class WandbLogger:
    """A run of Weights & Biases; with WANDB_MODE=offline in the run's folder `wandb`, for `wandb sync`."""

    def __init__(self, run: LoggedRun) -> None:
        import wandb

        told = {"project": PROJECT, "name": run.out.name, "config": run.config}
        self._run = wandb.init(**told, id=run.id, resume="allow", dir=str(run.out.resolve()))

    def write(self, step: int, metrics: dict[str, float]) -> None:
        """Log the metrics under their step."""
        self._run.log(metrics, step=step)

    def close(self) -> None:
        """End the run."""
        self._run.finish()


class TrackioLogger:
    """A run of trackio, which keeps it on this machine, in TRACKIO_DIR; `trackio show` shows it."""

    def __init__(self, run: LoggedRun) -> None:
        import trackio

        self._run = trackio.init(
            project=PROJECT, name=f"{run.out.name}-{run.id[:6]}", config=run.config, resume="allow", embed=False
        )

    def write(self, step: int, metrics: dict[str, float]) -> None:
        """Log the metrics under their step."""
        self._run.log(metrics, step=step)

    def close(self) -> None:
        """End the run."""
        self._run.finish()


LOGGERS: dict[str, Callable[[LoggedRun], Logger]] = {
    "tensorboard": TensorBoardLogger,
    "wandb": WandbLogger,
    "trackio": TrackioLogger,
}  # under the names of their packages
FILE_ALONE = "csv"


def find_loggers(names: str) -> list[Callable[[LoggedRun], Logger]]:
    """What makes each logger of a list with commas between; `csv` is `metrics.csv` alone, which is always written.

    Raises:
        UsageError: one is not known, or its package is not installed.
    """
    return [_find(name) for name in names.split(",") if name != FILE_ALONE]


def _find(name: str) -> Callable[[LoggedRun], Logger]:
    if is_dotted(name):
        return load_object(name, "--log")
    if name not in LOGGERS:
        known = f"choose some of {', '.join([*LOGGERS, FILE_ALONE])}, or package.module:name."
        raise UsageError(f"--log {name!r}: there is no such logger: {suggest(name, LOGGERS, known)}")
    if not find_spec(name):
        raise UsageError(f"--log {name} needs {name}, which is not installed: pip install {name}.")
    return LOGGERS[name]
