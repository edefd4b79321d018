"""Random draws of a method in its training steps, the same in all processes and after a resumption."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


class StepDraws(nn.Module):
    """A random generator for each training step: a pure function of a seed and the number of the step.

    Torch's own generator would not do: loaders draw from it when they start, so a resumed run would go on elsewhere, and a
    process that joins at a resumption would draw other numbers than the first. Seed and step lie in the checkpoint.
    """

    seed: Tensor
    step: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seed", torch.randint(2**62, ()))
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))
        self._known: tuple[int, int] | None = None  # on the host, so that no step waits for the device

    def take(self) -> torch.Generator:
        """The generator of the next step, on the CPU."""
        seed, step = self._known or (int(self.seed), int(self.step))
        self.step += 1
        self._known = seed, step + 1
        return torch.Generator().manual_seed(int(np.random.SeedSequence([seed, step]).generate_state(1)[0]))

    def _load_from_state_dict(self, *args: Any) -> None:
        super()._load_from_state_dict(*args)
        self._known = None
