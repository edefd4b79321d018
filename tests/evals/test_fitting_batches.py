"""A network that does not fit in memory, and one that looks at the rest of a batch."""

import pytest
import torch
from torch import nn

from iebench.errors import IebenchError
from iebench.evals.fitting_batches import FittingBatches, same_alone


@pytest.mark.parametrize("error", [MemoryError, torch.OutOfMemoryError, RuntimeError])
def test_what_does_not_fit_is_halved_for_good_and_said(error, capsys):
    seen = []

    def represent(rows):
        seen.append(len(rows))
        if len(rows) > 5:
            raise error("DefaultCPUAllocator: can't allocate memory")
        return 2 * rows

    fitting, rows = FittingBatches(represent), torch.arange(16.0)
    for _ in range(2):
        assert torch.equal(fitting(rows), 2 * rows)
    assert seen == [16, 8, 4, 4, 4, 4, 4, 4, 4, 4]
    assert capsys.readouterr().err.splitlines() == [
        "A batch of 16 images does not fit in memory: goes on with 8 at a time.",
        "A batch of 8 images does not fit in memory: goes on with 4 at a time.",
    ]


def test_no_memory_for_one_image_and_other_errors_are_told():
    def fail(words):
        def represent(rows):
            raise RuntimeError(words)

        return FittingBatches(represent)

    with pytest.raises(IebenchError, match=r"single image: take a smaller --size"):
        fail("out of memory")(torch.zeros(4))
    with pytest.raises(RuntimeError, match="shapes do not match"):
        fail("shapes do not match")(torch.zeros(4))


def test_statistics_of_a_batch_and_draws_are_told_and_rounding_is_not():
    torch.manual_seed(0)
    images = torch.randint(0, 256, (32, 3, 8, 8), dtype=torch.uint8)
    network = nn.Sequential(nn.Flatten(), nn.Linear(192, 8), nn.BatchNorm1d(8))
    network[2].running_mean += 1
    for wrong in (
        lambda x: network(x.float()),
        lambda x: torch.randn(len(x), 4),
        lambda x: x.float().flatten(1)[:, : len(x)],
    ):
        with pytest.raises(IebenchError, match=r"something else of an image in another batch.*eval mode"):
            same_alone(wrong)(images)
    network.eval()
    for right in (
        lambda x: network(x.float()),
        lambda x: network(x.float()).bfloat16(),
        lambda x: torch.ones(len(x), 2),
    ):
        with torch.no_grad():
            assert len(same_alone(right)(images)) == 32


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_a_network_that_says_nearly_the_same_of_all_images_may_round(kind):
    """As untrained ones do, and collapsed ones: other sizes of batches are summed in another order."""
    steps = {torch.float32: 1e-6, torch.bfloat16: 2**-8}

    def represent(images):
        shares = 1 + steps[kind] * (torch.arange(len(images) * 4).view(-1, 4) * len(images) % 3 - 1)
        return (3 * shares).to(kind)

    assert len(same_alone(represent)(torch.zeros(8, 3, 4, 4))) == 8
