"""Times a stranger's first steps, as README tells them: clone, `make demo`, and when picture, score and report are there.

    python tests/install/first_steps.py                     # of this checkout's last commit
    python tests/install/first_steps.py --quick             # with `iebench demo --quick` in place of `make demo`

The times are those of the files, and depend on where pip takes packages from. Nothing changes outside of a temporary folder.
"""

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
MARKS = {
    "Makefile": "cloned",
    ".venv/ready": "installed",
    "demo/data/dataset.json": "first dataset",
    "demo/pairs.png": "first picture",
    "demo/sie/results.json": "first score",
    "demo/report.html": "report",
}
QUICK = "make .venv/ready && .venv/bin/iebench demo --quick --out demo"


def main() -> None:
    """Take the steps in an empty folder and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repository", default=str(ROOT), help="what is cloned")
    parser.add_argument("--quick", action="store_true", help="the demo that only shows that everything works")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="iebench-first-steps-") as folder:
        clone, start = Path(folder) / "iebench", time.time()
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", options.repository, clone], check=True)
        subprocess.run(["sh", "-c", QUICK if options.quick else "make demo"], cwd=clone, env=plain(), check=True)
        print(describe(clone, start), flush=True)


def plain() -> dict[str, str]:
    """The environment without what would lead to another iebench than the clone's."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}


def describe(clone: Path, start: float) -> str:
    """The steps in Markdown: seconds since the start, and since the step before."""
    lines, before = ["| | since `git clone`, s | of these, s |", "|---|---|---|"], start
    for name, what in MARKS.items():
        done = (clone / name).stat().st_mtime
        lines.append(f"| {what}, `{name}` | {done - start:.0f} | {done - before:.0f} |")
        before = done
    size = sum(path.lstat().st_size for path in (clone / ".venv").rglob("*") if path.is_file()) / 1e6
    lines += ["", f"The environment has {size:.0f} MB; {os.cpu_count()} cores; load {os.getloadavg()[1]:.1f}."]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
