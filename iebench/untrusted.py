"""Reading what was downloaded: the one place where text, numbers and tables of others become ours.

Arrays are in `untrusted_arrays`, names in `names`. Everything here raises ValueError on what is not as it should be, before
memory is taken for it; `refusals` makes of that one sentence which names the file and the mend.
"""

import csv
import io
import json
import math
import os
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from iebench.errors import IebenchError, UsageError
from iebench.escapes import printable
from iebench.limits import (
    MAX_CELLS,
    MAX_DEPTH,
    MAX_INTEGER,
    MAX_JSON_BYTES,
    MAX_ROW,
    MAX_ROWS,
    MAX_TABLE_BYTES,
    MAX_VALUES,
)

Value = TypeVar("Value")
# What code that trusts its values makes of values that nobody should have trusted.
FAULTS = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, MemoryError, csv.Error)
_KINDS: dict[type, str] = {dict: "an object", list: "a list"}
_CHUNK = 2**20


@contextmanager
def refusals(path: str | os.PathLike[str], mend: str) -> Iterator[None]:
    """Around the reading of a file: whatever is wrong with it becomes one sentence.

    Raises:
        IebenchError: "PATH is damaged (what is wrong): MEND.", or "PATH cannot be read (why): MEND."
    """
    try:
        yield
    except OSError as error:
        raise IebenchError(f"{path} cannot be read ({(error.strerror or str(error)).lower()}): {mend}.") from error
    except (*FAULTS, UsageError) as error:
        raise IebenchError(f"{path} is damaged ({tell(error)}): {mend}.") from error


def tell(error: BaseException) -> str:
    """What an error says, on one line of bearable length, with its kind where that is half of it."""
    text = printable(" ".join(str(error).split()))
    text = text if len(text) <= 300 else text[:299] + "…"
    bare = isinstance(error, LookupError | MemoryError | RecursionError) or not text
    return f"{type(error).__name__}: {text}".rstrip(": ") if bare else text


def open_regular(path: str | os.PathLike[str]) -> int:
    """A descriptor of a regular file; a pipe or a device would wait, or never end.

    Raises:
        ValueError: it is something else.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ValueError("no regular file")
    return descriptor


def read_bytes(path: Path, limit: int = MAX_TABLE_BYTES) -> bytes:
    """The content of a regular file of at most `limit` bytes."""
    with os.fdopen(open_regular(path), "rb") as file:
        return read_stream(file, limit)


def read_stream(stream: Any, limit: int) -> bytes:
    """All that comes from a stream, which must end before the limit."""
    chunks, length = [], 0
    while chunk := stream.read(_CHUNK):
        chunks.append(chunk)
        if (length := length + len(chunk)) > limit:
            raise ValueError(f"more than {limit} bytes")
    return b"".join(chunks)


def read_text(path: Path, limit: int = MAX_TABLE_BYTES) -> str:
    """The text of a UTF-8 file."""
    return read_bytes(path, limit).decode("utf-8")


def read_json(path: Path, limit: int = MAX_JSON_BYTES, finite: bool = True) -> dict[str, Any]:
    """The JSON object of a file: see `parse_json`."""
    return parse_json(read_bytes(path, limit), finite)


def read_json_list(path: Path) -> list[Any]:
    """The JSON list of a file, bounded as the objects of `parse_json` are."""
    return _parse_bounded(read_bytes(path, MAX_JSON_BYTES), True, list)


def parse_json(content: bytes | str, finite: bool = True) -> dict[str, Any]:
    """A JSON object of bounded depth, every name once, with integers that fit 64 bits.

    Args:
        content: UTF-8.
        finite: also refuse NaN and infinities.
    """
    return _parse_bounded(content, finite, dict)


def _parse_bounded(content: bytes | str, finite: bool, kind: type[Value]) -> Value:
    _check_number_of_values(content)
    numbers: dict[str, Any] = {"parse_float": _finite, "parse_constant": _finite} if finite else {}
    value = json.loads(content, object_pairs_hook=_once, parse_int=_integer, **numbers)
    if not isinstance(value, kind):
        raise ValueError(f"{type(value).__name__} where {_KINDS[kind]} was expected")
    _check_depth(value)
    return value


def _check_number_of_values(content: bytes | str) -> None:
    content = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    if (number := sum(map(content.count, (b"{", b"[", b",")))) > MAX_VALUES:
        raise ValueError(f"{number} values, and {MAX_VALUES} are allowed")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: set[str] = set()
        name = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"{name!r} stands twice")
    return value


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text[:40]} where a finite number was expected")
    return number


def _integer(text: str) -> int:
    if len(text) > 21 or abs(number := int(text)) > MAX_INTEGER:
        raise ValueError(f"{text[:40]} is too large")
    return number


def _check_depth(value: Any) -> None:
    level, depth = [value], 0
    while level:
        if depth > MAX_DEPTH:
            raise ValueError(f"nested more than {MAX_DEPTH} deep")
        entries = (entry.values() if isinstance(entry, dict) else entry for entry in level)
        level = [inner for entry in entries for inner in entry if isinstance(inner, dict | list)]
        depth += 1


def read_rows(path: Path, columns: Collection[str], skip_uneven: bool = False) -> list[dict[str, str]]:
    """The rows of a CSV table whose head has these columns, each once; further ones may be there.

    Args:
        path: of the table.
        columns: those that are needed.
        skip_uneven: leave out rows of another length than the head, as a kill leaves them, instead of refusing them.
    """
    header, rows = _open_table(path, columns)
    return [dict(zip(header, row, strict=True)) for row in _take_even(header, rows, skip_uneven)]


def read_columns(path: Path, columns: Collection[str]) -> dict[str, list[str]]:
    """These columns of a CSV table."""
    header, rows = _open_table(path, columns)
    taken = list(_take_even(header, rows))
    return {name: [row[place] for row in taken] for name in columns for place in [header.index(name)]}


def number_rows(lines: Collection[str]) -> Iterator[tuple[int, list[str]]]:
    """The cells of lines that people wrote, blanks around them left out, with the number of the line on which each row ends."""
    reader = csv.reader((line.strip() for line in lines), skipinitialspace=True)
    yield from ((reader.line_num, row) for row in reader)


def _open_table(path: Path, columns: Collection[str]) -> tuple[list[str], Iterator[list[str]]]:
    """The head of a table, and its rows as they are read."""
    rows = _parse_rows(read_bytes(path))
    header = next(rows, [])
    if missing := [name for name in columns if name not in header]:
        raise ValueError(f"no column {missing[0]!r}")
    if len(set(header)) < len(header):
        raise ValueError("a column stands twice")
    return header, rows


def _parse_rows(content: bytes) -> Iterator[list[str]]:
    """The rows of a text, none of which may be long."""
    length = 0

    def take_lines() -> Iterator[str]:
        nonlocal length
        for line in io.TextIOWrapper(io.BytesIO(content), "utf-8", newline=""):
            if (length := length + len(line)) > MAX_ROW:
                raise ValueError(f"a row of more than {MAX_ROW} characters")
            yield line

    for row in csv.reader(take_lines()):
        length = 0
        yield row


def _take_even(header: list[str], rows: Iterator[list[str]], skip_uneven: bool = False) -> Iterator[list[str]]:
    """The rows that are as long as the head; empty lines are none."""
    most, width = min(MAX_ROWS, MAX_CELLS // max(len(header), 1)), len(header)
    for number, row in enumerate(rows, 1):
        if number > most:
            raise ValueError(f"more than {most} rows of {width} cells")
        if len(row) == width:
            yield row
        elif row and not skip_uneven:
            raise ValueError(f"row {number} has {len(row)} cells and not {width}")


def count(value: Any, low: int, high: int, what: str) -> int:
    """A whole number within limits."""
    if type(value) is not int or not low <= value <= high:
        raise ValueError(f"{what} {value!r:.60} is no whole number from {low} to {high}")
    return value


def of_type(value: Any, kind: type[Value] | tuple[type[Value], ...], what: str) -> Value:
    """A value of an expected type; a truth value is no number."""
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise ValueError(f"{what} {value!r:.60} is of type {type(value).__name__}")
    return value
