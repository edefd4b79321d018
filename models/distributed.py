"""Losses and batch statistics over the batches of all processes, exact in their gradients."""

from typing import Any

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, distributed, nn
from torch.nn import functional as F


def num_processes() -> int:
    """How many processes train together."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


class _Gather(torch.autograd.Function):
    """All processes' rows, and the gradient of one's own.

    Every process computes the same loss from the gathered batch, so the gradients that the processes would send each other for
    one's own slice are equal: their sum is the slice of one's own, times the number of processes.
    """

    @staticmethod
    def forward(ctx: Any, local: Tensor) -> Tensor:
        ctx.num_rows = len(local)
        batches = [torch.empty_like(local) for _ in range(num_processes())]
        distributed.all_gather(batches, local.contiguous())
        return torch.cat(batches)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        start = distributed.get_rank() * ctx.num_rows
        return gradients[0][start : start + ctx.num_rows] * num_processes()


def gather(local: Shaped[Tensor, " batch *rest"]) -> Shaped[Tensor, " global_batch *rest"]:
    """The batches of all processes, in the order of their ranks; with gradients.

    Every process must hold as many rows and derive the same loss from the result; averaging the parameters' gradients
    over the processes, as DistributedDataParallel does, then gives the gradient of that loss.
    """
    return _Gather.apply(local) if num_processes() > 1 else local  # type: ignore[no-untyped-call]


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(_ctx: Any, local: Tensor) -> Tensor:
        total = local.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(_ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        distributed.all_reduce(total)
        return total


class GlobalBatchNorm(nn.Module):
    """Batch norm over the batches of all processes, on any device; torch's SyncBatchNorm wants CUDA.

    Takes the place of `norm` and shares its parameters and buffers, under the same names.
    """

    weight: Tensor | None
    bias: Tensor | None
    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, norm: nn.modules.batchnorm._BatchNorm) -> None:
        super().__init__()
        self.epsilon, self.momentum = norm.eps, norm.momentum
        self.register_parameter("weight", norm.weight)  # None where it is not affine
        self.register_parameter("bias", norm.bias)
        for name, buffer in norm.named_buffers():
            self.register_buffer(name, buffer)

    def forward(self, x: Float[Tensor, "batch channels *rest"]) -> Float[Tensor, "batch channels *rest"]:
        """The normalised maps, by the statistics of the global batch in training and the running ones in eval mode."""
        if not self.training:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.epsilon)
        count = x.numel() // x.shape[1] * num_processes()
        dims = [0, *range(2, x.ndim)]
        mean = _Sum.apply(x.float().sum(dims) if x.dtype.itemsize < 4 else x.sum(dims)) / count  # type: ignore[no-untyped-call]
        centred = x - _per_channel(mean, x)
        variance = _Sum.apply(centred.square().sum(dims)) / count  # type: ignore[no-untyped-call]
        self._track(mean.detach(), variance.detach() * count / (count - 1))
        scale = torch.rsqrt(variance + self.epsilon)
        normalised = centred * _per_channel(scale if self.weight is None else self.weight * scale, x)
        return (normalised if self.bias is None else normalised + _per_channel(self.bias, x)).to(x.dtype)

    def _track(self, mean: Tensor, variance: Tensor) -> None:
        self.num_batches_tracked += 1
        # torch's: without a momentum, the mean of all batches
        weight = 1 / self.num_batches_tracked.item() if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, weight)
        self.running_var.lerp_(variance, weight)


def _per_channel(values: Tensor, like: Tensor) -> Tensor:
    return values.view(1, -1, *[1] * (like.ndim - 2))


def synchronise_batch_norm(module: nn.Module, device: torch.device) -> nn.Module:
    """Make every batch norm of a module take its statistics over all processes; alone, leaves it as it is."""
    if num_processes() == 1:
        return module
    if device.type == "cuda":
        return nn.SyncBatchNorm.convert_sync_batchnorm(module)
    for name, child in list(module.named_modules()):
        if isinstance(child, nn.modules.batchnorm._BatchNorm):
            module.set_submodule(name, GlobalBatchNorm(child))
    return module


def mean_over_processes(values: dict[str, Tensor]) -> dict[str, Tensor]:
    """The mean of each scalar over all processes, which must hold the same names in the same order."""
    if num_processes() == 1 or not values:
        return values
    means = torch.stack(list(values.values()))
    distributed.all_reduce(means)
    return dict(zip(values, means / num_processes(), strict=True))
