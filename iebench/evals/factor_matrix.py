"""What a representation still knows of each factor: R² of linear and of MLP regressions, factor by factor."""

import math

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from iebench.evals.features import FeatureSet
from iebench.evals.metrics import r2_uniform
from iebench.evals.tasks import Regression
from iebench.evals.training import ProbeSettings, ask_probe, fit_probe, validation_samples
from iebench.factors import Factor, FactorSpace

_BLOCK_OBJECTS = 256


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


class LinearRegression:
    """Least squares with an intercept, from sums over blocks, so that the data need not fit in memory."""

    def fit(self, task: AllFactors, features: FeatureSet) -> "LinearRegression":
        width = features.values.shape[-1] + 1
        gram, moment = np.zeros((width, width)), np.zeros((width, task.out_dim))
        for inputs, targets in _blocks(task, features):
            gram += inputs.T @ inputs
            moment += inputs.T @ targets
        ridge = 1e-6 * np.trace(gram) / width  # against units that never fire
        self.weights = np.linalg.solve(gram + ridge * np.eye(width), moment)
        return self

    def predict(self, task: AllFactors, features: FeatureSet) -> Float[ndarray, "n c"]:
        return np.concatenate([inputs @ self.weights for inputs, _ in _blocks(task, features)])


def _blocks(task: AllFactors, features: FeatureSet):  # type: ignore[no-untyped-def]
    for start in range(0, features.num_objects, _BLOCK_OBJECTS):
        rows = slice(start, start + _BLOCK_OBJECTS)
        inputs = np.asarray(features.values[rows], np.float64).reshape(-1, features.values.shape[-1])
        latents = features.factor(*task.needs)[rows].reshape(len(inputs), 1, -1)
        yield np.concatenate([inputs, np.ones((len(inputs), 1))], axis=1), task.relate(latents)


def factor_scores(
    train: FeatureSet, test: FeatureSet, settings: ProbeSettings, seed: int, device: str | torch.device = "cpu"
) -> dict[str, dict[str, float]]:
    """For each varying factor, {"linear": R², "mlp": R²} on the test views, in the uniform kind."""
    task = AllFactors(train.space)
    samples = validation_samples(test, 1, 1)
    targets = task.targets(test, samples).astype(np.float64)
    answers = {
        "linear": LinearRegression().fit(task, train).predict(task, test),
        "mlp": ask_probe(fit_probe(task, train, settings, seed, device), test, samples, device).astype(np.float64),
    }
    return {
        name: {kind: r2_uniform(targets[:, columns], answer[:, columns]) for kind, answer in answers.items()}
        for name, columns in task.columns.items()
    }
