"""Regressions of all factors from one view's representation: by ridge, in blocks, and by an MLP."""

from collections.abc import Iterator
from itertools import accumulate, pairwise

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray

from iebench.evals.evaluator import Needs
from iebench.evals.metrics import r2_uniform
from iebench.evals.probe_fitting import fit_probe, predict_samples, validation_samples
from iebench.evals.probe_task import Regression
from iebench.evals.representations import Representations
from iebench.evals.settings import ProbeSettings
from iebench.factors.space import FactorSpace

_BLOCK_OBJECTS = 256
PENALTIES = tuple(10.0**power for power in range(-8, 2))


class AllFactors(Regression):
    """All varying factors of one view at once, by an MLP."""

    name, num_views = "factors", 1

    def __init__(self, space: FactorSpace) -> None:
        self.factors = tuple(factor for factor in space.factors if factor.high > factor.low)
        self.needs = Needs(factors=tuple(factor.name for factor in self.factors))
        ends = accumulate((factor.num_encoded for factor in self.factors), initial=0)
        slices = [slice(start, stop) for start, stop in pairwise(ends)]
        self.columns_of = dict(zip(self.needs.factors, slices, strict=True))
        self.out_dim = slices[-1].stop if slices else 0

    def relate(self, latents: Float[ndarray, "n 1 factors"]) -> Float[ndarray, "n c"]:
        """Cosine and sine of circular factors, others scaled to [-1, 1]."""
        return np.concatenate([factor.encode(latents[:, 0, i]) for i, factor in enumerate(self.factors)], axis=1)


class RidgeRegression:
    """Linear regression with an intercept, from sums over blocks, so that the data need not fit in memory.

    Each target has its own penalty, a share of the inputs' mean square: the one of `PENALTIES` that does best on a fifth of
    the training objects when it is fitted to the others.
    """

    def __init__(self, task: AllFactors, representations: Representations):
        rows = np.arange(representations.num_objects)
        held_out, fitted = rows[::5], rows[rows % 5 > 0] if len(rows) > 1 else rows
        candidates = _solve(*_sums(task, representations, fitted))
        errors = np.zeros((len(PENALTIES), task.out_dim))
        for inputs, targets in _blocks(task, representations, held_out):
            errors += ((inputs @ candidates - targets) ** 2).sum(1)
        best = errors.argmin(0)
        self.weights = _solve(*_sums(task, representations, rows))[best, :, np.arange(task.out_dim)].T

    def predict(self, task: AllFactors, representations: Representations) -> Float[ndarray, "n c"]:
        """Predictions for all views of all objects, object by object."""
        rows = np.arange(representations.num_objects)
        return np.concatenate([inputs @ self.weights for inputs, _ in _blocks(task, representations, rows)])


def _solve(
    gram: Float[ndarray, "width width"], moment: Float[ndarray, "width c"]
) -> Float[ndarray, "penalties width c"]:
    """The weights for each of `PENALTIES`."""
    share = np.trace(gram) / len(gram) * np.eye(len(gram))
    return np.stack([np.linalg.solve(gram + penalty * share, moment) for penalty in PENALTIES])


def _sums(
    task: AllFactors, representations: Representations, rows: Int[ndarray, " objects"]
) -> tuple[ndarray, ndarray]:
    width = representations.values.shape[-1] + 1
    gram, moment = np.zeros((width, width)), np.zeros((width, task.out_dim))
    for inputs, targets in _blocks(task, representations, rows):
        gram += inputs.T @ inputs
        moment += inputs.T @ targets
    return gram, moment


def _blocks(
    task: AllFactors, representations: Representations, rows: Int[ndarray, " objects"]
) -> Iterator[tuple[Float[ndarray, "n width"], Float[ndarray, "n c"]]]:
    """The views of some objects, block by block: representations with a column of ones, and encoded factors."""
    columns = representations.space.columns(task.needs.factors)
    for start in range(0, len(rows), _BLOCK_OBJECTS):
        chosen = rows[start : start + _BLOCK_OBJECTS]
        inputs = representations.values[chosen].astype(np.float64).reshape(-1, representations.values.shape[-1])
        latents = representations.latents[chosen][..., columns].reshape(len(inputs), 1, -1)
        yield np.concatenate([inputs, np.ones((len(inputs), 1))], axis=1), task.relate(latents)


def score_factors(
    train: Representations,
    test: Representations,
    settings: ProbeSettings,
    seed: int,
    device: str | torch.device = "cpu",
) -> dict[str, dict[str, float]]:
    """For each varying factor, {"linear": R², "mlp": R²} on the test views, in the uniform kind."""
    task = AllFactors(train.space)
    samples = validation_samples(test, 1, 1)
    targets = task.targets(test, samples).astype(np.float64)
    mlp = fit_probe(task, train, settings, seed, device)
    predictions: dict[str, ndarray] = {
        "linear": RidgeRegression(task, train).predict(task, test),
        "mlp": predict_samples(mlp, test, samples, device).astype(np.float64),
    }
    return {
        name: {kind: r2_uniform(targets[:, columns], values[:, columns]) for kind, values in predictions.items()}
        for name, columns in task.columns_of.items()
    }
