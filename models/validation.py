"""The online probes on held-out objects."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from lightning.fabric import Fabric
from torch import Tensor

from iebench.models.distributed import gather
from iebench.models.interruption import one_pass
from iebench.models.online_probes import Predictions, ProbedMethod


@torch.no_grad()
def validate(probed: ProbedMethod, loader: Any, fabric: Fabric) -> dict[str, float]:
    """What the probes score on one pass over the split val: `val/class_PART` (top-1) and `val/rotation_*`.

    Each object counts once, whichever process has seen it, and however often to fill its last batch.
    """
    probed.eval()
    predictions: list[Predictions] = []
    rest: list[tuple[Tensor, Tensor, Tensor]] = []
    loader.set_epoch(0)  # the same views each time
    for views in one_pass(loader):
        with fabric.autocast():
            predictions.append(_to_cpu(probed.probes(probed.represent_views(views))))
        rest.append((views.object_index.cpu(), views.label.cpu(), views.transforms.cpu()))
    probed.train()

    def collect(batches: Iterable[Tensor]) -> Tensor:
        return gather(torch.cat(list(batches)).to(fabric.device)).cpu()

    objects, label, transforms = (collect(column) for column in zip(*rest, strict=True))
    once = torch.from_numpy(np.unique(objects.numpy(), return_index=True)[1])
    joined = _join(predictions, lambda batches: collect(batches)[once])
    scores = probed.probes.scores(joined, label[once], transforms[once])
    return {f"val/{name}": score.item() for name, score in scores.items()}


def _to_cpu(predictions: Predictions) -> Predictions:
    logits = {name: values.float().cpu() for name, values in predictions.logits.items()}
    return Predictions(logits, None if predictions.rotation is None else predictions.rotation.float().cpu())


def _join(batches: list[Predictions], collect: Callable[[Iterable[Tensor]], Tensor]) -> Predictions:
    logits = {name: collect(batch.logits[name] for batch in batches) for name in batches[0].logits}
    rotations = [batch.rotation for batch in batches if batch.rotation is not None]
    return Predictions(logits, collect(rotations) if rotations else None)
