"""Waiting for a server that is busy: as long as it asks, or longer from try to try, never all clients at the same time.

A server says so by 429 or 503, perhaps with Retry-After (RFC 9110, section 10.2.3), and what stands before it by 502 or 504.
"""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from iebench.errors import IebenchError
from iebench.limits import MAX_WAIT_SECONDS

BUSY = (429, 502, 503, 504)
TRIES, FIRST_SECONDS = 6, 0.5
Value = TypeVar("Value")


def patiently(
    attempt: Callable[[], Value], url: str, sleep: Callable[[float], object] = time.sleep, tries: int = TRIES
) -> Value:
    """What an attempt gives, which is repeated while the server says that it is busy.

    Args:
        attempt: opens a URL; its errors carry the HTTP status, or were caused by one that does.
        url: for messages.
        sleep: waits for so many seconds.
        tries: how often to ask at most.

    Raises:
        IebenchError: the server asks for more patience than there is, or is still busy after the last try.
        Exception: any other error of the attempt.
    """
    for number in range(tries):
        try:
            return attempt()
        except Exception as error:
            refusal = _find_refusal(error)
            if refusal is None:
                raise
            asked = _asked_seconds(refusal)
        seconds = _wait(number, asked)
        if number == tries - 1 or seconds > MAX_WAIT_SECONDS:
            break
        sleep(seconds)
    later = f"in {asked:.0f} s" if asked else "later"
    raise IebenchError(f"{url} is too busy to be fetched: try again {later}.")


def _now() -> datetime:
    return datetime.now(UTC)


def _wait(number: int, asked: float | None) -> float:
    """Seconds before the next try: what was asked and a little more, or a random part of a time that doubles (full jitter)."""
    if asked is not None:
        return asked + random.uniform(0, FIRST_SECONDS)
    return random.uniform(0.5, 1.0) * FIRST_SECONDS * 2**number


def _find_refusal(error: BaseException | None) -> BaseException | None:
    """The error that carries a busy server's status, among an error and its causes."""
    while error is not None:
        if _status_of(error) in BUSY:
            return error
        error = error.__cause__ or error.__context__
    return None


def _status_of(error: BaseException) -> Any:
    """The HTTP status that an error carries: aiohttp's, requests' (and Hugging Face's), or botocore's."""
    answer = getattr(error, "response", None)
    if isinstance(answer, dict):
        return _metadata(answer).get("HTTPStatusCode")
    return getattr(answer, "status_code", getattr(error, "status", None))


def _headers_of(error: BaseException) -> dict[str, Any]:
    """The headers of a server's answer, by their names in lower case."""
    answer = getattr(error, "response", None)
    if isinstance(answer, dict):
        found = _metadata(answer).get("HTTPHeaders")
    else:
        found = getattr(answer, "headers", None) or getattr(error, "headers", None)
    return {str(name).lower(): value for name, value in (found or {}).items()}


def _metadata(answer: dict[str, Any]) -> dict[str, Any]:
    return answer.get("ResponseMetadata") or {}


def _asked_seconds(refusal: BaseException) -> float | None:
    """What Retry-After says, as seconds from now: a number, or a date."""
    text = str(_headers_of(refusal).get("retry-after", "")).strip()
    if text.isascii() and text.isdecimal():
        return float(text[:12])
    try:
        return max(0.0, (parsedate_to_datetime(text) - _now()).total_seconds())
    except (ValueError, TypeError):  # no date, or one without its zone
        return None
