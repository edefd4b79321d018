"""Color: how a pair's two views differ in the hues of floor and light, by an MLP."""

from collections.abc import Iterator

from jaxtyping import Float
from numpy import ndarray

from iebench.evals import metrics
from iebench.evals.columns import Column
from iebench.evals.measure import Measure, median_of
from iebench.evals.probe_task import Regression, needs_pair
from iebench.evals.representations import Representations
from iebench.factors.space import HUES


class Color(Regression):
    """The differences of the hues, target minus source, in (-1, 1)."""

    name, out_dim = "color", len(HUES)
    order = 20
    needs = needs_pair(*HUES)
    columns = (
        Column("color R², pooled", "color/whole/r2_pooled", "color_r2:pooled"),
        Column("color R², uniform", "color/whole/r2_uniform", "color_r2:uniform"),
    )

    def relate(self, latents: Float[ndarray, "n 2 hues"]) -> Float[ndarray, "n hues"]:
        """The differences."""
        return latents[:, 1] - latents[:, 0]

    def measures(self, targets: ndarray, predictions: ndarray, representations: Representations) -> Iterator[Measure]:
        """Both R², and the median error around the color circle for each hue."""
        yield from super().measures(targets, predictions, representations)
        errors = metrics.circular_errors(targets, predictions)
        for column, name in enumerate(HUES):
            yield median_of(f"median_circular_error_{name}", errors[..., column])
