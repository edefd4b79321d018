"""The Python that runs Blender: this one, or another one of the machine.

Blender's wheel fits one Python each (3.11 or 3.13), and workers are processes of their own. So iebench runs in any Python, and
its workers in one that has Blender and the few packages of `MODULES`; iebench itself they take from here, installed there or not.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from iebench.child_process import ask_python
from iebench.errors import UsageError

VARIABLE = "IEBENCH_BLENDER_PYTHON"
WHEELS = {"3.11": "bpy==4.5.*", "3.13": "bpy==5.2.*"}  # as in pyproject.toml
# What a worker imports beside Python's own modules, and the packages that bring it.
MODULES = {
    "bpy": "bpy",
    "numpy": "numpy",
    "scipy": "scipy",
    "PIL": "pillow",
    "simplejpeg": "simplejpeg",
    "jaxtyping": "jaxtyping",
    "trimesh": "trimesh",
    "shapely": "shapely",
    "mapbox_earcut": "mapbox-earcut",
}
ASKED = (
    "import json, sys; from importlib.util import find_spec; "
    "print(json.dumps(['%d.%d' % sys.version_info[:2], [name for name in sys.argv[1:] if not find_spec(name)]]))"
)


@cache
def find_blender_python(given: str | None = None) -> str:
    """The Python that runs workers: the given one, this one where it has Blender, or the first of the machine that has.

    Args:
        given: a path or the name of a command; None for what the variable IEBENCH_BLENDER_PYTHON names, or any.

    Returns:
        Its path; this Python's where none has Blender, so that whoever starts it is told what is missing.

    Raises:
        UsageError: the given one cannot run workers, and why.
    """
    named, option = (given, "--blender-python") if given else (os.environ.get(VARIABLE), VARIABLE)
    if named and named != sys.executable:
        return _check(named, option)
    if named or find_spec("bpy"):
        return sys.executable
    return next((path for path in _list_pythons() if _ask(path)[1] == []), sys.executable)


def own_environment() -> Path:
    """The folder of the environment that `tell_install` makes, and where Blender is looked for first."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "iebench" / "blender"


def tell_install() -> str:
    """The commands that give this machine a Python with Blender, where iebench finds it by itself."""
    folder = own_environment()
    python = folder / "bin" / "python"
    for version in () if shutil.which("uv") else WHEELS:
        if (command := shutil.which(f"python{version}")) and ask_python(command, "print()") is not None:
            packages = _name_packages(MODULES, version)
            return f"python{version} -m venv {folder} && {python} -m pip install {packages}"
    uv = "" if shutil.which("uv") else "pip install uv && "  # which brings a Python where there is none
    packages = _name_packages(MODULES, "3.11")
    return f"{uv}uv venv --python 3.11 {folder} && uv pip install --python {python} {packages}"


def _check(named: str, option: str) -> str:
    """The path of a Python that can run workers."""
    path = shutil.which(str(Path(named).expanduser()))
    version, missing = _ask(path) if path else ("", None)
    if path is None or missing is None:
        raise UsageError(
            f"{option} {named}: there is no Python 3.11 or newer by that name; give the path of one with bpy."
        )
    if "bpy" in missing and version not in WHEELS:
        raise UsageError(
            f"{option} {named} is Python {version}, for which Blender has no wheel: give a Python {' or '.join(WHEELS)}."
        )
    if missing:
        packages = _name_packages(missing, version)
        raise UsageError(f"{option} {named} lacks {', '.join(missing)}: run `{named} -m pip install {packages}`.")
    return str(Path(path).absolute())


def _name_packages(modules: Iterable[str], version: str) -> str:
    """What pip is told to install for modules, in a Python of some version."""
    packages = {**MODULES, "bpy": f"'{WHEELS.get(version, 'bpy')}'"}
    return " ".join(packages[module] for module in modules)


def _list_pythons() -> Iterator[str]:
    """Pythons of this machine that may have Blender, the likeliest first."""
    yield str(own_environment() / "bin" / "python")
    yield from filter(None, (shutil.which(f"python{version}") for version in WHEELS))
    if uv := shutil.which("uv"):
        for version in WHEELS:
            found = subprocess.run(
                [uv, "python", "find", "--no-project", version], capture_output=True, text=True, check=False
            )
            yield from found.stdout.split("\n")[:1]


def _ask(python: str) -> tuple[str, list[str] | None]:
    """A Python's version and which of a worker's modules it lacks, None where it does not run. It imports none, to be quick."""
    try:
        version, missing = json.loads(ask_python(python, ASKED, *MODULES) or "")
    except (TypeError, ValueError):  # it is no Python, or an older one
        return "", None
    return version, missing
