"""DCI: disentanglement, completeness and informativeness of the coordinates, by a lasso from one view to all varying factors."""

from collections.abc import Iterator

from jaxtyping import Float
from numpy import ndarray

from iebench.errors import UsageError
from iebench.evals.columns import Column, Figure
from iebench.evals.disentanglement import completeness, disentanglement
from iebench.evals.evaluator import Context, Detail, Evaluator, Score
from iebench.evals.factor_lasso import FactorLasso
from iebench.evals.factor_regression import AllFactors
from iebench.evals.settings import RANDOM_INIT
from iebench.progress import track

MOST_VIEWS = 100_000  # of the training objects together, and of a test set's


class Disentanglement(Evaluator):
    """The three scores of every part, and what share of each factor's importance lies in which part of the whole.

    Attributes:
        penalty: of the lasso, on standardised numbers.
    """

    name = "dci"
    order = 62
    baselines = (RANDOM_INIT,)
    columns = (
        Column("DCI disentanglement", "dci/whole/disentanglement"),
        Column("DCI completeness", "dci/whole/completeness"),
        Column("DCI informativeness", "dci/whole/informativeness"),
    )
    figures = (
        Figure(
            "What each part knows of each factor",
            "dci/importance_by_part",
            "matrix",
            "Where in the whole representation a linear regression with few weights (lasso) finds each factor: the share of its "
            "absolute weights that lies in each part.",
        ),
    )

    def __init__(self, penalty: float = 0.01) -> None:
        if not penalty > 0:
            raise UsageError(f"penalty={penalty}: give a number above 0; at 1 every weight is 0.")
        self.penalty = penalty

    def run(self, context: Context) -> Iterator[Score | Detail]:
        """Scores of every part; of other test sets the informativeness, which alone depends on them."""
        task, train = AllFactors(context.train.space), context.train.thin(MOST_VIEWS)
        if len(task.columns_of) < 2:  # one factor cannot be told from others
            return
        able = context.tests_for(task.needs).items()
        tests = {prefix: dict(context.parts(test.thin(MOST_VIEWS))) for prefix, test in able}
        fitted: dict[str, FactorLasso] = {}
        for part, values in track(list(context.parts(train)), self.name, "part"):
            name = "whole" if context.is_whole(part) else part
            lasso = fitted[name] = fitted.get(name) or FactorLasso(task, values, self.penalty)
            importances, key = lasso.importances, f"{self.name}/{part}"
            yield Score(f"{key}/disentanglement", disentanglement(importances))
            yield Score(f"{key}/completeness", completeness(importances, [f.num_encoded for f in task.factors]))
            for prefix, parts in tests.items():
                yield Score(f"{prefix}{key}/informativeness", lasso.informativeness(parts[part]))
        yield Detail(
            f"{self.name}/settings", {"penalty": self.penalty, "training_views": train.num_objects * train.num_views}
        )
        if context.model.parts:
            yield Detail(f"{self.name}/importance_by_part", share_parts(fitted["whole"].importances, task, context))


def share_parts(
    importances: Float[ndarray, "codes factors"], task: AllFactors, context: Context
) -> dict[str, dict[str, dict[str, float]]]:
    """{part: {factor: {"share": …}}}; 0 of what is important nowhere."""
    wholes = dict(zip(task.columns_of, importances.sum(0).tolist(), strict=True))
    return {
        part: {
            name: {"share": float(found) / wholes[name] if wholes[name] else 0.0}
            for name, found in zip(wholes, importances[columns].sum(0), strict=True)
        }
        for part, columns in context.model.parts.items()
    }
