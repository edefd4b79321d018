"""The farm's endurance: killed at random moments, and memory over many objects. Prints two JSON lines.

python benchmarks/farm.py [--kills 20] [--objects 500]
"""

import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from iebench.factors.space import get_space
from iebench.render.engines import render_locally
from iebench.render.quality import get_quality
from iebench.render.worker import Task, WorkerSettings
from iebench.render.worker_process import Limits

RENDER = ["--classes", "55", "--objects-per-class", "4", "--views", "10", "--size", "64", "--objects-per-shard", "8"]


@click.command()
@click.option("--kills", default=20)
@click.option("--objects", default=500)
def main(kills: int, objects: int) -> None:
    """Measure, and print two JSON lines."""
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(kill_and_resume(Path(folder), kills)), flush=True)
        print(json.dumps(watch_memory(Path(folder), objects)), flush=True)


def kill_and_resume(folder: Path, kills: int) -> dict[str, object]:
    """Kill a render at random moments, with which its workers end, resume it each time, and compare with a clean one."""
    chance, clean, torn = random.Random(0), folder / "clean", folder / "torn"
    start = time.monotonic()
    subprocess.run(render_command(clean), check=True, capture_output=True)
    whole = time.monotonic() - start
    done = 0
    while done < kills and not torn.exists():
        process = subprocess.Popen(render_command(torn), stdout=subprocess.DEVNULL)
        try:
            process.wait(timeout=2 + chance.uniform(0, whole / kills))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            done += 1
    subprocess.run(render_command(torn), check=True, capture_output=True)
    return {"benchmark": "kill and resume", "kills": done, "identical": digests(clean) == digests(torn)}


def render_command(out: Path) -> list[str]:
    """The render, as a process is started with it."""
    return [sys.executable, "-m", "iebench", "render", *RENDER, "--out", str(out)]


def digests(root: Path) -> dict[str, str]:
    """The hash of every file, and the card without what it says of the machine."""
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in root.iterdir()}
    card = json.loads((root / "dataset.json").read_text())
    return {**found, "dataset.json": json.dumps({**card, "made": None})}


def watch_memory(folder: Path, objects: int) -> dict[str, object]:
    """Resident memory of one worker after 50 objects and after all."""
    space, synset = get_space("3diebench"), "03797390"
    names = [f"p1-{index:06d}" for index in range(objects)]
    tasks = [Task(synset, n, 37, space.sample(0, synset, n, 1).tolist(), str(folder / f"{n}.tar")) for n in names]
    settings = WorkerSettings("procedural", space, 32, get_quality("preview"))
    resident = [worker_memory() for _ in render_locally(tasks, [settings], Limits(objects=objects + 1))]
    resident = [size for size in resident if size]
    after = {50: resident[49], objects: resident[-1]}
    return {
        "benchmark": "memory of one worker",
        "objects": objects,
        "MiB after 50": after[50] >> 20,
        "MiB at the end": after[objects] >> 20,
        "ratio": round(after[objects] / after[50], 3),
    }


def worker_memory() -> int:
    """Resident bytes of our only worker."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and b"iebench.render.worker" in (path.parent / "cmdline").read_bytes():
                return int((path.parent / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            continue
    return 0  # it ends with its last object


if __name__ == "__main__":
    main()
