"""Linear actions of transforms on representations, in closed form: z' = ρ(g) z with ρ(g) = Σₖ φₖ(g) Aₖ.

Where a group acts linearly on a representation, ρ is a sum of its irreducible parts, and each entry of ρ(g) a sum of their
matrix entries. So φ are these entries up to a degree (for rotations Wigner's D, of degree 1 the rotation matrix), and what
is to be found, the matrices Aₖ, is a ridge regression. It is solved in the leading principal components of the
representation, of which the first r alone give the action of rank r from the same sums. As these are centred, a constant
coordinate stands beside them, on which every group acts as the identity.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor
from torch.nn import functional as F

from iebench.evals.probe_fitting import Samples
from iebench.evals.representations import Representations
from iebench.evals.ridge import Sums, fit_ridge
from iebench.factors.rotations import parse_rotation, quaternion_to_matrix
from iebench.factors.transforms import Transform

PENALTIES = (1e-6, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # shares of the inputs' mean square
HELD_OUT = 5  # each fifth object of the training chooses the penalty
Control = Literal["other objects", "no source"]
BLOCK = 4096  # pairs at a time
ROUNDING = 1e-11  # share of the mean's square that a float32 varies by itself
EIGENVALUE = 1e-10  # share of the largest below which a principal component is none
# an orthonormal basis of the symmetric matrices without trace, on which a rotation acts by its D of degree 2
_TENSORS = np.array(
    [
        [[0, 1, 0], [1, 0, 0], [0, 0, 0]],
        [[0, 0, 0], [0, 0, 1], [0, 1, 0]],
        [[0, 0, 1], [0, 0, 0], [1, 0, 0]],
        [[1, 0, 0], [0, -1, 0], [0, 0, 0]],
        np.diag([-1, -1, 2]) / np.sqrt(3),
    ]
) / np.sqrt(2)


@dataclass(frozen=True)
class Family:
    """The functions φ of a transform g.

    Attributes:
        transform: what g is: the relative rotation, with or without the differences of hues.
        degree: up to which the entries of Wigner's D are taken: 1 or 2; with 0 the action is not told g at all.
    """

    transform: Transform
    degree: int = 1

    def __call__(self, transforms: Float[ndarray, "n t"]) -> Float[ndarray, "n k"]:
        """φ(g), the entries of each degree of a mean square of 1 over all rotations."""
        columns = [np.ones((len(transforms), 1))]
        for part in self.transform.parts if self.degree else ():
            columns.append(self._features(part, transforms[:, self.transform.columns(part)]))
        return np.concatenate(columns, axis=1).astype(np.float32)

    @property
    def size(self) -> int:
        """How many functions there are."""
        return self(self.transform.identity(1)).shape[1]

    def _features(self, part: str, values: Float[ndarray, "n c"]) -> Float[ndarray, "n k"]:
        if part == "rotation":
            return self._rotation_features(quaternion_to_matrix(parse_rotation(values, self.transform.rotation_format)))
        angles = 2 * np.pi * values  # hues are parts of a turn
        return np.sqrt(2) * np.concatenate([np.cos(angles), np.sin(angles)], axis=1)

    def _rotation_features(self, matrices: Float[ndarray, "n 3 3"]) -> Float[ndarray, "n k"]:
        found = [np.sqrt(3) * matrices.reshape(-1, 9)]
        if self.degree > 1:
            turned = np.einsum("nij,bjk,nlk->nbil", matrices, _TENSORS, matrices)
            found.append(np.sqrt(5) * np.einsum("ail,nbil->nab", _TENSORS, turned).reshape(-1, 25))
        return np.concatenate(found, axis=1)


@dataclass(frozen=True)
class Basis:
    """The leading principal components of a representation.

    Attributes:
        mean: of all training views.
        components: unit columns, the first that of the largest variance.
        constant: the constant coordinate beside them, as large as the first varies.
        is_constant: whether nothing varies beyond rounding.
    """

    mean: Float[Tensor, " width"]
    components: Float[Tensor, "width r"]
    constant: Float[Tensor, ""]
    is_constant: bool

    @classmethod
    def of(cls, representations: Representations, most: int) -> "Basis":
        """Of a split's views, at most so many components."""
        values = representations.values.reshape(-1, representations.values.shape[-1])
        mean = torch.from_numpy(values.mean(0, dtype=np.float64))
        covariance = torch.zeros(len(mean), len(mean), dtype=torch.float64)
        for start in range(0, len(values), BLOCK):
            block = torch.from_numpy(np.array(values[start : start + BLOCK], np.float64)) - mean
            covariance += block.T @ block / len(values)
        variances, components = torch.linalg.eigh(covariance)
        kept = max(int((variances > EIGENVALUE * variances[-1].clamp(min=1e-30)).sum()), 1)
        chosen = slice(len(variances) - min(kept, most), None)
        constant = variances[-1].clamp(min=1e-24).sqrt()
        is_constant = bool(variances[-1] <= ROUNDING * mean.square().sum() + 1e-30)
        return cls(mean.float(), components[:, chosen].flip(1).float(), constant.float(), is_constant)

    @property
    def rank(self) -> int:
        """How many components there are."""
        return self.components.shape[1]

    def centre(self, values: Float[ndarray, "n width"]) -> Float[Tensor, "n width"]:
        """Representations without their mean."""
        return torch.from_numpy(np.array(values, np.float32)) - self.mean


@dataclass(frozen=True)
class Action:
    """A fitted action.

    Attributes:
        family: the functions φ.
        basis: in which it acts; it sends all else to the mean.
        shifts: what the constant coordinate adds for each φₖ.
        matrices: Aₖ transposed: coordinates are rows.
    """

    family: Family
    basis: Basis
    shifts: Float[Tensor, "k r"]
    matrices: Float[Tensor, "k r r"]

    @property
    def rank(self) -> int:
        """Of its coordinates."""
        return self.matrices.shape[1]

    def coordinates(self, centred: Float[Tensor, "n width"]) -> Float[Tensor, "n r"]:
        """Of centred representations."""
        return centred @ self.basis.components[:, : self.rank]

    def move(self, coordinates: Float[Tensor, "n r"], transforms: Float[ndarray, "n t"]) -> Float[Tensor, "n r"]:
        """ρ(g) z, each row by its own transform; the matrices ρ(g) are never built."""
        features = torch.from_numpy(self.family(transforms))
        moved = features @ self.shifts
        for k, matrix in enumerate(self.matrices):
            moved += coordinates @ matrix * features[:, k, None]
        return moved

    def invariant_form(self) -> Float[Tensor, "r r"]:
        """The mean of ρ(g)ᵀ ρ(g) over all rotations, which a group's action leaves as it is.

        As φ are orthonormal over the rotations, it is the sum of AₖᵀAₖ.
        """
        form = torch.einsum("kij,klj->il", self.matrices, self.matrices).double()
        return (form + EIGENVALUE * form.diagonal().mean() * torch.eye(self.rank)).float()

    def build(self, transforms: Float[ndarray, "n t"]) -> tuple[Float[Tensor, "n r"], Float[Tensor, "n r r"]]:
        """What is added, and the matrices ρ(g) themselves, for rows."""
        features = torch.from_numpy(self.family(transforms))
        return features @ self.shifts, torch.einsum("nk,kij->nij", features, self.matrices)


class ActionFit:
    """Sums over training pairs, from which actions of every rank follow.

    Args:
        family: the functions φ.
        basis: of the largest rank.
        train: the training split.
        samples: its pairs, source and target.
        control: what is withheld: targets are another object's, or there is no source and only the transform is told.
    """

    def __init__(
        self, family: Family, basis: Basis, train: Representations, samples: Samples, control: Control | None = None
    ) -> None:
        self.family, self.basis, self._control = family, basis, control
        self._others = pick_others(train.num_objects)
        self._actions: dict[int, Action] = {}
        held_out = samples.objects % HELD_OUT == 0
        self._fitted, self._held_out = (self._sum(train, take(samples, rows)) for rows in (~held_out, held_out))

    def action(self, rank: int) -> Action:
        """The action of a rank, with the penalty that does best on held-out objects, fitted to all."""
        if rank not in self._actions:
            self._actions[rank] = self._solve(rank)
        return self._actions[rank]

    def _solve(self, rank: int) -> Action:
        best = fit_ridge(of_rank(self._fitted, rank), of_rank(self._held_out, rank), PENALTIES)
        weights = best.reshape(-1, rank + 1, rank).float()
        constant = self.basis.constant
        return Action(self.family, self.basis, weights[:, 0] * constant, weights[:, 1:])

    def _sum(self, train: Representations, samples: Samples) -> Sums:
        sums = Sums.zero(self.family.size * (self.basis.rank + 1), self.basis.rank)
        for block in split(samples):
            features = torch.from_numpy(self.family(transforms_of(self.family.transform, train, block)))
            source = self._coordinates(train.values[block.objects, block.views[:, 0]])
            if self._control == "no source":
                source = torch.zeros_like(source)
            others = self._others[block.objects] if self._control == "other objects" else block.objects
            target = self._coordinates(train.values[others, block.views[:, 1]])
            source = F.pad(source, (1, 0), value=float(self.basis.constant))
            sums = sums.add((features[:, :, None] * source[:, None]).flatten(1), target)
        return sums

    def _coordinates(self, values: Float[ndarray, "n width"]) -> Float[Tensor, "n r"]:
        return self.basis.centre(values) @ self.basis.components


def pick_others(num_objects: int) -> Int[ndarray, " objects"]:
    """For each object another one by chance, as neighbours are often of one class; always the same."""
    order = np.random.default_rng(0).permutation(num_objects)
    others = np.empty(num_objects, np.int64)
    others[order] = np.roll(order, 1)
    return others


def of_rank(sums: Sums, rank: int) -> Sums:
    """The sums of the inputs φ(g) ⊗ z for the first coordinates of z alone."""
    largest = sums.moment.shape[1]
    kept = torch.arange(len(sums.gram)).reshape(-1, largest + 1)[:, : rank + 1].flatten()
    return Sums(sums.gram[kept[:, None], kept], sums.moment[kept, :rank])


def transforms_of(transform: Transform, representations: Representations, samples: Samples) -> Float[ndarray, "n t"]:
    """The transforms of pairs."""
    latents = samples.of(representations.latents)
    return transform(latents[:, 0], latents[:, 1]).astype(np.float64)


def take(samples: Samples, rows: ndarray | slice) -> Samples:
    """Some of the samples."""
    return Samples(samples.objects[rows], samples.views[rows])


def split(samples: Samples) -> Iterator[Samples]:
    """Blocks of samples."""
    return (take(samples, slice(start, start + BLOCK)) for start in range(0, len(samples.objects), BLOCK))
