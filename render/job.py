"""A render job: everything that decides which bytes a dataset will have, and nothing else."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from iebench.catalogue import ObjectClass
from iebench.dataset.shards import shard_name
from iebench.dataset.splits import SPLITS, ObjectName
from iebench.errors import IebenchError, UsageError
from iebench.factors.space import Factor, FactorSpace
from iebench.files import write_whole
from iebench.render.quality import Quality

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
        space: factor space of the latents.
        seed: of the latents.
        num_views: of each object.
        image_size: side in pixels.
        quality: of the render.
        objects_per_shard: of the shards, all but the last of a split.
        given_latents: folder to read latents from instead of drawing them.
        sweep: one factor moves through the views, and all others stay as they are in view 0.
        part: (i, n): render only every n-th shard, from number i on, counted from 1.
        up: "y" or "z", the axis that points up in the objects' files; `about_objects` states it where it is not Y.
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
    given_latents: "GivenLatents | None" = None
    sweep: Factor | None = None
    part: tuple[int, int] = (1, 1)
    up: str = "y"

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

    def latents_of(self, name: ObjectName) -> Float[ndarray, "views factors"]:
        """The latents of an object's views."""
        if self.given_latents is not None:
            return self.given_latents.read(name, self.num_views)
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
        return {
            "source": self.about_objects,
            "objects": hashlib.sha256("\n".join(names).encode()).hexdigest(),
            "factor space": self.space.to_json(),
            "seed": self.seed,
            "views": self.num_views,
            "size": self.image_size,
            "quality": asdict(self.quality),
            "objects per shard": self.objects_per_shard,
            "latents": self.given_latents.digest() if self.given_latents else None,
            "sweep": asdict(self.sweep) if self.sweep else None,
            "part": "/".join(map(str, self.part)),
        }


def check_same_job(path: Path, job: RenderJob) -> None:
    """Write a job's settings to a file, or compare them with those that are there.

    Raises:
        UsageError: a setting differs; the first one is named with both values.
    """
    if not path.exists():
        write_whole(path, json.dumps(job.settings(), indent=2) + "\n")
        return
    difference = first_difference(json.loads(path.read_text(encoding="utf-8")), job.settings())
    if difference:
        root = path.parent.parent
        raise UsageError(
            f"{root} was begun differently ({difference}): repeat the first command, choose another --out, or remove it."
        )


def first_difference(begun: dict[str, Any], now: dict[str, Any]) -> str | None:
    """The first setting in which two jobs differ, with both values."""
    now = json.loads(json.dumps(now))  # tuples are lists in the other
    for name in now:
        if begun.get(name) != now[name] and name in HASHED:
            return f"its {name} are others"
        if begun.get(name) != now[name]:
            return f"{name} was {_brief(begun.get(name))} and is now {_brief(now[name])}"
    return None


def _brief(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "…"


@dataclass(frozen=True)
class GivenLatents:
    """Latents in the published layout: synset/object_id/latent_0.npy, latent_1.npy and so on."""

    root: Path
    num_factors: int

    def objects(self) -> list[ObjectName]:
        """Objects that have latents here.

        Raises:
            UsageError: there are none.
        """
        names = sorted({path.parent.relative_to(self.root).parts for path in self.root.glob("*/*/latent_0.npy")})
        if not names:
            raise UsageError(
                f"--latents {self.root} holds no synset/object_id/latent_0.npy: give a folder in that layout."
            )
        return [(synset, object_id) for synset, object_id in names]

    def count_views(self, names: Sequence[ObjectName]) -> int:
        """The number of views that every object has at least.

        Raises:
            UsageError: they differ.
        """
        counts = {len(list((self.root / Path(*name)).glob("latent_*.npy"))) for name in names}
        if len(counts) > 1:
            raise UsageError(f"--latents {self.root} has {min(counts)} to {max(counts)} views an object: say --views.")
        return counts.pop()

    def read(self, name: ObjectName, num_views: int) -> Float[ndarray, "views factors"]:
        """The latents of an object's first views.

        Raises:
            IebenchError: a file is missing, damaged, or of another length.
        """
        return np.stack([self._read_view(self.root / Path(*name) / f"latent_{view}.npy") for view in range(num_views)])

    def digest(self) -> str:
        """Hash of all latents."""
        digest = hashlib.sha256()
        for path in sorted(self.root.glob("*/*/latent_*.npy")):
            digest.update(path.relative_to(self.root).as_posix().encode() + b"\0" + path.read_bytes())
        return digest.hexdigest()

    def _read_view(self, path: Path) -> Float[ndarray, " factors"]:
        try:
            latents = np.load(path, allow_pickle=False).astype(np.float64).ravel()
        except (OSError, ValueError) as error:
            raise IebenchError(
                f"{path} cannot be read as latents ({error}): mend it, or leave its object out."
            ) from None
        if latents.shape != (self.num_factors,):
            raise IebenchError(
                f"{path} should hold {self.num_factors} numbers and holds {latents.size}: choose the --space it was made for."
            )
        if not np.isfinite(latents).all():
            raise IebenchError(f"{path} holds numbers that are not finite: mend it, or leave its object out.")
        return latents
