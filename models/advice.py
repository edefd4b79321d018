"""Advice on settings that cannot work, in one sentence with the mend, before and early in a training."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from iebench.models.heads import parse_projector, parse_sizes
from iebench.models.method import Method
from iebench.models.settings import TrainerSettings

WIDEST = 8  # coordinates of the embedding for each pair of a batch; 2 as published, 32 was measured to collapse
LEAST_SPREAD, LEAST_RANK = 0.3, 3.0  # of a batch's embeddings, and of its representations
LEAST_BATCH = 16  # smaller ones have no rank to speak of


def advise(method: Method, trainer: TrainerSettings, steps_per_epoch: int, num_steps: int) -> list[str]:
    """What to change before the training begins, a sentence each."""
    told = [_advise_on_width(method, trainer.batch_size)]
    return [sentence for sentence in (*told, _advise_on_warm_up(trainer, steps_per_epoch, num_steps)) if sentence]


def advise_on_collapse(metrics: Mapping[str, float], batch_size: int) -> str:
    """What to say of collapse metrics after a tenth of the training; empty where all is well.

    Measured on iebench-mini after 200 steps: a spread of the embeddings of 0.11 for VICReg without its variance and covariance,
    and 0.73 to 0.91 for sie, vicreg and supervised as they are, with representations of an effective rank of 29 to 52.
    """
    spread, rank = metrics.get("spread/embedding", 1.0), metrics.get("rank/representation", torch.inf)
    if batch_size < LEAST_BATCH or not (spread < LEAST_SPREAD or rank < LEAST_RANK):
        return ""
    found = f"a spread of {spread:.2f}" if spread < LEAST_SPREAD else f"an effective rank of {rank:.1f}"
    what = "embeddings" if spread < LEAST_SPREAD else "representations"
    return (
        f"After a tenth of the training the {what} of a batch have {found}: they collapse; raise --variance-weight where "
        "there is one, or try a larger --batch-size or a lower --learning-rate."
    )


def effective_rank(vectors: Float[Tensor, "batch size"]) -> Float[Tensor, ""]:
    """RankMe (Garrido et al., ICML 2023): exp of the entropy of the singular values' shares; 1 for parallel vectors."""
    vectors = vectors.detach().float()
    if not vectors.isfinite().all():
        return torch.tensor(torch.nan)  # the loss will say so
    values = torch.linalg.svdvals(vectors)
    shares = values / values.sum().clamp(min=1e-12) + 1e-7
    return torch.exp(-(shares * shares.log()).sum())


def _advise_on_width(method: Method, batch_size: int) -> str:
    """Variance wants each of d coordinates to vary, covariance no two together; n views leave room for n - 1 directions."""
    batch_size = batch_size * max(method.num_views, 2) // 2  # all views are in the same statistics
    width = _covariance_width(method)
    if width <= WIDEST * batch_size:
        return ""
    *hidden, last = parse_sizes(getattr(method.settings, "projector", "1"))
    fitting = "-".join(map(str, (*hidden, max(last * 2 * batch_size // width, 1))))
    return (
        f"The embedding has {width} coordinates and a batch {batch_size} pairs: variance and covariance cannot both "
        f"become low, and the embedding shrinks to a point; take --projector {fitting}, or --batch-size {width // 2}."
    )


def _covariance_width(method: Method) -> int:
    """Coordinates of the embedding whose covariance is taken together; 0 where none is."""
    settings, stops = method.settings, [part.stop or 0 for part in method.embedding_parts.values()]
    if not (hasattr(settings, "covariance_weight") and hasattr(settings, "projector")):
        return 0
    if hasattr(settings, "equivariant_covariance_weight"):  # of each projector by itself
        return parse_projector(settings.projector)[-1]
    return max(stops, default=0)


def _advise_on_warm_up(trainer: TrainerSettings, steps_per_epoch: int, num_steps: int) -> str:
    warmup = trainer.count_warmup_steps(steps_per_epoch)
    if trainer.schedule != "cosine" or 2 * warmup <= num_steps:
        return ""
    return (
        f"The warm-up takes {warmup} of {num_steps} steps, so there is little time at {trainer.learning_rate:g}: "
        f"take fewer --warmup-{'steps' if trainer.warmup_steps else 'epochs'}, or train longer."
    )
