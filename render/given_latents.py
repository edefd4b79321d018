"""Latents that are given for a render instead of drawn."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from iebench.dataset.importer import cover_latents, find_outside
from iebench.dataset.layout_shape import SPACE_OF_LENGTH
from iebench.dataset.splits import ObjectName
from iebench.errors import IebenchError, UsageError
from iebench.factors.space import FactorSpace
from iebench.limits import MAX_MEMBER_BYTES
from iebench.untrusted import read_bytes, refusals
from iebench.untrusted_arrays import parse_npy


@dataclass(frozen=True)
class GivenLatents:
    """Latents in the published layout: synset/object_id/latent_0.npy, latent_1.npy and so on.

    Attributes:
        root: the folder.
        space: what they were drawn from; None where their number says it.
    """

    root: Path
    space: FactorSpace | None

    @classmethod
    def open(cls, root: Path, space: FactorSpace | None) -> "GivenLatents":
        """The latents in a folder.

        Raises:
            UsageError: there are none, or as many in each as no space has.
        """
        latents = cls(root, space)
        if space is None:
            _ = latents.num_factors  # known now, so that it is told before anything else
        return latents

    def objects(self) -> list[ObjectName]:
        """Objects that have latents here.

        Raises:
            UsageError: there are none.
        """
        if not self._names:
            raise UsageError(
                f"--latents {self.root} holds no synset/object_id/latent_0.npy: give a folder in that layout."
            )
        return list(self._names)

    @cached_property
    def _names(self) -> list[ObjectName]:
        names = {path.parent.relative_to(self.root).parts for path in self.root.glob("*/*/latent_0.npy")}
        return [(synset, object_id) for synset, object_id in sorted(names)]

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

    def find_space(self, names: Sequence[ObjectName], num_views: int) -> FactorSpace:
        """The space of some objects' latents: the given one, or the published one with ranges widened where they leave it.

        Raises:
            UsageError: they leave the given one.
        """
        latents = np.stack([self.read(name, num_views) for name in names])
        if self.space is None:
            return cover_latents(latents)
        for factor, low, high in find_outside(self.space, latents):
            raise UsageError(
                f"--latents {self.root} holds {factor.name} from {low:.4g} to {high:.4g}, and {self.space.name} has "
                f"{factor.low:.4g} to {factor.high:.4g}: leave out --space and --factor, or give theirs."
            )
        return self.space

    @cached_property
    def digest(self) -> str:
        """Hash of all latents; taken once, as the published release has 2.6 million files of them."""
        digest = hashlib.sha256()
        for path in sorted(self.root.glob("*/*/latent_*.npy")):
            digest.update(path.relative_to(self.root).as_posix().encode() + b"\0" + path.read_bytes())
        return digest.hexdigest()

    @cached_property
    def num_factors(self) -> int:
        """Numbers in the latents of a view."""
        if self.space is not None:
            return len(self.space.names)
        path = self.root / Path(*self.objects()[0]) / "latent_0.npy"
        count = _load(path).size
        if count not in SPACE_OF_LENGTH:
            raise UsageError(f"{path} holds {count} numbers: name the --space that they were drawn from.")
        return count

    def _read_view(self, path: Path) -> Float[ndarray, " factors"]:
        latents = _load(path)
        if latents.shape != (self.num_factors,):
            raise IebenchError(
                f"{path} should hold {self.num_factors} numbers and holds {latents.size}: choose the --space it was made for."
            )
        if not np.isfinite(latents).all():
            raise IebenchError(f"{path} holds numbers that are not finite: mend it, or leave its object out.")
        return latents


def _load(path: Path) -> Float[ndarray, " factors"]:
    with refusals(path, "mend it, or leave its object out"):
        return parse_npy(read_bytes(path, MAX_MEMBER_BYTES)).astype(np.float64).ravel()
