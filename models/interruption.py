"""Preemption: SIGTERM and SIGUSR1, with which schedulers announce that they take a machine back, and Ctrl-C."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

import torch
from torch import distributed

from iebench.loader.multiview import Views
from iebench.models.distributed import num_processes

SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)


class Interruption:
    """Preemption signals, noted while it is entered, so that the loop can end between two steps.

    A second Ctrl-C ends it at once.

    Attributes:
        signal: the name of the signal that came, or empty.
    """

    def __init__(self) -> None:
        self.signal = ""

    def __enter__(self) -> "Interruption":
        self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        name = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
        if name == self.signal == "Ctrl-C":
            raise KeyboardInterrupt
        self.signal = name

    def came(self, device: torch.device) -> bool:
        """Whether a signal has come to any of the processes; all of them must call this at the same step."""
        if num_processes() == 1:
            return bool(self.signal)
        flag = torch.tensor(float(bool(self.signal)), device=device)
        distributed.all_reduce(flag, op=distributed.ReduceOp.MAX)
        return bool(flag.item())


def one_pass(loader: Any) -> Iterator[Views]:
    """The batches of one pass over a loader, whose workers neither a signal nor a resume disturbs.

    The first batch starts the workers. A signal to all processes of a job must leave them alive until we have saved. They
    take their seed from torch's generator, and a resume, which starts them once more, must not shift it.
    """
    batches = iter(loader)
    with torch.random.fork_rng(devices=[]), signals_blocked():
        first = next(batches)
    yield first
    yield from batches


@contextmanager
def signals_blocked() -> Iterator[None]:
    """Processes that start in here never get the signals; to this one they come afterwards."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
