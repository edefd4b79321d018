"""Clips: consecutive views in order, never across the end of a run."""

import json

import numpy as np
import pytest

from iebench import ClipDataset
from iebench.dataset.card import CARD
from iebench.dataset.reader import Dataset
from iebench.errors import UsageError
from iebench.factors.designs import Trajectory
from iebench.factors.rotations import relative_rotation


@pytest.fixture
def clips(make_dataset):
    """A dataset whose card says that its 12 views are two clips of six."""
    root = make_dataset("clips", num_views=12).root
    card = json.loads((root / CARD).read_text())
    (root / CARD).write_text(json.dumps(card | {"design": Trajectory(6, 2).to_json()}))
    return Dataset(root)


def test_a_clip_is_a_whole_run_in_order_unless_told(clips):
    data = ClipDataset(clips)
    firsts = set()
    for epoch in range(8):
        views = data.read_batch(np.arange(len(data)), epoch)
        np.testing.assert_array_equal(np.diff(views.view_index), 1)
        firsts |= set(views.view_index[:, 0].tolist())
    assert firsts == {0, 6} and views.images.shape[1] == 6 and views.transforms.shape[1:] == (5, 4)
    np.testing.assert_array_equal(views.latents, clips.latents[views.object_index[:, None], views.view_index])
    steps = relative_rotation(views.latents[:, :-1, :3].numpy(), views.latents[:, 1:, :3].numpy())
    np.testing.assert_allclose(views.transforms, steps, atol=1e-6)  # from each view to the next


def test_shorter_clips_begin_everywhere_but_where_they_would_leave_their_run(clips):
    data, seen = ClipDataset(clips, num_views=4, anchor="first"), set()
    for epoch in range(40):
        views = data.choose(epoch, data.objects)
        assert (np.diff(views) == 1).all() and (views[:, 0] // 6 == views[:, -1] // 6).all()
        seen |= set(views[:, 0].tolist())
    assert seen == {0, 1, 2, 6, 7, 8}
    again = ClipDataset(clips.root, num_views=4).choose(39, data.objects)
    np.testing.assert_array_equal(again, views)


def test_a_loader_of_clips_with_workers_gives_the_same_batches(clips):
    data = ClipDataset(clips, num_views=3)
    for one, other in zip(data.loader(4, 0), data.loader(4, 2), strict=True):
        np.testing.assert_array_equal(one.images, other.images)
        np.testing.assert_array_equal(one.view_index, other.view_index)


@pytest.mark.usefixtures("unchecked")
def test_what_has_no_clips_is_named(clips, drawn_dataset):
    with pytest.raises(UsageError, match="has no clips, as its views are independent draws: render with --trajectory"):
        ClipDataset(drawn_dataset)
    with pytest.raises(UsageError, match=r"num_views=7: .* has clips of 6 views"):
        ClipDataset(clips, num_views=7)
