"""Evaluators by name: ours, found in the files of `iebench.evals.tasks`, and those of others as `package.module:Class`."""

import inspect
from collections.abc import Iterator, Sequence
from importlib import import_module
from pkgutil import iter_modules

from iebench.errors import UsageError, suggest
from iebench.evals import tasks as folder
from iebench.evals.evaluator import Evaluator
from iebench.plugins import is_dotted, load_object


def _find_ours() -> Iterator[Evaluator]:
    """One of each class of evaluators that stands in a file of the folder."""
    for file in iter_modules(folder.__path__):
        module = import_module(f"{folder.__name__}.{file.name}")
        for _, found in inspect.getmembers(module, inspect.isclass):
            own = found.__module__ == module.__name__
            if own and issubclass(found, Evaluator) and not inspect.isabstract(found):
                yield found()


EVALUATORS = tuple(sorted(_find_ours(), key=lambda evaluator: (evaluator.order, evaluator.name)))
TASKS = tuple(evaluator.name for evaluator in EVALUATORS)


def find_evaluator(name: str) -> Evaluator:
    """An evaluator by its name, or by `package.module:Class`.

    Raises:
        UsageError: there is none of that name, or what was named is no evaluator.
    """
    if is_dotted(name):
        return _instance_of(load_object(name, "--tasks"), f"--tasks {name}")
    for evaluator in EVALUATORS:
        if evaluator.name == name:
            return evaluator
    hint = suggest(name, TASKS, f"choose among {', '.join(TASKS)}, all, or package.module:Class.")
    raise UsageError(f"--tasks has no {name!r}: {hint}")


def _instance_of(found: object, name: str) -> Evaluator:
    """An evaluator, given as it is or as its class."""
    evaluator = found() if isinstance(found, type) else found
    if not isinstance(evaluator, Evaluator):
        raise UsageError(f"{name} is no evaluator: derive the class from iebench.evals.Evaluator.")
    if not getattr(evaluator, "name", ""):
        raise UsageError(f'{name} has no name: write name = "…" in the class, with which the keys of its scores begin.')
    return evaluator


def find_evaluators(tasks: str | Sequence[str | Evaluator | type[Evaluator]]) -> tuple[Evaluator, ...]:
    """The evaluators that are asked for: "all", names with commas between, or a sequence of names, evaluators or their classes.

    Raises:
        UsageError: see `find_evaluator`; or two different ones have one name, under which their scores would be mixed.
    """
    asked = (TASKS if tasks == "all" else tasks.split(",")) if isinstance(tasks, str) else tasks
    found: dict[str, Evaluator] = {}
    for task in asked:
        evaluator = find_evaluator(task.strip()) if isinstance(task, str) else _instance_of(task, str(task))
        if type(found.setdefault(evaluator.name, evaluator)) is not type(evaluator):
            raise UsageError(f"Two evaluators are named {evaluator.name!r}: give one of them another name.")
    return tuple(found.values())
