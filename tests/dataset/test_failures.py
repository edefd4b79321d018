"""Objects that are left out, and where what was printed for them is found."""

import csv

from iebench.dataset.writer import FAILURES, FAILURES_LOG, Failure, read_failures, write_failures

TRACEBACK = 'Traceback (most recent call last):\n  File "worker.py", line 1, in f\n    raise ValueError("a\\nb")\n\nValueError: a'
FOUND = [
    Failure("b", "two", "ValueError: a b", 2, TRACEBACK),
    Failure("a", "one", "it is in no list", 1, ""),
    Failure("b", "one", "no result within 4 s", 1, "b/two"),
]


def test_the_table_has_a_line_each_and_the_log_has_the_rest(tmp_path):
    assert write_failures(tmp_path, FOUND) == [FAILURES, FAILURES_LOG]
    assert read_failures(tmp_path / FAILURES) == [FOUND[1], FOUND[2], FOUND[0]]
    lines = (tmp_path / FAILURES).read_text().splitlines()
    assert lines[0] == "synset,object_id,reason,attempts,log" and len(lines) == 4
    assert [row["log"] for row in csv.DictReader(lines)] == ["", FAILURES_LOG, FAILURES_LOG]
    first = (tmp_path / FAILURES).read_bytes(), (tmp_path / FAILURES_LOG).read_bytes()
    write_failures(tmp_path, FOUND[::-1])
    assert first == ((tmp_path / FAILURES).read_bytes(), (tmp_path / FAILURES_LOG).read_bytes())


def test_without_anything_printed_there_is_no_log(tmp_path):
    write_failures(tmp_path, FOUND)
    assert write_failures(tmp_path, FOUND[1:2]) == [FAILURES] and not (tmp_path / FAILURES_LOG).exists()


def test_old_tables_hold_what_was_printed(tmp_path):
    (tmp_path / FAILURES).write_text('synset,object_id,reason,attempts,log\na,one,bad,1,"two\nlines"\n')
    assert read_failures(tmp_path / FAILURES) == [Failure("a", "one", "bad", 1, "two\nlines")]
