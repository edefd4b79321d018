"""From the options of `iebench render` to a render job."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from iebench.catalogue import CLASSES, ObjectClass, select
from iebench.dataset.splits import ObjectName, order_objects, split_objects
from iebench.errors import UsageError
from iebench.factors.parse import custom_space, parse_factor
from iebench.factors.space import Factor
from iebench.render.job import GivenLatents, RenderJob
from iebench.render.object_lists import choose_objects, known_bad_objects, read_object_list
from iebench.render.object_source import ObjectSource
from iebench.render.quality import get_quality
from iebench.render.sources import PROCEDURAL, open_source

UP_AXES = ("y", "z")


@dataclass(frozen=True)
class RenderRequest:
    """A call of `iebench render`; every field is one of its options.

    Attributes:
        objects: "procedural", a folder, a zip file, or `package.module:name`.
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
        up: "y" or "z", the axis that points up in OBJ, PLY, STL and OFF files.
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
    up: str = "y"


def plan_job(request: RenderRequest) -> RenderJob:
    """The job that a request describes.

    Raises:
        UsageError: an option cannot be fulfilled.
    """
    source = open_source(request.objects)
    space = custom_space(request.space, request.factors)
    sweep, sweep_views = _parse_sweep(request.sweep) if request.sweep else (None, None)
    if sweep is not None:
        space = space.with_factor(sweep)
    given = GivenLatents(request.latents, len(space.names)) if request.latents else None
    classes = _choose_classes(source, request, given)
    names = choose_objects(
        source,
        [entry.synset for entry in classes],
        request.objects_per_class,
        _wanted(request, given),
        [*known_bad_objects(), *(read_object_list(request.exclude) if request.exclude else [])],
    )
    return RenderJob(
        objects=request.objects,
        about_objects={"kind": "own", **source.describe(), **_describe_up(request)},
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
        up=request.up,
    )


def _describe_up(request: RenderRequest) -> dict[str, str]:
    """What the card says of the axis that points up: nothing where it is Y, so that older datasets are the same."""
    if request.up not in UP_AXES:
        raise UsageError(f"--up {request.up!r}: choose {' or '.join(UP_AXES)}.")
    if request.up != "y" and request.objects == PROCEDURAL:
        raise UsageError(f"--up {request.up}: in the built-in objects Y is up; leave the option out.")
    return {} if request.up == "y" else {"up": request.up}


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
        return read_object_list(request.object_list)
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
