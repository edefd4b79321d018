"""Factors: what each part of a representation still knows of each factor, by ridge regression and by an MLP on one view."""

from collections.abc import Iterator

from iebench.evals.columns import Figure
from iebench.evals.evaluator import Context, Detail, Evaluator, Score
from iebench.evals.factor_regression import score_factors


class Factors(Evaluator):
    """The matrix of parts and varying factors, R² (uniform), with the first seed."""

    name = "factors"
    order = 60
    figures = (
        Figure(
            "What each part knows of each factor",
            "factors",
            "matrix",
            "R² (uniform) of a linear regression and of an MLP from one view's representation; 1 knows all, 0 nothing. Below 0 "
            "it does worse than a constant on objects it has not seen.",
        ),
    )

    def run(self, context: Context) -> Iterator[Score | Detail]:
        """One detail: {part: {factor: {"linear": R², "mlp": R²}}}."""
        settings = context.settings
        tests = dict(context.parts(context.tests[""]))
        matrix = {
            part: score_factors(train, tests[part], settings.probes, settings.seeds[0], settings.device)
            for part, train in context.parts(context.train)
        }
        yield Detail("factors", matrix)
