"""Data as scripts: a page that was opened from disk may load scripts, but neither fetch files nor import modules."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

_TYPES = {"<f4": "f4", "|u1": "u1", "<u2": "u2", "<u4": "u4"}  # those that JavaScript has arrays of


def write_script(folder: Path, name: str, value: Mapping[str, Any]) -> None:
    """Write `NAME.js`, which hands a value to the pages. Arrays in it become base64 of their little-endian bytes.

    Names from datasets are in it as JSON strings in ASCII, in which nothing can end the script.
    """
    text = json.dumps(value, default=_encode, allow_nan=False, separators=(",", ":"))
    (folder / f"{name}.js").write_text(f"receive({json.dumps(name)}, {text});\n", encoding="ascii")


def _encode(array: Any) -> dict[str, Any]:
    if not isinstance(array, ndarray) or array.dtype.str not in _TYPES:
        raise TypeError(f"{type(array)} cannot be handed to a page")
    content = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
    return {"type": _TYPES[array.dtype.str], "shape": array.shape, "base64": content}
