"""Recipes: with which settings a method is trained on a benchmark, where they come from, what they cost and what to expect.

`--recipe NAME` fills the options of `iebench train` that are not given. Costs and scores are those of docs/results.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from iebench.errors import UsageError, find_named, suggest
from iebench.models.registry import find_method
from iebench.models.settings import MethodSettings, TrainerSettings, list_settings

DEFAULT = "published"


@dataclass(frozen=True)
class Recipe:
    """Settings of the trainer and of methods for one benchmark.

    Attributes:
        benchmark: the dataset that it is for, as cards name it.
        source: where the settings come from; here and in the cost {paper}, {epochs} and {batch} are the method's own.
        cost: of a run.
        expect: its scores.
        trainer: fields of `TrainerSettings`.
        every_method: fields of a method's settings, for each method that has them.
        methods: further fields of either by the method's name.
        is_general: whether it is for methods that it does not name, too.
    """

    benchmark: str
    source: str
    cost: str
    expect: str
    trainer: Mapping[str, Any] = field(default_factory=dict)
    every_method: Mapping[str, Any] = field(default_factory=dict)
    methods: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    is_general: bool = True


_WIDE, _SPLIT = (
    {"projector": "512-512-256"},
    {"projector": "512-512-128"},
)  # 256 coordinates: twice the batch, as published
_NORMALISED = {"projector_norm": True}

RECIPES: dict[str, Recipe] = {
    # Every default is the SIE paper's, or of a method that it does not compare its own paper's; see docs/methods.md.
    DEFAULT: Recipe(
        benchmark="3diebench",
        source="{paper}",
        cost="{epochs} epochs of {batch} objects, for GPUs",
        expect="the published rows of `iebench table --published`",
    ),
    "mini": Recipe(
        benchmark="iebench-mini",
        source="tried on seeds that the table does not use; docs/results.md",
        cost="about 12 minutes of one core of a busy AMD EPYC with avx512_bf16",
        expect="sie: top-1 81 %, rotation R² (uniform) 0.29; vicreg: top-1 93 %, rotation 0.11; docs/results.md has all",
        trainer={"steps": 2000, "batch_size": 128, "schedule": "cosine", "warmup_epochs": 2, "num_workers": 1},
        every_method={"backbone": "resnet18-narrow"},
        methods={
            "sie": _SPLIT,
            "equivariant-only": _WIDE,
            "vicreg": _WIDE,
            "vicreg-partial": _WIDE,
            "vicreg-equimod": _SPLIT,
            "simclr": _WIDE,
            "simclr-equivariant": _WIDE,
            "augself": _WIDE,
            "equimod": _SPLIT,
            "byol": {"projector": "512-256"},
            "byol-conditioned": {"projector": "512-256"},
            "vicreg-traj": _WIDE,
            "seqjepa": {"transform_width": 32, "predictor_hidden": 512},
            "supervised": {"weight_decay": 1e-2},  # else it learns the training objects by heart (docs/results.md)
            "contextssl": {"width": 256, "learning_rate": 1e-4},  # at 1e-3 it learns no pose (docs/results.md)
        },
    ),
    "seqjepa": Recipe(
        benchmark="3diebench",
        source="Ghaemi, Muller and Bakhtiari, NeurIPS 2025, appendix A.2; heads as in hafezgh/seq-jepa 73e0550",
        cost="1000 epochs of 512 objects at 128 px, for GPUs",
        expect="that paper's rows in `iebench table --published`; no run of ours has met or missed them",
        trainer={"epochs": 1000, "batch_size": 512, "size": 128, "learning_rate": 1e-3, "weight_decay": 0.0},
        methods={
            "seqjepa": {"learning_rate": 4e-4, "weight_decay": 1e-3},
            "simclr": {**_NORMALISED, "temperature": 0.5},
            "simclr-equivariant": {**_NORMALISED, "predictor": "embedding", "temperature": 0.5},
            "equimod": {
                **_NORMALISED,
                "projector": "1024-1024-128",
                "predictor": "embedding",
                "equivariance_weight": 1.0,
            },
            "byol": {**_NORMALISED, "projector": "2048-128"},
            "byol-conditioned": {**_NORMALISED, "projector": "2048-128", "transform_width": 128},
            **{name: {} for name in ("vicreg", "vicreg-traj", "sie")},
        },
        is_general=False,
    ),
}


def get_recipe(name: str) -> Recipe:
    """A recipe by name.

    Raises:
        UsageError: there is none of that name.
    """
    return find_named(name, RECIPES, "recipe")


def describe_recipe(name: str, method: str) -> str:
    """Where the settings of a recipe come from for a method, what they cost and what to expect, in a line."""
    found, entry = get_recipe(name), find_method(method)
    told = {
        "paper": f"{entry.paper.cite}, or the SIE paper where it compares with the method"
        if entry.paper
        else "the method's own defaults",
        "epochs": entry.trainer.epochs,
        "batch": entry.trainer.batch_size,
    }
    words = "; ".join((found.source, found.cost, found.expect)).format(**told)
    return f"recipe {name}, for {found.benchmark}: {words}"


def make_training(
    method: str, recipe: str = DEFAULT, given: Mapping[str, Any] | None = None
) -> tuple[MethodSettings, TrainerSettings]:
    """The settings of a method and of the trainer after a recipe.

    Args:
        method: a registered name, or `package.module:Class`.
        recipe: which fills what is not given.
        given: fields of either settings, by name.

    Raises:
        UsageError: there is no such method, recipe or field, the recipe is not for the method, or a value does not fit.
    """
    entry, found, given = find_method(method), get_recipe(recipe), dict(given or {})
    if not (found.is_general or method in found.methods):
        raise UsageError(
            f"--recipe {recipe} has no settings for {method}: leave it out, or train one of {', '.join(found.methods)}."
        )
    own = {setting.name for setting in list_settings(entry.settings)}
    of_trainer = {setting.name for setting in list_settings(TrainerSettings)}
    unknown = sorted(set(given) - own - of_trainer)
    if unknown:
        raise UsageError(
            f"{method} has no setting {unknown[0]!r}: {suggest(unknown[0], own | of_trainer, 'see its --help.')}"
        )
    filled = {**found.trainer, **found.every_method, **found.methods.get(method, {}), **given}
    if "epochs" in given and "steps" not in given:
        filled["steps"] = 0  # as many as the epochs have
    settings = entry.settings(**{name: value for name, value in filled.items() if name in own})
    return settings, replace(entry.trainer, **{name: filled[name] for name in filled if name in of_trainer})
