"""Builds the wheel and the sdist, installs the wheel into clean environments of several Pythons, and has each of them work.

    python tests/install/clean_environments.py --dist dist --python 3.11 3.12 3.13

`make dist` runs it; it takes minutes and downloads Blender. A Python gets the torch that is pinned in constraints.txt where pip
finds it without asking an index (PIP_FIND_LINKS, UV_FIND_LINKS), or with `--any-torch` from wherever, which may be gigabytes.
With torch, the environment runs `iebench demo --quick`; without, it renders a dataset, verifies and shows it, and that is said.
A Python for which Blender has no wheel follows what `iebench doctor` advises, to the letter, and then renders too.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from email import message_from_string
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[2]
CONSTRAINTS = ROOT / "constraints.txt"
GENTLY = ("nice", "-n", "10")  # whoever runs this works on meanwhile
EXTRAS = "render,train,report"
RENDER = "render --preset mini --classes chair,mug --objects-per-class 5 --views 2 --out data"
WITH_TORCH = ("demo --quick --out demo", "verify demo/data")
WITHOUT_TORCH = (RENDER, "verify data", "info data", "show data --out pairs.png")


def main() -> None:
    """Build, then try every Python; the exit code is 1 where one does not work."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dist", type=Path, default=ROOT / "dist", help="folder for the wheel and the sdist")
    parser.add_argument(
        "--python", nargs="*", default=["3.11", "3.12", "3.13"], help="versions to try; none just builds"
    )
    parser.add_argument(
        "--any-torch", action="store_true", help="take torch from an index where no CPU build is at hand"
    )
    options = parser.parse_args()
    wheel = build(options.dist)
    failed = [version for version in options.python if not try_python(version, wheel, options.any_torch)]
    if failed:
        sys.exit(f"The wheel does not work on Python {', '.join(failed)}.")


def build(dist: Path) -> Path:
    """The sdist, and the wheel that is made of it."""
    shutil.rmtree(dist, ignore_errors=True)
    run([sys.executable, "-m", "build", "--outdir", dist, ROOT])
    (wheel,) = dist.glob("*.whl")
    print(f"{wheel}: {wheel.stat().st_size / 1024:.0f} KiB", flush=True)
    return wheel


def try_python(version: str, wheel: Path, any_torch: bool) -> bool:
    """Whether the wheel works in a clean environment of a Python; prints how."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"iebench-python{version}-") as folder:
        try:
            torch = install(find_python(version), wheel, Path(folder) / "environment", any_torch)
            rendered_by = work(Path(folder), WITH_TORCH if torch else WITHOUT_TORCH)
        except subprocess.CalledProcessError as error:
            print(f"Python {version}: FAILED: {error}\n{error.stdout}", flush=True)
            return False
    did = (
        "`iebench demo --quick`"
        if torch
        else "rendered, verified and shown; NOT trained: no CPU build of torch is at hand"
    )
    print(f"Python {version}: {did}; {rendered_by}; {time.monotonic() - start:.0f} s", flush=True)
    return True


def find_python(version: str) -> str:
    """A Python of this version that runs: from PATH, or among those of pyenv."""
    installed = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python{version}"))
    for path in filter(None, [shutil.which(f"python{version}"), *map(str, installed)]):
        if subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0:
            return path
    sys.exit(f"There is no Python {version} here: install it, or leave it out of --python.")


def install(python: str, wheel: Path, environment: Path, any_torch: bool) -> bool:
    """Make an environment with the wheel and what it needs, and say whether torch is in it."""
    run([python, "-m", "venv", environment])
    if shutil.which("uv"):  # a tenth of pip's work
        pip = [*GENTLY, "uv", "pip", "install", "--quiet", "--python", environment, "--constraint", CONSTRAINTS]
    else:
        pip = [*GENTLY, environment / "bin" / "pip", "install", "--quiet", "--no-compile", "--constraint", CONSTRAINTS]
    if any_torch or succeeds([*pip, "--no-index", "--no-deps", "torch"]):
        run([*pip, f"{wheel}[{EXTRAS}]"])
        return True
    run([*pip, *requirements_without_torch(wheel)])
    run([*pip, "--no-deps", wheel])
    return False


def requirements_without_torch(wheel: Path) -> list[str]:
    """What the wheel needs to render and report, but for torch and what would bring it."""
    (name,) = [name for name in ZipFile(wheel).namelist() if name.endswith("METADATA")]
    needed = message_from_string(ZipFile(wheel).read(name).decode()).get_all("Requires-Dist") or []
    base = [line for line in needed if "extra ==" not in line and not line.startswith("torch")]
    extras = [line for line in needed if re.search(r"""extra == ["'](render|report)["']""", line)]
    return base + [re.sub(r"""\s*(and )?extra == ["']\w+["']""", "", line).rstrip("; ") for line in extras]


def work(folder: Path, commands: tuple[str, ...]) -> str:
    """Run commands of iebench in an empty folder, after installing Blender beside this Python where it is told to be missing.

    Returns:
        Which Blender the doctor found in the end.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["XDG_DATA_HOME"] = str(folder / "data-home")  # where Blender is put that the doctor advises
    iebench = folder / "environment" / "bin" / "iebench"
    told = subprocess.run([iebench, "doctor"], env=environment, cwd=folder, capture_output=True, text=True, check=False)
    if told.returncode and (advice := re.search(r"Blender is not installed: run `(.*)`", told.stdout)):
        pinned = dict.fromkeys(("PIP_CONSTRAINT", "UV_CONSTRAINT"), str(CONSTRAINTS))
        run([*GENTLY, "sh", "-c", advice[1]], env=environment | pinned, cwd=folder)
    told = run([iebench, "doctor"], env=environment, cwd=folder)
    for words in commands:
        run([iebench, *words.split()], env=environment, cwd=folder)
    return ", ".join(re.findall(r"(blender: .*|blender's python: .*)", told))


def run(command: list, **options) -> str:
    """Run a command, and return what it printed.

    Raises:
        CalledProcessError: it failed; its `stdout` has what it said.
    """
    done = subprocess.run(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True, **options
    )
    return done.stdout


def succeeds(command: list) -> bool:
    """Whether a command ends with 0."""
    return subprocess.run(list(map(str, command)), capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    main()
