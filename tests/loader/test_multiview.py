"""Several views of an object: the right images, latents and transforms, from whatever anchor."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from iebench import MultiViewDataset, PairDataset, Views
from iebench.dataset.reader import Dataset
from iebench.errors import UsageError
from iebench.loader.multiview import find_anchors


@pytest.mark.parametrize("anchor", ["first", "previous"])
def test_transforms_start_at_the_anchor(drawn_dataset, anchor):
    data = MultiViewDataset(drawn_dataset, transform="rotation+color", num_views=4, anchor=anchor)
    batch = data.read_batch(np.arange(len(data)))
    assert batch.images.shape == (len(data), 4, 3, 32, 32)
    assert batch.transforms.shape == (len(data), 3, 6)
    starts = [0, 0, 0] if anchor == "first" else [0, 1, 2]
    latents = batch.latents.numpy()
    for step, start in enumerate(starts):
        before, after = latents[:, start], latents[:, step + 1]
        rotation = Rotation.from_euler("xyz", before[:, :3]).inv() * Rotation.from_euler("xyz", after[:, :3])
        expected = np.concatenate([rotation.as_quat(), (after - before)[:, [3, 6]]], axis=1)
        np.testing.assert_allclose(batch.transforms[:, step].numpy(), expected, atol=1e-6)


def test_all_views_can_be_anchors(drawn_dataset):
    data = MultiViewDataset(drawn_dataset, num_views=3, anchor="all")
    batch = data.read_batch(np.arange(len(data)))
    assert batch.transforms.shape == (len(data), 6, 4)
    rotations = [Rotation.from_euler("xyz", batch.latents[:, view, :3].numpy()) for view in range(3)]
    for row, (anchor, other) in enumerate([(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)]):
        expected = (rotations[anchor].inv() * rotations[other]).as_quat()
        np.testing.assert_allclose(batch.transforms[:, row].numpy(), expected, atol=1e-6)
    first = MultiViewDataset(drawn_dataset, num_views=3).read_batch(np.arange(len(data)))
    assert torch.equal(batch.pair().transform, first.pair().transform)


def test_views_are_what_the_dataset_holds(drawn_dataset):
    dataset = Dataset(drawn_dataset)
    data = MultiViewDataset(dataset, "val", num_views=3)
    assert data.dataset is dataset
    for views in data:
        assert isinstance(views, Views)
        np.testing.assert_array_equal(views.latents, dataset.latents[int(views.object_index), views.view_index])
        assert views.label == dataset.labels[int(views.object_index)]
        assert len(set(views.view_index.tolist())) == 3


def test_each_view_of_a_batch_is_dense_in_channels_last(drawn_dataset):
    batch = next(iter(MultiViewDataset(drawn_dataset, num_views=3).loader(5, 0)))
    for view in range(3):
        assert batch.images[:, view].is_contiguous(memory_format=torch.channels_last)


def test_pairs_are_the_two_view_face(drawn_dataset):
    for num_views in (2, 4):
        batch = MultiViewDataset(drawn_dataset, seed=3, num_views=num_views).read_batch(np.arange(6), epoch=2)
        pairs = PairDataset(drawn_dataset, seed=3, num_views=num_views).read_batch(np.arange(6), epoch=2)
        assert all(torch.equal(first, second) for first, second in zip(batch.pair(), pairs, strict=True))


def test_a_single_view_has_no_transform(drawn_dataset):
    data = MultiViewDataset(drawn_dataset, num_views=1)
    batch = data.read_batch(np.arange(4))
    assert batch.images.shape == (4, 1, 3, 32, 32)
    assert batch.transforms.shape == (4, 0, 4)
    assert data.transform_size == 4


@pytest.mark.usefixtures("unchecked")
def test_wrong_arguments_are_named(drawn_dataset):
    with pytest.raises(UsageError, match="anchor='last'"):
        MultiViewDataset(drawn_dataset, anchor="last")
    with pytest.raises(UsageError, match="anchor='last'"):  # that of somebody's Model comes here
        find_anchors(2, "last")
    with pytest.raises(UsageError, match="9 different views"):
        MultiViewDataset(drawn_dataset, num_views=9)


def test_the_views_of_one_object_are_a_pair_as_those_of_a_batch(drawn_dataset):
    for num_views in (2, 3):
        data = MultiViewDataset(drawn_dataset, num_views=num_views)
        single, batch = data[0].pair(), data.read_batch(np.array([0])).pair()
        assert all(torch.equal(one, many[0]) for one, many in zip(single, batch, strict=True))
