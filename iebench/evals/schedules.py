"""Schedules of the learning rate, of probes and of methods."""

import math


def warmup_cosine(
    step: int,
    num_steps: int,
    warmup_steps: int,
    final: float = 0.0,
    *,
    peak: float = 1.0,
    start: float = 0.0,
    ahead: int = 0,
) -> float:
    """The rate of a step: a linear rise from `start` to `peak`, then half a cosine down to `final · peak`.

    Args:
        step: which step, from 0.
        num_steps: of the whole training.
        warmup_steps: of the rise.
        final: share of the peak at the end.
        peak: the highest rate; 1 gives a factor.
        start: the rate that the rise begins with.
        ahead: 1 where the rise has gone one step at step 0 already, so that the first step is not without effect.
    """
    if step < warmup_steps:
        return start + (peak - start) * (step + ahead) / warmup_steps
    progress = (step - warmup_steps) / max(1, num_steps - warmup_steps)
    cosine = 0.5 * (1 + math.cos(math.pi * progress))
    return peak * (cosine + final * (1 - cosine))
