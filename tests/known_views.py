"""Representations that are a function of the latents, so that what is in them is known."""

import numpy as np

from iebench.catalogue import CLASSES
from iebench.evals.representations import Representations
from iebench.factors.space import get_space

TRAIN, VIEWS = 60, 6
SPACE = get_space("3diebench")


def views_of(make, num_objects=TRAIN, first=0):
    """Representations by a function of latents (objects, views, factors) and of each object's own generator."""
    names = [f"object-{first + i}" for i in range(num_objects)]
    latents = np.stack([SPACE.sample(0, "02691156", name, VIEWS) for name in names])
    values = make(latents, np.random.default_rng(first)).astype(np.float32)
    index = np.arange(num_objects)
    return Representations(SPACE, CLASSES, latents, index % 5, index, values)
