"""Choosing who renders: which engine, how many workers, on which devices."""

import os
from collections.abc import Iterator, Sequence

from iebench.errors import UsageError
from iebench.render.blender_python import find_blender_python
from iebench.render.engines import Outcome, render_locally
from iebench.render.farm import Engine
from iebench.render.job import RenderJob
from iebench.render.system import find_gpus
from iebench.render.worker import Task, WorkerSettings
from iebench.render.worker_process import Limits

DEVICES = ("auto", "cpu", "cuda", "optix", "hip", "metal", "oneapi")


def choose_engine(
    job: RenderJob,
    limits: Limits,
    workers: int | None = None,
    device: str = "auto",
    engine: str = "local",
    ray_address: str | None = None,
    blender_python: str | None = None,
) -> Engine:
    """The engine for a job.

    Args:
        job: what to render.
        limits: of each worker.
        workers: how many; None for one on each GPU, or one on the CPU.
        device: one of `DEVICES`.
        engine: "local" or "ray".
        ray_address: of a cluster; None starts one here.
        blender_python: that runs the workers, on whatever machine; None for the one that each machine has.

    Raises:
        UsageError: that Python cannot run workers, the device is not to be had, an address was given without Ray, or nothing
            answers there.
    """
    if ray_address and engine != "ray":
        raise UsageError(f"--ray-address {ray_address} is for Ray: add --engine ray.")
    if engine == "ray":
        from iebench.render.engine_ray import check_address, render_on_ray

        check_address(ray_address)
        on_cpu = _settings(job, "cpu", 0, blender_python)
        return lambda tasks: render_on_ray(tasks, on_cpu, limits, workers, ray_address)
    settings = local_settings(job, workers, device, blender_python)

    def run(tasks: Sequence[Task]) -> Iterator[Outcome]:
        return render_locally(tasks, settings, limits)

    return run


def local_settings(
    job: RenderJob, workers: int | None, device: str, blender_python: str | None = None
) -> list[WorkerSettings]:
    """The settings of each worker on this machine.

    Raises:
        UsageError: the device is not to be had, or that Python cannot run workers.
    """
    python = find_blender_python(blender_python)
    return [_settings(job, name, threads, python) for name, threads in _choose_devices(workers, device, python)]


def _settings(job: RenderJob, device: str, threads: int, python: str | None) -> WorkerSettings:
    return WorkerSettings(
        job.objects,
        job.space,
        job.image_size,
        job.quality,
        job.up,
        device,
        threads,
        focal_length=job.focal_length,
        one_class=job.one_class,
        passes=job.passes,
        python=python,
    )


def _choose_devices(workers: int | None, device: str, python: str) -> list[tuple[str, int]]:
    """(device, threads) of each worker."""
    if device not in DEVICES:
        raise UsageError(f"--device {device}: choose one of {', '.join(DEVICES)}.")
    gpus = [] if device == "cpu" else find_gpus(None if device == "auto" else device, python)
    if not gpus and device not in ("auto", "cpu"):
        raise UsageError(f"--device {device}: Blender finds none here; take --device auto, and see `iebench doctor`.")
    if gpus:
        return [(gpus[i % len(gpus)], 0) for i in range(workers or len(gpus))]
    count = workers or 1
    return [("cpu", max((os.cpu_count() or 1) // count, 1))] * count
