"""Finding the step at which a loss stopped being finite, without waiting for the device at every step."""

import math

import torch
from torch import Tensor

from iebench.errors import IebenchError


class FiniteCheck:
    """A check of losses for NaN and infinity that synchronises with the device only when `check` is called."""

    def __init__(self) -> None:
        self._steps: list[tuple[int, tuple[str, ...], Tensor]] = []

    def add(self, step: int, terms: dict[str, Tensor]) -> None:
        """Note a step's terms, and its `loss` among them."""
        self._steps.append((step, tuple(terms), torch.stack([term.detach().float() for term in terms.values()])))

    def check(self) -> None:
        """Look at the steps since the last call; this waits for the device.

        Raises:
            IebenchError: a loss is not finite; it names the first such step, and its first term that is not.
        """
        steps, self._steps = self._steps, []
        for step, names, values in steps:
            terms = dict(zip(names, values.tolist(), strict=True))
            if not math.isfinite(terms["loss"]):
                name = next(
                    (name for name, term in terms.items() if name != "loss" and not math.isfinite(term)), "loss"
                )
                raise IebenchError(
                    f"Step {step}: {name} is {terms[name]}; lower --learning-rate or take --precision 32, in another --out. The "
                    "checkpoint, where one was written before, is whole."
                )
