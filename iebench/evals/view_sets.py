"""Sets of views of an object, and what the mean of representations or a method's `represent_set` makes of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from numpy import ndarray
from torch import Tensor

from iebench.evals.model import Model, check_vectors
from iebench.evals.representations import Representations, regroup
from iebench.evals.settings import BLOCK
from iebench.factors.transforms import make_transform
from iebench.loader.multiview import Views, transform_views
from iebench.loader.order import choose_views
from iebench.progress import Progress

Sets = Int[ndarray, "objects sets n"]
Vectors = Float[ndarray, "objects sets width"]


def choose_sets(representations: Representations, counts: Iterable[int], num_sets: int) -> dict[int, Sets]:
    """Sets of different views of each object, by the number of their views; a smaller one is the beginning of a larger.

    They are a pure function of the object, the same for every method.

    Args:
        representations: whose objects.
        counts: numbers of views; those that an object does not have are left out.
        num_sets: sets of each object.
    """
    total = representations.num_views
    possible = [count for count in counts if count <= total]
    most = max(possible, default=1)
    draws = [choose_views(0, draw, representations.objects, total, most) for draw in range(num_sets)]
    return {count: np.stack(draws, axis=1)[..., :count] for count in possible}


def put_sets(values: Vectors, sets: Sets, representations: Representations) -> Representations:
    """Representations of sets in the place of those of views; each has the latents of its first view."""
    latents = representations.latents[np.arange(len(sets))[:, None], sets[..., 0]]
    return replace(representations, latents=latents, values=values, embeddings=None, images=None, design=None)


def average_sets(representations: Representations, sets: Sets) -> Vectors:
    """The mean of the representations of each set's views."""
    of_objects = zip(representations.values, sets, strict=True)
    return np.stack([values[views].mean(axis=1, dtype=np.float32) for values, views in of_objects])


@torch.no_grad()
def represent_sets(
    model: Model, representations: Representations, sets: Mapping[int, Sets], device: str | torch.device = "cpu"
) -> dict[int, Vectors]:
    """What the model's `represent_set` makes of sets of views, by the number of their views.

    The images are read once more, all views of a few objects at a time, whatever the loader's batches are.
    """
    found: dict[int, list[ndarray]] = {count: [] for count in sets}
    with Progress("sets of views", representations.num_objects, "object") as progress:
        for rows, images in _images_by_object(representations, sets):
            for count, views in sets.items():
                vectors = _represent(model, _take(model, representations, rows, images, views[rows]), device)
                found[count].append(vectors.reshape(len(images), -1, vectors.shape[1]))
            progress.add(len(images))
    return {count: np.concatenate(blocks) for count, blocks in found.items()}


def _images_by_object(
    representations: Representations, sets: Mapping[int, Sets]
) -> Iterator[tuple[slice, UInt8[Tensor, "objects views 3 height width"]]]:
    """All views of as many objects at a time as fill a block with their largest sets, and which objects these are."""
    assert representations.images is not None, "latents have no images"
    most = max(views[0].size for views in sets.values())
    step, num_views = max(1, BLOCK // most), representations.num_views
    for number, block in enumerate(regroup(representations.images(0), step * num_views)):
        images = block.unflatten(0, (-1, num_views))
        yield slice(number * step, number * step + len(images)), images


def _take(model: Model, representations: Representations, rows: slice, images: Tensor, sets: Sets) -> Views:
    """The sets of some objects, one after the other; nobody is told their labels."""
    objects, size = np.arange(len(sets))[:, None, None], sets.shape[2]
    latents = representations.latents[rows][objects, sets].reshape(-1, size, representations.latents.shape[2])
    transform = make_transform(model.transform, representations.space)
    return Views(
        images=images[torch.from_numpy(objects), torch.from_numpy(sets)].flatten(0, 1),
        latents=torch.from_numpy(latents),
        transforms=torch.from_numpy(transform_views(transform, latents, model.anchor)),
        label=torch.full((len(latents),), -1),
        object_index=torch.from_numpy(np.repeat(representations.objects[rows], sets.shape[1])),
        view_index=torch.from_numpy(sets.reshape(-1, size)),
    )


def _represent(model: Model, views: Views, device: str | torch.device) -> Float[ndarray, "n width"]:
    assert model.represent_set is not None
    found = model.represent_set(Views(*(field.to(device) for field in views)))
    return check_vectors(found, len(views.label), "represent_set").cpu().numpy()
