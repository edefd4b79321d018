"""Exporting to the published layout: loose files and lists, for scripts that know nothing else."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from iebench.dataset.reader import Dataset
from iebench.growing import growing


def export_layout(dataset: Dataset, out: Path, progress: Callable[[range], Iterable[int]] = iter) -> None:
    """Write a dataset in the published layout: `synset/object_id/image_0.jpg, latent_0.npy …`, lists and labels.

    Geometry passes lie beside: `mask_0.png, depth_0.png …`, as `iebench.dataset.passes` describes them. JPEG bytes are copied
    as they are, so channels stay in the order that the card tells.

    Args:
        dataset: what is exported.
        out: the folder to write; it appears when it is whole.
        progress: wraps the iteration over objects.

    Raises:
        UsageError: `out` exists, or is being made.
        IebenchError: the dataset is damaged.
    """
    with growing(out, "export") as root:
        for index in progress(range(dataset.num_objects)):
            _write_object(dataset, index, root)
        for split in dataset.card.splits:
            objects = dataset.split_indices(split)
            names = [f"/{dataset.synsets[index]}/{dataset.object_ids[index]}/" for index in objects]
            np.save(root / f"{split}_images.npy", np.array(names))
            np.save(root / f"{split}_labels.npy", dataset.labels[objects])


def _write_object(dataset: Dataset, index: int, root: Path) -> None:
    folder = root / dataset.synsets[index] / dataset.object_ids[index]
    folder.mkdir(parents=True)
    views = np.arange(dataset.num_views)
    for view, jpeg in enumerate(dataset.read_jpegs(np.full_like(views, index), views)):
        (folder / f"image_{view}.jpg").write_bytes(jpeg)
        np.save(folder / f"latent_{view}.npy", np.asarray(dataset.latents[index, view]))
    for name in dataset.passes:
        for view, png in enumerate(dataset.read_pass_pngs(name, np.full_like(views, index), views)):
            (folder / f"{name}_{view}.png").write_bytes(png)
