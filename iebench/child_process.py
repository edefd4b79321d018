"""Python processes beside this one, which run the same iebench and take nothing from the working folder by chance.

`python -m` and `python -c` look in the working folder first, where a user's `random.py` would stand for Python's, and a clone's
folder `iebench` for the package. So a child runs this very file as a script, without either (`-P`).
"""

import json
import runpy
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

HERE = Path(__file__).absolute()
OWN = ("-P",)
OTHER = ("-E", "-P")  # PYTHONPATH and PYTHONHOME are this Python's


def python_command(module: str, *arguments: str, shares_path: bool = False, python: str = sys.executable) -> list[str]:
    """The command that runs a module of iebench as `python -m` would, in a process of its own.

    Args:
        module: its dotted name.
        arguments: its `sys.argv[1:]`.
        shares_path: whether it shall find every module that this process finds, and not just iebench and what is installed.
        python: that runs it. Another one than this looks for modules where it looks by itself, and with `shares_path` in this
            one's folders too, but for what is installed here, which was built for this one.
    """
    other = python != sys.executable
    folders = [str(Path(entry).absolute()) for entry in sys.path] if shares_path else []
    shared = [folder for folder in folders if not (other and _belongs_to_python(folder))]
    return [python, *(OTHER if other else OWN), str(HERE), json.dumps(shared), module, *arguments]


def ask_python(python: str, code: str, *arguments: str, seconds: float = 60) -> str | None:
    """What another Python prints for a line of code; None where it is none, is older than 3.11, or fails."""
    try:
        told = subprocess.run(
            [python, *OTHER, "-c", code, *arguments], capture_output=True, text=True, timeout=seconds, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return told.stdout if told.returncode == 0 else None


def look_in_folders(folders: Iterable[str]) -> None:
    """Have Python find modules in folders too, and never instead of its own library or of what is installed."""
    known = {str(Path(entry).absolute()) for entry in sys.path}
    sys.path += [folder for folder in dict.fromkeys(folders) if folder not in known]


def _belongs_to_python(folder: str) -> bool:
    """Whether a folder holds Python's own library or what is installed for it."""
    parts = Path(folder).parts
    return "site-packages" in parts or "dist-packages" in parts or folder.startswith(sysconfig.get_path("stdlib"))


def _load_package() -> None:
    """Import the iebench that this file belongs to, wherever Python would look for one."""
    spec = spec_from_file_location("iebench", HERE.with_name("__init__.py"))
    assert spec is not None and spec.loader is not None
    sys.modules["iebench"] = package = module_from_spec(spec)
    spec.loader.exec_module(package)


if __name__ == "__main__":
    _load_package()
    look_in_folders(json.loads(sys.argv[1]))
    del sys.argv[:2]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
