"""A render job: everything that decides which bytes a dataset will have, and nothing else."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from iebench.catalogue import CLASSES, ObjectClass
from iebench.dataset.card import FOCAL_LENGTH
from iebench.dataset.card_parts import PresetNote
from iebench.dataset.shards import shard_name
from iebench.dataset.splits import SPLITS, ObjectName
from iebench.dataset.writer import Failure
from iebench.errors import UsageError
from iebench.factors.designs import Design
from iebench.factors.space import Factor, FactorSpace
from iebench.files import write_whole
from iebench.render.given_latents import GivenLatents
from iebench.render.quality import Quality
from iebench.untrusted import read_json, refusals

HASHED = ("objects", "latents")  # settings that are kept as a hash


@dataclass(frozen=True)
class Shard:
    """A shard to be made: its name, its split, and its objects in order."""

    name: str
    split: str
    objects: tuple[ObjectName, ...]


@dataclass(frozen=True)
class RenderJob:
    """What to render.

    Attributes:
        objects: what `open_source` opens.
        about_objects: what the card says of them.
        classes: those of the objects.
        splits: objects of each split, in the order in which they will stand.
        space: factor space that the latents are drawn from; a `design` may lead out of it, see `covering_space`.
        seed: of the latents.
        num_views: of each object.
        image_size: side in pixels.
        quality: of the render.
        objects_per_shard: of the shards, all but the last of a split.
        given_latents: read instead of drawing them; None to draw.
        sweep: one factor moves through the views, and all others stay as they are in view 0.
        design: how the views of each object are laid out; None for independent draws.
        part: (i, n): render only every n-th shard, from number i on, counted from 1.
        focal_length: of the camera in millimetres.
        preset: after which it was made, for the card.
        one_class: the class of all objects, where `objects` names none.
        refused: objects that cannot be rendered, for their names.
        up: "y" or "z", the axis that points up in the objects' files; `about_objects` states it where it is not Y.
        passes: geometry that every view has beside its JPEG.
    """

    objects: str
    about_objects: dict[str, Any]
    classes: tuple[ObjectClass, ...]
    splits: dict[str, list[ObjectName]]
    space: FactorSpace
    seed: int
    num_views: int
    image_size: int
    quality: Quality
    objects_per_shard: int
    given_latents: GivenLatents | None = None
    sweep: Factor | None = None
    design: Design | None = None
    part: tuple[int, int] = (1, 1)
    focal_length: float = FOCAL_LENGTH
    preset: PresetNote | None = None
    one_class: str | None = None
    refused: tuple[Failure, ...] = ()
    up: str = "y"
    passes: tuple[str, ...] = ()

    def shards(self) -> list[Shard]:
        """The shards of this part, in order.

        Raises:
            UsageError: this part has none.
        """
        shards = [shard for split in SPLITS for shard in self._cut(split)]
        i, n = self.part
        if n > len(shards):
            raise UsageError(
                f"--part {i}/{n}: the dataset has only {len(shards)} shards; take fewer parts, or fewer --objects-per-shard."
            )
        return shards[i - 1 :: n]

    def _cut(self, split: str) -> Iterator[Shard]:
        objects, step = self.splits.get(split, []), self.objects_per_shard
        for index, start in enumerate(range(0, len(objects), step)):
            yield Shard(shard_name(split, index), split, tuple(objects[start : start + step]))

    @property
    def covering_space(self) -> FactorSpace:
        """The factor space in which all latents lie."""
        return self.space if self.design is None else self.design.cover(self.space)

    def latents_of(self, name: ObjectName) -> Float[ndarray, "views factors"]:
        """The latents of an object's views."""
        if self.given_latents is not None:
            return self.given_latents.read(name, self.num_views)
        if self.design is not None:
            return self.design.arrange(self.space, self.space.sample(self.seed, *name, self.design.num_draws))
        latents = self.space.sample(self.seed, *name, self.num_views)
        if self.sweep is not None:
            latents[:] = latents[0]
            (column,) = self.space.columns([self.sweep.name])
            latents[:, column] = np.linspace(self.sweep.low, self.sweep.high, self.num_views)
        return latents

    def label_of(self, synset: str) -> int:
        """Class index of a synset."""
        return next(entry.label for entry in self.classes if entry.synset == synset)

    def settings(self) -> dict[str, Any]:
        """Plain values that must be equal for two renders to be one; the objects appear as their hash."""
        names = [f"{split}/{'/'.join(name)}" for split in SPLITS for name in self.splits.get(split, [])]
        labels = {entry.synset: entry.label for entry in self.classes}
        return {
            "source": self.about_objects,
            "objects": hashlib.sha256("\n".join(names).encode()).hexdigest(),
            "factor space": self.space.to_json(),
            "seed": self.seed,
            "views": self.num_views,
            "size": self.image_size,
            "quality": self.quality.to_json(),
            "objects per shard": self.objects_per_shard,
            "latents": self.given_latents.digest if self.given_latents else None,
            "sweep": asdict(self.sweep) if self.sweep else None,
            "part": "/".join(map(str, self.part)),
            # absent where there is none, so that datasets of before --design go on
            **({} if self.design is None else {"design": _tell_design(self.design)}),
            # absent where it is the published one, so that datasets of before --focal-length go on
            **({} if self.focal_length == FOCAL_LENGTH else {"focal length": self.focal_length}),
            # absent where there are none, for the same reason
            **({"passes": list(self.passes)} if self.passes else {}),
            # absent where all are the benchmark's, for the same reason
            **({} if labels.items() <= {(entry.synset, entry.label) for entry in CLASSES} else {"labels": labels}),
        }


def _tell_design(design: Design) -> str:
    """The design in words, and in a hash of all its numbers."""
    digest = hashlib.sha256(json.dumps(design.to_json(), sort_keys=True).encode()).hexdigest()
    return f"{design} ({digest[:12]})"


def check_same_job(path: Path, job: RenderJob) -> None:
    """Write a job's settings to a file, or compare them with those that are there.

    Raises:
        UsageError: a setting differs; the first one is named with both values.
    """
    if not path.exists():
        write_whole(path, json.dumps(job.settings(), indent=2) + "\n")
        return
    root = path.parent.parent
    with refusals(path, f"remove {root}"):
        begun = read_json(path)
    if difference := first_difference(begun, job.settings()):
        raise UsageError(
            f"{root} was begun differently ({difference}): repeat the first command, choose another --out, or remove it."
        )


def first_difference(begun: dict[str, Any], now: dict[str, Any]) -> str | None:
    """The first setting in which two jobs differ, with both values."""
    now = json.loads(json.dumps(now))  # tuples are lists in the other
    for name in dict.fromkeys((*now, *begun)):
        if begun.get(name) != now.get(name) and name in HASHED:
            return f"its {name} are others"
        if begun.get(name) != now.get(name):
            return f"{name} was {_brief(begun.get(name))} and is now {_brief(now.get(name))}"
    return None


def _brief(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "…"
