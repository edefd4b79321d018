"""From the options of `iebench render` to a render job."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iebench.catalogue import CLASSES, ObjectClass, select
from iebench.dataset.passes import order_passes
from iebench.dataset.splits import SPLITS, ObjectName, order_objects, split_objects
from iebench.errors import UsageError, check_seed
from iebench.factors.parse import custom_space, parse_factor
from iebench.factors.space import Factor
from iebench.render.folder_files import name_some
from iebench.render.given_latents import GivenLatents
from iebench.render.job import RenderJob
from iebench.render.object_lists import Choice, choose_objects, known_bad_objects, read_object_list
from iebench.render.object_source import ObjectSource
from iebench.render.quality import get_quality
from iebench.render.request import PUBLISHED_SPACE, RenderRequest
from iebench.render.sources import PROCEDURAL, open_source
from iebench.render.view_design import check_layout, find_design

UP_AXES = ("y", "z")


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
    check_layout(request)
    check_seed(request.seed or 0)
    source = open_source(request.objects, request.one_class)
    space = custom_space(request.space or PUBLISHED_SPACE, request.factors)
    sweep, sweep_views = _parse_sweep(request) if request.sweep else (None, None)
    if sweep is not None:
        space = space.with_factor(sweep)
    design = find_design(request, space)
    asked = space if request.space or request.factors else None
    given = GivenLatents.open(request.latents, asked) if request.latents else None
    classes = _choose_classes(source, request, given)
    choice = choose_objects(
        source,
        [entry.synset for entry in classes],
        request.objects_per_class,
        _wanted(request, given),
        [*known_bad_objects(), *(read_object_list(request.exclude) if request.exclude else [])],
    )
    names = choice.names
    designed = sweep_views if design is None else design.num_views
    num_views = designed or request.views or (given.count_views(names) if given else 50)
    about_objects = _describe(source, request.objects) | _describe_up(request)
    job = RenderJob(
        objects=request.objects,
        one_class=request.one_class,
        about_objects=about_objects,
        classes=classes,
        splits=_split(names, request.val_list),
        space=given.find_space(names, num_views) if given else space,
        seed=request.seed or 0,
        num_views=num_views,
        image_size=request.size,
        quality=get_quality(request.quality),
        objects_per_shard=request.objects_per_shard,
        given_latents=given,
        sweep=sweep,
        design=design,
        part=_parse_part(request.part),
        focal_length=request.focal_length,
        preset=request.note_preset(about_objects["kind"]),
        refused=tuple(choice.refused),
        up=request.up,
        passes=_parse_passes(request.passes),
    )
    return Plan(job, str(getattr(source, "root", request.objects)), tuple(_tell_left_out(source, choice)))


def _tell_left_out(source: ObjectSource, choice: Choice) -> Iterator[str]:
    if hasattr(source, "left_out"):
        yield from source.left_out()
    if choice.excluded:
        yield f"Left out: {choice.excluded} of the objects (known to break a render, or named by --exclude)."
    if choice.refused:
        names = ["/".join(failure.object_name) for failure in choice.refused]
        yield f"Left out: {name_some(names)} ({choice.refused[0].reason}); failures.csv will name them."


def _describe(source: ObjectSource, objects: str) -> dict[str, Any]:
    """What the card says of the objects.

    Raises:
        UsageError: a card cannot hold it.
    """
    about = source.describe()
    try:
        json.dumps(about, allow_nan=False)
        return {"kind": "own", **about}
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"--objects {objects}: describe() gives what no card can hold ({error}): give a dictionary of plain values."
        ) from None


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


def _parse_sweep(request: RenderRequest) -> tuple[Factor, int]:
    text = str(request.sweep)
    start, _, count = text.rpartition(":")
    if not count.isdigit() or int(count) < 2 or start.count(":") != 1:
        raise UsageError(f"--sweep {text!r} is not understood: write NAME=FROM:TO:N, such as rotation_z=-90:90deg:24.")
    sweep = parse_factor(start, "--sweep")
    for factor in request.factors:
        if parse_factor(factor).name == sweep.name:
            raise UsageError(f"--sweep {text} and --factor {factor} are of one factor: leave one of the two out.")
    return sweep, int(count)


def _parse_passes(text: str | None) -> tuple[str, ...]:
    return () if text is None else order_passes([name.strip() for name in text.split(",")])


def _parse_part(text: str) -> tuple[int, int]:
    try:
        i, n = (int(number) for number in text.split("/"))
    except ValueError:
        raise UsageError(f"--part {text!r} is not understood: write i/n, such as 2/8.") from None
    if not 1 <= i <= n:
        raise UsageError(f"--part {text}: the first number goes from 1 to the second.")
    return i, n
