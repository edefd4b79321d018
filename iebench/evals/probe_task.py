"""Evaluators that train a probe: what is the same for all of them, and what regressions share."""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor, nn
from torch.nn import functional as F

from iebench.evals import metrics
from iebench.evals.evaluator import Context, Detail, Evaluator, Needs, Score
from iebench.evals.measure import ERRORS, Measure
from iebench.evals.probe_fitting import (
    Learnable,
    Samples,
    by_object,
    fit_probe,
    predict_samples,
    sample_targets,
    validation_samples,
)
from iebench.evals.probes import mlp_probe, pair_probe
from iebench.evals.representations import Representations
from iebench.evals.settings import BASELINES
from iebench.progress import track

PredictSamples = Callable[[Representations, Samples], ndarray]


class ProbeTask(Learnable, Evaluator):
    """A task that a probe learns on every part of the representation, once for each seed.

    Attributes:
        is_seeded: whether a probe of another seed is another one.
    """

    baselines: tuple[str, ...] = BASELINES
    is_seeded = True

    @abstractmethod
    def best_constant(self, targets: ndarray, representations: Representations) -> ndarray:
        """The best constant prediction (c,), which knows nothing but the targets of training samples."""

    @abstractmethod
    def measures(self, targets: ndarray, predictions: ndarray, representations: Representations) -> Iterator[Measure]:
        """Scores of predictions (objects, k, c) for targets (objects, k, …)."""

    def details(
        self, targets: ndarray, predictions: ndarray, representations: Representations
    ) -> Iterator[tuple[str, dict[str, float]]]:
        """Findings that are no single number, such as one for each class, each with the last part of its key."""
        yield from ()

    def errors_by_object(self, targets: ndarray, predictions: ndarray) -> Float[ndarray, " objects"] | None:
        """Errors whose mean is 1 minus the score, by which runs are compared object by object; None where there are none."""
        return None

    def parts(self, context: Context, representations: Representations) -> Iterator[tuple[str, Representations]]:
        """What the probes see, each by its name: the parts of the representation unless told."""
        return context.parts(representations)

    def run(self, context: Context) -> Iterator[Score | Detail]:
        """Scores on every test set for every part and seed; intervals and details for the first seed only."""
        if not vary(sample_targets(self, context.train)):
            return
        tests = {prefix: dict(self.parts(context, found)) for prefix, found in context.tests_for(self.needs).items()}
        seeds = context.settings.seeds if self.is_seeded else context.settings.seeds[:1]
        work = list(product(self.parts(context, context.train), seeds))
        fitted: dict[tuple[str, int], PredictSamples] = {}
        for (part, train), seed in track(work, f"{self.name} probes", "probe"):
            key = "whole" if context.is_whole(part) else part, seed  # the same numbers, the same probe
            predict = fitted[key] = fitted.get(key) or self.fit(train, context, seed)
            is_first = seed == seeds[0]
            for prefix, parts in tests.items():
                if part in parts:  # another dataset may have too few views for it
                    yield from self._score(f"{prefix}{self.name}/{part}", parts[part], predict, context, is_first)

    def constant(self, context: Context) -> Iterator[Score]:
        """The scores of the best constant prediction."""
        targets = sample_targets(self, context.train)
        if vary(targets):
            constant = self.best_constant(targets, context.train)
            yield from self.score_constant("whole", constant, context)

    def score_constant(self, name: str, constant: ndarray, context: Context) -> Iterator[Score]:
        """The scores of one constant prediction on every test set, under TASK/NAME."""

        def predict(_: Representations, samples: Samples) -> ndarray:
            return np.tile(constant, (len(samples.objects), 1))

        for prefix, test in context.tests_for(self.needs).items():
            for found in self._score(f"{prefix}{self.name}/{name}", test, predict, context, is_first=False):
                if isinstance(found, Score):
                    yield found

    def can_score(self, targets: ndarray, train: Representations) -> bool:
        """Whether scores for targets (objects, k, …) mean something; another dataset may have others than train."""
        return True

    def fit(self, train: Representations, context: Context, seed: int) -> PredictSamples:
        """What predicts the targets of samples: the head, trained by Adam, unless told."""
        probe = fit_probe(self, train, context.settings.probes, seed, context.settings.device)
        return lambda representations, samples: predict_samples(
            probe, representations, samples, context.settings.device
        )

    def _score(
        self, key: str, test: Representations, predict: PredictSamples, context: Context, is_first: bool
    ) -> Iterator[Score | Detail]:
        """Scores of predictions for the fixed validation samples; of the first seed with intervals and details."""
        samples = validation_samples(test, self.num_views, context.settings.probes.pairs_per_object)
        targets = by_object(self.targets(test, samples), test)
        if not self.can_score(targets, context.train):
            return
        predictions = by_object(predict(test, samples), test)
        for measure in self.measures(targets, predictions, test):
            yield score_of(measure, key, context.settings.draws if is_first else 0)
        if is_first:
            for name, value in self.details(targets, predictions, test):
                yield Detail(f"{key}/{name}", value)
            errors = self.errors_by_object(targets, predictions)
            if errors is not None:
                yield detail_of_errors(errors, key, test)


def vary(targets: ndarray) -> bool:
    """Whether any component of targets (n, …) does."""
    return bool(targets.var(axis=0, dtype=np.float64).max() > metrics.LEAST_VARIANCE)


def score_of(measure: Measure, key: str, draws: int = 0) -> Score:
    """A measure as a score under KEY/NAME, with its bootstrap interval from `draws` draws."""
    interval = measure.interval(draws) if draws else ()
    return Score(f"{key}/{measure.name}", measure.value, *interval)


def detail_of_errors(errors: Float[ndarray, " objects"], key: str, test: Representations) -> Detail:
    """Errors whose mean is 1 minus the score under KEY, for each object of a test set, as `compare` takes them."""
    named = zip(map(str, test.objects.tolist()), errors.round(4).tolist(), strict=True)
    return Detail(f"{key}/{ERRORS}", dict(named))


class Regression(ProbeTask):
    """A regression of factors by an MLP on one view's representation, or on a pair's two.

    Attributes:
        out_dim: numbers in a target.
    """

    num_views = 2
    out_dim: int

    @abstractmethod
    def relate(self, latents: Float[ndarray, "n k factors"]) -> Float[ndarray, "n c"]:
        """The targets of samples from the needed factors of their views."""

    def can_score(self, targets: ndarray, train: Representations) -> bool:
        """Whether they vary: R² is a share of their variance."""
        return vary(_rows(targets))

    def head(self, representations: Representations) -> nn.Module:
        """An MLP with two hidden layers of 1024."""
        make = pair_probe if self.num_views == 2 else mlp_probe
        return make(representations.values.shape[-1], self.out_dim)

    def targets(self, representations: Representations, samples: Samples) -> Float[ndarray, "n c"]:
        """The related factors, float32."""
        return self.relate(samples.of(representations.factor(*self.needs.factors))).astype(np.float32)

    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The mean squared error."""
        return F.mse_loss(prediction, target)

    def best_constant(self, targets: Float[ndarray, "n c"], representations: Representations) -> Float[ndarray, " c"]:
        """The mean."""
        return targets.mean(0, dtype=np.float64)

    def measures(self, targets: ndarray, predictions: ndarray, representations: Representations) -> Iterator[Measure]:
        """Both kinds of R²."""
        yield Measure("r2_pooled", pooled_r2, (targets, predictions))
        yield Measure("r2_uniform", uniform_r2, (targets, predictions))


def needs_pair(*factors: str) -> Needs:
    """The needs of a regression on pairs."""
    return Needs(factors=factors, num_views=2)


def pooled_r2(targets: ndarray, predictions: ndarray) -> float:
    """`metrics.r2_pooled` of (objects, k, c)."""
    return metrics.r2_pooled(_rows(targets), _rows(predictions))


def uniform_r2(targets: ndarray, predictions: ndarray) -> float:
    """`metrics.r2_uniform` of (objects, k, c)."""
    return metrics.r2_uniform(_rows(targets), _rows(predictions))


def _rows(array: ndarray) -> ndarray:
    return array.reshape(-1, array.shape[-1]).astype(np.float64)
