"""The prefetcher's state is that of the batches taken, whatever was fetched beside them."""

import pytest
import torch

from iebench import MultiViewDataset
from iebench.loader.batches import BatchLoader
from iebench.models.prefetch import Prefetcher

CPU = torch.device("cpu")


def make_loader(data: object) -> BatchLoader:
    return MultiViewDataset(data, seed=2, num_views=3).loader(5, 0, last="drop")


@pytest.mark.parametrize("taken", range(1, 8))
@pytest.mark.parametrize("is_ahead", [False, True])
def test_a_resume_gives_the_batches_that_were_not_taken(drawn_dataset: object, taken: int, is_ahead: bool) -> None:
    whole, first = Prefetcher(make_loader(drawn_dataset), CPU), Prefetcher(make_loader(drawn_dataset), CPU)
    expected = [whole.take() for _ in range(10)]
    for _ in range(taken):
        first.take()
    if is_ahead:
        first.fetch()
        first.fetch()  # at most one is ahead
    loader = make_loader(drawn_dataset)
    loader.load_state_dict(first.state_dict())
    second = Prefetcher(loader, CPU)
    assert second.state_dict() == first.state_dict()
    for views in expected[taken:]:
        assert all(torch.equal(field, other) for field, other in zip(second.take(), views, strict=True))


def test_the_loaders_workers_take_nothing_from_the_generator(drawn_dataset: object) -> None:
    before = torch.get_rng_state()
    batches = Prefetcher(make_loader(drawn_dataset), CPU)
    for _ in range(9):
        batches.take()
    assert torch.equal(torch.get_rng_state(), before)
