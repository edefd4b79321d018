"""What a log says of a long work, by a clock that is turned by hand."""

import io
import time

import pytest

from iebench.progress import Progress, track, write_lines


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Hands:
    """A clock, and the end of a work at a given time, while which `work` is called for every second that passes."""

    def __init__(self, monkeypatch, end, work):
        self.now, self.end, self.work = 0.0, end, work
        monkeypatch.setattr(time, "monotonic", lambda: self.now)

    def __call__(self, seconds):
        for _ in range(int(seconds)):
            if self.now == self.end:
                return True
            self.now += 1
            self.work(self.now)
        return False


def test_a_log_has_a_line_after_ten_seconds_and_then_one_a_minute(monkeypatch, capsys):
    progress = Progress("render", 10_000, "image", shown=False)
    hands = Hands(monkeypatch, 200, lambda now: progress.add(2, f"{int(now // 100)} failed"))
    progress._start = 0.0
    assert write_lines(progress.describe, hands)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "render: 20/10000 images (0 %), 2 images/s, 83 min left, 0 failed",
        "render: 140/10000 images (1 %), 2 images/s, 82 min left, 0 failed",
        "render: 260/10000 images (3 %), 2 images/s, 81 min left, 1 failed",
        "render: 380/10000 images (4 %), 2 images/s, 80 min left, 1 failed",
    ]
    assert progress.describe(is_over=True) == "render: 400/10000 images (4 %), 2 images/s, took 3 min, 2 failed"


def test_a_work_of_seconds_leaves_a_log_alone(monkeypatch, capsys):
    assert not write_lines(lambda: "a line", Hands(monkeypatch, 9, lambda now: None))
    assert list(track([1, 2, 3], "verify", "file")) == [1, 2, 3]
    assert capsys.readouterr().err == ""


def test_a_work_that_goes_on_is_timed_by_what_is_new(monkeypatch):
    progress = Progress("train", 1000, "step", shown=False)
    Hands(monkeypatch, 0, lambda now: None).now = progress._start = 0.0
    progress.skip(900)
    monkeypatch.setattr(time, "monotonic", lambda: 50.0)
    progress.add(50)
    assert progress.describe() == "train: 950/1000 steps (95 %), 1 steps/s, 50 s left"


def test_a_work_without_a_number_is_told_by_its_share(monkeypatch):
    progress = Progress("import", None, "object", shown=False)
    monkeypatch.setattr(time, "monotonic", lambda: progress._start + 3600.0)
    assert progress.describe() == "import: 0 objects, 0 objects/s"
    progress.add(3600, "2 left out", share=0.25)
    assert progress.describe() == "import: 3600 objects (25 %), 1 objects/s, 3 h 0 min left, 2 left out"


def test_lines_come_while_one_object_takes_long_and_the_last_one_at_the_end(monkeypatch, capsys):
    monkeypatch.setattr("iebench.progress.FIRST_SECONDS", 0.01)
    with Progress("render", 2, "image") as progress:
        while not (first := capsys.readouterr().err):
            time.sleep(0.01)
        progress.add(2)
    assert first.startswith("render: 0/2 images (0 %), 0 images/s")
    assert "render: 2/2 images (100 %)" in capsys.readouterr().err


@pytest.mark.parametrize("total", [4, None])
def test_a_terminal_has_a_bar_and_no_lines(monkeypatch, total):
    monkeypatch.setattr("sys.stderr", Terminal())
    with Progress("import", total, "object") as progress:
        progress.skip(1)
        progress.add(3, "1 left out")
    import sys

    assert "\r" in sys.stderr.getvalue() and progress._lines is None


def test_a_bar_knows_a_number_that_is_found_later(monkeypatch):
    monkeypatch.setattr("sys.stderr", Terminal())
    with Progress("import", None, "object") as progress:
        progress.total = 40
        progress.add(40)
    import sys

    assert "100%" in sys.stderr.getvalue() and "40/40" in sys.stderr.getvalue()
