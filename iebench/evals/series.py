"""Series: runs that differ in their seed alone, what they are called, and how their numbers came about."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from iebench.evals.results import Results, ScoreBook

# Between runs of one series: the seed, and what changes no result.
MAY_DIFFER = (
    "seed", "devices", "nodes", "num_workers", "resident", "log", "log_every", "validate_every", "checkpoint_every",
)  # fmt: skip


def group_results(results: Sequence[Results], key: Callable[[Results], Any]) -> list[list[Results]]:
    """The results with equal keys, plain values, together, in the order in which the first of each comes."""
    groups: dict[str, list[Results]] = {}
    for result in results:
        groups.setdefault(json.dumps(key(result), sort_keys=True), []).append(result)
    return list(groups.values())


def series_of(result: Results) -> list[Any]:
    """What the runs of a series have in common: all but the seed; a network of unknown training is alone with its weights."""

    def strip(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: strip(inner) for key, inner in value.items() if key not in MAY_DIFFER}
        return value

    own = [] if "trainer" in result.training else [result.name, weights_of(result)]
    return [result.method, strip(result.training), *own]


def weights_of(result: Results) -> str:
    """The hash of the weights that were scored; empty where it is not known, as of a function."""
    return str(result.protocol.get("weights", ""))


def join_evaluations(group: Sequence[Results]) -> list[Results]:
    """The results of each run once: those of the same weights are one run that was scored in other tasks, or once more."""
    runs: dict[str, Results] = {}
    for number, result in enumerate(group):
        key = weights_of(result) or str(number)
        first = runs.setdefault(key, result)
        runs[key] = replace(first, scores=ScoreBook(result.scores.scores | first.scores.scores))
    return list(runs.values())


def label_of(result: Results) -> str:
    """The method's name with its transform, where it has one."""
    transform = result.training.get("method_settings", {}).get("transform")
    has_one = transform is not None and ("retrieval/val-val/mrr" in result.scores.scores or transform != "rotation")
    return (
        f"{result.method} ({transform})" if has_one else (result.name if result.method == "backbone" else result.method)
    )


def find_by_name(results: Sequence[Results], name: str) -> list[Results]:
    """The results that the table calls so; where there are none, those of a method of this name, with transform or without."""
    if labelled := [result for result in results if label_of(result) == name]:
        return labelled
    transforms = [result.training.get("method_settings", {}).get("transform") for result in results]
    named = zip(results, transforms, strict=True)
    return [result for result, transform in named if name in (result.method, f"{result.method} ({transform})")]


def describe_series(runs: Sequence[Results]) -> str:
    """How the numbers of a series came about, in a few words."""
    first = runs[0]
    trainer = first.training.get("trainer", {})
    length = f"{trainer['steps']} steps" if trainer.get("steps") else f"{trainer.get('epochs')} epochs"
    seeds = len(runs) if len(runs) > 1 else len(first.protocol["seeds"])
    kind = "run" if len(runs) > 1 else "probe seed"
    backbone = first.training.get("method_settings", {}).get("backbone")
    words = [
        describe_data(first),
        *([str(backbone)] if backbone else []),
        *([f"trained {length}"] if trainer else []),
        f"{seeds} {kind}{'s' if seeds > 1 else ''}",
    ]
    return ", ".join(words)


def describe_data(result: Results) -> str:
    """The data, and how long the probes train."""
    size, epochs = result.data.get("evaluated_size"), result.protocol["probes"]["epochs"]
    return f"{result.data.get('name', 'data')}{f' {size}px' if size else ''}, probes {epochs} epochs"
