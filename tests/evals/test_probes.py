import pytest
import torch
from torch.nn import functional as F

from iebench.evals.probes import Probe, linear_probe, pair_probe
from iebench.evals.schedules import warmup_cosine


def test_linear_probe_learns_separable_classes_and_leaves_the_inputs_alone():
    torch.manual_seed(0)
    inputs = torch.randn(256, 8, requires_grad=True)
    labels = (inputs[:, 0] > 0).long()
    probe = Probe(linear_probe(8, 2), F.cross_entropy, lr=0.05)
    losses = [probe.step(inputs, labels).item() for _ in range(200)]
    assert losses[-1] < losses[0] / 3
    assert (probe.predict(inputs).argmax(1) == labels).float().mean() > 0.97
    assert inputs.grad is None


def test_pair_probe_reads_two_representations():
    assert pair_probe(3, 4, hidden=5)(torch.zeros(2, 6)).shape == (2, 4)


def test_a_probe_resumes_exactly():
    def train(probe, steps):
        for step in steps:
            generator = torch.Generator().manual_seed(step)
            inputs = torch.randn(16, 4, generator=generator)
            probe.step(inputs, inputs.sum(1, keepdim=True))
        return probe

    def fresh():
        torch.manual_seed(1)
        return Probe(linear_probe(4, 1), F.mse_loss, schedule=lambda step: 1 / (1 + step))

    whole = train(fresh(), range(10))
    half = train(fresh(), range(5))
    resumed = fresh()
    resumed.load_state_dict(half.state_dict())
    train(resumed, range(5, 10))
    assert torch.equal(resumed.head.weight, whole.head.weight)


def test_schedule_rises_then_falls_to_the_final_factor():
    assert warmup_cosine(0, 100, 10, 1e-3) == 0
    assert warmup_cosine(5, 100, 10, 1e-3) == 0.5
    assert warmup_cosine(10, 100, 10, 1e-3) == 1
    assert warmup_cosine(55, 100, 10, 1e-3) == pytest.approx(0.5005)
    assert warmup_cosine(100, 100, 10, 1e-3) == pytest.approx(1e-3)
