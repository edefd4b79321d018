"""The pictures of an evaluation, kept beside its results so that the report needs neither dataset nor network."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, UInt8
from numpy import ndarray

from iebench.evals.eval_dataset import EvalDataset
from iebench.evals.evaluator import Context
from iebench.evals.predictor_analysis import PredictorAnalysis
from iebench.evals.representations import Representations
from iebench.evals.tasks.predictor import Predictor
from iebench.files import whole_file
from iebench.limits import MAX_GALLERY_BYTES, MAX_IMAGE_SIDE
from iebench.untrusted import refusals
from iebench.untrusted_arrays import read_npz

GALLERY = "gallery.npz"
NUM_OBJECTS = 6
NUM_NEIGHBOURS = 5


@dataclass
class Gallery:
    """Pictures of a few validation objects, uint8 (…, height, width, 3).

    Attributes:
        names: class of each object.
        queries: view 0 of each object.
        truths: the view that was to be found.
        neighbours: the views nearest to the predicted embedding, nearest first.
        found: which neighbours are the truth.
        steered: the view found for each step of a turn.
        degrees: the steps of the turn.
        gaps: degrees between the wanted rotation and that of the view found.
    """

    names: ndarray
    queries: UInt8[ndarray, "objects height width 3"]
    truths: UInt8[ndarray, "objects height width 3"]
    neighbours: UInt8[ndarray, "objects neighbours height width 3"]
    found: ndarray
    steered: UInt8[ndarray, "objects steps height width 3"]
    degrees: Int[ndarray, " steps"]
    gaps: Float[ndarray, "objects steps"]

    def save(self, folder: Path) -> None:
        """Write `gallery.npz` into a folder."""
        with whole_file(folder / GALLERY) as partial, partial.open("wb") as file:
            np.savez_compressed(file, **vars(self))

    @classmethod
    def load(cls, folder: Path) -> "Gallery | None":
        """The gallery of a folder, or None where it has none."""
        if not (folder / GALLERY).is_file():
            return None
        with refusals(folder / GALLERY, "remove it, or run `iebench eval` again"):
            found = read_npz(folder / GALLERY, {field.name for field in fields(cls)}, MAX_GALLERY_BYTES)
            if found is None:  # another iebench's
                return None
            gallery = cls(**found)
            gallery._check_shapes()
            return gallery

    def _check_shapes(self) -> None:
        """The pictures are pictures, of as many objects, neighbours and steps as are named.

        Raises:
            ValueError: they are not.
        """
        number, *size = self.queries.shape
        ranks, steps = self.found.shape[1:], self.degrees.shape
        wanted = {
            "names": (number,),
            "truths": (number, *size),
            "neighbours": (number, *ranks, *size),
            "found": (number, *ranks),
            "steered": (number, *steps, *size),
            "gaps": (number, *steps),
        }
        for name, shape in wanted.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} has shape {getattr(self, name).shape} and not {shape}")
        pictures = (self.queries, self.truths, self.neighbours, self.steered)
        if size[2:] != [3] or max(size) > MAX_IMAGE_SIDE or any(images.dtype != np.uint8 for images in pictures):
            raise ValueError(f"pictures of shape {size}")
        if len(ranks) != 1 or len(steps) != 1 or self.names.dtype.kind != "U" or self.degrees.dtype.kind not in "iuf":
            raise ValueError(f"{len(ranks)} ranks, {len(steps)} steps, names of type {self.names.dtype}")


def save_gallery(context: Context, dataset: EvalDataset, folder: Path) -> None:
    """Draw and keep the gallery of a model with a predictor; others have none."""
    if not Predictor.needs.are_met_by(context):
        return
    model, val = context.model, context.tests[""]
    assert model.predict is not None
    analysis = PredictorAnalysis(model.predict, val, model.transform, context.settings.device)
    build_gallery(analysis, dataset, val).save(folder)


def build_gallery(analysis: PredictorAnalysis, dataset: EvalDataset, representations: Representations) -> Gallery:
    """Pictures of objects spread over the validation split."""
    count = min(NUM_OBJECTS, representations.num_objects)
    chosen = np.unique(np.linspace(0, representations.num_objects - 1, count).astype(int))
    images = {index: _views(dataset, representations.num_views, index) for index in chosen.tolist()}
    truth = {index: 1 + index % (representations.num_views - 1) for index in images}
    near = {index: analysis.neighbours(index, truth[index], NUM_NEIGHBOURS) for index in images}
    steered = {index: analysis.steer(index) for index in images}
    return Gallery(
        names=np.array([representations.class_names[label] for label in representations.labels[chosen].tolist()]),
        queries=np.stack([views[0] for views in images.values()]),
        truths=np.stack([views[truth[index]] for index, views in images.items()]),
        neighbours=np.stack([views[near[index]] for index, views in images.items()]),
        found=np.stack([near[index] == truth[index] for index in images]),
        steered=np.stack([views[steered[index].views] for index, views in images.items()]),
        degrees=np.array(next(iter(steered.values())).degrees),
        gaps=np.stack([steered[index].gaps for index in images]),
    )


def _views(dataset: EvalDataset, num_views: int, index: int) -> UInt8[ndarray, "views height width 3"]:
    """All views of one object of the validation split."""
    images = islice(_single_images(dataset, index * num_views), num_views)
    return np.stack(list(images)).transpose(0, 2, 3, 1)


def _single_images(dataset: EvalDataset, start: int) -> Iterator[UInt8[ndarray, "3 height width"]]:
    for batch in dataset.images("val", start):
        yield from batch.numpy()
