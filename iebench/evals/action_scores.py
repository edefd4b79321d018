"""Scores of a linear action: what it explains of held-out objects and what controls do, its rank, a group's laws, retrieval."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from iebench.evals.evaluator import Detail, Score
from iebench.evals.linear_action import BLOCK, Action, ActionFit, Basis, Family, split, take, transforms_of
from iebench.evals.measure import Measure, mean_of
from iebench.evals.probe_fitting import Samples, by_object
from iebench.evals.probe_task import detail_of_errors, score_of
from iebench.evals.representations import Representations
from iebench.evals.retrieval import Retrieval
from iebench.factors.space import HUES
from iebench.factors.transforms import make_transform

RANK, RANK_OF_DEGREE_2, RANK_OF_MATRICES = 128, 32, 32  # coordinates; where ρ(g) itself is built, fewer
PAIRS, FEW = 24, 6  # of an object at most; where only a control is judged
MOST_PAIRS = 200_000  # of all objects, a hundred for each number that is fitted of a coordinate
ENOUGH = 0.95  # share of the gain at which a rank is enough
LEAST_GAIN = 0.01  # below which no rank is asked for
OBJECTS = 256  # whose pairs are chosen together
RANKS = sorted({1 << power for power in range(8)} | {3 << power for power in range(6)})
SCORED = {  # scores of controls, and what they are called in the table of controls
    "colors": "told the colors",
    "degree_2": "degree 2",
    "of_others": "pairs of different objects",
    "alone": "rotation alone",
    "orthogonal": "orthogonal",
    "unmoved": "source as it is",
    "invariant": "mean of other views",
}


@dataclass(frozen=True)
class Controls:
    """Actions of other families, and actions from which something is withheld.

    Attributes:
        colors: told the differences of hues too; None where the dataset has none.
        degree_2: with Wigner's D to degree 2, in fewer coordinates.
        of_others: fitted to pairs of different objects.
        no_source: told the rotation alone.
    """

    colors: ActionFit | None
    degree_2: ActionFit
    of_others: ActionFit
    no_source: ActionFit

    @classmethod
    def of(cls, train: Representations, basis: Basis, samples: Samples) -> "Controls":
        """All of them; where little is to be known, on fewer pairs."""
        rotation, few = make_transform("rotation", train.space), choose_pairs(train, FEW)
        small = replace(basis, components=basis.components[:, :RANK_OF_DEGREE_2])
        has_colors = set(HUES) <= set(train.space.names)
        colors = Family(make_transform("rotation+color", train.space)) if has_colors else None
        return cls(
            colors=None if colors is None else ActionFit(colors, basis, train, samples),
            degree_2=ActionFit(Family(rotation, degree=2), small, train, samples),
            of_others=ActionFit(Family(rotation), basis, train, few, control="other objects"),
            no_source=ActionFit(Family(rotation), basis, train, few, control="no source"),
        )


@dataclass(frozen=True)
class Fits:
    """Actions fitted to the training objects: told the rotation, not told it, and controls where they are wanted."""

    told: ActionFit
    not_told: ActionFit
    controls: Controls | None

    @classmethod
    def of(cls, train: Representations, with_controls: bool) -> "Fits | None":
        """All in the same basis; None where the representation does not vary."""
        basis, samples = Basis.of(train, RANK), choose_pairs(train)
        if basis.is_constant:
            return None
        told, not_told = (Family(make_transform("rotation", train.space), degree) for degree in (1, 0))
        return cls(
            ActionFit(told, basis, train, samples),
            ActionFit(not_told, basis, train, samples),
            Controls.of(train, basis, samples) if with_controls else None,
        )

    @property
    def largest(self) -> tuple[Action, Action]:
        """The actions in all coordinates, told and not told."""
        rank = self.told.basis.rank
        return self.told.action(rank), self.not_told.action(rank)


def choose_pairs(representations: Representations, most: int = PAIRS) -> Samples:
    """Ordered pairs of different views of each object, object by object: all, or so many of them, always the same."""
    num_objects, num_views = representations.num_objects, representations.num_views
    every = np.array([(i, j) for i in range(num_views) for j in range(num_views) if i != j])
    rng = np.random.default_rng(0)
    count = min(most, len(every), max(1, MOST_PAIRS // num_objects))
    blocks = (min(OBJECTS, num_objects - start) for start in range(0, num_objects, OBJECTS))
    chosen = np.concatenate([rng.random((size, len(every))).argsort(axis=1)[:, :count] for size in blocks])
    return Samples(np.repeat(np.arange(num_objects), count), every[chosen].reshape(-1, 2))


def score_part(
    key: str, fits: Fits, test: Representations, draws: int, device: str | torch.device = "cpu"
) -> Iterator[Score | Detail]:
    """All scores and details of one part of a representation on one test set."""
    samples, (told, not_told) = choose_pairs(test), fits.largest
    total, error, cosine = judge(told, test, samples)
    blind = judge(not_told, test, samples)[1]
    yield score_of(Measure("r2", explained, (error, total)), key, draws)
    yield score_of(Measure("r2_not_told", explained, (blind, total)), key, draws)
    yield score_of(Measure("gain", gained, (error, blind, total)), key, draws)
    yield score_of(mean_of("cosine", cosine), key, draws)
    shares = 1 - (blind - error).sum(1) / total.sum(1).mean()  # `compare` tests the gain
    yield detail_of_errors(shares, key, test)
    laws = group_laws(told, test)
    yield from (Score(f"{key}/{name}", value) for name, value in laws.items())
    yield Detail(f"{key}/laws", laws)
    yield from retrieve(key, told, test, draws, device, with_pre=fits.controls is not None)
    if fits.controls is not None:
        few = choose_pairs(test, FEW)
        curves = [judge_ranks(fit, test, few) for fit in (fits.told, fits.not_told)]
        yield from _score_controls(key, fits, fits.controls, test, few, *curves)
        yield from _score_ranks(key, *curves)


def judge(
    action: Action, test: Representations, samples: Samples
) -> tuple[Float[ndarray, "objects k"], Float[ndarray, "objects k"], Float[ndarray, "objects k"]]:
    """Of each pair the target's squared distance from the mean, that from the prediction, and the cosine of the two."""
    found = []
    for block in split(samples):
        source, target = centred_views(action.basis, test, block)
        moved = action.move(action.coordinates(source), transforms_of(action.family.transform, test, block))
        inside, total = action.coordinates(target), target.square().sum(1)
        error = total - inside.square().sum(1) + (moved - inside).square().sum(1)
        cosine = (moved * inside).sum(1) / (moved.norm(dim=1) * total.sqrt()).clamp(min=1e-12)
        found.append(torch.stack([total, error, cosine]))
    total, error, cosine = torch.cat(found, dim=1).double().numpy()
    return by_object(total, test), by_object(error, test), by_object(cosine, test)


def centred_views(basis: Basis, test: Representations, block: Samples) -> tuple[Tensor, ...]:
    """The views of samples, without the mean."""
    return tuple(basis.centre(test.values[block.objects, views]) for views in block.views.T)


def explained(error: ndarray, total: ndarray) -> float:
    """R²; 0 where nothing varies."""
    return 1 - float(error.sum()) / float(total.sum()) if total.sum() else 0.0


def gained(error: ndarray, blind: ndarray, total: ndarray) -> float:
    """The difference of two R²; 0 where nothing varies."""
    return float(blind.sum() - error.sum()) / float(total.sum()) if total.sum() else 0.0


def judge_r2(action: Action, test: Representations, samples: Samples) -> float:
    """R² of an action."""
    total, error, _ = judge(action, test, samples)
    return explained(error, total)


def judge_ranks(fit: ActionFit, test: Representations, samples: Samples) -> dict[int, float]:
    """R² by rank, up to the largest."""
    largest = fit.basis.rank
    ranks = [*(rank for rank in RANKS if rank < largest), largest]
    return {rank: judge_r2(fit.action(rank), test, samples) for rank in ranks}


def _score_controls(
    key: str,
    fits: Fits,
    controls: Controls,
    test: Representations,
    samples: Samples,
    told: Mapping[int, float],
    not_told: Mapping[int, float],
) -> Iterator[Score | Detail]:
    """R² beside that of the action: of other families, and of the controls."""
    largest, small = fits.told.basis.rank, controls.degree_2.basis.rank
    found = {"action": told[largest]}
    if controls.colors is not None:
        found["told the colors"] = judge_r2(controls.colors.action(largest), test, samples)
    found |= {
        "degree 2": judge_r2(controls.degree_2.action(small), test, samples),
        "degree 1, as many coordinates": told[small],
        "not told": not_told[largest],
        "pairs of different objects": judge_r2(controls.of_others.action(largest), test, samples),
        "rotation alone": judge_r2(controls.no_source.action(largest), test, samples),
    }
    found |= judge_orthogonal(fits.told.action(min(largest, RANK_OF_MATRICES)), test, samples)
    found |= judge_unmoved(fits.told.basis, test, samples)
    yield from (Score(f"{key}/r2_{name}", found[title]) for name, title in SCORED.items() if title in found)
    yield Detail(f"{key}/controls", found)


def judge_unmoved(basis: Basis, test: Representations, samples: Samples) -> dict[str, float]:
    """R² of predictions that do not look at the transform: the source itself, and the mean of all views but the target."""
    sums = np.zeros(3)
    means = test.values.mean(1, dtype=np.float32)
    for block in split(samples):
        source, target = centred_views(basis, test, block)
        others = (basis.centre(means[block.objects]) * test.num_views - target) / (test.num_views - 1)
        sums += [float(x.square().sum()) for x in (target, target - source, target - others)]
    return {"source as it is": 1 - sums[1] / sums[0], "mean of other views": 1 - sums[2] / sums[0]}


def judge_orthogonal(action: Action, test: Representations, samples: Samples) -> dict[str, float]:
    """R² with the matrices nearest to ρ(g) that are orthogonal for the action's invariant form, as all of a group's are."""
    sums, root = np.zeros(3), torch.linalg.cholesky(action.invariant_form())
    for block in split(take(samples, slice(None, None, len(samples.objects) // test.num_objects))):
        source, target = (action.coordinates(views) for views in centred_views(action.basis, test, block))
        shifts, matrices = action.build(transforms_of(action.family.transform, test, block))
        left, _, right = torch.linalg.svd(torch.linalg.solve_triangular(root, matrices @ root, upper=False))
        nearest = shifts + torch.linalg.solve_triangular(
            root, ((source @ root)[:, None] @ left @ right).squeeze(1), upper=False, left=False
        )
        moved = shifts + (source[:, None] @ matrices).squeeze(1)
        sums += [float(x.square().sum()) for x in (target, target - nearest, target - moved)]
    return {"orthogonal": 1 - sums[1] / sums[0], "not orthogonal, as many coordinates": 1 - sums[2] / sums[0]}


def _score_ranks(key: str, told: Mapping[int, float], not_told: Mapping[int, float]) -> Iterator[Score | Detail]:
    """R² by rank, and the least rank whose gain over an action that is not told the rotation is nearly the whole."""
    gains = {rank: told[rank] - not_told[rank] for rank in told}
    curves = {"told": told, "not told": not_told}
    yield Detail(
        f"{key}/by_rank", {name: {str(rank): value for rank, value in c.items()} for name, c in curves.items()}
    )
    if max(gains.values()) > LEAST_GAIN:
        yield Score(f"{key}/rank", min(rank for rank in gains if gains[rank] >= ENOUGH * max(gains.values())))


def group_laws(action: Action, test: Representations) -> dict[str, float]:
    """How far the action is from a group's: mean squared distances, as shares of the views' variance in its coordinates.

    error: ρ(g) z against the target, the fit's own error, to measure the others by; composition: ρ(h) ρ(g) z against ρ(gh) z;
    inverse: ρ(g⁻¹) ρ(g) z against z; identity: ρ(e) z against z.
    """
    rng, transform = np.random.default_rng(0), action.family.transform
    views = np.argsort(rng.random((test.num_objects, test.num_views)), axis=1)[:, :3]
    first, second, third = (
        action.coordinates(found) for found in centred_views(action.basis, test, Samples(np.arange(len(views)), views))
    )
    samples = [Samples(np.arange(len(views)), views[:, pair]) for pair in ([0, 1], [1, 2])]
    g, h = (transforms_of(transform, test, chosen) for chosen in samples)
    there = action.move(first, g)
    errors = {
        "error": there - second,
        "composition": action.move(there, h) - action.move(first, transform.compose(g, h)),
        "inverse": action.move(there, transform.invert(g)) - first,
        "identity": action.move(first, transform.identity(len(views))) - first,
    }
    whole = torch.cat([first, second, third]).square().sum(1).mean()
    return {name: float(error.square().sum(1).mean() / whole.clamp(min=1e-30)) for name, error in errors.items()}


def retrieve(
    key: str, action: Action, test: Representations, draws: int, device: str | torch.device, with_pre: bool
) -> Iterator[Score]:
    """The retrieval scores with ρ(g) z of the object's view 0 as the prediction, by the cosine of coordinates.

    PRE, whose cost grows with the square of the views, only where it is wanted.
    """
    rows = test.values.reshape(-1, test.values.shape[-1])
    blocks = (rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK))
    coordinates = torch.cat([action.coordinates(action.basis.centre(block)) for block in blocks])
    placed = replace(test, values=coordinates.unflatten(0, test.values.shape[:2]).numpy(), embeddings=None)

    def predict(source: Tensor, transforms: Tensor) -> Tensor:
        return action.move(source.cpu(), transforms.cpu().double().numpy())

    retrieval = Retrieval(predict, device=device)
    yield from (score_of(measure, key, draws) for measure in retrieval.ranks(placed))
    if with_pre:
        yield score_of(retrieval.rotation_error(placed, [placed]), key, draws)
