"""What a representation still knows of each factor: R² of linear and of MLP regressions, factor by factor."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray

from iebench.evals.features import FeatureSet
from iebench.evals.metrics import r2_uniform
from iebench.evals.tasks import Regression
from iebench.evals.training import ProbeSettings, ask_probe, fit_probe, validation_samples
from iebench.factors.space import Factor, FactorSpace

_BLOCK_OBJECTS = 256
PENALTIES = tuple(10.0**power for power in range(-8, 2))


def varying_factors(space: FactorSpace) -> tuple[Factor, ...]:
    """The factors that are not fixed."""
    return tuple(factor for factor in space.factors if factor.high > factor.low)


def is_circular(factor: Factor) -> bool:
    """Whether the factor goes round a whole circle, so that both ends of its range are one place."""
    turn = 1.0 if factor.name.endswith("_hue") else 2 * math.pi
    return not factor.name.startswith("translation") and math.isclose(factor.high - factor.low, turn)


def encode_factor(factor: Factor, values: Float[ndarray, " n"]) -> Float[ndarray, "n c"]:
    """Cosine and sine of a circular factor, another scaled to [-1, 1]."""
    share = (values - factor.low) / (factor.high - factor.low)
    if is_circular(factor):
        return np.stack([np.cos(2 * np.pi * share), np.sin(2 * np.pi * share)], axis=-1)
    return 2 * share[..., None] - 1


class AllFactors(Regression):
    """All varying factors of one view at once, by an MLP."""

    name, arity = "factors", 1

    def __init__(self, space: FactorSpace):
        self.factors = varying_factors(space)
        self.needs = tuple(factor.name for factor in self.factors)
        self.columns: dict[str, slice] = {}
        start = 0
        for factor in self.factors:
            self.columns[factor.name] = slice(start, start := start + 1 + is_circular(factor))
        self.out_dim = start

    def relate(self, latents: Float[ndarray, "n 1 factors"]) -> Float[ndarray, "n c"]:
        encoded = [encode_factor(factor, latents[:, 0, i]) for i, factor in enumerate(self.factors)]
        return np.concatenate(encoded, axis=1)


class RidgeRegression:
    """Linear regression with an intercept, from sums over blocks, so that the data need not fit in memory.

    Each target has its own penalty, a share of the inputs' mean square: the one of `PENALTIES` that does best on a fifth of
    the training objects when it is fitted to the others.
    """

    def __init__(self, task: AllFactors, features: FeatureSet):
        rows = np.arange(features.num_objects)
        held_out, fitted = rows[::5], rows[rows % 5 > 0] if len(rows) > 1 else rows
        candidates = _solve(*_sums(task, features, fitted))
        errors = np.zeros((len(PENALTIES), task.out_dim))
        for inputs, targets in _blocks(task, features, held_out):
            errors += ((inputs @ candidates - targets) ** 2).sum(1)
        best = errors.argmin(0)
        self.weights = _solve(*_sums(task, features, rows))[best, :, np.arange(task.out_dim)].T

    def predict(
        self, task: AllFactors, features: FeatureSet, rows: Int[ndarray, " objects"] | None = None
    ) -> Float[ndarray, "n c"]:
        """Answers for all views of the chosen objects, object by object; of all objects when absent."""
        rows = np.arange(features.num_objects) if rows is None else rows
        return np.concatenate([inputs @ self.weights for inputs, _ in _blocks(task, features, rows)])


def _solve(
    gram: Float[ndarray, "width width"], moment: Float[ndarray, "width c"]
) -> Float[ndarray, "penalties width c"]:
    """The weights for each of `PENALTIES`."""
    share = np.trace(gram) / len(gram) * np.eye(len(gram))
    return np.stack([np.linalg.solve(gram + penalty * share, moment) for penalty in PENALTIES])


def _sums(task: AllFactors, features: FeatureSet, rows: Int[ndarray, " objects"]) -> tuple[ndarray, ndarray]:
    width = features.values.shape[-1] + 1
    gram, moment = np.zeros((width, width)), np.zeros((width, task.out_dim))
    for inputs, targets in _blocks(task, features, rows):
        gram += inputs.T @ inputs
        moment += inputs.T @ targets
    return gram, moment


def _blocks(
    task: AllFactors, features: FeatureSet, rows: Int[ndarray, " objects"]
) -> Iterator[tuple[Float[ndarray, "n width"], Float[ndarray, "n c"]]]:
    """The views of some objects, block by block: representations with a column of ones, and encoded factors."""
    columns = features.space.columns(task.needs)
    for start in range(0, len(rows), _BLOCK_OBJECTS):
        chosen = rows[start : start + _BLOCK_OBJECTS]
        inputs = features.values[chosen].astype(np.float64).reshape(-1, features.values.shape[-1])
        latents = features.latents[chosen][..., columns].reshape(len(inputs), 1, -1)
        yield np.concatenate([inputs, np.ones((len(inputs), 1))], axis=1), task.relate(latents)


def factor_scores(
    train: FeatureSet, test: FeatureSet, settings: ProbeSettings, seed: int, device: str | torch.device = "cpu"
) -> dict[str, dict[str, float]]:
    """For each varying factor, {"linear": R², "mlp": R²} on the test views, in the uniform kind."""
    task = AllFactors(train.space)
    samples = validation_samples(test, 1, 1)
    targets = task.targets(test, samples).astype(np.float64)
    answers = {
        "linear": RidgeRegression(task, train).predict(task, test),
        "mlp": ask_probe(fit_probe(task, train, settings, seed, device), test, samples, device).astype(np.float64),
    }
    return {
        name: {kind: r2_uniform(targets[:, columns], answer[:, columns]) for kind, answer in answers.items()}
        for name, columns in task.columns.items()
    }
