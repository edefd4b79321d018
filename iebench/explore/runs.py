"""Runs in the explorer: what each makes of the dataset's views, written as data for the pages."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from iebench.evals.eval_dataset import open_eval_dataset
from iebench.evals.evaluator import Context
from iebench.evals.model import Model
from iebench.evals.predictor_analysis import PredictorAnalysis
from iebench.evals.settings import EvalSettings
from iebench.evals.suite import make_context
from iebench.explore.maps import make_maps
from iebench.explore.predictions import Candidates, ask_neighbours, ask_retrieval, ask_steering
from iebench.explore.questions import Questions
from iebench.explore.script_files import write_script
from iebench.explore.selection import Shown
from iebench.explore.voting import vote
from iebench.factors.space import ROTATION

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


@dataclass(frozen=True)
class Held:
    """The objects held out, in the order of the candidates."""

    values: Float[Tensor, "objects views width"]
    embeddings: Float[Tensor, "objects views e"] | None
    latents: Float[ndarray, "objects views factors"]


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
    held = hold_out(context, shown, questions)
    maps = write_map(context, shown, folder, key)
    write_script(folder, f"{key}-classes", classify(context, held))
    answers, kinds = answer(run.model, context, held, questions, device)
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
    rows = {split: _rows(found.objects, shown) for split, found in _splits(context).items()}
    places = np.concatenate([places for places, _ in rows.values()])
    values = np.concatenate(
        [
            _splits(context)[split].values[own].reshape(-1, context.train.values.shape[-1])
            for split, (_, own) in rows.items()
        ]
    )
    positions, maps = make_maps(values, context.model.parts)
    write_script(folder, f"{key}-map", {"places": places.astype("<u4"), **positions})
    return maps


def classify(context: Context, held: Held) -> dict[str, ndarray]:
    """The class of every view held out, by the votes of training views: "label" and "share" of the votes, in 255 steps."""
    train = context.train
    step = max(1, -(-train.num_objects * train.num_views // _MEMORY))
    memory = torch.from_numpy(np.array(train.values.reshape(-1, train.values.shape[-1])[::step], np.float32))
    labels = torch.from_numpy(np.repeat(train.labels, train.num_views)[::step])
    found, shares = vote(held.values.flatten(0, 1), memory, labels)
    return {"label": found.numpy().astype("<u4"), "share": (255 * shares).round().numpy().astype("u1")}


def answer(
    model: Model, context: Context, held: Held, questions: Questions, device: str
) -> tuple[dict[str, ndarray], dict[str, bool]]:
    """The answers to the questions, and which kinds of them there are."""
    rows = np.searchsorted(questions.candidates, questions.places)
    val = context.tests[""]
    if held.embeddings is None or model.predict is None or not set(ROTATION) <= set(val.space.names):
        return ask_neighbours(Candidates(held.values, held.values.shape[-1]), held.values, rows, questions), {
            "predicts": False,
            "steers": False,
        }
    analysis = PredictorAnalysis(model.predict, val, model.transform, device)
    analysis.move(held.embeddings[0], analysis.transform.identity(len(held.embeddings[0])))  # tells its width
    candidates = Candidates(held.embeddings, analysis.width)
    told = (analysis.move, analysis.transform, candidates, held.embeddings)
    answers = ask_neighbours(candidates, held.embeddings, rows, questions)
    answers |= ask_retrieval(*told, held.latents, rows, questions)
    steers = "rotation" in analysis.transform.parts
    if steers:
        steered = ask_steering(*told, np.searchsorted(questions.candidates, questions.steered_places), questions)
        answers |= {f"steered{name.capitalize()}": values for name, values in steered.items()}
    return answers, {"predicts": True, "steers": steers}


def hold_out(context: Context, shown: Shown, questions: Questions) -> Held:
    """The candidates' representations, embeddings and latents."""
    val = context.tests[""]
    rows = np.searchsorted(val.objects, shown.objects[questions.candidates])
    embeddings = None if val.embeddings is None else torch.from_numpy(np.array(val.embeddings[rows], np.float32))
    return Held(torch.from_numpy(np.array(val.values[rows], np.float32)), embeddings, val.latents[rows])


def _splits(context: Context) -> dict[str, Any]:
    return {"train": context.train, "val": context.tests[""]}


def _rows(objects: ndarray, shown: Shown) -> tuple[ndarray, ndarray]:
    """Places of the objects of a split that are shown, and the row of each in the split, whose objects ascend."""
    places = np.flatnonzero(np.isin(shown.objects, objects))
    return places, np.searchsorted(objects, shown.objects[places])
