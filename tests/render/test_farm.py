"""The farm gives the same bytes whatever happens to it, and says what it could not do."""

import csv
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from processes import archives, wait_until

from iebench.dataset.writer import read_failures
from iebench.factors.space import get_space
from iebench.growing import partial_root
from iebench.render.engines import render_locally
from iebench.render.quality import get_quality
from iebench.render.worker import Task, WorkerSettings
from iebench.render.worker_process import Limits

pytestmark = pytest.mark.slow
CLASSES = "mug,chair,airplane,car"
PASSES = ["--passes", "mask,depth,normal,position"]  # which are made and stored whenever views are
SMALL = ["--classes", CLASSES, "--objects-per-class", 2, "--views", 12, "--size", 64, "--quality", "trained", *PASSES]


def digests(root: Path) -> dict[str, str]:
    """The hash of every file, and of the card but for what it says of the machine."""
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in root.iterdir()}
    card = json.loads((root / "dataset.json").read_text())
    found["dataset.json"] = json.dumps({**card, "made": None})
    return found


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The dataset as one undisturbed worker makes it."""
    out = tmp_path_factory.mktemp("clean") / "out"
    subprocess.run(command("--out", out), check=True, capture_output=True)
    return digests(out)


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "iebench", "render", *map(str, [*SMALL, "--objects-per-shard", 2, *words])]


def test_two_workers_give_the_same_bytes(clean, tmp_path):
    subprocess.run(command("--out", tmp_path / "out", "--workers", 2), check=True, capture_output=True)
    assert digests(tmp_path / "out") == clean


def test_two_parts_merged_give_the_same_bytes(clean, tmp_path, iebench):
    for part in (1, 2):
        subprocess.run(command("--out", tmp_path / f"p{part}", "--part", f"{part}/2"), check=True, capture_output=True)
    refused = iebench("merge", "p1", "p1", "out", code=2)
    assert "given already" in refused.stderr
    assert "part was" in iebench("merge", "p1", "out", code=2).stderr
    iebench("merge", "p2", "p1", "out")
    assert digests(tmp_path / "out") == clean


def test_killed_at_random_moments_and_resumed(clean, tmp_path, start):
    """A render is killed again and again, alone and with its workers; what comes in the end is what an undisturbed one makes."""
    chance, out, killed = random.Random(0), tmp_path / "out", 0
    for kill in range(5):
        process, before = start(command("--out", out), stdout=subprocess.DEVNULL), archives(partial_root(out))
        while kill % 2 and process.poll() is None and archives(partial_root(out)) <= before:
            time.sleep(0.01)  # else it may die before it has done anything
        time.sleep(chance.uniform(0, 0.3 if kill % 2 else 1.5))  # the whole render takes some seconds
        killed += process.poll() is None
        if kill < 3:
            process.kill()
        else:
            start.kill()
        process.wait()
        start.wait_for_all()  # a worker ends with its render
    assert killed > 1, "the render is over before it can be killed"
    subprocess.run(command("--out", out), check=True, capture_output=True)
    assert digests(out) == clean
    assert not partial_root(out).exists()


@pytest.fixture
def begun(tmp_path, start) -> Callable[..., subprocess.Popen]:
    """Start a render into tmp_path / "out", and wait until its first sample is written: `begun(*words, **options)`."""

    def begin(*words: object, **options: object) -> subprocess.Popen:
        process = start(command("--out", tmp_path / "out", *words), **options)
        wait_until(lambda: archives(partial_root(tmp_path / "out")), process)
        return process

    return begin


@pytest.mark.parametrize("engine", ["local", "ray"])
def test_a_killed_worker_costs_one_retry(clean, tmp_path, start, begun, engine):
    process = begun("--engine", engine, "--workers", 1, stdout=subprocess.DEVNULL)
    killed = start.workers()
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    assert process.wait() == 0
    assert killed
    assert digests(tmp_path / "out") == clean


def test_ctrl_c_leaves_a_resumable_state(clean, tmp_path, start, begun):
    out = tmp_path / "out"
    process = begun(stderr=subprocess.PIPE, text=True)
    process.send_signal(signal.SIGINT)
    assert "Stopped" in process.communicate()[1]
    assert process.returncode == 1 and not out.exists()
    assert not start.running()
    subprocess.run(command("--out", out), check=True, capture_output=True)
    assert digests(out) == clean


def test_a_folder_in_use_or_begun_otherwise_is_refused(tmp_path, start, begun):
    words = command("--out", tmp_path / "out")
    begun(stdout=subprocess.DEVNULL).send_signal(signal.SIGSTOP)  # it holds its lock, however long the second takes
    second = subprocess.run(words, capture_output=True, text=True, check=False)
    start.kill()
    start.wait_for_all()
    assert second.returncode == 2 and "in use by another render" in second.stderr
    other = subprocess.run([*words, "--seed", "1"], capture_output=True, text=True, check=False)
    assert other.returncode == 2 and "seed was 0 and is now 1" in other.stderr


def settings(source: str = "procedural") -> WorkerSettings:
    return WorkerSettings(source, get_space("3diebench"), 32, get_quality("preview"))


def task(folder: Path, object_id: str) -> Task:
    latents = get_space("3diebench").sample(0, "03797390", object_id, 2)
    return Task("03797390", object_id, 37, latents.tolist(), str(folder / f"{object_id}.tar"))


def test_an_object_that_makes_the_worker_spin_costs_its_time_limit_alone(tmp_path, shapenet):
    """A polygon of 60 000 corners that crosses itself everywhere: Blender works on it for minutes."""
    corners = "".join(f"v {i * 7919 % 10007} 0 {i * 104729 % 10009}\n" for i in range(60_000))
    objects = {"a-cube": CUBE, "b-spin": corners + "f " + " ".join(map(str, range(1, 60_001))) + "\n", "c-cube": CUBE}
    source = str(shapenet(objects))
    start = time.monotonic()
    outcomes = render_locally([task(tmp_path, name) for name in objects], [settings(source)], Limits(object_seconds=10))
    failures = {outcome.task.object_id: outcome.failure for outcome in outcomes}
    assert time.monotonic() - start > 10
    assert failures["a-cube"] is None and failures["c-cube"] is None
    assert (failures["b-spin"].reason, failures["b-spin"].attempts) == ("no result within 10 s", 1)


def test_an_object_that_eats_memory_is_given_up_after_one_retry(tmp_path, shapenet):
    """A million faces under a limit that Blender alone does not reach."""
    vertices = "".join(f"v {x} {x * z % 7} {z}\n" for x in range(1001) for z in range(1001))
    faces = "".join(f"f {i} {i + 1} {i + 1002} {i + 1001}\n" for i in range(1, 1001 * 1000) if i % 1001)
    source = str(shapenet({"big": vertices + faces, "cube": CUBE}))
    tasks = [task(tmp_path, name) for name in ("big", "cube")]
    outcomes = render_locally(tasks, [settings(source)], Limits(memory_bytes=600 << 20))
    failures = {outcome.task.object_id: outcome.failure for outcome in outcomes}
    assert failures["cube"] is None
    assert failures["big"].attempts == 2 and "0.586 GiB of memory" in failures["big"].reason


CUBE = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nv 0 0 1\nf 1 2 3\nf 1 3 4\nf 1 2 5\n"


def test_failed_objects_are_named_and_retried_on_demand(tmp_path, shapenet, iebench):
    root = shapenet({"good": CUBE, "fine": CUBE, "bad": "v nan 0 0\nv 1 0 0\nv 1 1 0\nf 1 2 3\n"})
    words = ("render", "--objects", root, "--views", 2, "--size", 32, "--quality", "preview", "--out", "out")
    iebench(*words, code=1)  # a third of the objects is more than --max-failures
    (failure,) = read_failures(tmp_path / "out" / "failures.csv")
    assert (failure.object_id, failure.attempts) == ("bad", 1) and "not finite" in failure.reason
    assert len((tmp_path / "out" / "failures.csv").read_text().splitlines()) == 2
    assert "nothing was left to do" in iebench(*words, code=1).stdout
    (root / "03797390" / "bad" / "models" / "model_normalized.obj").write_text(CUBE)
    iebench(*words, "--retry-failed")
    assert not read_failures(tmp_path / "out" / "failures.csv")
    mended = digests(tmp_path / "out")
    iebench(*words[:-1], "again")
    assert digests(tmp_path / "again") == mended
    with (tmp_path / "out" / "objects.csv").open() as file:
        assert {row["object_id"] for row in csv.DictReader(file)} == {"good", "fine", "bad"}


def test_a_sweep_moves_one_factor(tmp_path, iebench):
    iebench("render", "--classes", "mug", "--objects-per-class", 2, "--size", 32, "--quality", "preview", "--out", "out",
            "--sweep", "rotation_z=-90:90deg:5")  # fmt: skip
    from iebench.dataset.reader import Dataset

    latents = Dataset(tmp_path / "out").latents
    assert latents.shape == (2, 5, 7)
    assert latents[0, :, 2] == pytest.approx([-1.5708, -0.7854, 0, 0.7854, 1.5708], abs=1e-4)
    assert (latents[:, :, [0, 1, 3, 4, 5, 6]] == latents[:, :1, [0, 1, 3, 4, 5, 6]]).all()
    assert (tmp_path / "out.webp").stat().st_size > 0
