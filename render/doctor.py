"""What this machine can do for rendering and training, thing by thing, and what is missing."""

import ctypes
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from iebench.factors.space import get_space
from iebench.render.blender_python import find_blender_python
from iebench.render.engines import render_locally
from iebench.render.quality import DEFAULT, get_quality
from iebench.render.sources import PROCEDURAL, open_source
from iebench.render.system import LIBRARIES, probe_blender
from iebench.render.worker import Task, WorkerSettings
from iebench.render.worker_process import Limits


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        mend: what to do about it, or what its lack costs; empty where all is well.
    """

    what: str
    value: str
    good: bool = True
    mend: str = ""


def examine(blender_python: str | None = None) -> Iterator[Finding]:
    """Everything that rendering and training need, one by one.

    Args:
        blender_python: that runs Blender; None for the one that is found.

    Raises:
        UsageError: that Python cannot run workers.
    """
    python = find_blender_python(blender_python)
    yield Finding("python", sys.version.split()[0])
    yield Finding("cores", str(os.cpu_count()))
    yield _examine_memory()
    yield _examine_disk()
    yield from _examine_libraries()
    yield from _examine_blender(python)


def _examine_memory() -> Finding:
    free = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return Finding("memory", f"{free:.1f} GiB", free >= 2, "" if free >= 2 else "A worker takes about 1 GiB.")


def _examine_disk() -> Finding:
    free = shutil.disk_usage(".").free / 2**30
    mend = "" if free > 25 else "The full benchmark at 256 px takes about 20 GB; smaller datasets take less."
    return Finding("disk", f"{free:.1f} GiB free here", free > 1, mend)


def _examine_libraries() -> Iterator[Finding]:
    for library, package in LIBRARIES.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            yield Finding(library, "not found", False, f"Blender cannot start without it: apt-get install -y {package}")


def _examine_blender(python: str) -> Iterator[Finding]:
    blender = probe_blender(python)
    if "error" in blender:
        yield Finding("blender", "does not start", False, blender["error"])
        return
    if python != sys.executable:
        yield Finding("blender's python", python)
    yield Finding("blender", blender["version"])
    gpus = [f"{name} ({backend})" for backend, name in blender["gpus"]]
    yield Finding("gpus for rendering", ", ".join(gpus) or "none", True, "" if gpus else "Cycles renders on the CPU.")
    yield _test_render(python)


def _test_render(python: str) -> Finding:
    space = get_space("3diebench")
    synset = "03797390"
    (name,) = open_source(PROCEDURAL).list_objects(synset, 1)
    with tempfile.TemporaryDirectory() as folder:
        task = Task(synset, name, 0, space.sample(0, synset, name, 1).tolist(), str(Path(folder) / "sample.tar"))
        settings = WorkerSettings(PROCEDURAL, space, 64, get_quality(DEFAULT), python=python)
        (outcome,) = render_locally([task], [settings], Limits(object_seconds=60))
    good = outcome.failure is None
    return Finding("test render", "one view of a mug" if good else outcome.failure.reason, good)  # type: ignore[union-attr]
