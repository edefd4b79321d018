"""The worker process: takes objects one by one, renders their views, writes one sample each.

It is a process of its own because Blender can crash, hang and leak. It reads JSON lines from standard input, first the
settings, then tasks, and replies to each with one JSON line: "ready", "done" with the seconds after which each view and the whole
were finished, "failed" with the reason (the object's fault), or "fatal" (not the object's fault; the worker ends). Whatever
Blender prints goes to the worker's log.
Run as the module `iebench.render.worker` with the arguments LOG SCRATCH DISK.
"""

import ctypes
import json
import os
import re
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from textwrap import shorten
from typing import Any, TextIO

import numpy as np
import simplejpeg
from jaxtyping import UInt8
from numpy import ndarray

from iebench.dataset.appearance import Lost, join_lost, write_sample
from iebench.dataset.card import FOCAL_LENGTH
from iebench.dataset.shards import pack_sample
from iebench.errors import IebenchError
from iebench.factors.space import FactorSpace
from iebench.files import is_full_disk
from iebench.render.guard import Guard
from iebench.render.mesh_files import prepare_mesh
from iebench.render.quality import Quality, quality_from_json
from iebench.render.scene import ViewScene, view_scene
from iebench.render.scratch import own_folder
from iebench.render.sources import open_source
from iebench.render.system import explain_import_error
from iebench.render.view_passes import encode_passes

JPEG_QUALITY = 95
REASON_LENGTH = 400  # of what an error says; the log has the rest


@dataclass(frozen=True)
class WorkerSettings:
    """What is the same for all tasks of a worker.

    Attributes:
        objects: what `open_source` opens.
        space: factor space of the latents.
        image_size: side in pixels.
        quality: of the render.
        up: "y" or "z", the axis that points up in the objects' files.
        device: "cpu" or a GPU backend.
        threads: of Cycles; 0 for all cores.
        focal_length: of the camera in millimetres.
        one_class: the class of all objects, where `objects` names none.
        passes: geometry to be told of every view.
        python: that runs the worker; None for the one that its machine has (`iebench.render.blender_python`).
    """

    objects: str
    space: FactorSpace
    image_size: int
    quality: Quality
    up: str = "y"
    device: str = "cpu"
    threads: int = 0
    focal_length: float = FOCAL_LENGTH
    one_class: str | None = None
    passes: tuple[str, ...] = ()
    python: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values for the worker's first line."""
        return {**asdict(self), "space": self.space.to_json()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "WorkerSettings":
        """The inverse of `to_json`."""
        value = value | {"space": FactorSpace.from_json(value["space"]), "quality": quality_from_json(value["quality"])}
        value["passes"] = tuple(value["passes"])
        return cls(**value)


@dataclass(frozen=True)
class Task:
    """One object to render.

    Attributes:
        latents: a row per view, in the order of the space's factors.
        out: file for the finished sample.
    """

    synset: str
    object_id: str
    label: int
    latents: list[list[float]]
    out: str


def main(log: Path, scratch: Path, disk: Path) -> None:
    """Work on tasks until standard input ends, then leave at once: Blender may crash at a regular exit.

    Args:
        log: file for what Blender prints while it works on the present object.
        scratch: folder for pixels and meshes on their way; best in memory.
        disk: folder for the files of an object for which there is no room; it is made when it is needed.
    """
    _die_with_parent()
    replies = _divert_output(log)
    try:
        settings = WorkerSettings.from_json(json.loads(sys.stdin.readline()))
        _serve(settings, scratch, disk, replies)
    except Exception as error:
        traceback.print_exc()
        _reply(replies, {"fatal": describe_fault(error, scratch, disk)})
    os._exit(0)


def _serve(settings: WorkerSettings, scratch: Path, disk: Path, replies: TextIO) -> None:
    from iebench.render.blender import Stage, blender_version

    source = open_source(settings.objects, settings.one_class)
    stage = Stage(
        settings.image_size,
        settings.quality,
        scratch,
        settings.device,
        settings.threads,
        settings.focal_length,
        geometry=bool(settings.passes),
    )
    _reply(replies, {"ready": {"blender": blender_version(), "device": stage.device}})
    for number, line in enumerate(sys.stdin):
        task = Task(**json.loads(line))
        os.ftruncate(1, 0)  # the log tells of one object only
        start = time.monotonic()
        ends: list[float] = []
        try:
            work, spare = (folder / f"object-{number}" for folder in (scratch, disk))
            render = partial(render_object, settings, source, stage, task, ends=ends)
            sample, lost = _render_where_room_is(work, spare, render)
        except Exception as error:
            if not isinstance(error, IebenchError):  # whose sentence says all
                traceback.print_exc()
            _reply(replies, {"failed": describe_fault(error, scratch, disk)})
        else:  # a fault from here on would meet every object
            write_sample(Path(task.out), sample, lost)
            _reply(replies, {"done": [end - start for end in (*ends[-len(task.latents) :], time.monotonic())]})


def _render_where_room_is(
    scratch: Path, disk: Path, render: Callable[[Path], tuple[bytes, list[Lost]]]
) -> tuple[bytes, list[Lost]]:
    """What `render` makes of an object in a work folder, on the disk where its files are too large for `scratch`."""
    try:
        with _work_folder(scratch) as work:
            return render(work)
    except OSError as error:
        if not is_full_disk(error):
            raise
    with own_folder(disk.parent), _work_folder(disk) as work:
        return render(work)


def render_object(
    settings: WorkerSettings, source: Any, stage: Any, task: Task, work: Path, ends: list[float]
) -> tuple[bytes, list[Lost]]:
    """The sample of one object, and what of its appearance is lost.

    Args:
        settings: of the worker.
        source: of the object.
        stage: where it is rendered.
        task: the object.
        work: empty folder for its files.
        ends: to which the times are added at which views are finished.

    Raises:
        IebenchError: it cannot be rendered, or is not where its latents put it.
    """
    mesh = source.fetch(task.synset, task.object_id, work)
    prepared = prepare_mesh(mesh, work)
    surface, lost = stage.load(prepared.path, mesh.unit_diagonal, settings.up)
    guard = Guard(surface, settings.focal_length)
    latents = np.array(task.latents)
    views = []
    for row in latents:
        views.append(_render_view(settings, stage, guard, view_scene(settings.space, row)))
        ends.append(time.monotonic())
    guard.finish()
    stage.clear()
    jpegs, passes = zip(*views, strict=True)
    sample = pack_sample(task.synset, task.object_id, task.label, jpegs, latents, passes)
    return sample, join_lost(prepared.lost, lost)


def _render_view(settings: WorkerSettings, stage: Any, guard: Guard, view: ViewScene) -> tuple[bytes, dict[str, bytes]]:
    """The JPEG of a view, and the PNGs of its passes."""
    pixels = stage.render(view)
    guard.check(view.object_matrix, stage.mask())
    if not settings.passes:
        return encode_view(pixels), {}
    traced = stage.trace()
    return encode_view(pixels), encode_passes(settings.passes, traced, view.object_matrix, settings.focal_length)


@contextmanager
def _work_folder(path: Path) -> Iterator[Path]:
    """A folder for the files of one object. No two share a path: Blender would take the second's texture for the first's."""
    path.mkdir()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def encode_view(pixels: UInt8[ndarray, "h w 3"]) -> bytes:
    """A JPEG at quality 95 with halved chroma, as the published images are, without time stamps."""
    return simplejpeg.encode_jpeg(pixels, quality=JPEG_QUALITY, colorspace="RGB", colorsubsampling="420")


def _reply(replies: TextIO, value: dict[str, Any]) -> None:
    replies.write(json.dumps(value) + "\n")
    replies.flush()


def _divert_output(log: Path) -> TextIO:
    """Keep standard output for replies, and send what Blender prints there to the log."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    return replies


def _die_with_parent() -> None:
    """Ask Linux to kill this process when its parent dies, however that happens."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def forget_scratch(text: str, *scratch: Path) -> str:
    """A text without the folders of scratch files, which have another name in every run."""
    names = sorted(map(str, scratch), key=len, reverse=True)  # one may lie in the other
    folders = "|".join(map(re.escape, names))
    return re.sub(rf"({folders})(/object-\d+)?/?", "", text)


def describe_fault(error: Exception, *scratch: Path) -> str:
    """One line on what went wrong, the same in every run.

    Args:
        error: what was raised.
        scratch: folders of the worker's files.
    """
    if is_full_disk(error):
        return f"no space is left for {forget_scratch(str(getattr(error, 'filename', None) or 'a file'), *scratch)}"
    if isinstance(error, ImportError):
        return explain_import_error(str(error)).rstrip(".")
    text = shorten(" ".join(forget_scratch(str(error), *scratch).split()), REASON_LENGTH, placeholder=" …")
    return text if isinstance(error, IebenchError) else f"{type(error).__name__}: {text}"


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
