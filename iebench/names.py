"""Names of objects and classes, which others choose: what can be none."""

import re
from collections.abc import Sequence

from iebench.limits import MAX_NAME

_CONTROL = re.compile(r"[\0-\x1f\x7f]")


def name_fault(name: object) -> str | None:
    """Why a text can be neither a synset nor an object id, or None where it can.

    Names become folders in the published layout and stand in lists as synset/object_id, so "/" and control characters are out.
    """
    if not isinstance(name, str):
        return f"it is no text but of type {type(name).__name__}"
    if name.strip() in ("", ".", ".."):
        return "it is no name"
    if "/" in name:
        return 'it holds "/"'
    if _CONTROL.search(name):
        return "it holds a control character"
    if len(name) > MAX_NAME:
        return f"it has more than {MAX_NAME} characters"
    return None if _is_unicode(name) else "it is not UTF-8"


def check_names(names: Sequence[str]) -> None:
    """`name_fault` of many names at once."""
    joined = "".join(names)
    plain = not ("/" in joined or _CONTROL.search(joined)) and max(map(len, names), default=0) <= MAX_NAME
    if plain and {"", ".", ".."}.isdisjoint(map(str.strip, names)):
        return
    name, fault = next((name, fault) for name in names if (fault := name_fault(name)))
    raise ValueError(f"the name {name[:60]!r} cannot be used, {fault}")


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # bytes of a file name that Python could not decode
        return False
    return True
