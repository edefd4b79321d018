"""Equivariance: how well known rotations act linearly on a representation, with no predictor trained beside it."""

from collections.abc import Iterator
from dataclasses import replace

from iebench.evals.action_scores import Fits, score_part
from iebench.evals.columns import Column, Figure
from iebench.evals.evaluator import Context, Detail, Evaluator, Needs, Score
from iebench.evals.probe_task import score_of
from iebench.evals.representations import Representations
from iebench.evals.retrieval import chance_measures
from iebench.evals.settings import CONSTANT, RANDOM_INIT
from iebench.factors.space import ROTATION
from iebench.progress import track


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
            "How far the fitted action is from a group's",
            "equivariance/whole/laws",
            "table",
            "Mean squared distances in shares of the variance, on held-out objects: of the prediction from the target (error), "
            "of two transforms from their composition, of a transform and its inverse and of the identity from the view itself.",
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
        return self._score(context, with_controls=True)

    def baseline(self, context: Context) -> Iterator[Score | Detail]:
        """Without controls and PRE, which cost the most."""
        return self._score(context, with_controls=False)

    def _score(self, context: Context, with_controls: bool) -> Iterator[Score | Detail]:
        tests = {prefix: dict(context.parts(found)) for prefix, found in context.tests_for(self.needs).items()}
        fitted: dict[str, Fits | None] = {}
        for part, train in track(list(context.parts(context.train)), self.name, "part"):
            name = "whole" if context.is_whole(part) else part  # the same numbers, the same actions
            if name not in fitted:
                fitted[name] = Fits.of(train, with_controls and part == "whole")
            fits = fitted[name]
            if fits is not None and part != "whole":
                fits = replace(fits, controls=None)
            for prefix, parts in tests.items():
                key = f"{prefix}{self.name}/{part}"
                if fits is None:
                    yield from _score_constant(key, parts[part])
                else:
                    yield from score_part(key, fits, parts[part], context.settings.draws, context.settings.device)

    def constant(self, context: Context) -> Iterator[Score]:
        """The mean representation says nothing of a target, and retrieves by chance."""
        for prefix, test in context.tests_for(self.needs).items():
            yield from _score_constant(f"{prefix}{self.name}/whole", test)


def _score_constant(key: str, test: Representations) -> Iterator[Score]:
    yield from (Score(f"{key}/{name}", 0.0) for name in ("r2", "r2_not_told", "gain"))
    yield from (score_of(measure, key) for measure in chance_measures(test))
