"""The online probes on held-out objects."""

from typing import Any

import torch
from lightning.fabric import Fabric
from torch import Tensor

from iebench.models.distributed import mean_over_processes
from iebench.models.interruption import one_pass
from iebench.models.online_probes import Predictions, ProbedMethod


@torch.no_grad()
def validate(probed: ProbedMethod, loader: Any, fabric: Fabric) -> dict[str, float]:
    """What the probes score on one pass over the split val: `val/class_PART` (top-1) and `val/rotation_*`."""
    probed.eval()
    predictions: list[Predictions] = []
    rest: list[tuple[Tensor, Tensor]] = []
    loader.set_epoch(0)  # the same views each time
    for views in one_pass(loader):
        with fabric.autocast():
            predictions.append(_to_cpu(probed.probes(probed.represent_views(views))))
        rest.append((views.label.cpu(), views.transforms.cpu()))
    probed.train()
    label, transforms = (torch.cat(column) for column in zip(*rest, strict=True))
    scores = probed.probes.scores(_join(predictions), label, transforms)
    means = mean_over_processes({f"val/{name}": score for name, score in scores.items()}, fabric.device)
    return {name: score.item() for name, score in means.items()}


def _to_cpu(predictions: Predictions) -> Predictions:
    logits = {name: values.float().cpu() for name, values in predictions.logits.items()}
    return Predictions(logits, None if predictions.rotation is None else predictions.rotation.float().cpu())


def _join(batches: list[Predictions]) -> Predictions:
    logits = {name: torch.cat([batch.logits[name] for batch in batches]) for name in batches[0].logits}
    rotations = [batch.rotation for batch in batches if batch.rotation is not None]
    return Predictions(logits, torch.cat(rotations) if rotations else None)
