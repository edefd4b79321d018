"""The pictures of an evaluation, kept beside its results so that the report needs neither dataset nor network."""

from collections.abc import Iterator, Sequence
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
from iebench.evals.suite import represent_split
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
    """Pictures of a few objects that nothing was trained on, uint8 (…, height, width, 3).

    Attributes:
        names: class of each object whose views were retrieved.
        queries: view 0 of each object.
        truths: the view that was to be found.
        neighbours: the views nearest to the predicted embedding, nearest first.
        found: which neighbours are the truth.
        turned_names: class of each object that was turned.
        sources: the view that was turned.
        wanted: the real view nearest to each step of a turn.
        steered: the view found for each.
        degrees: the steps of the turn.
        gaps: degrees between the wanted rotation and that of the view found.
    """

    names: ndarray
    queries: UInt8[ndarray, "objects height width 3"]
    truths: UInt8[ndarray, "objects height width 3"]
    neighbours: UInt8[ndarray, "objects neighbours height width 3"]
    found: ndarray
    turned_names: ndarray
    sources: UInt8[ndarray, "turned height width 3"]
    wanted: UInt8[ndarray, "turned steps height width 3"]
    steered: UInt8[ndarray, "turned steps height width 3"]
    degrees: Int[ndarray, " steps"]
    gaps: Float[ndarray, "turned steps"]

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
        """The pictures are pictures of one size, of as many objects, neighbours and steps as are named.

        Raises:
            ValueError: they are not.
        """
        number, *size = self.queries.shape
        turned, ranks, steps = len(self.sources), self.found.shape[1:], self.degrees.shape
        wanted = {
            "names": (number,),
            "truths": (number, *size),
            "neighbours": (number, *ranks, *size),
            "found": (number, *ranks),
            "turned_names": (turned,),
            "sources": (turned, *size),
            "wanted": (turned, *steps, *size),
            "steered": (turned, *steps, *size),
            "gaps": (turned, *steps),
        }
        for name, shape in wanted.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} has shape {getattr(self, name).shape} and not {shape}")
        pictures = (self.queries, self.truths, self.neighbours, self.sources, self.wanted, self.steered)
        names = (self.names, self.turned_names)
        if size[2:] != [3] or max(size) > MAX_IMAGE_SIDE or any(images.dtype != np.uint8 for images in pictures):
            raise ValueError(f"pictures of shape {size}")
        if any(name.dtype.kind != "U" for name in names) or self.degrees.dtype.kind not in "iuf":
            raise ValueError(f"names of type {self.names.dtype}, steps of type {self.degrees.dtype}")
        if len(ranks) != 1 or len(steps) != 1:
            raise ValueError(f"{len(ranks)} ranks, {len(steps)} steps")


@dataclass(frozen=True)
class Shown:
    """Objects from which pictures are taken.

    Attributes:
        analysis: of the predictor on them.
        dataset: that holds them.
        split: of the dataset.
    """

    analysis: PredictorAnalysis
    dataset: EvalDataset
    split: str

    @property
    def representations(self) -> Representations:
        """Of the split."""
        return self.analysis.representations

    def choose(self) -> list[int]:
        """Objects spread over the split."""
        number = self.representations.num_objects
        return np.unique(np.linspace(0, number - 1, min(NUM_OBJECTS, number)).astype(int)).tolist()

    def names(self, objects: Sequence[int]) -> ndarray:
        """Their classes."""
        return np.array(
            [self.representations.class_names[label] for label in self.representations.labels[objects].tolist()]
        )

    def views(self, index: int) -> UInt8[ndarray, "views height width 3"]:
        """All views of one object."""
        number = self.representations.num_views
        images = islice(self._single_images(index * number), number)
        return np.stack(list(images)).transpose(0, 2, 3, 1)

    def _single_images(self, start: int) -> Iterator[UInt8[ndarray, "3 height width"]]:
        for batch in self.dataset.images(self.split, start):
            yield from batch.numpy()


def save_gallery(context: Context, dataset: EvalDataset, folder: Path, sweep: EvalDataset | None = None) -> None:
    """Draw and keep the gallery of a model with a predictor; others have none.

    Args:
        context: of the evaluation.
        dataset: that was evaluated, of which validation objects are shown.
        folder: of the results.
        sweep: a dataset whose views turn about the objects' z axes, among which steering is shown, from the middle one on;
            that from view 0 among the views of the validation objects where absent.
    """
    if not Predictor.needs.are_met_by(context):
        return
    found = Shown(_analyse(context, context.tests[""]), dataset, "val")
    turned = found
    if sweep is not None:
        turned = Shown(_analyse(context, represent_split(context.model, sweep, "all", context.settings)), sweep, "all")
    build_gallery(found, turned).save(folder)


def _analyse(context: Context, representations: Representations) -> PredictorAnalysis:
    model = context.model
    assert model.predict is not None
    return PredictorAnalysis(model.predict, representations, model.transform, context.settings.device)


def build_gallery(found: Shown, turned: Shown) -> Gallery:
    """Pictures of what is retrieved among the views of some objects, and of how some are turned."""
    return Gallery(**_retrieve(found), **_turn(turned, 0 if turned is found else turned.representations.num_views // 2))


def _retrieve(shown: Shown) -> dict[str, ndarray]:
    objects = shown.choose()
    images = [shown.views(index) for index in objects]
    truths = [1 + index % (shown.representations.num_views - 1) for index in objects]
    near = [shown.analysis.neighbours(index, view, NUM_NEIGHBOURS) for index, view in zip(objects, truths, strict=True)]
    return {
        "names": shown.names(objects),
        "queries": np.stack([views[0] for views in images]),
        "truths": np.stack([views[view] for views, view in zip(images, truths, strict=True)]),
        "neighbours": np.stack([views[nearest] for views, nearest in zip(images, near, strict=True)]),
        "found": np.stack([nearest == view for nearest, view in zip(near, truths, strict=True)]),
    }


def _turn(shown: Shown, source: int) -> dict[str, ndarray]:
    objects = shown.choose()
    images = [shown.views(index) for index in objects]
    steered = [shown.analysis.steer(index, source) for index in objects]
    return {
        "turned_names": shown.names(objects),
        "sources": np.stack([views[source] for views in images]),
        "wanted": np.stack([views[steps.wanted] for views, steps in zip(images, steered, strict=True)]),
        "steered": np.stack([views[steps.views] for views, steps in zip(images, steered, strict=True)]),
        "degrees": np.array(steered[0].degrees),
        "gaps": np.stack([steps.gaps for steps in steered]),
    }
