"""Baselines under the same evaluators: constant predictions, random init, and ground-truth latents."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from torch import Tensor

from iebench.evals.evaluator import Context, Evaluator, Score
from iebench.evals.model import Model
from iebench.evals.representations import Representations
from iebench.evals.results import ScoreBook
from iebench.evals.retrieval import compose_quaternions
from iebench.evals.settings import CONSTANT, EvalSettings
from iebench.factors.rotations import euler_to_quaternion
from iebench.factors.space import ROTATION


def score_constants(evaluators: Iterable[Evaluator], context: Context) -> ScoreBook:
    """The scores of the best constant predictions."""
    able = (e for e in evaluators if CONSTANT in e.baselines and e.needs.are_met_by_data(context.train))
    return _collect(score for evaluator in able for score in evaluator.constant(context))


def score_baseline(name: str, evaluators: Iterable[Evaluator], context: Context) -> ScoreBook:
    """The scores of those evaluators for which a baseline means something, on that baseline's context."""
    able = (e for e in evaluators if name in e.baselines and e.needs.are_met_by(context))
    return _collect(found for evaluator in able for found in evaluator.baseline(context) if isinstance(found, Score))


def _collect(scores: Iterator[Score]) -> ScoreBook:
    book = ScoreBook()
    for score in scores:
        book.add(score)
    return book


def settings_of_baselines(settings: EvalSettings) -> EvalSettings:
    """One seed, no intervals, and the representation as a whole."""
    return replace(settings, seeds=settings.seeds[:1], draws=0, embeddings=False)


def ground_truth_context(context: Context) -> Context:
    """The same views, represented by their latents; retrieval composes their quaternions."""
    return Context(
        represent_by_latents(context.train),
        {prefix: represent_by_latents(test) for prefix, test in context.tests.items()},
        Model(_refuse_images, embed=_refuse_images, predict=compose_quaternions),
        settings_of_baselines(context.settings),
    )


def represent_by_latents(representations: Representations) -> Representations:
    """The views represented by the quaternion of their rotation and their latents, and embedded as the quaternion."""
    latents = representations.latents.astype(np.float32)
    if not set(ROTATION) <= set(representations.space.names):
        return replace(representations, values=latents, embeddings=None)
    quaternions = euler_to_quaternion(representations.factor(*ROTATION)).astype(np.float32)
    return replace(representations, values=np.concatenate([quaternions, latents], axis=-1), embeddings=quaternions)


def _refuse_images(_images: Tensor) -> Tensor:
    raise AssertionError("latents are known, not computed from images")
