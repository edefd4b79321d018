"""Evaluation of representations: each image through the network once, then evaluators on what came out, then results and tables.

May import the loader and what lies below it, and knows neither methods nor Blender. Begin reading at `evaluator`, the protocol
of everything in `tasks`, then `suite`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from iebench.evals.columns import Column, Figure
    from iebench.evals.evaluator import Context, Detail, Evaluator, Needs, Score
    from iebench.evals.model import Model
    from iebench.evals.probe_task import ProbeTask, Regression
    from iebench.evals.results import Results
    from iebench.evals.settings import EvalSettings, ProbeSettings
    from iebench.evals.suite import run_suite

# As in iebench itself: what needs torch is imported only when it is named.
_LAZY = {
    "Column": "columns",
    "Context": "evaluator",
    "Detail": "evaluator",
    "EvalSettings": "settings",
    "Evaluator": "evaluator",
    "Figure": "columns",
    "Model": "model",
    "Needs": "evaluator",
    "ProbeSettings": "settings",
    "ProbeTask": "probe_task",
    "Regression": "probe_task",
    "Results": "results",
    "Score": "evaluator",
    "run_suite": "suite",
}
__all__ = [
    "Column",
    "Context",
    "Detail",
    "EvalSettings",
    "Evaluator",
    "Figure",
    "Model",
    "Needs",
    "ProbeSettings",
    "ProbeTask",
    "Regression",
    "Results",
    "Score",
    "run_suite",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'iebench.evals' has no attribute {name!r}")
    return getattr(import_module(f"iebench.evals.{_LAZY[name]}"), name)
