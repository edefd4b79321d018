"""The pictures of an evaluation, kept beside its results so that the report needs neither dataset nor network."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int, UInt8
from numpy import ndarray

from iebench.evals.features import FeatureSet
from iebench.evals.predictor import PredictorAnalysis
from iebench.evals.source import ViewSource

if TYPE_CHECKING:
    from iebench.evals.suite import Suite

GALLERY = "gallery.npz"
NUM_OBJECTS = 6
NUM_NEIGHBOURS = 5


@dataclass
class Gallery:
    """Pictures of a few validation objects, uint8 (…, height, width, 3).

    Attributes:
        labels: class of each object.
        queries: view 0 of each object.
        truths: the view that was to be found.
        neighbours: the views nearest to the predicted embedding, nearest first.
        found: which neighbours are the truth.
        steered: the view found for each step of a turn.
        degrees: the steps of the turn.
        gaps: degrees between the rotation asked for and that of the view found.
    """

    labels: Int[ndarray, " objects"]
    queries: UInt8[ndarray, "objects height width 3"]
    truths: UInt8[ndarray, "objects height width 3"]
    neighbours: UInt8[ndarray, "objects neighbours height width 3"]
    found: ndarray
    steered: UInt8[ndarray, "objects steps height width 3"]
    degrees: Int[ndarray, " steps"]
    gaps: Float[ndarray, "objects steps"]

    def save(self, folder: Path) -> None:
        """Write `gallery.npz` into a folder."""
        np.savez_compressed(folder / GALLERY, **vars(self))

    @classmethod
    def load(cls, folder: Path) -> "Gallery | None":
        """The gallery of a folder, or None where it has none."""
        if not (folder / GALLERY).is_file():
            return None
        with np.load(folder / GALLERY, allow_pickle=False) as content:
            return cls(**{name: content[name] for name in content.files})


def save_gallery(suite: "Suite", folder: Path) -> None:
    """Draw and keep the gallery of a suite whose subject has a predictor; others have none."""
    subject = suite.subject
    if subject.predict is None or subject.embed is None:
        return
    features = suite.tests[""]
    analysis = PredictorAnalysis(subject.predict, features, subject.transform, suite.settings.device)
    build_gallery(analysis, suite.source, features).save(folder)


def build_gallery(analysis: PredictorAnalysis, source: ViewSource, features: FeatureSet) -> Gallery:
    """Pictures of objects spread over the validation split."""
    count = min(NUM_OBJECTS, features.num_objects)
    chosen = np.unique(np.linspace(0, features.num_objects - 1, count).astype(int))
    images = {index: _views(source, features.num_views, index) for index in chosen.tolist()}
    truth = {index: 1 + index % (features.num_views - 1) for index in images}
    near = {index: analysis.neighbours(index, truth[index], NUM_NEIGHBOURS) for index in images}
    steered = {index: analysis.steer(index) for index in images}
    return Gallery(
        labels=features.labels[chosen],
        queries=np.stack([views[0] for views in images.values()]),
        truths=np.stack([views[truth[index]] for index, views in images.items()]),
        neighbours=np.stack([views[near[index]] for index, views in images.items()]),
        found=np.stack([near[index] == truth[index] for index in images]),
        steered=np.stack([views[steered[index].views] for index, views in images.items()]),
        degrees=np.array(next(iter(steered.values())).degrees),
        gaps=np.stack([steered[index].gaps for index in images]),
    )


def _views(source: ViewSource, num_views: int, index: int) -> UInt8[ndarray, "views height width 3"]:
    """All views of one object of the validation split."""
    images = islice(_single_images(source, index * num_views), num_views)
    return np.stack(list(images)).transpose(0, 2, 3, 1)


def _single_images(source: ViewSource, start: int) -> Iterator[UInt8[ndarray, "3 height width"]]:
    for batch in source.images("val", start):
        yield from batch.numpy()
