"""Retrieval: views found by the embedding that the model predicts for them."""

from collections.abc import Iterator, Mapping, Sequence

from iebench.evals.columns import Column
from iebench.evals.evaluator import Context, Detail, Evaluator, Needs, Score
from iebench.evals.probe_task import score_of
from iebench.evals.representations import Representations
from iebench.evals.retrieval import Retrieval, chance_measures
from iebench.evals.settings import CONSTANT, GROUND_TRUTH
from iebench.factors.space import ROTATION

VAL, TRAIN, ALL = "retrieval/val-val", "retrieval/train-train", "retrieval/val-all"


class RetrievalByPrediction(Evaluator):
    """MRR and H@k among an object's own views, PRE among the views of all objects of a split, or of both."""

    name = "retrieval"
    order = 70
    needs = Needs(factors=ROTATION, predictor=True)
    baselines = (CONSTANT, GROUND_TRUTH)
    columns = (
        Column("MRR, out of distribution", f"ood/{VAL}/mrr"),
        Column("PRE", f"{VAL}/pre", "", better="down"),
        Column("MRR", f"{VAL}/mrr", "mrr"),
        Column("H@1", f"{VAL}/hit_at_1", "hit_at_1"),
        Column("H@5", f"{VAL}/hit_at_5", "hit_at_5"),
    )

    def run(self, context: Context) -> Iterator[Score | Detail]:
        """Scores of val, train and each further test set among themselves, and PRE of val among both."""
        val = context.tests[""]
        yield from self._among_themselves({**self._keyed(context), TRAIN: context.train}, context)
        yield self._rotation_error(ALL, val, [context.train, val], context)

    def baseline(self, context: Context) -> Iterator[Score | Detail]:
        """Scores of the test sets only: the cost of the others grows with the square of their views."""
        return self._among_themselves(self._keyed(context), context)

    def constant(self, context: Context) -> Iterator[Score]:
        """What a collapsed embedding scores, in closed form."""
        for key, representations in {VAL: context.tests[""], TRAIN: context.train}.items():
            yield from (score_of(measure, key) for measure in chance_measures(representations))

    def _keyed(self, context: Context) -> dict[str, Representations]:
        """The test sets by the keys of their scores."""
        return {f"{prefix}{VAL}": test for prefix, test in context.tests_for(self.needs).items()}

    def _among_themselves(self, sets: Mapping[str, Representations], context: Context) -> Iterator[Score]:
        for key, representations in sets.items():
            for measure in _retrieval(context).ranks(representations):
                yield score_of(measure, key, context.settings.draws)
            yield self._rotation_error(key, representations, [representations], context)

    def _rotation_error(
        self, key: str, queries: Representations, candidates: Sequence[Representations], context: Context
    ) -> Score:
        return score_of(_retrieval(context).rotation_error(queries, candidates), key, context.settings.draws)


def _retrieval(context: Context) -> Retrieval:
    assert context.model.predict is not None
    return Retrieval(context.model.predict, context.model.transform, context.settings.device)
