"""Blender and its GPUs on this machine, found out in processes that may be lost."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from iebench.child_process import python_command
from iebench.render.blender_python import WHEELS, find_blender_python, tell_install

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


@cache
def probe_blender(python: str | None = None) -> dict[str, Any]:
    """Ask a fresh process for Blender: {"version", "gpus": [[backend, name], …]}, or {"error": one sentence}.

    Args:
        python: that runs it; None for the one that is found.
    """
    command = python_command("iebench.render.system", python=find_blender_python(python))
    probe = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
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
        return f"Blender is not installed: run `{_tell_mend()}`."
    return f"Blender cannot be imported: {text.strip().splitlines()[-1] if text.strip() else 'it ended without a word'}"


def _tell_mend() -> str:
    """The command that installs Blender: in this Python where it has a wheel for it, else beside it."""
    own = "{}.{}".format(*sys.version_info)
    return "pip install 'iebench[render]'" if own in WHEELS else tell_install()


def find_gpus(backend: str | None, python: str | None = None) -> list[str]:
    """GPUs that Cycles can use, such as "optix:0", of one backend, or of the first backend that has any."""
    if not any(Path(path).exists() for path in GPU_FILES) and sys.platform == "linux":
        return []
    found = [name for name, _ in probe_blender(python).get("gpus", [])]
    chosen = backend or (found[0] if found else None)
    return [f"{chosen}:{number}" for number in range(found.count(str(chosen)))]


def _answer_probe() -> None:
    """What `probe_blender` asks, in the process that may be lost."""
    from iebench.render.blender import blender_version, devices

    print("\n" + json.dumps({"version": blender_version(), "gpus": list(devices())}), flush=True)
    os._exit(0)


if __name__ == "__main__":
    _answer_probe()
