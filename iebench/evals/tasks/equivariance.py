"""Equivariance: how well known rotations act linearly on a representation, with no predictor trained beside it."""

from collections.abc import Iterator

from iebench.evals.action_scores import Fits, score_part
from iebench.evals.columns import Column, Figure
from iebench.evals.evaluator import Context, Detail, Evaluator, Needs, Score
from iebench.evals.probe_task import score_of
from iebench.evals.retrieval import chance_measures
from iebench.evals.settings import CONSTANT, RANDOM_INIT
from iebench.factors.space import ROTATION


class Equivariance(Evaluator):
    """A linear action fitted to training objects, scored on others, with its controls and the laws of a group."""

    name = "equivariance"
    order = 75
    needs = Needs(factors=ROTATION, num_views=3)
    baselines = (CONSTANT, RANDOM_INIT)
    columns = (
        Column("action R²", "equivariance/whole/r2"),
        Column("action R², not told the rotation", "equivariance/whole/r2_not_told"),
        Column("gain", "equivariance/whole/gain"),
        Column("gain, invariant part", "equivariance/invariant/gain"),
        Column("gain, equivariant part", "equivariance/equivariant/gain"),
        Column("composition error", "equivariance/whole/composition", better="down"),
        Column("MRR by action", "equivariance/whole/mrr"),
        Column("H@1 by action", "equivariance/whole/hit_at_1"),
        Column("PRE by action", "equivariance/whole/pre", better="down"),
    )
    figures = (
        Figure(
            "The action's rank",
            "equivariance/whole/by_rank",
            "curves",
            "R² of the fitted action on held-out objects, and that of one that is not told the rotation, by how many principal "
            "components they act on.",
            x="rank",
            y="R²",
            dashed=("not told",),
        ),
        Figure(
            "The fitted action against its controls",
            "equivariance/whole/controls",
            "table",
            "R² of what is predicted for the target view: by the action; told the colors too; with Wigner's D to degree 2, and "
            "to degree 1 in as many coordinates; by the nearest orthogonal matrices, and in as many coordinates without that; "
            "and of the controls: an action that is not told the rotation, one fitted to pairs of different objects, the "
            "rotation without a source, the source view as it is, and the mean of the object's other views.",
        ),
    )

    def run(self, context: Context) -> Iterator[Score | Detail]:
        """Scores of every part on every test set."""
        tests = {prefix: dict(context.parts(found)) for prefix, found in context.tests.items()}
        for part, train in context.parts(context.train):
            fits = Fits.of(train, with_controls=part == "whole")
            for prefix, parts in tests.items():
                yield from score_part(f"{prefix}{self.name}/{part}", fits, parts[part], context.settings.draws)

    def constant(self, context: Context) -> Iterator[Score]:
        """The mean representation says nothing of a target, and retrieves by chance."""
        for prefix, test in context.tests.items():
            key = f"{prefix}{self.name}/whole"
            yield from (Score(f"{key}/{name}", 0.0) for name in ("r2", "r2_not_told", "gain"))
            yield from (score_of(measure, key) for measure in chance_measures(test))
