"""Translation in the world: how a pair's two views differ in where the object stands in the scene, by an MLP."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from iebench.evals.columns import Column
from iebench.evals.probe_task import Regression, needs_pair
from iebench.factors.rotations import euler_to_matrix
from iebench.factors.space import ROTATION, TRANSLATION


class WorldTranslation(Regression):
    """The difference of the translations in the world's frame, where the object stands at R·t."""

    name, out_dim = "translation-world", 3
    order = 50
    needs = needs_pair(*ROTATION, *TRANSLATION)
    columns = (
        Column("world translation R², pooled", "translation-world/whole/r2_pooled", "translation_base_r2:pooled"),
        Column("world translation R², uniform", "translation-world/whole/r2_uniform", "translation_base_r2:uniform"),
    )

    def relate(self, latents: Float[ndarray, "n 2 6"]) -> Float[ndarray, "n 3"]:
        """The difference of R·t."""
        positions = np.einsum("nkij,nkj->nki", euler_to_matrix(latents[..., :3]), latents[..., 3:])
        return positions[:, 1] - positions[:, 0]
