"""From the options of `iebench render` to a render job."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from iebench.catalogue import CLASSES, ObjectClass, select
from iebench.dataset.splits import SPLITS, ObjectName, order_objects, split_objects
from iebench.errors import UsageError
from iebench.factors.parse import custom_space, parse_factor
from iebench.factors.space import Factor
from iebench.render.folder_files import name_some
from iebench.render.job import GivenLatents, RenderJob
from iebench.render.object_lists import Choice, choose_objects, known_bad_objects, read_object_list
from iebench.render.object_source import ObjectSource
from iebench.render.quality import get_quality
from iebench.render.sources import open_source


@dataclass(frozen=True)
class RenderRequest:
    """A call of `iebench render`; every field is one of its options.

    Attributes:
        objects: "procedural", a folder, a zip file, or `package.module:name`.
        one_class: the class of all objects in a folder, or of one mesh file.
        classes: a number, or names and synsets with commas between; None for all that the source has.
        objects_per_class: at most; None for all, or for 20 procedural ones.
        object_list: file of the only objects to take.
        exclude: file of objects to leave out, beside those known to be bad.
        val_list: file of the objects that validate; all others train. None splits by hash, 80 to 20.
        views: of each object; None for 50, or for as many as `latents` has.
        size: side of the images in pixels.
        space: name of a factor space.
        factors: ranges to replace in it, as "NAME=LOW:HIGH" or "NAME=VALUE".
        quality: name of a quality.
        seed: of the latents.
        sweep: "NAME=FROM:TO:N": N views, in which only this factor moves.
        latents: folder with latents in the published layout, instead of a seed.
        objects_per_shard: of the shards.
        part: "i/n", the share of this machine.
    """

    objects: str = "procedural"
    classes: str | None = None
    objects_per_class: int | None = None
    object_list: Path | None = None
    exclude: Path | None = None
    val_list: Path | None = None
    views: int | None = None
    size: int = 256
    space: str = "3diebench"
    factors: tuple[str, ...] = ()
    quality: str = "fast"
    seed: int = 0
    sweep: str | None = None
    latents: Path | None = None
    objects_per_shard: int = 256
    part: str = "1/1"
    one_class: str | None = None


@dataclass(frozen=True)
class Plan:
    """What a request comes to.

    Attributes:
        job: what to render.
        where: the folder in which the objects were found, or the source that makes them.
        left_out: in sentences, what is not rendered and why.
    """

    job: RenderJob
    where: str
    left_out: tuple[str, ...]

    def sentences(self) -> list[str]:
        """What was found and what was left out, to be told before the render begins."""
        train, val = (len(self.job.splits.get(split, [])) for split in SPLITS)
        i, n = self.job.part
        part = "" if n == 1 else f"; this is part {i} of {n}"
        classes = f"{len(self.job.classes)} class" + "es" * (len(self.job.classes) != 1)
        found = f"objects of {classes}, {train} train + {val} val = {train + val}, {self.job.num_views} views each"
        return [f"{self.where}: {found}{part}.", *self.left_out]


def plan_job(request: RenderRequest) -> RenderJob:
    """The job that a request describes.

    Raises:
        UsageError: an option cannot be fulfilled.
    """
    return plan_render(request).job


def plan_render(request: RenderRequest) -> Plan:
    """The job that a request describes, and what is left out of it.

    Raises:
        UsageError: an option cannot be fulfilled.
    """
    source = open_source(request.objects, request.one_class)
    space = custom_space(request.space, request.factors)
    sweep, sweep_views = _parse_sweep(request.sweep) if request.sweep else (None, None)
    if sweep is not None:
        space = space.with_factor(sweep)
    given = GivenLatents(request.latents, len(space.names)) if request.latents else None
    classes = _choose_classes(source, request, given)
    choice = choose_objects(
        source,
        [entry.synset for entry in classes],
        request.objects_per_class,
        _wanted(request, given),
        [*known_bad_objects(), *(read_object_list(request.exclude) if request.exclude else [])],
    )
    names = choice.names
    job = RenderJob(
        objects=request.objects,
        one_class=request.one_class,
        about_objects={"kind": "own", **source.describe()},
        classes=classes,
        splits=_split(names, request.val_list),
        space=space,
        seed=request.seed,
        num_views=sweep_views or request.views or (given.count_views(names) if given else 50),
        image_size=request.size,
        quality=get_quality(request.quality),
        objects_per_shard=request.objects_per_shard,
        given_latents=given,
        sweep=sweep,
        part=_parse_part(request.part),
        refused=tuple(choice.refused),
    )
    return Plan(job, str(getattr(source, "root", request.objects)), tuple(_tell_left_out(source, choice)))


def _tell_left_out(source: ObjectSource, choice: Choice) -> Iterator[str]:
    if hasattr(source, "left_out"):
        yield from source.left_out()
    if choice.excluded:
        yield f"Left out: {choice.excluded} of the objects (known to break a render, or named by --exclude)."
    if choice.refused:
        names = [f"{failure.synset}/{failure.object_id}" for failure in choice.refused]
        yield f"Left out: {name_some(names)} ({choice.refused[0].reason}); failures.csv will name them."


def _choose_classes(
    source: ObjectSource, request: RenderRequest, given: GivenLatents | None
) -> tuple[ObjectClass, ...]:
    if not source.classes:
        raise UsageError(
            f"--objects {request.objects} holds no class that is known: see `iebench classes` for the synsets of 3DIEBench."
        )
    if request.classes is not None and not _wants_all(request.classes, source):
        return select(request.classes, source.classes)
    wanted = _wanted(request, given)
    synsets = None if wanted is None else {synset for synset, _ in wanted}
    return tuple(entry for entry in source.classes if synsets is None or entry.synset in synsets)


def _wants_all(text: str, source: ObjectSource) -> bool:
    """Whether `--classes` is the benchmark's number, and the source, such as a part of ShapeNet, has fewer."""
    return text.strip() == str(len(CLASSES)) and len(source.classes) < len(CLASSES)


def _wanted(request: RenderRequest, given: GivenLatents | None) -> list[ObjectName] | None:
    if request.object_list is not None:
        names = read_object_list(request.object_list)
        if not names:
            raise UsageError(
                f"--object-list {request.object_list}: the list is empty; write synset/object_id in each line."
            )
        return names
    return given.objects() if given is not None else None


def _split(names: Sequence[ObjectName], val_list: Path | None) -> dict[str, list[ObjectName]]:
    if val_list is None:
        return split_objects(names)
    in_val = set(read_object_list(val_list))
    splits = {"train": [n for n in names if n not in in_val], "val": [n for n in names if n in in_val]}
    if not splits["val"]:
        raise UsageError(f"--val-list {val_list} names none of the objects to render.")
    return {split: order_objects(members) for split, members in splits.items()}


def _parse_sweep(text: str) -> tuple[Factor, int]:
    start, _, count = text.rpartition(":")
    if not count.isdigit() or int(count) < 2 or start.count(":") != 1:
        raise UsageError(f"--sweep {text!r} is not understood: write NAME=FROM:TO:N, such as rotation_z=-90:90deg:24.")
    return parse_factor(start), int(count)


def _parse_part(text: str) -> tuple[int, int]:
    try:
        i, n = (int(number) for number in text.split("/"))
    except ValueError:
        raise UsageError(f"--part {text!r} is not understood: write i/n, such as 2/8.") from None
    if not 1 <= i <= n:
        raise UsageError(f"--part {text}: the first number goes from 1 to the second.")
    return i, n
