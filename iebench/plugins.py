"""Objects of other packages by name: `package.module:name` for backbones, methods, evaluators and object sources.

They are looked for where Python looks, and then in the working folder.
"""

import os
import re
from collections.abc import Collection, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

from iebench.child_process import look_in_folders
from iebench.errors import UsageError

_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


def is_dotted(text: str) -> bool:
    """Whether a text has the form `package.module:name`."""
    return _DOTTED.fullmatch(text) is not None


Trust = bool | Collection[str]  # all code that a file names, none, or what the user named too


def check_trusted(names: Iterable[str], trust: Trust, path: str | os.PathLike[str]) -> None:
    """Refuse to import what a file that may be somebody else's names, unless the user trusts it.

    Args:
        names: that the file gives, among them perhaps `package.module:name`.
        trust: whether to import whatever it names, or which names the user gave too.
        path: of the file, for the message.

    Raises:
        UsageError: one names code that nobody has said to trust.
    """
    known = names if trust is True else (trust,) if isinstance(trust, str) else trust or ()
    if strange := next((name for name in names if is_dotted(name) and name not in known), None):
        raise UsageError(
            f"{path} names the code {strange}, which would be imported and run: where you trust it, name it yourself "
            "(METHOD or --backbone), or give --trust (in Python trust=True)."
        )


def load_object(text: str, option: str) -> Any:
    """What a module calls by this name. An error inside the module passes through with its traceback.

    Args:
        text: `package.module:name`.
        option: where the user wrote it, such as "--backbone"; for messages.

    Raises:
        UsageError: the text has another form, or there is no such module or no such name in it.
    """
    if not is_dotted(text):
        raise UsageError(f"{option} {text!r} names nothing that can be imported: write package.module:name.")
    path, _, name = text.partition(":")
    module = _import(path, text, option)
    if not hasattr(module, name):
        place = getattr(module, "__file__", None) or "a folder"
        raise UsageError(
            f"{option} {text}: module {path}, which is {place}, has no {name!r}; correct the name behind the colon, "
            "or rename your module where another one is meant."
        )
    return getattr(module, name)


def _import(path: str, text: str, option: str) -> Any:
    look_in_folders([str(Path.cwd())])
    try:
        return import_module(path)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{path}.".startswith(f"{error.name}."):
            raise  # the module is there, and what it imports is not
        raise UsageError(
            f"{option} {text}: there is no module {error.name}; correct the name, go to its folder, or put that on PYTHONPATH."
        ) from None
