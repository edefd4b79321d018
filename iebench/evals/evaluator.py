"""The protocol of every evaluator: a context in, scores out.

An evaluator is one class in one file, found by its name where it stands in `iebench.evals.tasks`, or as `package.module:Class`.
It says what it needs, yields scores and details, and declares the table's columns and the report's figures in which these stand.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from iebench.evals.columns import Column, Figure
from iebench.evals.model import Model
from iebench.evals.representations import Representations
from iebench.evals.settings import EvalSettings
from iebench.factors.designs import Crossed


@dataclass(frozen=True)
class Score:
    """One number.

    Attributes:
        key: TASK/PART/MEASURE, such as "rotation/equivariant/r2_pooled"; the same key once more is the score of another seed.
        value: the score.
        low, high: 95 % bootstrap interval over the objects, where it was taken.
    """

    key: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Detail:
    """A finding that is no single number, as plain values under a key, for a `Figure` to show."""

    key: str
    value: Any


@dataclass(frozen=True)
class Needs:
    """What an evaluator cannot do without; where it is missing, the evaluator is left out.

    Attributes:
        factors: names of factors that the dataset must have.
        num_views: views that every object must have.
        parts: parts that the representation must have, such as "equivariant".
        predictor: whether the model must predict embeddings from transforms.
        crossed: whether the views of each object must be a crossed design.
    """

    factors: tuple[str, ...] = ()
    num_views: int = 1
    parts: tuple[str, ...] = ()
    predictor: bool = False
    crossed: bool = False

    def are_met_by_data(self, representations: Representations) -> bool:
        """Whether the dataset has what is needed."""
        has_factors = set(self.factors) <= set(representations.space.names)
        has_views = representations.num_views >= self.num_views
        return has_factors and has_views and (isinstance(representations.design, Crossed) or not self.crossed)

    def are_met_by(self, context: "Context") -> bool:
        """Whether dataset and model have what is needed."""
        has_model = set(self.parts) <= set(context.model.parts) and (context.model.has_predictor or not self.predictor)
        return has_model and self.are_met_by_data(context.train)


@dataclass(frozen=True)
class Context:
    """What an evaluator works on.

    Attributes:
        train: representations of the objects that probes may learn from.
        tests: representations of held-out objects by the prefix of their scores' keys: "" for val, "ood/" for another dataset.
        model: what made them.
        settings: how scores are taken.
    """

    train: Representations
    tests: Mapping[str, Representations]
    model: Model
    settings: EvalSettings

    def parts(self, representations: Representations) -> Iterator[tuple[str, Representations]]:
        """The whole representation, its parts, and the embedding where the settings ask for it, each by its name."""
        for part, columns in {"whole": slice(None), **self.model.parts}.items():
            yield part, representations.part(columns)
        if self.settings.embeddings and representations.embeddings is not None:
            yield "embedding", replace(representations, values=representations.embeddings)

    def tests_for(self, needs: Needs) -> dict[str, Representations]:
        """The test sets that have what is needed; another dataset may lack a factor, or have too few views."""
        return {prefix: test for prefix, test in self.tests.items() if needs.are_met_by_data(test)}

    def is_whole(self, part: str) -> bool:
        """Whether a name of `parts` is that of the whole representation, or of a part that has all of its columns."""
        width = self.train.values.shape[-1]
        columns = {"whole": slice(None), **self.model.parts}.get(part, slice(0))
        return columns.indices(width) == (0, width, 1)


class Evaluator(ABC):
    """One kind of score.

    Attributes:
        name: by which users choose it, and with which the keys of its scores begin.
        needs: what it cannot do without.
        baselines: those of `iebench.evals.settings.BASELINES` that mean something for it.
        columns: its columns of the table.
        figures: its figures of the report.
        order: where it stands among others in lists, tables and the report; equal ones go by their names.
    """

    name: str
    order: int = 100
    needs: Needs = Needs()
    baselines: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    figures: tuple[Figure, ...] = ()

    @abstractmethod
    def run(self, context: Context) -> Iterator[Score | Detail]:
        """All scores and details."""

    def baseline(self, context: Context) -> Iterator[Score | Detail]:
        """What stands beside the scores for a baseline's representations; the same scores unless told."""
        return self.run(context)

    def constant(self, context: Context) -> Iterator[Score]:
        """The scores of the best constant prediction, which does not look at the images; none unless told."""
        yield from ()
