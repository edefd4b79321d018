"""What the fuzz tests share: bounded memory, a count of what was tried, and the rule of what may come out."""

import os
import random
import warnings
from collections import Counter
from collections.abc import Callable

import pytest
from bounded_memory import at_most
from mutations import MUTATIONS

from iebench.errors import IebenchError

MEMORY = 3 * 2**29  # bytes beyond those of the start
TIMES = float(os.environ.get("IEBENCH_FUZZ", "1"))  # how many inputs more than usual
_tried: Counter[str] = Counter()
_refused: Counter[str] = Counter()


@pytest.fixture(autouse=True)
def bounded_memory():
    """Whoever asks for more memory than a refusal takes gets a MemoryError."""
    with at_most(MEMORY):
        yield


@pytest.fixture
def fuzz():
    """`fuzz(kind, content, number, use)`: damaged contents, to each of which `use` does what users do.

    Each ends well or in an error of ours, in one sentence without control characters' effects; nothing else may come out.
    """

    def run(kind: str, content: bytes, number: int, use: Callable[[bytes], object], ways=MUTATIONS):
        for seed in range(int(number * TIMES)):
            dice = random.Random(f"{kind} {seed}")
            damaged = dice.choice(ways)(content, dice)
            _tried[kind] += 1
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    use(damaged)
            except IebenchError as error:
                _refused[kind] += 1
                if "\n" in str(error) or len(str(error)) > 2000:
                    raise AssertionError(f"{kind}, seed {seed}: no sentence") from error
            except Exception as error:
                raise AssertionError(f"{kind}, seed {seed}: {type(error).__name__}") from error

    return run


def pytest_terminal_summary(terminalreporter):
    """Say how much was tried."""
    if _tried:
        told = ", ".join(f"{kind} {count} ({_refused[kind]} refused)" for kind, count in _tried.items())
        terminalreporter.write_line(f"fuzz: {sum(_tried.values())} inputs: {told}")
