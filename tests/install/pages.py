"""Does what pages of the documentation say: writes their titled blocks to files, and runs their `sh` blocks, in an empty folder.

    python tests/install/pages.py docs/your-first-dataset.md docs/your-objects.md

Each page in a folder of its own; a command that fails ends it. It renders and trains a little, so it takes minutes.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BLOCK = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELL = "set -euo pipefail\n"


def main() -> None:
    """Try the pages that are named; the exit code is 1 where a command fails."""
    pages = list(map(Path, sys.argv[1:]))
    failed = [str(page) for page in pages if not try_page(page)]
    if failed:
        sys.exit(f"Not everything works that these say: {', '.join(failed)}")


def try_page(page: Path) -> bool:
    """Whether all commands of a page work, in their order; prints them as they run."""
    print(f"== {page}", flush=True)
    start, path = time.monotonic(), f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with tempfile.TemporaryDirectory(prefix=f"{page.stem}-") as folder:
        blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
        for _, title, text in blocks:
            if title:
                Path(folder, title).write_text(text)
        script = "".join(text for language, title, text in blocks if language == "sh" and not title)
        done = subprocess.run(
            ["bash", "-xc", SHELL + script], cwd=folder, env={**os.environ, "PATH": path}, check=False
        )
    print(f"== {page}: exit code {done.returncode} after {time.monotonic() - start:.0f} s", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    main()
