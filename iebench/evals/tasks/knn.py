"""Nearest neighbors: the class of an object from one view, by a vote of the training views nearest to it."""

from collections.abc import Iterator

from numpy import ndarray

from iebench.errors import UsageError
from iebench.evals.columns import Column
from iebench.evals.evaluator import Context, Detail, Score
from iebench.evals.neighbors import Neighbors
from iebench.evals.probe_fitting import Samples
from iebench.evals.probe_task import PredictSamples
from iebench.evals.representations import Representations
from iebench.evals.tasks.classification import Classification

MOST_VIEWS = 100_000  # of the training objects together


class NearestNeighbors(Classification):
    """Top-1, top-5 and mean accuracy per class of a vote of the k nearest training views, weighted by their cosine.

    Attributes:
        k: how many views vote.
        temperature: a vote weighs exp(cosine / temperature).
    """

    name = "knn"
    order = 3
    is_seeded = False
    columns = (Column("top-1, nearest neighbors", "knn/whole/top1", "", 100, 1, "%"),)
    figures = ()

    def __init__(self, k: int = 20, temperature: float = 0.07) -> None:
        if k < 1 or not temperature > 0:
            raise UsageError(f"k={k}, temperature={temperature}: give 1 or more, and more than 0.")
        self.k, self.temperature = k, temperature

    def run(self, context: Context) -> Iterator[Score | Detail]:
        """Scores of every part, and how the votes were taken."""
        yield from super().run(context)
        voters = context.train.thin(MOST_VIEWS)
        views = voters.num_objects * voters.num_views
        yield Detail("knn/settings", {"k": self.k, "temperature": self.temperature, "training_views": views})

    def fit(self, train: Representations, context: Context, seed: int) -> PredictSamples:
        """The vote; nothing is trained."""
        neighbors = Neighbors(train.thin(MOST_VIEWS), self.k, self.temperature, context.settings.device)

        def predict(representations: Representations, samples: Samples) -> ndarray:
            return neighbors.vote(representations.values[samples.objects, samples.views[:, 0]])

        return predict

    def details(
        self, targets: ndarray, predictions: ndarray, representations: Representations
    ) -> Iterator[tuple[str, dict[str, float]]]:
        """None: classes stand with the linear probe."""
        yield from ()
