"""Ways in which bytes are damaged, by chance that a seed decides: by transfer, by programs, and on purpose."""

import json
import random
from collections.abc import Callable
from typing import Any

WORDS = [b"nan", b"-inf", b"1e39", b"0", b"-1", b"99999999", b"1,5", b"", b"\xff\xfe", b"4294967295"]
# What stands in JSON where something else was expected.
VALUES = [None, True, -1, 0, 2**31, 2**64, 10**30, 10**400, 1e300, float("nan"), float("inf"), "", "..", "../../x", "/tmp/x",
          "\x1b[2J", "=1+1", "a\0b", "x" * 3000, [], {}, [[]], {"a": {"b": [1]}}, "1", [1, "a", None], "os:system"]  # fmt: skip
CELLS = [b"../../x", b"..", b"/tmp/x", b"\x1b[2J", b'"', b"a\0b", b"=1+1", b"a,b"]


def cut(content: bytes, dice: random.Random) -> bytes:
    """The first part alone."""
    return content[: dice.randrange(len(content))]


def remove(content: bytes, dice: random.Random) -> bytes:
    """A piece is gone."""
    start = dice.randrange(len(content))
    return content[:start] + content[start + dice.randrange(1, 64) :]


def repeat(content: bytes, dice: random.Random) -> bytes:
    """A piece comes several times."""
    start = dice.randrange(len(content))
    return content[:start] + content[start : start + dice.randrange(1, 200)] * dice.randrange(2, 9) + content[start:]


def flip(content: bytes, dice: random.Random) -> bytes:
    """A few bytes are others."""
    changed = bytearray(content)
    for _ in range(dice.randrange(1, 9)):
        changed[dice.randrange(len(changed))] = dice.randrange(256)
    return bytes(changed)


def exchange(content: bytes, dice: random.Random) -> bytes:
    """Words between blanks are others."""
    pieces = content.split(b" ")
    for _ in range(dice.randrange(1, 4)):
        pieces[dice.randrange(len(pieces))] = dice.choice(WORDS)
    return b" ".join(pieces)


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (cut, remove, repeat, flip, exchange)


def exchange_value(content: bytes, dice: random.Random) -> bytes:
    """JSON in which a value, wherever it stands, is another, is gone, or comes under a name that nobody knows."""
    document = json.loads(content)
    parent = document
    while True:
        keys: Any = list(parent) if isinstance(parent, dict) else range(len(parent))
        key = dice.choice(keys)
        if not isinstance(parent[key], dict | list) or not parent[key] or dice.random() < 0.2:
            break
        parent = parent[key]
    action = dice.randrange(4)
    if action == 0:
        del parent[key]
    elif action == 1 and isinstance(parent, dict):
        parent[dice.choice(["surprise", "", "../x", "a\nb"])] = parent[key]
    else:
        parent[key] = dice.choice(VALUES)
    return json.dumps(document).encode()


def exchange_cell(content: bytes, dice: random.Random) -> bytes:
    """CSV in which cells are others."""
    lines = [line.split(b",") for line in content.splitlines()]
    for _ in range(dice.randrange(1, 4)):
        line = dice.choice(lines)
        line[dice.randrange(len(line))] = dice.choice(
            [*WORDS, b"../../x", b"..", b"/tmp/x", b"\x1b[2J", b'"', b"a\0b", b"=1+1", b"a,b"]
        )
    return b"\n".join(b",".join(line) for line in lines)
