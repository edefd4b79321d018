"""Predictor: how far what it has learned is from a group's action, and its error by angle."""

from collections.abc import Iterator

from iebench.evals.columns import Figure
from iebench.evals.evaluator import Context, Detail, Evaluator, Needs, Score
from iebench.evals.predictor_analysis import PredictorAnalysis
from iebench.factors.space import ROTATION


class Predictor(Evaluator):
    """Distances (1 - cosine) that say whether the predictor acts as the group of transforms does."""

    name = "predictor"
    order = 80
    needs = Needs(factors=ROTATION, num_views=2, predictor=True)
    figures = (
        Figure(
            "Error by angle",
            "predictor/distance_by_angle",
            "curves",
            "Distance (1 - cosine) from the target's embedding by the angle between the views: of the prediction, and of the "
            "source's embedding left unmoved.",
            x="angle between the views, °",
            y="distance",
            dashed=("unmoved",),
        ),
        Figure(
            "How far the predictor is from a group's action",
            "predictor/group_laws",
            "table",
            "Distances (1 - cosine): of the identity from the embedding itself, of a transform and its inverse from it, of two "
            "transforms from their composition, of the prediction from the target and from the source (motion); and, to measure "
            "them by, of a pair's two views from each other (spread).",
        ),
    )

    def run(self, context: Context) -> Iterator[Score | Detail]:
        """One detail for each test set: {"group_laws": …, "distance_by_angle": …}."""
        model, device = context.model, context.settings.device
        assert model.predict is not None
        for prefix, representations in context.tests_for(self.needs).items():
            analysis = PredictorAnalysis(
                model.predict, representations, model.transform, device, repeatable=model.repeatable
            )
            yield Detail(f"{prefix}predictor", analysis.summary())
