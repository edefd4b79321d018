"""The evaluation: a representation and a dataset in, all scores with their baselines out."""

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy import ndarray
from tqdm import tqdm

from iebench.errors import UsageError
from iebench.evals.baselines import constant_scores, oracle_scores, untrained_scores
from iebench.evals.factor_matrix import factor_scores
from iebench.evals.features import FeatureSet, Represent, cache_key, extract
from iebench.evals.predictor import PredictorAnalysis
from iebench.evals.results import Results, ScoreBook
from iebench.evals.retrieval import Retrieval
from iebench.evals.source import DatasetSource, ViewSource
from iebench.evals.subject import EvalSettings, Subject
from iebench.evals.tasks import PROBE_TASKS, applicable
from iebench.evals.training import ProbeTask, Samples, ask_probe, by_object, fit_probe, validation_samples
from iebench.version import __version__

TASKS = (*PROBE_TASKS, "factors", "retrieval", "predictor")


def evaluate(
    represent: Represent | Subject,
    dataset: ViewSource | str | Path,
    tasks: Sequence[str] = TASKS,
    settings: EvalSettings | None = None,
    ood: ViewSource | str | Path | None = None,
    untrained: Represent | None = None,
    name: str = "representation",
) -> Results:
    """Score a representation on a dataset.

    Args:
        represent: a function from uint8 images to vectors, or a `Subject` that has parts, embeddings or a predictor.
        dataset: a folder, or anything that is a `ViewSource`; needs the splits "train" and "val".
        tasks: names out of `TASKS`; those that the dataset or the subject cannot have are left out.
        settings: how the scores are taken.
        ood: a dataset of another factor space, on which the same probes are scored.
        untrained: the same backbone with random weights, as a baseline.
        name: what the results are called.

    Raises:
        UsageError: an unknown task, or a dataset without the splits.
        IebenchError: a representation that is no finite matrix.
    """
    unknown = [task for task in tasks if task not in TASKS]
    if unknown:
        raise UsageError(f"There is no task {unknown[0]!r}: choose among {', '.join(TASKS)}.")
    subject = represent if isinstance(represent, Subject) else Subject(represent)
    suite = Suite(subject, _open(dataset), tasks, settings or EvalSettings(), None if ood is None else _open(ood))
    return suite.run(name, untrained)


def _open(dataset: ViewSource | str | Path) -> ViewSource:
    return DatasetSource(dataset) if isinstance(dataset, str | Path) else dataset


class Suite:
    """One evaluation, step by step."""

    def __init__(
        self,
        subject: Subject,
        source: ViewSource,
        tasks: Sequence[str],
        settings: EvalSettings,
        ood: ViewSource | None = None,
    ):
        self.subject, self.source, self.tasks, self.settings, self.ood = subject, source, tasks, settings, ood
        self.scores, self.details = ScoreBook(), dict[str, Any]()
        self.train = self.extract(subject, source, "train")
        self.tests = {"": self.extract(subject, source, "val")}
        if ood is not None:
            self.tests["ood/"] = self.extract(subject, ood, "all")

    def run(self, name: str, untrained: Represent | None = None) -> Results:
        """Take all scores."""
        self.run_probes()
        if "factors" in self.tasks:
            self.run_factors()
        if self.subject.predict is not None and self.subject.embed is not None:
            self.run_predictor()
        return Results(
            name=name,
            method="backbone",
            training={},
            data={
                **self.source.card,
                "identity": self.source.identity,
                **({"ood": self.ood.card} if self.ood is not None else {}),
            },
            protocol={**self.settings.protocol(), "weights": self.subject.key},
            versions={
                "iebench": __version__,
                "torch": torch.__version__,
                "numpy": np.__version__,
                "python": platform.python_version(),
            },
            parts={part: [*part_range(columns, self.train)] for part, columns in self.subject.parts.items()},
            scores=self.scores,
            baselines=self.baselines(untrained),
            details=self.details,
        )

    def baselines(self, untrained: Represent | None = None) -> dict[str, ScoreBook]:
        """The scores of the baselines asked for; those of random weights where there are some."""
        makers: dict[str, Callable[[], ScoreBook]] = {
            "constant": lambda: constant_scores(self),
            "oracle": lambda: oracle_scores(self),
        }
        if untrained is not None:
            makers["random weights"] = lambda: untrained_scores(self, untrained)
        return {name: makers[name]() for name in self.settings.baselines if name in makers}

    def extract(self, subject: Subject, source: ViewSource, split: str) -> FeatureSet:
        """Representations and embeddings of a split, from the cache where they are in it."""
        settings, folder = self.settings, None
        if settings.cache is not None and subject.key:
            folder = settings.cache / cache_key(subject.key, source, {"dtype": settings.dtype})
        return extract(subject.represent, source, split, subject.embed, folder, settings.dtype, settings.device)

    def views_of(self, features: FeatureSet) -> Iterator[tuple[str, FeatureSet]]:
        """The whole representation, its parts, and the embedding where asked for."""
        for part, columns in {"whole": slice(None), **self.subject.parts}.items():
            yield part, features.part(columns)
        if self.settings.embeddings and features.embeddings is not None:
            yield "embedding", replace(features, values=features.embeddings)

    def run_probes(self) -> None:
        """Train every probe on every part for every seed, and score it on every test set."""
        chosen = applicable(self.tasks, self.train)
        tests = {prefix: dict(self.views_of(features)) for prefix, features in self.tests.items()}
        work = list(product(self.views_of(self.train), chosen, self.settings.seeds))
        for (part, train), task, seed in tqdm(work, desc="probes", unit="probe", disable=None):
            sets = {prefix: views[part] for prefix, views in tests.items()}
            self.run_probe(self.scores, f"{task.name}/{part}", task, train, sets, seed, self.details)

    def run_probe(
        self,
        book: ScoreBook,
        key: str,
        task: ProbeTask,
        train: FeatureSet,
        tests: Mapping[str, FeatureSet],
        seed: int,
        details: dict[str, Any] | None = None,
    ) -> None:
        """Train one probe and note its scores on every test set; details and intervals only for the first seed."""
        probe = fit_probe(task, train, self.settings.probes, seed, self.settings.device)

        def answer(features: FeatureSet, samples: Samples) -> ndarray:
            return ask_probe(probe, features, samples, self.settings.device)

        for prefix, features in tests.items():
            self.score(book, prefix + key, task, features, answer, details if seed == self.settings.seeds[0] else None)

    def score(
        self,
        book: ScoreBook,
        key: str,
        task: ProbeTask,
        features: FeatureSet,
        answer: Callable[[FeatureSet, Samples], ndarray],
        details: dict[str, Any] | None = None,
    ) -> None:
        """Note the scores of answers to a task's fixed validation samples; with `details`, these and intervals too."""
        samples = validation_samples(features, task.arity, self.settings.probes.pairs_per_object)
        targets = by_object(task.targets(features, samples), features)
        predictions = by_object(answer(features, samples), features)
        book.add(key, task.measures(targets, predictions, features), self.settings.draws if details is not None else 0)
        if details is not None:
            details.update({f"{key}/{name}": value for name, value in task.details(targets, predictions, features)})

    def run_factors(self) -> None:
        """The matrix of parts and factors, with the first seed."""
        settings = self.settings
        test = dict(self.views_of(self.tests[""]))
        self.details["factors"] = {
            part: factor_scores(train, test[part], settings.probes, settings.seeds[0], settings.device)
            for part, train in self.views_of(self.train)
        }

    def run_predictor(self) -> None:
        """Retrieval among all splits, and what the predictor has learned."""
        subject, device = self.subject, self.settings.device
        assert subject.predict is not None
        retrieval = Retrieval(subject.predict, subject.transform, device)
        if "retrieval" in self.tasks:
            for prefix, features in self.tests.items():
                self.retrieve(self.scores, retrieval, features, f"{prefix}retrieval/val-val", [features])
            val = self.tests[""]
            self.retrieve(self.scores, retrieval, self.train, "retrieval/train-train", [self.train])
            self.scores.add(
                "retrieval/val-all", iter([retrieval.rotation_error(val, [self.train, val])]), self.settings.draws
            )
        if "predictor" in self.tasks:
            for prefix, features in self.tests.items():
                analysis = PredictorAnalysis(subject.predict, features, subject.transform, device)
                self.details[f"{prefix}predictor"] = analysis.summary()

    def retrieve(
        self, book: ScoreBook, retrieval: Retrieval, features: FeatureSet, key: str, candidates: list[FeatureSet]
    ) -> None:
        """Note the scores of retrieval: ranks among an object's own views, PRE among all candidates."""
        book.add(key, retrieval.ranks(features), self.settings.draws)
        book.add(key, iter([retrieval.rotation_error(features, candidates)]), self.settings.draws)


def part_range(columns: slice, features: FeatureSet) -> tuple[int, int]:
    """First column of a part, and the one after its last."""
    start, stop, _ = columns.indices(features.values.shape[-1])
    return start, stop
