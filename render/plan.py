"""From the options of `iebench render` to a render job."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from iebench.catalogue import CLASSES, ObjectClass, select
from iebench.dataset.card import FOCAL_LENGTH, PresetNote
from iebench.dataset.splits import ObjectName, order_objects, split_objects
from iebench.errors import UsageError
from iebench.factors.parse import custom_space, parse_factor
from iebench.factors.space import Factor
from iebench.render.given_latents import GivenLatents
from iebench.render.job import RenderJob
from iebench.render.object_lists import choose_objects, known_bad_objects, read_object_list
from iebench.render.object_source import ObjectSource
from iebench.render.presets import Preset, get_preset
from iebench.render.quality import get_quality
from iebench.render.sources import PROCEDURAL, open_source

_WORK = ("part", "objects_per_shard")  # options that change no view


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
        space: name of a factor space, or a TOML file; None for 3diebench, or for what `latents` tell.
        factors: ranges to replace in it, as "NAME=LOW:HIGH" or "NAME=VALUE".
        quality: name of a quality.
        focal_length: of the camera in millimetres; its sensor is 36 mm wide.
        seed: of the latents; None for 0.
        sweep: "NAME=FROM:TO:N": N views, in which only this factor moves.
        latents: folder with latents in the published layout, instead of a seed.
        objects_per_shard: of the shards.
        part: "i/n", the share of this machine.
        preset: after which the other fields were filled.
    """

    objects: str = PROCEDURAL
    classes: str | None = None
    objects_per_class: int | None = None
    object_list: Path | None = None
    exclude: Path | None = None
    val_list: Path | None = None
    views: int | None = None
    size: int = 256
    space: str | None = None
    factors: tuple[str, ...] = ()
    quality: str = "fast"
    focal_length: float = FOCAL_LENGTH
    seed: int | None = None
    sweep: str | None = None
    latents: Path | None = None
    objects_per_shard: int = 256
    part: str = "1/1"
    preset: str | None = None

    @classmethod
    def after(cls, preset: str | None, given: Mapping[str, Any]) -> "RenderRequest":
        """The request of a preset, in which `given` fields come before the preset's.

        Raises:
            UsageError: there is no such preset, or it cannot be rendered without a folder of objects.
        """
        if preset is None:
            return cls(**given)
        found = get_preset(preset)
        if found.needs and "objects" not in given:
            raise UsageError(f"--preset {preset} needs {found.needs}: name it with --objects.")
        return cls(**{**found.settings, **given, "preset": preset})


def plan_job(request: RenderRequest) -> RenderJob:
    """The job that a request describes.

    Raises:
        UsageError: an option cannot be fulfilled.
    """
    _check_together(request)
    source = open_source(request.objects)
    space = custom_space(request.space or "3diebench", request.factors)
    sweep, sweep_views = _parse_sweep(request) if request.sweep else (None, None)
    if sweep is not None:
        space = space.with_factor(sweep)
    asked = space if request.space or request.factors else None
    given = GivenLatents.open(request.latents, asked) if request.latents else None
    classes = _choose_classes(source, request, given)
    names = choose_objects(
        source,
        [entry.synset for entry in classes],
        request.objects_per_class,
        _wanted(request, given),
        [*known_bad_objects(), *(read_object_list(request.exclude) if request.exclude else [])],
    )
    num_views = sweep_views or request.views or (given.count_views(names) if given else 50)
    about_objects = _describe(source, request.objects)
    return RenderJob(
        objects=request.objects,
        about_objects=about_objects,
        classes=classes,
        splits=_split(names, request.val_list),
        space=given.find_space(names, num_views, asked) if given else space,
        seed=request.seed or 0,
        num_views=num_views,
        image_size=request.size,
        quality=get_quality(request.quality),
        objects_per_shard=request.objects_per_shard,
        given_latents=given,
        sweep=sweep,
        part=_parse_part(request.part),
        focal_length=request.focal_length,
        preset=_note_preset(request, get_preset(request.preset), about_objects["kind"]) if request.preset else None,
    )


def _note_preset(request: RenderRequest, preset: Preset, kind: str) -> PresetNote:
    """What the card says of a render after a preset."""
    request, pure = _settle(request), _settle(RenderRequest.after(request.preset, {"objects": request.objects}))
    changed = [entry.name for entry in fields(request) if entry.name not in _WORK]
    changed = [name for name in changed if getattr(request, name) != getattr(pure, name)]
    return PresetNote(preset.dataset_name, tuple(changed + ["objects"] * (kind != preset.kind)))


def _settle(request: RenderRequest) -> RenderRequest:
    """The request with what a missing seed and space stand for."""
    return replace(request, seed=request.seed or 0, space=request.space or "3diebench")


def _check_together(request: RenderRequest) -> None:
    """Options that would have no say beside others."""
    beside = {"--seed": request.seed, "--sweep": request.sweep} if request.latents else {}
    for option, value in beside.items():
        if value is not None:
            raise UsageError(
                f"{option} {value} has no say where --latents gives the latents: leave one of the two out."
            )


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


def _parse_part(text: str) -> tuple[int, int]:
    try:
        i, n = (int(number) for number in text.split("/"))
    except ValueError:
        raise UsageError(f"--part {text!r} is not understood: write i/n, such as 2/8.") from None
    if not 1 <= i <= n:
        raise UsageError(f"--part {text}: the first number goes from 1 to the second.")
    return i, n
