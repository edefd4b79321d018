"""Probes: heads trained on frozen representations, offline by the evaluation and online by the trainer."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

Loss = Callable[[Tensor, Tensor], Tensor]
Made = TypeVar("Made")


def seeded(build: Callable[[], Made], seed: int = 0) -> Made:
    """What a function makes when torch's generator starts from a seed; the generator is put back afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()


def linear_probe(in_dim: int, num_classes: int) -> nn.Module:
    """A linear classifier: (batch, in_dim) → logits (batch, num_classes)."""
    return nn.Linear(in_dim, num_classes)


def mlp_probe(in_dim: int, out_dim: int, hidden: int = 1024) -> nn.Module:
    """The regressor in_dim-hidden-hidden-out_dim with ReLU between."""
    return nn.Sequential(
        nn.Linear(in_dim, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, out_dim)
    )


def pair_probe(in_dim: int, out_dim: int, hidden: int = 1024) -> nn.Module:
    """The regressor from a pair's two representations, concatenated: (batch, 2·in_dim) → (batch, out_dim).

    Args:
        in_dim: Width of one representation.
        out_dim: Size of the target, 4 for a relative quaternion.
        hidden: Width of the two hidden layers.
    """
    return mlp_probe(2 * in_dim, out_dim, hidden)


class Probe:
    """A head with its loss and its Adam optimiser; gradients never reach the representations.

    Args:
        head: Module from (batch, width) to predictions.
        loss: Function of (predictions, targets) to a scalar.
        lr: Learning rate.
        schedule: Factor of the rate as a function of the step; constant when absent.
    """

    def __init__(self, head: nn.Module, loss: Loss, lr: float = 1e-3, schedule: Callable[[int], float] | None = None):
        self.head = head
        self.loss = loss
        self.optimizer = torch.optim.Adam(head.parameters(), lr=lr, fused=True)
        self._schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, schedule or (lambda _: 1.0))

    def step(self, inputs: Float[Tensor, "batch width"], targets: Tensor) -> Float[Tensor, ""]:
        """Take one step of training; returns the loss before it, detached."""
        self.head.train()
        with torch.enable_grad():
            loss = self.loss(self.head(inputs.detach().float()), targets)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
        self.optimizer.step()
        self._schedule.step()
        return loss.detach()

    @torch.no_grad()
    def predict(self, inputs: Float[Tensor, "batch width"]) -> Float[Tensor, "batch out"]:
        """The head's predictions in eval mode."""
        self.head.eval()
        return self.head(inputs.float())

    def parameters(self) -> Iterator[nn.Parameter]:
        """Those of the head."""
        return self.head.parameters()

    def state_dict(self) -> dict[str, Any]:
        """Head, optimiser and step, to go on from."""
        return {
            "head": self.head.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self._schedule.last_epoch,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self.head.load_state_dict(state["head"])
        self.optimizer.load_state_dict(state["optimizer"])
        self._schedule.last_epoch = state["step"]
