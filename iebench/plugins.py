"""Objects of other packages by name: `package.module:name` for backbones, methods, evaluators and object sources.

They are looked for where Python looks, and then in the working folder.
"""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

from iebench.child_process import look_in_folders
from iebench.errors import UsageError

_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


def is_dotted(text: str) -> bool:
    """Whether a text has the form `package.module:name`."""
    return _DOTTED.fullmatch(text) is not None


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
