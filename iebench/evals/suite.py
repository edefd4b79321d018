"""The evaluation: a model and a dataset in, all scores with their baselines out."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from iebench.dataset.reader import Dataset
from iebench.errors import UsageError
from iebench.evals.baselines import ground_truth_context, score_baseline, score_constants, settings_of_baselines
from iebench.evals.eval_dataset import EvalDataset, open_eval_dataset
from iebench.evals.evaluator import Context, Detail, Evaluator, Score
from iebench.evals.fitting_batches import same_alone
from iebench.evals.model import Model, Represent
from iebench.evals.ood import open_ood
from iebench.evals.registry import find_evaluators
from iebench.evals.representations import Representations, cache_key, extract
from iebench.evals.results import Results, ScoreBook
from iebench.evals.settings import CONSTANT, GROUND_TRUTH, RANDOM_INIT, EvalSettings
from iebench.evals.torch_state import torch_as_usual
from iebench.version import __version__

OOD = "ood/"
Tasks = str | Sequence[str | Evaluator | type[Evaluator]]


@dataclass(frozen=True)
class Suite:
    """One evaluation: its data, its model, and the evaluators that can say something about both.

    Attributes:
        dataset: with the splits "train" and "val".
        ood: a dataset of another factor space, on which the same probes are scored.
        context: what evaluators work on.
        evaluators: the chosen ones.
    """

    dataset: EvalDataset
    ood: EvalDataset | None
    context: Context
    evaluators: tuple[Evaluator, ...]

    @property
    def able(self) -> tuple[Evaluator, ...]:
        """The evaluators whose needs are met."""
        return tuple(evaluator for evaluator in self.evaluators if evaluator.needs.are_met_by(self.context))

    def run(self, name: str, untrained: Represent | None = None) -> Results:
        """Take all scores; `untrained` is the same network at random init."""
        if not self.able:
            asked = ", ".join(evaluator.name for evaluator in self.evaluators) or "no task"
            raise UsageError(f"There is nothing to score: neither dataset nor model has what {asked} needs.")
        scores, details = ScoreBook(), dict[str, Any]()
        for evaluator in self.able:
            for found in evaluator.run(self.context):
                if isinstance(found, Score):
                    scores.add(found)
                elif isinstance(found, Detail):
                    details[found.key] = found.value
                else:
                    raise UsageError(
                        f"{evaluator.name} yields a {type(found).__name__}: let it yield Score and Detail."
                    )
        return Results(
            name=name,
            method="backbone",
            training={},
            **describe_basis(self.context.model, self.dataset, self.context.settings, self.ood),
            parts={part: [*_range(columns, self.context.train)] for part, columns in self.context.model.parts.items()},
            scores=scores,
            baselines=self.baselines(untrained),
            details=details,
            columns=tuple(column for evaluator in self.able for column in evaluator.columns),
            figures=tuple(figure for evaluator in self.able for figure in evaluator.figures),
        )

    def baselines(self, untrained: Represent | None = None) -> dict[str, ScoreBook]:
        """The scores of the chosen baselines; of random init where there is an untrained network."""
        chosen, books = self.context.settings.baselines, {}
        if CONSTANT in chosen:
            books[CONSTANT] = score_constants(self.evaluators, self.context)
        if GROUND_TRUTH in chosen:
            books[GROUND_TRUTH] = score_baseline(GROUND_TRUTH, self.evaluators, ground_truth_context(self.context))
        if RANDOM_INIT in chosen and untrained is not None:
            books[RANDOM_INIT] = score_baseline(RANDOM_INIT, self.evaluators, self._untrained_context(untrained))
        return books

    def _untrained_context(self, untrained: Represent) -> Context:
        """The views of the dataset as the untrained network represents them."""
        settings, model = settings_of_baselines(self.context.settings), Model(untrained)
        return make_context(model, self.dataset, None, settings)


def describe_basis(
    model: Model, dataset: EvalDataset, settings: EvalSettings, ood: EvalDataset | None = None
) -> dict[str, dict[str, Any]]:
    """What all scores of one evaluation have in common: `data`, `protocol` and `versions` of its results."""
    others = {"ood": {**ood.card, "identity": ood.identity}} if ood is not None else {}
    return {
        "data": {**dataset.card, "identity": dataset.identity, **others},
        "protocol": {**settings.protocol(), "weights": model.key},
        "versions": _versions(),
    }


def open_suite(
    model: Model | Represent,
    dataset: EvalDataset | Dataset | str | Path,
    tasks: Tasks = "all",
    settings: EvalSettings | None = None,
    ood: EvalDataset | Dataset | str | Path | None = None,
) -> Suite:
    """Compute, or read from the cache, all representations that an evaluation needs.

    Args:
        model: a function from uint8 images (batch, 3, height, width) to representations (batch, width), or a `Model` that has
            parts, embeddings or a predictor.
        dataset: a folder, or anything that is an `EvalDataset`; needs the splits "train" and "val".
        tasks: "all", or names of evaluators; those whose needs dataset or model do not meet are left out.
        settings: how the scores are taken.
        ood: a dataset of another factor space, on whose objects outside "train" the same probes are scored.

    Raises:
        UsageError: an unknown task or baseline, a dataset without the splits, or no object of `ood` outside "train".
        IebenchError: a representation that is no finite matrix.
    """
    evaluators, settings = find_evaluators(tasks), settings or EvalSettings()
    model = model if isinstance(model, Model) else Model(model)
    opened = open_eval_dataset(dataset)
    other = None if ood is None else open_ood(open_eval_dataset(ood), opened)
    return Suite(opened, other, make_context(model, opened, other, settings), evaluators)


@torch_as_usual()
def run_suite(
    model: Model | Represent,
    dataset: EvalDataset | Dataset | str | Path,
    tasks: Tasks = "all",
    settings: EvalSettings | None = None,
    ood: EvalDataset | Dataset | str | Path | None = None,
    untrained: Represent | None = None,
    name: str = "representation",
) -> Results:
    """Score a model on a dataset: see `open_suite` for the arguments and errors, and `Suite.run` for `untrained`."""
    return open_suite(model, dataset, tasks, settings, ood).run(name, untrained)


def make_context(model: Model, dataset: EvalDataset, ood: EvalDataset | None, settings: EvalSettings) -> Context:
    """The representations of train, val and the whole of `ood`, as `open_ood` gives it, each image seen once."""
    train, val = (represent_split(model, dataset, split, settings) for split in ("train", "val"))
    further = {} if ood is None else {OOD: represent_split(model, ood, "all", settings)}
    _check_parts(model, train.values.shape[-1])
    return Context(train, {"": val, **further}, model, settings)


def _check_parts(model: Model, width: int) -> None:
    for name, columns in model.parts.items():
        if name == "whole" or "/" in name:
            raise UsageError(
                f"A part is named {name!r}: give it another name, without /, as scores bear it in their keys."
            )
        is_range = isinstance(columns, slice) and columns.step in (None, 1)
        if not is_range or not len(range(width)[columns]) or (columns.stop or width) > width:
            raise UsageError(
                f"The part {name!r} is {columns}: give a slice of the {width} columns of the representation."
            )


def represent_split(model: Model, dataset: EvalDataset, split: str, settings: EvalSettings) -> Representations:
    """Representations and embeddings of a split ("train", "val", "all"), from the cache where they are in it."""
    folder = None
    if settings.cache is not None and model.key:
        folder = settings.cache / cache_key(model.key, dataset, {"dtype": settings.dtype}, settings.batch_size)
    return extract(
        same_alone(model.represent),
        dataset,
        split,
        model.embed,
        model.embeds_images,
        folder,
        settings.dtype,
        settings.device,
        settings.batch_size,
    )


def _range(columns: slice, representations: Representations) -> tuple[int, int]:
    """First column of a part, and the one after its last."""
    start, stop, _ = columns.indices(representations.values.shape[-1])
    return start, stop


def _versions() -> dict[str, str]:
    return {
        "iebench": __version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
