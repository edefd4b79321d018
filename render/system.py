"""What this machine can do, found out in processes that may be lost."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

# The shared libraries that bpy's wheel needs and does not bring, and the Debian packages that hold them: found with ldd, and
# by installing one after the other on a bare Debian 12 until a view was rendered.
LIBRARIES = {
    "libX11.so.6": "libx11-6",
    "libXi.so.6": "libxi6",
    "libXfixes.so.3": "libxfixes3",
    "libXrender.so.1": "libxrender1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libGL.so.1": "libgl1",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
}
APT_LINE = "apt-get install -y " + " ".join(LIBRARIES.values())
GPU_FILES = ("/dev/nvidiactl", "/dev/kfd", "/dev/dri")
PROBE = """
import json, os, sys
import bpy
from iebench.render.blender import devices
print("\\n" + json.dumps({"version": bpy.app.version_string, "gpus": list(devices())}), flush=True)
os._exit(0)
"""


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


@cache
def probe_blender() -> dict[str, Any]:
    """Ask a fresh process for Blender: {"version", "gpus": [[backend, name], …]}, or {"error": one sentence}."""
    probe = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, timeout=300, check=False)
    try:
        return json.loads(probe.stdout.splitlines()[-1])
    except (IndexError, json.JSONDecodeError):
        return {"error": explain_import_error(probe.stderr)}


def explain_import_error(text: str) -> str:
    """One sentence, with the mend, on why `import bpy` failed."""
    missing = next((name for name in LIBRARIES if name in text), None)
    if missing:
        return f"Blender misses the shared library {missing}: run `{APT_LINE}` (on Debian or Ubuntu)."
    if "No module named 'bpy'" in text:
        return "Blender is not installed: run `pip install 'iebench[render]'` on Python 3.11 or 3.13."
    return f"Blender cannot be imported: {text.strip().splitlines()[-1] if text.strip() else 'it ended without a word'}"


def find_gpus(backend: str | None) -> list[str]:
    """GPUs that Cycles can use, such as "optix:0", of one backend, or of the first backend that has any."""
    if not any(Path(path).exists() for path in GPU_FILES) and sys.platform == "linux":
        return []
    found = [name for name, _ in probe_blender().get("gpus", [])]
    chosen = backend or (found[0] if found else None)
    return [f"{chosen}:{number}" for number in range(found.count(str(chosen)))]


def examine() -> Iterator[Finding]:
    """Everything that rendering and training need, one by one."""
    yield Finding("python", sys.version.split()[0])
    yield Finding("cores", str(os.cpu_count()))
    yield _examine_memory()
    yield _examine_disk()
    yield from _examine_libraries()
    yield from _examine_blender()


def _examine_memory() -> Finding:
    free = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return Finding("memory", f"{free:.1f} GiB", free >= 2, "" if free >= 2 else "A worker takes about 1 GiB.")


def _examine_disk() -> Finding:
    free = shutil.disk_usage(".").free / 2**30
    mend = "" if free > 25 else "The full benchmark at 256 px takes about 20 GB; smaller datasets take less."
    return Finding("disk", f"{free:.1f} GiB free here", free > 1, mend)


def _examine_libraries() -> Iterator[Finding]:
    import ctypes

    for library, package in LIBRARIES.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            yield Finding(library, "not found", False, f"Blender cannot start without it: apt-get install -y {package}")


def _examine_blender() -> Iterator[Finding]:
    blender = probe_blender()
    if "error" in blender:
        yield Finding("blender", "does not start", False, blender["error"])
        return
    yield Finding("blender", blender["version"])
    gpus = [f"{name} ({backend})" for backend, name in blender["gpus"]]
    yield Finding("gpus for rendering", ", ".join(gpus) or "none", True, "" if gpus else "Cycles renders on the CPU.")
    yield _test_render()


def _test_render() -> Finding:
    from iebench.factors import get_space
    from iebench.render.engines import render_locally
    from iebench.render.procedural import object_id
    from iebench.render.quality import get_quality
    from iebench.render.worker import Task, WorkerSettings
    from iebench.render.worker_process import Limits

    space = get_space("3diebench")
    synset, name = "03797390", object_id(0)
    with tempfile.TemporaryDirectory() as folder:
        task = Task(synset, name, 0, space.sample(0, synset, name, 1).tolist(), str(Path(folder) / "sample.tar"))
        settings = WorkerSettings("procedural", space, 64, get_quality("fast"))
        (outcome,) = render_locally([task], [settings], Limits(object_seconds=60))
    good = outcome.failure is None
    return Finding("test render", "one view of a mug" if good else outcome.failure.reason, good)  # type: ignore[union-attr]
