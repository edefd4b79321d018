"""What each score is worth: those of a constant answer, of random weights, and of the latents themselves."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy import ndarray

from iebench.evals.features import FeatureSet, Represent
from iebench.evals.results import ScoreBook
from iebench.evals.retrieval import Retrieval, chance_measures, compose_quaternions
from iebench.evals.subject import Subject
from iebench.evals.tasks import applicable
from iebench.evals.training import Samples, sample_targets
from iebench.factors.rotations import euler_to_quaternion
from iebench.factors.space import ROTATION

if TYPE_CHECKING:
    from iebench.evals.suite import Suite

IDENTITY = np.array([0.0, 0.0, 0.0, 1.0])


def constant_scores(suite: "Suite") -> ScoreBook:
    """What the best constant answer scores on every task, and always answering the identity on rotations."""
    book = ScoreBook()
    for task in applicable(suite.tasks, suite.train):
        constant = task.constant(sample_targets(task, suite.train))
        for prefix, features in suite.tests.items():
            suite.score(book, f"{prefix}{task.name}/whole", task, features, _always(constant))
            if task.name == "rotation":
                suite.score(book, f"{prefix}{task.name}/identity", task, features, _always(IDENTITY))
    if _asks_for_rotations(suite):
        for key, features in {"val-val": suite.tests[""], "train-train": suite.train}.items():
            book.add(f"retrieval/{key}", chance_measures(features))
    return book


def oracle_scores(suite: "Suite") -> ScoreBook:
    """What the latents themselves score, with probes of the same protocol; classes are not in them."""
    book, train = ScoreBook(), oracle_features(suite.train)
    tests = {prefix: oracle_features(features) for prefix, features in suite.tests.items()}
    for task in applicable(suite.tasks, suite.train):
        if task.name != "classification":
            suite.run_probe(book, f"{task.name}/whole", task, train, tests, suite.settings.seeds[0])
    if _asks_for_rotations(suite):
        val = replace(tests[""], values=tests[""].values[..., :4])
        suite.retrieve(book, Retrieval(compose_quaternions), val, "retrieval/val-val", [val])
    return book


def untrained_scores(suite: "Suite", represent: Represent) -> ScoreBook:
    """What the same backbone scores with random weights."""
    book, subject = ScoreBook(), Subject(represent)
    train = suite.extract(subject, suite.source, "train")
    tests = {"": suite.extract(subject, suite.source, "val")}
    for task in applicable(suite.tasks, suite.train):
        suite.run_probe(book, f"{task.name}/whole", task, train, tests, suite.settings.seeds[0])
    return book


def oracle_features(features: FeatureSet) -> FeatureSet:
    """The views represented by the quaternion of their rotation, where they have one, and their latents."""
    latents = features.latents.astype(np.float32)
    if set(ROTATION) <= set(features.space.names):
        latents = np.concatenate([euler_to_quaternion(features.factor(*ROTATION)).astype(np.float32), latents], axis=-1)
    return replace(features, values=latents, embeddings=None)


def _asks_for_rotations(suite: "Suite") -> bool:
    return "retrieval" in suite.tasks and set(ROTATION) <= set(suite.train.space.names)


def _always(answer: ndarray) -> Callable[[FeatureSet, Samples], ndarray]:
    return lambda features, samples: np.tile(answer, (len(samples.objects), 1))
