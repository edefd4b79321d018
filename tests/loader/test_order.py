"""The order of reading: complete, without repetition, different each epoch, and exact to resume."""

import itertools

import numpy as np
import pytest

from iebench.errors import UsageError
from iebench.loader.order import Plan, choose_views, count_batches, order_items, plan_batches

PLANS = [
    Plan(items, batch, ranks, seed, last=last)
    for items, batch, ranks, seed, last in itertools.product(
        (1, 2, 7, 64, 101), (1, 3, 8, 32), (1, 2, 3, 5), range(12), ("keep", "drop", "pad")
    )
    if last != "drop" or items >= batch * ranks
]


def read_epoch(plan, epoch, read=0):
    """The batches of all ranks from a position on, as a list of steps of lists."""
    ranks = [[batch.tolist() for batch in plan_batches(plan, rank, epoch, read)] for rank in range(plan.num_ranks)]
    return list(itertools.zip_longest(*ranks, fillvalue=[]))


def join(steps):
    return [item for step in steps for batch in step for item in batch]


def test_the_sweep_has_at_least_two_thousand_plans():
    assert len(PLANS) >= 2000


@pytest.mark.slow
def test_sweep_every_item_once_in_an_epoch_and_padding_only_as_asked():
    for epoch, plan in enumerate(PLANS):
        steps = read_epoch(plan, epoch)
        counts = np.bincount(join(steps), minlength=plan.num_items)
        if plan.last == "keep":
            assert (counts == 1).all()
        elif plan.last == "drop":
            assert counts.max() == 1 and plan.num_items - counts.sum() < plan.step_size
        else:
            assert counts.min() >= 1 and counts.sum() - plan.num_items < plan.num_ranks
            assert all(len(set(map(len, step))) == 1 for step in steps)
        for rank in range(plan.num_ranks):
            assert count_batches(plan, rank) == sum(len(step[rank]) > 0 for step in steps)


@pytest.mark.slow
def test_sweep_resumption_is_exact_also_with_other_ranks_and_batch_sizes():
    for epoch, plan in enumerate(PLANS):
        steps = read_epoch(plan, epoch)
        reads = list(itertools.accumulate(steps, lambda read, _, plan=plan: plan.advance(read), initial=0))
        assert reads[-1] == 0 and all(reads[1:-1])
        for done in {1, len(steps) // 2, len(steps) - 1} & set(range(1, len(steps))):
            assert read_epoch(plan, epoch, reads[done]) == steps[done:]
            other = Plan(plan.num_items, plan.batch_size + 1, plan.num_ranks % 3 + 1, plan.seed)
            already = set(join(steps[:done]))
            assert sorted(join(read_epoch(other, epoch, reads[done]))) == sorted(set(range(plan.num_items)) - already)


def test_no_two_epochs_and_no_two_seeds_are_alike():
    orders = {tuple(order_items(Plan(50, 1, seed=seed), epoch)) for seed in range(20) for epoch in range(50)}
    assert len(orders) == 1000


def test_unshuffled_items_come_in_order():
    assert np.concatenate(list(plan_batches(Plan(10, 4, shuffle=False), 0, 3))).tolist() == list(range(10))


def test_order_is_the_same_on_every_machine_for_ever():
    assert order_items(Plan(8, 1, seed=3), 2).tolist() == [1, 7, 0, 2, 6, 5, 4, 3]
    assert choose_views(3, 2, np.arange(4), 50).tolist() == [[3, 13], [13, 1], [25, 27], [17, 5]]


def test_every_ordered_choice_of_views_is_equally_likely():
    chosen = choose_views(0, 0, np.arange(60_000), 5, 3)
    assert (np.sort(chosen)[:, 1:] != np.sort(chosen)[:, :-1]).all()
    counts = np.unique(chosen @ [25, 5, 1], return_counts=True)[1]
    assert len(counts) == 60
    chi2 = ((counts - 1000) ** 2 / 1000).sum()
    assert chi2 < 105  # 59 degrees of freedom, p = 0.0002


def test_views_of_an_object_depend_on_epoch_and_seed_and_not_on_its_neighbours():
    objects = np.arange(500)
    first = choose_views(0, 0, objects, 50)
    np.testing.assert_array_equal(first[[7, 3]], choose_views(0, 0, np.array([7, 3]), 50))
    for other in (choose_views(0, 1, objects, 50), choose_views(1, 0, objects, 50)):
        assert (first == other).all(axis=1).mean() < 0.01


def test_impossible_plans_are_refused():
    with pytest.raises(UsageError, match="do not fill one batch"):
        Plan(10, 8, 2, last="drop")
    with pytest.raises(UsageError, match="num_items=0"):
        Plan(0, 8)
    with pytest.raises(UsageError, match="3 different views"):
        choose_views(0, 0, np.arange(2), 2, 3)
