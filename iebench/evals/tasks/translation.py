"""Translation: how a pair's two views differ in where the object stands, in its own frame, by an MLP."""

from jaxtyping import Float
from numpy import ndarray

from iebench.evals.columns import Column
from iebench.evals.probe_task import Regression, needs_pair
from iebench.factors.space import TRANSLATION


class Translation(Regression):
    """The difference of the translations in the object's frame: target latent minus source latent."""

    name, out_dim = "translation", 3
    order = 40
    needs = needs_pair(*TRANSLATION)
    columns = (
        Column("translation R², pooled", "translation/whole/r2_pooled", "translation_object_r2:pooled"),
        Column("translation R², uniform", "translation/whole/r2_uniform", "translation_object_r2:uniform"),
    )

    def relate(self, latents: Float[ndarray, "n 2 3"]) -> Float[ndarray, "n 3"]:
        """The difference."""
        return latents[:, 1] - latents[:, 0]
