"""Runs in the explorer: what each makes of the dataset's views, written as data for the pages."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from numpy import ndarray
from torch import Tensor

from iebench.evals.eval_dataset import open_eval_dataset
from iebench.evals.evaluator import Context
from iebench.evals.model import Model
from iebench.evals.neighbors import Neighbors
from iebench.evals.predictor_analysis import PredictorAnalysis
from iebench.evals.settings import EvalSettings
from iebench.evals.suite import make_context
from iebench.evals.tasks.knn import NearestNeighbors
from iebench.evals.tasks.predictor import Predictor
from iebench.explore.maps import make_maps
from iebench.explore.predictions import Answers
from iebench.explore.questions import Questions
from iebench.explore.script_files import write_script
from iebench.explore.selection import Shown

_MEMORY = 20_000  # training views that vote


@dataclass(frozen=True)
class ExploredRun:
    """A run, or any network, for the explorer.

    Attributes:
        name: by which the pages call it.
        model: as the evaluation sees it.
        location: its folder, as the pages shall name it in Python; empty for none.
        method: its method.
        size: side in pixels of its images; those of the dataset when absent.
        cache: folder in which its representations are kept; in memory when absent.
    """

    name: str
    model: Model
    location: str = ""
    method: str = ""
    size: int | None = None
    cache: Path | None = None


def write_run(
    run: ExploredRun,
    key: str,
    shown: Shown,
    questions: Questions,
    folder: Path,
    device: str = "cpu",
    num_workers: int = 0,
) -> dict[str, Any]:
    """Write `KEY-map.js`, `KEY-classes.js` and `KEY-answers.js`, and tell what is in them.

    Raises:
        UsageError: the dataset lacks the split train or val, or the run does not fit it.
        IebenchError: representations are no finite matrix, or the dataset is damaged.
    """
    opened = open_eval_dataset(shown.dataset, run.size, num_workers)
    context = make_context(run.model, opened, None, EvalSettings(device=device, cache=run.cache))
    held = np.searchsorted(context.tests[""].objects, shown.objects[questions.candidates])
    maps = write_map(context, shown, folder, key)
    write_script(folder, f"{key}-classes", classify(context, held))
    answers, kinds = answer(context, held, questions)
    write_script(folder, f"{key}-answers", answers)
    return {
        "name": run.name,
        "key": key,
        "location": run.location,
        "size": run.size,
        "transform": run.model.transform,
        "embedsImages": run.model.embeds_images,
        "maps": maps,
        **kinds,
    }


def write_map(context: Context, shown: Shown, folder: Path, key: str) -> list[dict[str, Any]]:
    """Write positions of all views of train and val that are shown, and tell of which maps."""
    places, values = [], []
    for found in (context.train, context.tests[""]):
        own = np.flatnonzero(np.isin(shown.objects, found.objects))
        rows = np.searchsorted(found.objects, shown.objects[own])  # objects of a split ascend
        places.append(own)
        values.append(found.values[rows].reshape(-1, found.values.shape[-1]))
    positions, maps = make_maps(np.concatenate(values), context.model.parts)
    write_script(folder, f"{key}-map", {"places": np.concatenate(places).astype("<u4"), **positions})
    return maps


def classify(context: Context, held: Int[ndarray, " candidates"]) -> dict[str, ndarray]:
    """The class of every candidate view by the votes of training views: "label", and "share" of the votes in 255 steps.

    No probe is trained, so that what two runs confuse is theirs alone.
    """
    knn, val = NearestNeighbors(), context.tests[""]
    neighbors = Neighbors(context.train.thin(_MEMORY), knn.k, knn.temperature, context.settings.device)
    votes = neighbors.vote(val.values[held].reshape(-1, val.values.shape[-1]))
    shares = votes.max(axis=1) / votes.sum(axis=1)
    return {"label": votes.argmax(axis=1).astype("<u4"), "share": (255 * shares).round().astype("u1")}


def answer(
    context: Context, held: Int[ndarray, " candidates"], questions: Questions
) -> tuple[dict[str, ndarray], dict[str, bool]]:
    """The answers to the questions, and which kinds of them there are; `held` are the candidates' rows in val."""
    val, model = context.tests[""], context.model
    if not Predictor.needs.are_met_by(context):
        answers = Answers(questions, _tensor(val.values[held]), val.values.shape[-1])
        return answers.neighbours(), {"predicts": False, "steers": False}
    assert model.predict is not None and val.embeddings is not None
    analysis = PredictorAnalysis(model.predict, val, model.transform, context.settings.device)
    move, transform, embeddings = analysis.move, analysis.transform, _tensor(val.embeddings[held])
    move(embeddings[0], transform.identity(val.num_views))  # tells the width of predictions
    answers = Answers(questions, embeddings, analysis.width)
    found = {**answers.neighbours(), **answers.retrieval(move, transform, val.latents[held])}
    if steers := "rotation" in transform.parts:
        found |= answers.steering(move, transform)
    return found, {"predicts": True, "steers": steers}


def _tensor(values: ndarray) -> Tensor:
    return torch.from_numpy(np.array(values, np.float32))
