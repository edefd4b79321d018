"""Images that are kept decoded give the very batches that are decoded as they come."""

from itertools import islice

import numpy as np
import pytest
import torch

from iebench import MultiViewDataset
from iebench.errors import UsageError
from iebench.loader import resident
from iebench.loader.resident import ResidentViews


def assert_same(first, second):
    for views, others in zip(first, second, strict=True):
        for field, other in zip(views, others, strict=True):
            assert torch.equal(field, other) and field.stride() == other.stride() and field.dtype == other.dtype


@pytest.mark.parametrize(("num_views", "anchor", "size"), [(1, "first", None), (2, "previous", 20), (3, "all", None)])
def test_batches_are_those_of_the_streamed_loader(drawn_dataset, num_views, anchor, size):
    settings = {"seed": 7, "size": size, "num_views": num_views, "anchor": anchor}
    streamed = MultiViewDataset(drawn_dataset, **settings).loader(5, 0, last="keep")
    kept = ResidentViews(drawn_dataset, **settings).loader(5, 0, last="keep")
    for _ in range(3):  # epochs
        assert_same(list(kept), list(streamed))


@pytest.mark.parametrize("split", ["val", "all"])
def test_items_are_those_of_the_split(drawn_dataset, split):
    streamed, kept = (kind(drawn_dataset, split) for kind in (MultiViewDataset, ResidentViews))
    items = np.arange(len(kept))[::-1].copy()
    assert_same([kept.read_batch(items, 4)], [streamed.read_batch(items, 4)])
    assert_same(kept, streamed)


@pytest.mark.parametrize("from_resident", [False, True])
def test_a_position_is_one_for_both(drawn_dataset, from_resident):
    kinds = (ResidentViews, MultiViewDataset) if from_resident else (MultiViewDataset, ResidentViews)
    before, after = (kind(drawn_dataset, seed=1).loader(3, 0) for kind in kinds)
    batches = iter(before)
    list(islice(batches, 2))
    after.load_state_dict(before.state_dict())
    assert_same(list(after), list(batches))


def test_two_ranks_read_what_two_ranks_stream(drawn_dataset):
    for rank in (0, 1):
        streamed, kept = (
            kind(drawn_dataset).loader(3, 0, rank=rank, num_ranks=2, last="drop")
            for kind in (MultiViewDataset, ResidentViews)
        )
        assert_same(list(kept), list(streamed))


def test_nothing_is_decoded_after_the_first_time(drawn_dataset, monkeypatch):
    kept = ResidentViews(drawn_dataset)
    monkeypatch.setattr(kept._decoder, "decode_views", None)
    assert len(list(kept.loader(4, 0))) == 4


def test_the_bytes_are_said_before_and_where_they_do_not_fit(drawn_dataset, monkeypatch, capsys):
    ResidentViews(drawn_dataset)
    assert "Keeping 60 decoded images in memory, 0.2 MB." in capsys.readouterr().err
    monkeypatch.setattr(resident, "free_memory", lambda: 300_000)
    with pytest.raises(UsageError, match=r"take 0\.2 MB in each of 2 processes, and of 0\.3 MB .* smaller --size"):
        ResidentViews(drawn_dataset, copies=2)
    ResidentViews(drawn_dataset)


def test_images_stay_on_the_device_where_they_fit(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (10_000_000, 80_000_000))
    device = torch.device("cuda:1")
    assert resident.choose_device(7_000_000, device, copies=8) == device
    assert resident.choose_device(8_000_000, device) == torch.device("cpu")
