"""Classification from n views: the class of an object from several of its views, by a linear probe."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from numpy import ndarray

from iebench.errors import UsageError
from iebench.evals.columns import Column, Figure
from iebench.evals.evaluator import Context, Detail, Needs, Score
from iebench.evals.representations import Representations
from iebench.evals.settings import RANDOM_INIT
from iebench.evals.tasks.classification import Classification
from iebench.evals.view_sets import average_sets, choose_sets, put_sets, represent_sets

NAME = "classification-from-views"
MEAN, SET = "mean", "set"


class ClassificationFromViews(Classification):
    """Top-1, top-5 and mean accuracy per class of a linear classifier on what n views of an object say together.

    `mean-n` is the mean of their representations, for every model; `set-n` what the model's `represent_set` makes of them. Both
    see the same sets of views.

    Attributes:
        counts: the numbers of views; those that the dataset does not have are left out.
        sets_per_object: sets of views of each object, of train and of val, fixed for all seeds and methods.
    """

    name = NAME
    order = 5
    baselines = (RANDOM_INIT,)
    columns = (
        Column("top-1, mean of 4 views", f"{NAME}/{MEAN}-4/top1", "", 100, 1, "%"),
        Column("top-1, set of 4 views", f"{NAME}/{SET}-4/top1", "", 100, 1, "%"),
    )
    figures = (
        Figure(
            "Views of an object",
            f"{NAME}/top1",
            "curves",
            "Top-1 accuracy from several views of an object: from the mean of their representations (dashed), and from the "
            "method's own representation of a set of views where it has one.",
            x="views",
            y="top-1 accuracy",
            dashed=(MEAN,),
        ),
    )

    def __init__(self, counts: tuple[int, ...] = (1, 2, 4, 8), sets_per_object: int = 4) -> None:
        if not counts or min(*counts, sets_per_object) < 1:
            raise UsageError(f"counts={counts}, sets_per_object={sets_per_object}: give numbers of 1 or more.")
        self.counts, self.sets_per_object = counts, sets_per_object
        self.needs = Needs(num_views=max(2, min(counts)))

    def parts(self, context: Context, representations: Representations) -> Iterator[tuple[str, Representations]]:
        """The sets of each number of views, by their means and by the model's `represent_set` where it has one."""
        sets, device = choose_sets(representations, self.counts, self.sets_per_object), context.settings.device
        for count, views in sets.items():
            yield f"{MEAN}-{count}", put_sets(average_sets(representations, views), views, representations)
        if context.model.represent_set is not None and sets:
            for count, values in represent_sets(context.model, representations, sets, device).items():
                yield f"{SET}-{count}", put_sets(values, sets[count], representations)

    def run(self, context: Context) -> Iterator[Score | Detail]:
        """The scores of the probes, and top-1 on val over the number of views: the means over the seeds."""
        found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for one in super().run(context):
            yield one
            if isinstance(one, Score) and one.key.startswith(f"{self.name}/") and one.key.endswith("/top1"):
                kind, _, count = one.key.split("/")[1].partition("-")
                found[kind][count].append(one.value)
        curves = {
            kind: {count: float(np.mean(seeds)) for count, seeds in counts.items()} for kind, counts in found.items()
        }
        yield Detail(f"{self.name}/top1", curves)
        yield Detail(f"{self.name}/sets_per_object", self.sets_per_object)

    def details(
        self, targets: ndarray, predictions: ndarray, representations: Representations
    ) -> Iterator[tuple[str, dict[str, float]]]:
        """None: classes stand with the classification from one view."""
        yield from ()
