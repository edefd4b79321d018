"""How far a long work is: a bar in a terminal, and a line a minute where there is none, as under SLURM or in a log file."""

import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from typing import TypeVar

from iebench.escapes import for_terminal

FIRST_SECONDS, EVERY_SECONDS = 10.0, 60.0  # of a log's lines; shorter works write none
Item = TypeVar("Item")


class Progress:
    """A work under way, told on standard error.

    Attributes:
        done: how many of them are done.
        share: part of the work that is done, where it is known better than by counting.
    """

    def __init__(self, what: str, total: int | None, unit: str, shown: bool = True, leaves: bool = True) -> None:
        """Begin to tell.

        Args:
            what: the work, in a word or two.
            total: how many there are.
            unit: of what, in the singular.
            shown: tell at all.
            leaves: the bar stays in the terminal when the work is over.
        """
        self.done, self.share = 0, 0.0 if total else None
        self._what, self._total, self._unit, self._note = what, total, unit, ""
        self._start, self._done_before, self._share_before = time.monotonic(), 0, 0.0
        in_terminal = sys.stderr.isatty()
        self._bar = _make_bar(what, total, unit, leaves) if shown and in_terminal else None
        self._lines = _Lines(self.describe) if shown and not in_terminal else None

    @property
    def total(self) -> int | None:
        """How many there are; None where that is not known, and to be set when it is."""
        return self._total

    @total.setter
    def total(self, total: int | None) -> None:
        self._total = total
        if self._bar is not None:
            self._bar.total = total
            self._bar.refresh()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def skip(self, count: int) -> None:
        """Count what was done before, which says nothing about how long the rest takes."""
        self.done = self._done_before = self.done + count
        if self.total:
            self.share = self._share_before = self.done / self.total
        if self._bar is not None:
            self._bar.initial = self._bar.n = self.done
            self._bar.refresh()

    def add(self, count: int = 1, note: str = "", share: float | None = None) -> None:
        """Count what is done.

        Args:
            count: how many more.
            note: what else is to be told from now on, such as failures.
            share: part of the work that is done; as counted where absent.
        """
        self.done += count
        self.share = share if share is not None or not self.total else self.done / self.total
        self._note = note or self._note
        if self._bar is not None:
            self._bar.set_postfix_str(self._note, refresh=False)
            self._bar.update(count)

    def tell(self, sentence: str) -> None:
        """Say something beside the counting."""
        if self._bar is not None:
            self._bar.clear()
        print(for_terminal(sentence), file=sys.stderr, flush=True)

    def close(self) -> None:
        """Tell how it ended, where it was told that it began."""
        if self._bar is not None:
            self._bar.close()
        if self._lines is not None:
            self._lines.end()

    def describe(self, is_over: bool = False) -> str:
        """One line: done, total, rate, time left (or taken), and the note."""
        seconds = time.monotonic() - self._start
        rate = (self.done - self._done_before) / max(seconds, 1e-9)
        of = f"/{self.total}" if self.total is not None else ""
        percent = f" ({100 * self.share:.0f} %)" if self.share is not None else ""
        left = f"took {_say_time(seconds)}" if is_over else self._say_left(seconds)
        told = [f"{self.done}{of} {self._unit}s{percent}", f"{rate:.3g} {self._unit}s/s", left, self._note]
        return f"{self._what}: {', '.join(filter(None, told))}"

    def _say_left(self, seconds: float) -> str:
        gained = (self.share or 0.0) - self._share_before
        return f"{_say_time(seconds * (1 - (self.share or 0.0)) / gained)} left" if gained > 0 else ""


def track(items: Collection[Item], what: str, unit: str) -> Iterator[Item]:
    """The items, and how far one is with them."""
    with Progress(what, len(items), unit, leaves=False) as progress:
        for item in items:
            yield item
            progress.add()


def write_lines(describe: Callable[[], str], ends_within: Callable[[float], bool]) -> bool:
    """Write lines until a work ends; returns whether there were any.

    Args:
        describe: gives a line.
        ends_within: waits so many seconds, or until the work ends if that is before, and tells whether it did.
    """
    seconds, written = FIRST_SECONDS, False
    while not ends_within(seconds):
        print(describe(), file=sys.stderr, flush=True)
        seconds, written = EVERY_SECONDS, True
    return written


class _Lines:
    """Writes lines from a thread, so that they come also while one object takes minutes."""

    def __init__(self, describe: Callable[[bool], str]) -> None:
        self._describe, self._ended, self._written = describe, threading.Event(), False
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def _write(self) -> None:
        self._written = write_lines(lambda: self._describe(False), self._ended.wait)

    def end(self) -> None:
        if self._ended.is_set():
            return
        self._ended.set()
        self._thread.join()
        if self._written:
            print(self._describe(True), file=sys.stderr, flush=True)


def _make_bar(what: str, total: int | None, unit: str, leaves: bool) -> "tqdm":  # type: ignore[name-defined]  # noqa: F821
    from tqdm import tqdm

    return tqdm(total=total, desc=what, unit=f" {unit}s", smoothing=0.05, dynamic_ncols=True, leave=leaves)


def _say_time(seconds: float) -> str:
    """A time in its two greatest units at most."""
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{seconds:.0f} s"
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
