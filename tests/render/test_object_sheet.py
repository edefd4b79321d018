from collections.abc import Callable

import numpy as np
import pytest

from iebench.dataset.reader import Dataset
from iebench.factors.space import ROTATION
from iebench.loader.decode import decode_view
from iebench.render.object_sheet import lay_out, plan_sheet


def test_a_class_stands_in_a_row_and_an_object_in_a_column(make_dataset: Callable[..., Dataset]) -> None:
    dataset = make_dataset(classes="3", objects_per_class=5, num_views=1, size=32)
    assert lay_out(dataset).size == (5 * 32, 3 * 32)
    sheet = np.asarray(lay_out(dataset, abreast=2)).astype(int)
    assert sheet.shape == (2 * 32, 2 * 5 * 32, 3)
    assert sheet[40, 200].tolist() == [255, 255, 255], "the fourth cell is empty"
    for label, (left, top) in enumerate([(0, 0), (160, 0), (0, 32)]):
        indices = sorted(np.flatnonzero(dataset.labels == label).tolist(), key=lambda i: dataset.object_ids[i])
        for column, index in enumerate(indices):
            tile = sheet[top + 16 : top + 32, left + 32 * column :][:, :32]  # below the class's name
            assert np.array_equal(tile, decode_view(dataset, index, 0)[16:])


def test_a_sheet_is_planned_with_one_view_of_a_fixed_rotation() -> None:
    job = plan_sheet("chair,mug", 3, 64, (0, 0, 90))
    assert (job.num_views, job.image_size, sum(map(len, job.splits.values()))) == (1, 64, 6)
    latents = np.concatenate([job.latents_of(name) for names in job.splits.values() for name in names])
    assert latents[:, job.space.columns(ROTATION)] == pytest.approx(np.tile([0, 0, np.pi / 2], (6, 1)))


def test_random_rotations_are_those_of_the_benchmark() -> None:
    job = plan_sheet("chair", 5, 64, None)
    angles = np.concatenate([job.latents_of(name) for names in job.splits.values() for name in names])[:, :3]
    assert len(np.unique(angles)) == 15
