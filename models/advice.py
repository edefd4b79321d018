"""Advice on settings that cannot work, in one sentence with the mend, before and early in a training."""

import torch
from jaxtyping import Float
from torch import Tensor

from iebench.models.heads import parse_sizes
from iebench.models.method import Method
from iebench.models.settings import MethodSettings, TrainerSettings

WIDEST = 8  # coordinates of the embedding for each pair of a batch; 2 as published, 32 was measured to collapse
LEAST_RANK = 3.0  # of the representations of a batch


def advise(method: Method, trainer: TrainerSettings, steps_per_epoch: int, num_steps: int) -> list[str]:
    """What to change before the training begins, a sentence each."""
    told = [_advise_on_width(method.settings, method.embedding_parts, trainer.batch_size)]
    return [sentence for sentence in (*told, _advise_on_warm_up(trainer, steps_per_epoch, num_steps)) if sentence]


def advise_on_rank(rank: float, batch_size: int) -> str:
    """What to say of the effective rank of a batch's representations after a tenth of the training; empty where all is well."""
    if rank >= LEAST_RANK:
        return ""
    return (
        f"After a tenth of the training the representations of {batch_size} objects have an effective rank of {rank:.1f}: they "
        "collapse; try a narrower embedding, a larger --batch-size or a lower --learning-rate."
    )


def effective_rank(vectors: Float[Tensor, "batch size"]) -> Float[Tensor, ""]:
    """RankMe (Garrido et al., ICML 2023): exp of the entropy of the singular values' shares; 1 for parallel vectors."""
    values = torch.linalg.svdvals(vectors.detach().float())
    shares = values / values.sum().clamp(min=1e-12) + 1e-7
    return torch.exp(-(shares * shares.log()).sum())


def _advise_on_width(settings: MethodSettings, parts: dict[str, slice], batch_size: int) -> str:
    """Variance wants each of d coordinates to vary, covariance no two together; n pairs leave room for n - 1 directions."""
    width = max((part.stop for part in parts.values()), default=0)
    if not hasattr(settings, "covariance_weight") or width <= WIDEST * batch_size:
        return ""
    *hidden, last = parse_sizes(settings.projector)  # type: ignore[attr-defined]
    fitting = "-".join(map(str, (*hidden, max(last * 2 * batch_size // width, 1))))
    return (
        f"The embedding has {width} coordinates and a batch {batch_size} pairs: variance and covariance cannot both "
        f"become low, and the embedding shrinks to a point; take --projector {fitting}, or --batch-size {width // 2}."
    )


def _advise_on_warm_up(trainer: TrainerSettings, steps_per_epoch: int, num_steps: int) -> str:
    warmup = trainer.warmup_epochs * steps_per_epoch
    if trainer.schedule != "cosine" or 2 * warmup <= num_steps:
        return ""
    return (
        f"The warm-up takes {warmup} of {num_steps} steps, so there is little time at {trainer.learning_rate:g}: "
        "take fewer --warmup-epochs, or train longer."
    )
