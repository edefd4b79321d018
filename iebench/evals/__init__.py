"""Evaluation of representations: features once, probes, metrics, tasks."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from iebench.evals.results import Results
    from iebench.evals.subject import EvalSettings, Subject
    from iebench.evals.suite import TASKS, evaluate
    from iebench.evals.training import ProbeSettings

# As in iebench itself: what needs torch is imported only when it is named.
_LAZY = {
    "TASKS": "suite",
    "EvalSettings": "subject",
    "Subject": "subject",
    "evaluate": "suite",
    "ProbeSettings": "training",
    "Results": "results",
}
__all__ = ["TASKS", "EvalSettings", "ProbeSettings", "Results", "Subject", "evaluate"]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'iebench.evals' has no attribute {name!r}")
    return getattr(import_module(f"iebench.evals.{_LAZY[name]}"), name)
