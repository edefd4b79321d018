"""Commands at work without Blender and without a network, for tests of what disturbs them."""

from pathlib import Path

import numpy as np
import torch

from iebench.dataset.appearance import Lost, write_sample
from iebench.dataset.shards import pack_sample
from iebench.dataset.writer import Failure
from iebench.evals.model import Model
from iebench.models.evaluation import evaluate
from iebench.render.engines import Outcome
from iebench.render.plan import plan_job
from iebench.render.request import RenderRequest
from iebench.render.worker import encode_view

JPEG = encode_view(np.zeros((16, 16, 3), np.uint8))


def small_job(**options):
    """Two shards of two mugs each, of one view."""
    settings = {"classes": "mug", "objects_per_class": 4, "views": 1, "size": 16, "objects_per_shard": 2}
    return plan_job(RenderRequest(**settings, **options))


def draw(tasks, meanwhile=lambda number: None, fails=(), blender="none"):
    """An engine that draws instead of rendering; one object has lost a texture, and those that are named fail."""
    for number, task in enumerate(tasks):
        meanwhile(number)
        name = (task.synset, task.object_id)
        failure = Failure(*name, "odd", 1, "what was printed") if name in fails else None
        if failure is None:
            sample = pack_sample(*name, task.label, [JPEG] * len(task.latents), np.array(task.latents))
            write_sample(Path(task.out), sample, [Lost("texture", "a.png")] if name[1].endswith("1") else [])
        yield Outcome(task, failure, {"blender": blender})


def mean_colors(images):
    """2 x 2 pixels of the mean color, as a representation."""
    return torch.nn.functional.adaptive_avg_pool2d(images.float().mean(dim=1), 2).flatten(1)


def score(data, out, tasks="classification"):
    """Evaluate `mean_colors` quickly, with its representations kept."""
    settings = {"tasks": tasks, "epochs": 1, "baselines": "none", "num_workers": 0}
    evaluate(Model(mean_colors, key="means"), data, **settings, out=out)
    return out
