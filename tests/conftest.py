"""What all tests share: drawn datasets, processes that end with their test, and a process like any other's."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import jaxtyping
import pytest
from drawing import write_dataset
from processes import Processes

from iebench.dataset.reader import Dataset


def use_one_thread() -> None:
    """In a forked child: the threads of OpenMP stay with its parent, and torch would wait for them for ever."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


# Answers are known to the bit on a CPU; benchmarks/studies/cuda.py is for the others.
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.register_at_fork(after_in_child=use_one_thread)
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as shells start what runs in the background; tests press Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def drawn_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small dataset shared by all tests that only read it."""
    return write_dataset(tmp_path_factory.mktemp("data") / "drawn").root


@pytest.fixture
def make_dataset(tmp_path: Path) -> Callable[..., Dataset]:
    """Write a dataset of one's own: `make_dataset("name", num_views=3)`."""
    return lambda name="drawn", **settings: write_dataset(tmp_path / name, **settings)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Processes]:
    """Start processes that end with the test, and all that they have started too: `start(["iebench", "info", "data"])`."""
    processes = Processes(str(tmp_path))
    yield processes
    processes.kill()


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets wrong types through to the code, as users meet it, without the checker of the test run."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.fixture(scope="session", autouse=True)
def no_power_loss() -> Iterator[None]:
    """Nothing here outlives a loss of power, so that nobody need wait for the disk."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", lambda descriptor: None)
        yield
