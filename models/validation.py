"""The online probes on held-out objects."""

from typing import Any

import torch
from lightning.fabric import Fabric
from torch import Tensor

from iebench.models.distributed import mean_over_processes
from iebench.models.interruption import one_pass
from iebench.models.online import Predictions, Watched, probe_scores


@torch.no_grad()
def validate(watched: Watched, loader: Any, fabric: Fabric) -> dict[str, float]:
    """What the probes score on one pass over the split val: `val/class_PART` (top-1) and `val/rotation_*`."""
    watched.eval()
    logits: list[dict[str, Tensor]] = []
    rest: list[tuple[Tensor, Tensor, Tensor]] = []
    loader.set_epoch(0)  # the same pairs each time
    for pair in one_pass(loader):
        with fabric.autocast():
            views = [watched.method.represent(watched.method.normalise(view)) for view in (pair.source, pair.target)]
            predictions = watched.probes(*views)
        logits.append({name: values.float().cpu() for name, values in predictions.logits.items()})
        rest.append((predictions.rotation.float().cpu(), pair.label.cpu(), pair.transform.cpu()))
    watched.train()
    rotation, label, transform = (torch.cat(column) for column in zip(*rest, strict=True))
    whole = Predictions({name: torch.cat([batch[name] for batch in logits]) for name in logits[0]}, rotation)
    scores = {f"val/{name}": score for name, score in probe_scores(whole, label, transform).items()}
    return {name: score.item() for name, score in mean_over_processes(scores, fabric.device).items()}
